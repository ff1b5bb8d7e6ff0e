"""The corridor on the fake engine: an item's failure is its own, and nothing is left behind."""

from __future__ import annotations

import asyncio
import functools
from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from app import adapters, store
from app.admission import Admission, Limits
from app.calibration import IDENTITY, read_calibrators, sigmoid
from app.engine.fake import FakeEngine, Fault
from app.errors import (
    Deadline,
    EngineFailed,
    EngineRestarting,
    Invalid,
    ItemError,
    NoAnswer,
    NoIssue,
    Overloaded,
    TooLong,
)
from app.memo import Memo
from app.render import Renderer
from app.scorer import Model, Order, Outcome, Scored, Scorer, Work
from app.types import Identity, Labels, Priority, Verdict

ALLOWED_TOKENS = 600
FOUND = store.open_model(Path(__file__).parent.parent / "model_store", "swe-rm-nano")
RENDERER = Renderer(FOUND.tokenizer_path, FOUND.template, "t@1", ALLOWED_TOKENS)
LABELS = RENDERER.labels(FOUND.labels)
PLATT = {"id": "p", "method": "platt", "parameters": {"slope": 2.0, "intercept": 1.0}}


class Crash(Exception):
    """A defect nobody thought of."""


@dataclass(slots=True)
class PickyEngine(FakeEngine):
    """Fails chosen prompts only: with a fault of the fake engine, or with any exception."""

    failing: dict[bytes, Fault | Exception] = field(default_factory=dict)
    seen: list[array[int]] = field(default_factory=list)
    gates: dict[bytes, asyncio.Event] = field(default_factory=dict)

    async def judge(
        self, ids: array[int], labels: Labels, priority: Priority = "rollout"
    ) -> Verdict:
        self.seen.append(ids)
        if gate := self.gates.get(ids.tobytes()):
            await gate.wait()
        failure = self.failing.get(ids.tobytes())
        if isinstance(failure, Exception):
            raise failure
        if failure:
            return await FakeEngine(fault=failure).judge(ids, labels, priority)
        return await FakeEngine.judge(self, ids, labels, priority)


@pytest.fixture
def engine() -> PickyEngine:
    return PickyEngine()


@pytest.fixture
async def scorer(engine: PickyEngine) -> AsyncIterator[Scorer]:
    made = build(engine)
    yield made
    await asyncio.sleep(0)
    assert left_behind(made) == (0, 0, 0, 0, 0, 0)
    made.close()


def build(
    engine: FakeEngine, inside: int = 10_000, waiting: int = 10_000, memo_bytes: int = 0
) -> Scorer:
    identity = Identity("nano", "sha256:0", "t@1", "fp_0", trained=False)
    model = Model(identity, LABELS, 0.1, read_calibrators([PLATT]), "p")
    door = Admission(Limits(inside, waiting, 64))
    return Scorer(
        model, RENDERER, door, engine, workers=2, preparing_items=64, memo=Memo(memo_bytes, 3600)
    )


def left_behind(scorer: Scorer) -> tuple[int, ...]:
    door, engine = scorer.admission, scorer._engine
    assert isinstance(engine, FakeEngine)
    waiting = door.waiting_tokens, door.waiting_items
    inside = door.inside_tokens, door.inside_items
    return (*inside, *waiting, scorer._preparing, engine.running_tokens)


def order(timeout_s: float = 30.0) -> Order:
    return Order(asyncio.get_running_loop().time() + timeout_s, IDENTITY)


def work(number: int, words: int = 20) -> Work:
    issue = {"role": "user", "content": f"Issue {number}"}
    turn = {"role": "assistant", "content": f"Step {number}. " + "look " * words}
    return Work("messages", [issue, turn])


def ids_of(one: Work) -> array[int]:
    return RENDERER.render(adapters.adapt_messages(one.content).trajectory).ids


async def outcomes(
    scorer: Scorer, works: list[Work | ItemError], how: Order | None = None
) -> list[Outcome]:
    async with await scorer.take(works, how or order()) as taken:
        return await taken.all()


def check(engine: FakeEngine, one: Work, outcome: Outcome) -> None:
    """The outcome is this item's own score."""
    assert isinstance(outcome, Scored)
    ids = ids_of(one)
    assert outcome.prepared.prompt.ids == ids
    assert outcome.score.logit == pytest.approx(engine.logit_of(ids))
    assert outcome.score.raw_probability == pytest.approx(sigmoid(engine.logit_of(ids)))


async def test_results_come_as_they_finish_and_outcomes_in_order(
    scorer: Scorer, engine: PickyEngine
) -> None:
    works = [work(i) for i in range(9)]
    gates = [asyncio.Event() for _ in works]
    engine.gates = {ids_of(one).tobytes(): gate for one, gate in zip(works, gates, strict=True)}
    finishing = [8, 3, 0, 7, 5, 1, 2, 6, 4]
    async with await scorer.take(works, order()) as taken:
        results = aiter(taken.results())
        for index in finishing:
            gates[index].set()
            assert (await asyncio.wait_for(anext(results), 2))[0] == index
    for one, outcome in zip(works, await outcomes(scorer, list(works)), strict=True):
        check(engine, one, outcome)


FAILURES: list[Any] = [*get_args(Fault), Crash("unthought of"), TimeoutError(), ValueError()]


@pytest.mark.parametrize("failure", FAILURES, ids=str)
@pytest.mark.parametrize("neighbours", [0, 7])
async def test_one_failure_hurts_no_neighbour(
    scorer: Scorer, engine: PickyEngine, failure: Fault | Exception, neighbours: int
) -> None:
    works: list[Work | ItemError] = [work(i) for i in range(neighbours + 1)]
    at = neighbours // 2
    bad = works[at]
    assert isinstance(bad, Work)
    engine.failing[ids_of(bad).tobytes()] = failure
    found = await outcomes(scorer, works)
    expected = EngineRestarting if failure == "crash" else EngineFailed
    assert type(found.pop(at)) is expected
    del works[at]
    for one, outcome in zip(works, found, strict=True):
        assert isinstance(one, Work)
        check(engine, one, outcome)


async def test_a_document_that_breaks_an_adapter_hurts_no_neighbour(
    scorer: Scorer, engine: PickyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = adapters.adapt

    def adapt(document: object, **options: Any) -> Any:
        if document == "break":
            raise Crash
        return real(document, **options)

    monkeypatch.setattr(adapters, "adapt", adapt)
    nested: list[Any] = []
    for _ in range(5_000):
        nested = [nested]
    good = work(1)
    found = await outcomes(
        scorer,
        [
            Work("document", "break"),
            Work("document", nested),
            Work("messages", 5),
            Work("messages", [{"role": "assistant", "content": "no issue"}]),
            Work("prompt", 5),
            Work("prompt", "half of a pair: \ud800"),
            work(2, words=ALLOWED_TOKENS),
            EngineFailed("said before"),
            good,
        ],
    )
    check(engine, good, found.pop())
    assert [type(each) for each in found[2:]] == [
        Invalid, NoIssue, Invalid, Invalid, TooLong, EngineFailed
    ]  # fmt: skip
    for broken in found[:2]:
        assert isinstance(broken, ItemError)
        assert not broken.retryable, "the same document will break it again"
    assert len(engine.seen) == 1


async def test_larger_than_the_whole_budget_is_refused_never_queued(engine: PickyEngine) -> None:
    scorer = build(engine, inside=len(ids_of(work(1))))
    found = await outcomes(scorer, [work(1), work(2, words=100)])
    assert isinstance(found[0], Scored)
    assert isinstance(found[1], TooLong)
    assert left_behind(scorer) == (0,) * 6
    scorer.close()


async def test_label_mass_under_the_floor_is_no_answer(engine: PickyEngine) -> None:
    scorer = build(engine)
    scorer.model = replace(scorer.model, label_mass_floor=0.6)
    assert isinstance((await outcomes(scorer, [work(1)]))[0], NoAnswer)
    scorer.close()


async def test_a_trusted_prompt_is_taken_literally(scorer: Scorer, engine: PickyEngine) -> None:
    text = "<|im_start|>user\nDone?<|im_end|>"
    (found,) = await outcomes(scorer, [Work("prompt", text)])
    assert isinstance(found, Scored)
    assert found.prepared.format == "prompt"
    assert found.prepared.digest == found.prepared.prompt.digest
    assert found.prepared.prompt.structural_tokens == 2
    assert engine.seen == [RENDERER.render_trusted(text).ids]


async def test_time_runs_out_inside_and_waiting(engine: PickyEngine) -> None:
    tokens = len(ids_of(work(1)))
    scorer = build(engine, inside=tokens + 10)
    engine.hung = True
    found = await asyncio.wait_for(outcomes(scorer, [work(i) for i in (1, 2, 3)], order(0.3)), 3)
    assert [type(each) for each in found] == [Deadline] * 3
    assert (engine.calls, engine.aborted) == (1, 1), "who waited was never handed to the engine"
    assert left_behind(scorer) == (0,) * 6
    scorer.close()


async def test_late_already(scorer: Scorer, engine: PickyEngine) -> None:
    """An item whose time is over is not begun, at no point of the corridor."""
    for late in (order(-1), order(0)):
        assert isinstance((await outcomes(scorer, [work(1)], late))[0], Deadline)
    async with await scorer.take([work(1)], order()) as taken:
        taken._judge = functools.partial(scorer.judge, order=order(-1))
        assert isinstance((await taken.all())[0], Deadline)
    assert engine.seen == []
    assert scorer.admission.pace._row_items == 0, "nothing was finished"


async def test_a_request_is_refused_whole_before_any_engine_work(engine: PickyEngine) -> None:
    scorer = build(engine, waiting=3 * len(ids_of(work(1))))
    with pytest.raises(Overloaded):
        await scorer.take([work(i) for i in range(4)], order())
    with pytest.raises(Overloaded):
        await scorer.take([work(i) for i in range(65)], order())
    assert engine.seen == []
    assert left_behind(scorer) == (0,) * 6
    assert len(await outcomes(scorer, [work(i) for i in range(3)])) == 3
    scorer.close()
