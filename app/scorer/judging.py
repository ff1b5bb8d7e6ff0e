"""A prepared item → its score: memo or engine, calibration, steps, reward."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app import calibration, rewards
from app.admission import Demand, Ticket
from app.calibration import Calibrator
from app.errors import Deadline, ItemError
from app.memo import Memo, Told
from app.scorer import steps
from app.scorer.asking import Asking, Way, step_of
from app.scorer.facts import Model, Order, Outcome, Prepared, Scored
from app.scorer.keys import step_keys
from app.scorer.taken import not_scored
from app.types import Score, StepScore, Verdict

_STEPS_AT_ONCE = 16  # each hands its whole prefix to the engine: this bounds the copies


@dataclass(frozen=True, slots=True)
class Judging:
    """What an item meets on its way."""

    way: Way
    memo: Memo
    model: Model

    async def judge(self, number: int, prepared: Prepared, ticket: Ticket, order: Order) -> Outcome:
        """Item `number` of a request. Every failure is the item's own."""
        clock, late = asyncio.timeout_at(order.deadline), "the time ran out before it was scored"
        waiting_since = time.perf_counter()
        try:
            async with clock:
                if asyncio.get_running_loop().time() >= order.deadline:
                    raise Deadline(late)  # the clock has not rung yet, but nothing is to begin
                asking = Asking(self.way, ticket, number, prepared)
                told = await self.memo.recall(prepared.key, asking, order.memo)
                ticket.use(number)
                wait_s = time.perf_counter() - waiting_since
                score = self._score(told.verdict, prepared, order.calibrator)
                found, cost_tokens = await self._steps(prepared, ticket, order, told)
            reward = rewards.reward(score, prepared.execution, order.reward)
        except ItemError as error:
            return error
        except Exception as defect:
            if clock.expired():
                return Deadline(late)
            return not_scored(defect)
        values = None if order.steps == steps.NO_STEPS else found
        scored = Scored(
            score, reward, prepared, told.verdict, wait_s, told.source, values, cost_tokens
        )
        return replace(scored, wait_s=max(0.0, wait_s - scored.engine_s))

    async def _steps(
        self, prepared: Prepared, ticket: Ticket, order: Order, told: Told
    ) -> tuple[tuple[StepScore, ...], int]:
        """The chosen steps, ascending, and the tokens they cost. What a growing rollout was told of
        its earlier turns is remembered."""
        if not prepared.turns:
            return (), 0
        keys = step_keys(prepared.prompt, prepared.turns, self.model.identity.system_fingerprint)
        known = {turn: self.memo.peek(key) for turn, key in keys.items()}
        verdicts = {t: said for t, said in known.items() if said and order.memo == "use"}
        missing = [turn for turn in prepared.turns if turn not in verdicts]
        if missing:
            verdicts |= await self._judge_steps(prepared, missing, ticket, told)
        if order.memo != "off":
            for turn in missing:
                self.memo.keep(keys[turn], verdicts[turn])
        cost = sum(verdicts[t].prompt_tokens - verdicts[t].cached_tokens for t in missing)
        return tuple(self._step(prepared, t, verdicts[t]) for t in prepared.turns), cost

    async def _judge_steps(
        self, prepared: Prepared, turns: Sequence[int], ticket: Ticket, told: Told
    ) -> dict[int, Verdict]:
        """All under one seat. If the whole prompt has just been computed, its beginning lies in the
        engine's cache; longest first keeps it there."""
        way, free = self.way, asyncio.Semaphore(_STEPS_AT_ONCE)

        async def one(turn: int) -> Verdict:
            async with free:
                ids = steps.prompt_of(prepared.prompt, turn)
                verdict = await way.engine.judge(ids, way.labels, priority)
            way.admission.finished(verdict.prompt_tokens, verdict.cached_tokens)
            return verdict

        seat = ticket.seat(self._steps_demand(prepared, turns, told))
        async with way.admission.room(seat) as priority:
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = {turn: group.create_task(one(turn)) for turn in reversed(turns)}
            except ExceptionGroup as several:
                raise several.exceptions[
                    0
                ] from None  # the first that failed; the others were ended
        return {turn: task.result() for turn, task in tasks.items()}

    def _steps_demand(self, prepared: Prepared, turns: Sequence[int], told: Told) -> Demand:
        tokens = len(prepared.prompt.ids)
        if told.source == "computed":
            cached_tokens = tokens
        else:
            cached_tokens = self.way.admission.prefixes.expected([prepared.chain], [tokens])[0]
        more = steps.extra_tokens(prepared.prompt.segments, len(turns))
        return Demand.of(tokens + more, cached_tokens, step_of(prepared))

    def _step(self, prepared: Prepared, turn: int, verdict: Verdict) -> StepScore:
        """A calibration of whole trajectories says nothing of a part: steps have one of their own, or
        none."""
        own = self.model.step_calibrator
        said = self._score(verdict, prepared, own or calibration.IDENTITY)
        index = steps.message_index(prepared.prompt, turn)
        probability = said.probability if own else None
        return StepScore(turn, index, said.logit, said.raw_probability, probability)

    def _score(self, verdict: Verdict, prepared: Prepared, calibrator: Calibrator) -> Score:
        return calibration.score(
            verdict, self.model.labels, calibrator, self.model.label_mass_floor, prepared.policy
        )
