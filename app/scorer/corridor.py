"""The corridor: document → Trajectory → Prompt → memo, or room inside → Verdict → Score → Reward.

One item's failure stays its own. Returns facts and records nothing; knows no HTTP, no environment, no
files and no metrics.
"""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeVar

from app import calibration, ranking, rewards
from app.admission import CLASSES, Admission, Demand, Standing, Ticket, capped
from app.calibration import Calibrator
from app.engine import Engine, EngineFacts
from app.errors import (
    CalibrationNotFound,
    Deadline,
    Draining,
    Invalid,
    ItemError,
    Overloaded,
)
from app.memo import Memo
from app.render import Renderer
from app.rewards import Execution, GroupStats, RewardPolicy
from app.scorer import preparing
from app.scorer.asking import Way, step_of
from app.scorer.calibrations import adopted
from app.scorer.facts import Measured, Model, Order, Outcome, Prepared, Scored, Work
from app.scorer.judging import Judging
from app.scorer.taken import Taken
from app.types import Ranking, Reward, Score

T = TypeVar("T")


class Scorer:
    """`workers` threads adapt and tokenize; `preparing_items` bounds what waits for them."""

    def __init__(
        self,
        model: Model,
        renderer: Renderer,
        admission: Admission,
        engine: Engine,
        workers: int,
        preparing_items: int,
        memo: Memo,
    ) -> None:
        self.model = model
        self._renderer = renderer
        self.admission = admission
        self.memo = memo
        self._engine = engine
        self._preparing_items = preparing_items
        self._preparing = 0
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="render")
        self._closed = False
        self._draining = False
        self._open: weakref.WeakSet[Taken] = weakref.WeakSet()

    @property
    def engine_facts(self) -> EngineFacts:
        return self._engine.facts

    @property
    def allowed_tokens(self) -> int:
        return self._renderer.allowed_tokens

    @property
    def token_memo_bytes(self) -> int:
        return self._renderer.memo_bytes

    def calibrator(self, name: str) -> Calibrator:
        """`active`, `identity` or an id. Raises `CalibrationNotFound` naming those there are."""
        found = self.model.active_calibration if name == "active" else name
        if found not in self.model.calibrators:
            known = ", ".join(sorted(self.model.calibrators))
            message = f"no calibration {name[:80]!r}; there are: active, {known}"
            raise CalibrationNotFound(message, param="calibration")
        return self.model.calibrators[found]

    def adopt(self, documents: Sequence[Mapping[str, Any]], active: str) -> None:
        """Adds calibrations that are not known yet and makes one active for requests to come; each
        request keeps what it began with. Raises `StartError` for one that cannot be read."""
        self.model = adopted(self.model, documents, active)

    @staticmethod
    def calibrated(document: Mapping[str, Any]) -> Callable[[float, str | None], float]:
        """(log-odds, policy) → probability, as a calibration document says. Raises `StartError`."""
        calibrator = calibration.read_calibrator(document)
        return lambda logit, policy: calibrator.curve_for(policy).curve(logit)

    @staticmethod
    def reward(score: Score, execution: Execution | None, policy: RewardPolicy) -> Reward:
        """A reward for a score that was given before. Raises `NoExecution`."""
        return rewards.reward(score, execution, policy)

    async def prepare(self, work: Work, order: Order) -> Prepared:
        """Adapts and renders one item in the bounded pool. Raises the item's own error."""
        fingerprint = self.model.identity.system_fingerprint
        return await self._off_loop(preparing.prepare, work, order, self._renderer, fingerprint)

    async def measure(
        self, work: Work, on_overflow: Literal["error", "elide"] = "error", texts: bool = False
    ) -> Measured:
        """One item rendered: whole, however long it is, or with `elide` as it would be scored; with
        `texts` read back, too. Raises the item's own error."""
        return await self._off_loop(preparing.measure, work, self._renderer, on_overflow, texts)

    async def take(self, works: Sequence[Work | ItemError], order: Order) -> Taken:
        """Prepares every item, then takes the request whole or refuses it: `Overloaded`.

        An item that is an error already, or becomes one here, keeps it and costs nothing more.
        """
        if self._preparing + len(works) > self._preparing_items:
            message = (
                f"{self._preparing} items wait to be rendered; the limit is {self._preparing_items}"
            )
            raise Overloaded(message, retry_after_s=self.admission.retry_after_s())
        self._preparing += len(works)
        try:
            prepared = await asyncio.gather(*(self._prepare_or_error(w, order) for w in works))
        finally:
            self._preparing -= len(works)
        priority = capped(order.priority, order.ceiling)
        standing = Standing(priority, order.key_id, order.deadline)
        ticket = self.admission.enter(self._demands(prepared, order), standing)
        judge = functools.partial(self.judge, order=order)
        taken = Taken(prepared, judge, ticket, self._draining)
        self._open.add(taken)
        return taken

    async def judge(self, number: int, prepared: Prepared, ticket: Ticket, order: Order) -> Outcome:
        """One item from the waiting room to its score. Every failure is the item's own."""
        way = Way(self.admission, self._engine, self.model.labels)
        return await Judging(way, self.memo, self.model).judge(number, prepared, ticket, order)

    def _demands(self, prepared: Sequence[Prepared | ItemError], order: Order) -> dict[int, Demand]:
        """What the engine is expected to compute, by number of the item: not what the memo knows or
        another computes already, nor a prompt of this request twice."""
        asked: set[bytes] = set()
        todo: dict[int, Prepared] = {}
        for number, one in enumerate(prepared):
            if isinstance(one, ItemError):
                continue
            twice = order.memo != "off" and one.key in asked
            if one.turns or not (twice or self.memo.knows(one.key, order.memo)):
                todo[number] = one
            asked.add(one.key)
        expected = self.admission.prefixes.expected(
            [one.chain for one in todo.values()], [len(one.prompt.ids) for one in todo.values()]
        )
        return {
            number: Demand.of(one.cost_tokens, cached_tokens, step_of(one))
            for (number, one), cached_tokens in zip(todo.items(), expected, strict=True)
        }

    @staticmethod
    def rank(outcomes: Sequence[Outcome], require_all: bool, hybrid: bool = False) -> Ranking:
        """Best first; a failed candidate has no place, only its error."""
        scored = {i: each for i, each in enumerate(outcomes) if isinstance(each, Scored)}
        scores = {i: each.score for i, each in scored.items()}
        if not hybrid:
            return ranking.rank(scores, len(outcomes), require_all)
        passed = {i: each.prepared.tests for i, each in scored.items()}
        tests = {i: counts for i, counts in passed.items() if counts}
        return ranking.rank_hybrid(scores, tests, len(outcomes), require_all)

    @staticmethod
    def group_stats(outcomes: Mapping[int, Outcome], size: int | None) -> GroupStats:
        """What one RL group is worth; `outcomes` by index of the request."""
        values = {
            i: each.reward.value if isinstance(each, Scored) else None
            for i, each in outcomes.items()
        }
        return rewards.group_stats(values, size)

    def backlog_s(self) -> dict[str, float]:
        """The predicted wait of a newcomer, by class, in seconds."""
        return {priority: self.admission.backlog_s(priority) for priority in CLASSES}

    def drain(self) -> None:
        """Every item that is in the house ends as `Draining`, in its own place."""
        self._draining = True
        for taken in self._open:
            taken.drain()

    def close(self) -> None:
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _off_loop(self, function: Callable[..., T], *arguments: object) -> T:
        if self._closed:
            message = "the server is going down"
            raise Draining(message)
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    async def _prepare_or_error(self, work: Work | ItemError, order: Order) -> Prepared | ItemError:
        if isinstance(work, ItemError):
            return work
        try:
            async with asyncio.timeout_at(order.deadline):
                prepared = await self.prepare(work, order)
            self.admission.check_size(prepared.cost_tokens)
        except TimeoutError:
            return Deadline("the time ran out before the item was rendered")
        except ItemError as error:
            return error
        except Exception as defect:  # a document we did not think of; it would break us again
            return Invalid(f"the item could not be read ({type(defect).__name__})", defect=defect)
        return prepared
