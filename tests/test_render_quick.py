"""The quick way to encode gives the tokenizer's own ids, or is not taken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from houses import STORE
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from app.render.quick import quick

POOL = Path(__file__).resolve().parents[2] / "shared" / "trajectories"
DOCUMENT: dict[str, Any] = json.loads((STORE / "swe-rm-nano" / "tokenizer.json").read_text())
SLOW = Tokenizer.from_str(json.dumps(DOCUMENT | {"added_tokens": []}))
QUICK = quick(DOCUMENT)
ASCII = st.characters(max_codepoint=127)
WORDS = st.sampled_from(
    [
        "def ",
        "self.",
        "\n    ",
        "return",
        "'s",
        "'LL",
        " \t",
        "\r\n",
        "1234",
        "<|im_end|>",
        "--",
        "  ",
    ]
)


def slow(text: str) -> list[int]:
    return list(SLOW.encode(text, add_special_tokens=False).ids)


def check(text: str) -> None:
    assert QUICK
    assert QUICK.takes(text)
    assert list(QUICK.encode(text)) == slow(text)


@settings(max_examples=600, deadline=None)
@given(
    st.one_of(
        st.text(ASCII, max_size=200), st.lists(WORDS | st.text(ASCII, max_size=3)).map("".join)
    )
)
def test_the_same_ids(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    "piece", [" ", "\t", "\n", " \n", "a", "ab", "1", "-", "'s", "\0", "THE", "x "]
)
def test_long_runs(piece: str) -> None:
    check(piece * (30_000 // len(piece)))
    check("x" + piece * (30_000 // len(piece)) + "x")


def test_what_it_does_not_take() -> None:
    assert QUICK
    assert not QUICK.takes("naïve")
    assert not QUICK.takes("a\ud800")
    assert not QUICK.takes("x" + " " * 65_536 + "x")
    assert QUICK.takes("x" + " " * 30_000 + "x" * 100_000)
    assert list(QUICK.encode("")) == []


def changed(*path: str, to: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    at: Any = made
    for key in path[:-1]:
        at = at[int(key) if key.isdigit() else key]
    at[path[-1]] = to
    return made


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("normalizer",), {"type": "Lowercase"}),
        (("pre_tokenizer",), None),
        (("pre_tokenizer",), {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}),
        (("pre_tokenizer", "pretokenizers", "0", "behavior"), "Removed"),
        (("pre_tokenizer", "pretokenizers", "0", "invert"), True),
        (("pre_tokenizer", "pretokenizers", "1", "add_prefix_space"), True),
        (("model", "dropout"), 0.1),
        (("model", "byte_fallback"), True),
        (("model", "merges"), DOCUMENT["model"]["merges"][::-1]),
        (("model", "merges"), DOCUMENT["model"]["merges"][1:]),
    ],
)
def test_where_it_is_not_proven_it_is_not_there(path: tuple[str, ...], to: Any) -> None:
    assert quick(changed(*path, to=to)) is None


def test_a_token_that_its_letters_do_not_reach() -> None:
    """Pairs that make a token which the list would not make: tiktoken would."""
    letters = list("ab") + ["c"]
    vocab = {word: n for n, word in enumerate(quickest_letters() + ["bc", "abc", "ab"])}
    merges = [["b", "c"], ["ab", "c"]]  # `abc` waits for `ab`, which nobody makes
    document = changed("model", to=DOCUMENT["model"] | {"vocab": vocab, "merges": merges})
    assert set(letters) <= set(vocab)
    assert quick(document | {"added_tokens": []}) is None


def quickest_letters() -> list[str]:
    return [word for word in DOCUMENT["model"]["vocab"] if len(word) == 1]


def test_nfc_leaves_it_in_place() -> None:
    assert quick(changed("normalizer", to={"type": "NFC"})) is not None


def test_real_trajectories() -> None:
    """Files of the labelled pool as they lie, and as what their strings say."""
    if not POOL.exists():
        pytest.skip(f"{POOL} is not there")
    files = sorted(POOL.glob("**/*.json*"))[::60]
    tried = 0
    for file in files:
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        text = data.decode("utf-8", "replace")
        for part in (text, text.replace("\\n", "\n").replace('\\"', '"')):
            pieces = [part[at : at + 50_000] for at in range(0, len(part), 50_000)]
            ascii_ = [piece for piece in pieces if QUICK and QUICK.takes(piece)]
            found = SLOW.encode_batch_fast(ascii_, add_special_tokens=False)
            assert QUICK
            assert all(list(QUICK.encode(p)) == f.ids for p, f in zip(ascii_, found, strict=True))
            tried += len(ascii_)
    assert tried > len(files)
