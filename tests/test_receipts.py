"""Receipts: ours and untouched, or which part is wrong; keys rotate."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from houses import ask, check_problem, item, keeping, opened
from hypothesis import given
from hypothesis import strategies as st
from stores import sqlite_url

from app.api.feedback.receipts import SIGNED, Receipts, read_keys
from app.config import Settings

OLD, NEW = {"k1": b"an old secret of ours"}, {"k2": b"a newer secret of ours"}
CLAIMS: dict[str, Any] = {
    "score_id": "sc-1", "prompt_digest": "sha256:p", "model": "m", "revision": "sha256:w",
    "template": "t@1", "calibration": "identity", "probability": 0.1 + 0.2, "time": 1_790_000_000,
}  # fmt: skip


def changed(receipt: str, **claims: Any) -> str:
    body, *rest = receipt.split(".")
    told = json.loads(base64.urlsafe_b64decode(body + "=="))
    fresh = json.dumps(told | claims, separators=(",", ":")).encode()
    return ".".join((base64.urlsafe_b64encode(fresh).rstrip(b"=").decode(), *rest))


def test_an_untouched_receipt_holds() -> None:
    receipts = Receipts(NEW)
    found = receipts.verify(receipts.sign(CLAIMS), CLAIMS)
    assert found.wrong == ()
    assert found.claims is not None
    assert {name: found.claims[name] for name in CLAIMS} == CLAIMS
    assert found.claims["key_id"] == "k2"


@pytest.mark.parametrize("name", [n for n in SIGNED if n not in ("key_id", "nonce")])
def test_a_changed_claim_is_named(name: str) -> None:
    receipts = Receipts(NEW)
    forged = changed(receipts.sign(CLAIMS), **{name: 0.99})
    assert receipts.verify(forged, {}).wrong == (name,)


@pytest.mark.parametrize("name", ["score_id", "model", "calibration", "probability"])
def test_a_result_that_differs_from_its_receipt_is_named(name: str) -> None:
    receipts = Receipts(NEW)
    assert receipts.verify(receipts.sign(CLAIMS), CLAIMS | {name: 0.99}).wrong == (name,)


def test_parts_of_two_receipts_make_none() -> None:
    receipts = Receipts(NEW)
    one, other = receipts.sign(CLAIMS), receipts.sign(CLAIMS | {"probability": 0.9})
    mixed = ".".join((one.split(".")[0], *other.split(".")[1:]))
    assert receipts.verify(mixed, {}).wrong
    tags = ".".join((one.split(".")[0], other.split(".")[1], one.split(".")[2]))
    assert not receipts.verify(tags, {}).wrong  # the signature alone decides
    assert "nonce" in receipts.verify(changed(one, nonce="0"), {}).wrong


def test_keys_rotate() -> None:
    before, both, after = Receipts(OLD), Receipts(NEW | OLD), Receipts(NEW)
    old = before.sign(CLAIMS)
    assert both.verify(old, {}).wrong == ()
    assert after.verify(old, {}).wrong == ("key_id",)
    assert after.verify(both.sign(CLAIMS), {}).wrong == ()
    impostor = Receipts({"k2": b"another secret altogether"})
    assert after.verify(impostor.sign(CLAIMS), {}).wrong


@given(st.text() | st.binary().map(lambda b: base64.urlsafe_b64encode(b).decode() + ".AA.AA"))
def test_no_text_breaks_it(text: str) -> None:
    assert Receipts(NEW).verify(text, {}).wrong


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", [1], {"a": 1}])
@pytest.mark.parametrize("name", SIGNED)
def test_a_claim_that_no_answer_could_hold_is_unreadable(name: str, value: Any) -> None:
    receipts = Receipts(NEW)
    found = receipts.verify(changed(receipts.sign(CLAIMS), **{name: value}), {})
    assert found.wrong == ("receipt",)
    assert found.claims is None


@pytest.mark.parametrize(
    "text", ["", "a", "a:short", ":" + "x" * 16, "a:" + "x" * 16 + ",a:" + "y" * 16]
)
def test_bad_keys_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(ValueError, match="receipt key") as caught:
        read_keys(text)
    assert "xxxx" not in str(caught.value)


def test_keys_are_read_in_order() -> None:
    found = read_keys("new:0123456789abcdef\n old:fedcba9876543210,\n")
    assert list(found) == ["new", "old"]


def test_keys_never_show_in_the_settings() -> None:
    assert "0123456789abcdef" not in repr(Settings(receipt_keys="a:0123456789abcdef"))


async def test_on_the_wire(tmp_path: Path) -> None:
    with opened() as built:
        url = sqlite_url(tmp_path)
        async with keeping(built, url, receipts=Receipts(NEW)), ask(built) as client:
            (one,) = (await client.post("/score", json={"trajectories": [item()]})).json()[
                "results"
            ]
            held = ("score_id", "model", "revision", "template", "calibration", "probability")
            body = {"receipt": one["receipt"]} | {name: one[name] for name in held}
            answer = (await client.post("/receipts/verify", json=body)).json()
            assert (answer["valid"], answer["wrong"]) == (True, [])
            wrong = {**body, "probability": 1.0, "model": "x"}
            answer = (await client.post("/receipts/verify", json=wrong)).json()
            assert (answer["valid"], answer["wrong"]) == (False, ["model", "probability"])
            bad = {"receipt": 7}
            check_problem(await client.post("/receipts/verify", json=bad), 400, "invalid")
            assert "receipts" in (await client.get("/info")).json()["features"]
        async with keeping(built, url), ask(built) as client:
            (one,) = (await client.post("/score", json={"trajectories": [item()]})).json()[
                "results"
            ]
            assert one["receipt"] is None
            body = {"receipt": "x"}
            check_problem(await client.post("/receipts/verify", json=body), 404, "not_found")
