"""Settings: flags over environment, nothing unknown, no contradiction without a way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.config import Settings, engine_threads, read_settings


def refusal(given: dict[str, Any], environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ValueError, match=r"\S") as caught:
        read_settings(given, environment or {})
    return str(caught.value)


def test_flags_stand_before_the_environment_before_defaults() -> None:
    environment = {"SWE_RM_PORT": "9000", "SWE_RM_MODEL": "other", "PATH": "/bin"}
    settings = read_settings({"port": 9001}, environment)
    assert (settings.port, settings.model, settings.engine) == (9001, "other", "vllm")


def test_only_the_environment_given_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWE_RM_PORT", "9000")
    assert read_settings({}, {}).port == 8000


def test_every_type_is_read_from_text() -> None:
    settings = read_settings(
        {},
        {
            "SWE_RM_MAX_TOKENS": "4096", "SWE_RM_TRUST_PROMPTS": "true", "SWE_RM_DRAIN_S": "2.5",
            "SWE_RM_MODEL_STORE": "/models", "SWE_RM_ENGINE": "fake",
        },
    )  # fmt: skip
    assert settings.max_tokens == 4096
    assert settings.trust_prompts is True
    assert settings.drain_s == 2.5
    assert settings.model_store == Path("/models")


def test_an_unknown_variable_is_named() -> None:
    assert "SWE_RM_PROT" in refusal({}, {"SWE_RM_PROT": "1", "SWE_RM_PORT": "1"})
    assert "--help" in refusal({}, {"SWE_RM_PROT": "1"})
    assert "SWE_RM_" in refusal({}, {"SWE_RM_": "1"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"host": "0.0.0.0"}, ("0.0.0.0", "127.0.0.1", "allow_anonymous", "swe-rm keys new")),
        ({"keys": "k", "allow_anonymous": True}, ("drop one",)),
        ({"keys": "k", "trust_prompts": True}, ("scope trusted_prompt",)),
        ({"ssl_keyfile": "k"}, ("ssl_certfile", "both")),
        ({"host": "::"}, ("loopback", "allow_anonymous")),
        ({"host": "example.org"}, ("loopback", "allow_anonymous")),
        ({"max_item_bytes": 10**6, "max_body_bytes": 10**5}, ("lower", "raise")),
        ({"max_item_bytes": 10**6, "max_ndjson_body_bytes": 10**5}, ("lower", "raise")),
        ({"bodies_bytes": 10**8}, ("bodies_bytes", "raise", "lower", "max_ndjson_body_bytes")),
        ({"waiting_items": 255}, ("waiting_items", "max_items", "raise", "lower")),
    ],
)
def test_a_contradiction_says_the_way_out(given: dict[str, Any], words: tuple[str, ...]) -> None:
    message = refusal(given)
    assert all(word in message for word in words), message
    assert "Value error" not in message


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9"])
def test_loopback_needs_no_leave(host: str) -> None:
    assert read_settings({"host": host}, {}).host == host


def test_beyond_loopback_with_leave() -> None:
    assert read_settings({"host": "0.0.0.0", "allow_anonymous": True}, {}).host == "0.0.0.0"


@pytest.mark.parametrize(
    ("given", "environment", "word"),
    [
        ({"port": 70000}, {}, "port"),
        ({"port": "x"}, {}, "port"),
        ({}, {"SWE_RM_PORT": ""}, "port"),
        ({}, {"SWE_RM_ENGINE": "gpt"}, "engine"),
        ({"gpu_memory_ratio": 1.0}, {}, "gpu_memory_ratio"),
        ({"body_timeout_s": float("nan")}, {}, "body_timeout_s"),
        ({"colour": 1}, {}, "colour"),
        ({"max_tokens": 1}, {}, "max_tokens"),
        ({}, {"SWE_RM_TRUST_PROMPTS": "perhaps"}, "trust_prompts"),
    ],
)
def test_a_bad_value_names_its_setting(
    given: dict[str, Any], environment: dict[str, str], word: str
) -> None:
    assert refusal(given, environment).startswith(word)


def test_every_problem_is_told_at_once() -> None:
    assert len(refusal({"port": -1, "threads": -1}).splitlines()) == 2


def test_settings_do_not_change() -> None:
    settings = read_settings({}, {})
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]


def test_every_setting_says_what_it_is() -> None:
    assert not [name for name, field in Settings.model_fields.items() if not field.description]


def test_the_engine_gets_no_more_cores_than_there_are() -> None:
    usable = engine_threads(read_settings({}, {}))
    assert usable >= 1
    assert engine_threads(read_settings({"threads": 1}, {})) == 1
    assert engine_threads(read_settings({"threads": 100_000}, {})) == usable


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"receipt_keys": "a:0123456789abcdef", "receipt_keys_file": "x"}, ("both",)),
        ({"store_trajectories": True, "record_scores": False}, ("record_scores",)),
        ({"outcomes_per_minute": 0}, ("outcomes_per_minute",)),
    ],
)
def test_contradictions_about_what_is_kept(given: dict[str, Any], words: tuple[str, ...]) -> None:
    said = refusal(given)
    assert all(word in said for word in words)
    assert "0123456789abcdef" not in said
