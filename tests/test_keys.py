"""The file of keys, the keyring that follows it, and `swe-rm keys`."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.api.access import Keyring
from app.api.access.keyring import LOOK_EVERY_S
from app.api.access.keys import digest, make_key, read_keys, revoke_key
from app.cli import app
from app.errors import QuotaSpent, Unauthenticated

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()


class Clock:
    """Wall clock and ticks that a test moves."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.jsonl"


def ring(file: Path) -> tuple[Keyring, Clock, Clock]:
    clock, ticks = Clock(), Clock(0.0)
    return Keyring(file, clock, ticks), clock, ticks


def refused(keys: Keyring, secret: str | None) -> str:
    with pytest.raises(Unauthenticated) as caught:
        keys.enter(secret)
    return caught.value.message


def test_the_file_holds_no_secret_and_is_its_owners_alone(file: Path) -> None:
    secret = make_key(file, "trainer", ["score", "outcomes"], quota_tokens_per_day=5)
    text = file.read_text()
    assert secret not in text
    assert secret.removeprefix("swerm_") not in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (key,) = read_keys(file)
    assert (key.name, key.scopes, key.quota_tokens_per_day) == ("trainer", ("score", "outcomes"), 5)
    assert key.hash == digest(secret)
    assert key.hash not in repr(key)
    assert [each.name for each in file.parent.iterdir()] == ["keys.jsonl"]


def test_secrets_are_long_differ_and_fit_into_a_url(file: Path) -> None:
    made = {make_key(file, f"k{n}", ["score"]) for n in range(20)}
    assert len(made) == 20
    assert all(
        len(each) >= 49 and each.replace("_", "").replace("-", "").isalnum() for each in made
    )


@pytest.mark.parametrize(
    ("name", "scopes", "terms", "word"),
    [
        ("local", ["score"], {}, "local"),
        ("Upper", ["score"], {}, "name"),
        ("a b", ["score"], {}, "name"),
        ("a", [], {}, "scopes"),
        ("a", ["root"], {}, "scopes"),
        ("a", ["score"], {"quota_tokens_per_day": 0}, "quota"),
        ("a", ["score"], {"priority_ceiling": "now"}, "priority_ceiling"),
        ("a", ["score"], {"unscored_reward": float("nan")}, "unscored_reward"),
        ("a", ["score"], {"expires": datetime(2020, 1, 1, tzinfo=UTC)}, "past"),
    ],
)
def test_a_bad_key_is_not_made(
    file: Path, name: str, scopes: list[str], terms: dict[str, Any], word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        make_key(file, name, scopes, **terms)
    assert not file.exists()


def test_a_name_is_given_once_even_after_it_was_revoked(file: Path) -> None:
    make_key(file, "a", ["score"])
    revoke_key(file, "a")
    with pytest.raises(ValueError, match="once"):
        make_key(file, "a", ["score"])
    with pytest.raises(ValueError, match="no key b"):
        revoke_key(file, "b")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"name": "b"', "line 2"),
        ('{"name": "b", "colour": "SECRET"}', "line 2"),
        ('{"name": "b", "hash": "SECRET", "scopes": ["score"], "created": "x"}', "hash"),
    ],
)
def test_a_broken_line_is_named_and_never_quoted(file: Path, line: str, words: str) -> None:
    make_key(file, "a", ["score"])
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(ValueError, match=words) as caught:
        read_keys(file)
    assert "SECRET" not in str(caught.value)


def test_two_lines_of_one_name_are_refused(file: Path) -> None:
    make_key(file, "a", ["score"])
    file.write_text(file.read_text() * 2)
    with pytest.raises(ValueError, match="same name"):
        read_keys(file)


def test_who_holds_the_secret_comes_in(file: Path) -> None:
    secret = make_key(file, "a", ["score"], priority_ceiling="rollout", unscored_reward=-1.0)
    keys, _, _ = ring(file)
    caller = keys.enter(secret)
    assert (caller.key_id, caller.scopes) == ("a", {"score"})
    assert (caller.ceiling, caller.unscored_reward) == ("rollout", -1.0)
    for wrong in (None, "", secret[:-1], secret + "x", digest(secret), "é" * 300):
        refused(keys, wrong)


def test_an_expired_key_is_out_at_its_very_second(file: Path) -> None:
    expires = datetime.now(UTC) + timedelta(days=1)
    secret = make_key(file, "a", ["score"], expires=expires)
    keys, clock, _ = ring(file)
    clock.now = expires.timestamp() - 1
    assert keys.enter(secret).key_id == "a"
    clock.now = expires.timestamp()
    assert "expired" in refused(keys, secret)


def test_a_revoked_key_is_out_without_a_restart(file: Path) -> None:
    secret, other = make_key(file, "a", ["score"]), make_key(file, "b", ["score"])
    keys, _, ticks = ring(file)
    keys.enter(secret)
    revoke_key(file, "a")
    ticks.now += LOOK_EVERY_S
    assert "revoked" in refused(keys, secret)
    assert keys.enter(other).key_id == "b"
    third = make_key(file, "c", ["admin"])
    ticks.now += LOOK_EVERY_S
    assert keys.enter(third).scopes == {"admin"}


@pytest.mark.parametrize("text", ["{", None, "\xff\xfe"])
def test_a_broken_file_keeps_the_last_good_keys_and_says_so(
    file: Path, caplog: pytest.LogCaptureFixture, text: str | None
) -> None:
    secret = make_key(file, "a", ["score"])
    keys, _, ticks = ring(file)
    good = file.read_text()
    if text is None:
        file.unlink()
    else:
        file.write_bytes(text.encode("latin-1"))
    for _ in range(3):
        ticks.now += LOOK_EVERY_S
        assert keys.enter(secret).key_id == "a"
    said = [each.getMessage() for each in caplog.records if "last good" in each.getMessage()]
    assert len(said) == 1  # not with every request
    file.write_text(good)
    revoke_key(file, "a")
    ticks.now += LOOK_EVERY_S
    refused(keys, secret)


def test_an_emptied_file_shuts_everybody_out(file: Path) -> None:
    secret = make_key(file, "a", ["score"])
    keys, _, ticks = ring(file)
    file.write_text("")
    ticks.now += LOOK_EVERY_S
    refused(keys, secret)


def test_a_quota_is_of_one_key_and_of_one_day(file: Path) -> None:
    mine, free = (
        make_key(file, "a", ["score"], quota_tokens_per_day=100),
        make_key(file, "b", ["score"]),
    )
    keys, clock, _ = ring(file)
    a, b = keys.enter(mine), keys.enter(free)
    keys.bill("a", 99)
    keys.check_quota(a)
    keys.bill("a", 2)
    keys.bill("b", 10**9)
    keys.check_quota(b)
    with pytest.raises(QuotaSpent) as caught:
        keys.check_quota(a)
    assert caught.value.limits == {"measured": 101, "allowed": 100}
    assert caught.value.retry_after_s == 12 * 3600
    clock.now += 12 * 3600
    keys.check_quota(a)


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["keys", *words], env={"SWE_RM_KEYS": None})


def test_the_command_makes_lists_and_revokes(file: Path) -> None:
    at = ("--keys", str(file))
    made = run("new", "trainer", "--scope", "score", "--scope", "outcomes", "--expires", "90d",
               "--quota-tokens-per-day", "1000000", *at)  # fmt: skip
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()
    keys, clock, _ = ring(file)
    clock.now = datetime.now(UTC).timestamp()
    assert keys.enter(secret).key_id == "trainer"
    days = (read_keys(file)[0].expires or datetime.now(UTC)) - datetime.now(UTC)
    assert timedelta(days=89) < days <= timedelta(days=90)
    listed = run("list", *at).stdout
    assert "trainer" in listed
    assert "1,000,000" in listed
    assert secret not in listed
    assert run("revoke", "trainer", *at).exit_code == 0
    assert "revoked" in run("list", *at).stdout


@pytest.mark.parametrize(
    "words",
    [("new", "a", "--scope", "root"), ("new", "a", "--scope", "score", "--expires", "soon"),
     ("revoke", "a"), ("list",)],
)  # fmt: skip
def test_the_command_says_what_is_wrong(file: Path, words: tuple[str, ...]) -> None:
    done = run(*words, "--keys", str(file))
    assert done.exit_code == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.output


def test_half_a_write_leaves_the_file_whole(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_key(file, "a", ["score"])
    before = file.read_text()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        make_key(file, "b", ["score"])
    assert file.read_text() == before
    assert len(list(file.parent.iterdir())) == 1
    assert json.loads(before.splitlines()[0])["name"] == "a"
