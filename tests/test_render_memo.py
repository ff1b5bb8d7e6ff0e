"""The token memo: the ids are those of plain encoding, whatever was encoded before."""

from __future__ import annotations

import random
import threading
import tracemalloc
from array import array
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import adapters, store
from app.cli.files import find, load
from app.errors import EngineFailed, ItemError
from app.render import Renderer
from app.render.memo import TokenMemo
from app.types import Observation, ToolCall, Trajectory, Turn

ROOT = Path(__file__).resolve().parents[1]
POOL = ROOT.parent / "shared" / "trajectories"
MIB = 2**20
WORDS = (
    "<|im_end|>",
    "<tool_call>",
    "def f(x):\n",
    "  ",
    "\n\n",
    "é",
    "日本",
    "x" * 50,
    "\u212a",
)
TEXT = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(WORDS), max_size=6).map("".join))
CALL = st.builds(ToolCall, st.just("bash"), TEXT.map(lambda text: (("cmd", text),)))
CALLS, SEEN = st.lists(CALL, max_size=2), st.lists(st.builds(Observation, TEXT), max_size=2)
TURNS = st.lists(st.builds(Turn, TEXT, CALLS.map(tuple), SEEN.map(tuple)), max_size=6)


@cache
def renderers(allowed_tokens: int = 262_143) -> tuple[Renderer, Renderer]:
    """One that remembers, one that does not."""
    found = store.open_model(ROOT / "model_store", "swe-rm-nano")
    made = (found.tokenizer_path, found.template, "t@1", allowed_tokens)
    return Renderer(*made, memo_bytes=MIB), Renderer(*made)


def rendered(renderer: Renderer, trajectory: Trajectory) -> object:
    try:
        return renderer.render(trajectory, "elide")
    except ItemError as error:
        return type(error)


@settings(max_examples=60, deadline=None)
@given(TEXT, TURNS, TURNS, st.integers(0, 6), st.booleans())
def test_any_edit_of_the_messages_renders_as_without_a_memo(
    issue: str, turns: list[Turn], new: list[Turn], at: int, short: bool
) -> None:
    remembering, plain = renderers(60 if short else 262_143)
    before = Trajectory(issue, tuple(turns))
    for each in (
        before,
        before,
        replace(before, turns=(*turns[:at], *new, *turns[at:])),
        replace(before, turns=tuple(turns[at:])),
        replace(before, turns=tuple(reversed(turns)), patch="diff --git"),
    ):
        assert rendered(remembering, each) == rendered(plain, each)


def test_a_growing_rollout_encodes_only_what_is_new() -> None:
    asked: list[str] = []

    def encode(texts: Sequence[str]) -> list[array[int]]:
        asked.extend(texts)
        return [array("i", map(ord, text)) for text in texts]

    memo = TokenMemo(MIB)
    memo.encode(["issue", "turn 1"], encode)
    found = memo.encode(["issue", "turn 1", "turn 2", "turn 2"], encode)
    assert asked == ["issue", "turn 1", "turn 2"]
    assert found[3] == array("i", map(ord, "turn 2"))


def test_what_may_not_be_encoded_is_not_remembered() -> None:
    memo = TokenMemo(MIB)

    def fails(_: Sequence[str]) -> list[array[int]]:
        message = "content was encoded into a control token"
        raise EngineFailed(message)

    for _ in range(2):
        with pytest.raises(EngineFailed):
            memo.encode(["bad"], fails)
    assert (len(memo), memo.held_bytes) == (0, 0)


def test_bytes_are_bounded_and_no_less_than_python_takes() -> None:
    memo = TokenMemo(MIB)
    chance = random.Random(1)

    def encode(texts: Sequence[str]) -> list[array[int]]:
        return [array("i", [1]) * chance.randint(0, 40) for _ in texts]

    memo.encode(["x"], encode)
    tracemalloc.start()
    memo.encode([str(n) for n in range(2_500)], encode)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.4 * memo.held_bytes < taken <= 1.1 * memo.held_bytes
    memo.encode([str(n) for n in range(20_000)], encode)
    assert MIB - 1_000 < memo.held_bytes <= MIB
    memo.encode(["huge"], lambda _: [array("i", [1]) * MIB])
    assert memo.held_bytes <= MIB


def test_threads_may_share_it() -> None:
    memo, wrong = TokenMemo(20_000), []

    def encode(texts: Sequence[str]) -> list[array[int]]:
        return [array("i", map(ord, text)) for text in texts]

    def use(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(300):
            texts = [str(chance.randrange(100)) * 5 for _ in range(10)]
            if memo.encode(texts, encode) != encode(texts):
                wrong.append(texts)

    threads = [threading.Thread(target=use, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert memo.held_bytes <= 20_000


@pytest.mark.skipif(not POOL.exists(), reason="no pool of real trajectories here")
def test_ids_are_the_same_on_real_trajectories() -> None:
    remembering, plain = renderers()
    seen = 0
    for file in find([POOL])[::100]:
        for loaded in load(file):
            if loaded.item is None:
                continue
            try:
                trajectory = adapters.adapt(loaded.item.trajectory).trajectory
            except ItemError:
                continue
            for _ in range(2):
                assert remembering.encode(trajectory) == plain.encode(trajectory)
            seen += 1
    assert seen
