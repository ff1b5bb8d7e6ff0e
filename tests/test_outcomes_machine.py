"""Any order of scoring, telling, telling again, correcting and restarting, against a model of dicts."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from counts import count
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import text
from stores import NOW, Clock, facts, sqlite_url

from app.errors import IdempotencyMismatch
from app.outcomes import Report, open_store
from app.outcomes.facts import RANK

NAMES = st.sampled_from("abcd")
KEYS = st.sampled_from(["local", "other"])
REPORTS = st.lists(
    st.builds(
        lambda name, whole, resolved, evidence: (
            Report(resolved, evidence, trajectory_digest=f"t-{name}")
            if whole
            else Report(resolved, evidence, name)
        ),
        NAMES, st.booleans(), st.booleans(), st.sampled_from(list(RANK)),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


class Machine(RuleBasedStateMachine):
    """`scored`: name → (key, logit) of the first verdict; `rows`: what was written, in order."""

    @initialize()
    def open(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.scored: dict[str, tuple[str, float]] = {}
        self.rows: list[tuple[str, Report, str, str | None]] = []
        self.answers: dict[tuple[str, str], tuple[list[Report], Any]] = {}
        self._enter()

    def teardown(self) -> None:
        self._run(self.stack.aclose())
        self.runner.close()
        self.folder.cleanup()

    def _run(self, work: Any) -> Any:
        return self.runner.run(work)

    def _enter(self) -> None:
        async def enter() -> None:
            self.stack = AsyncExitStack()
            url = sqlite_url(Path(self.folder.name))
            self.store = await self.stack.enter_async_context(open_store(url, clock=Clock()))

        self._run(enter())

    @rule()
    def restart(self) -> None:
        self._run(self.stack.aclose())
        self._enter()

    @rule(name=NAMES, key=KEYS, logit=st.floats(-4, 4))
    def score(self, name: str, key: str, logit: float) -> None:
        async def put() -> None:
            self.store.put(facts(name, logit=logit, key_id=key))

        self._run(put())
        self.scored.setdefault(name, (key, logit))

    @rule(reports=REPORTS, key=KEYS)
    def tell(self, reports: list[Report], key: str) -> None:
        expected = [self._expect(report, key) for report in reports]
        answers = self._run(self.store.record(reports, key))
        assert [each.status for each in answers] == expected

    @rule(reports=REPORTS, key=KEYS, once=st.sampled_from(["k1", "k2"]))
    def tell_once(self, reports: list[Report], key: str, once: str) -> None:
        before = self.answers.get((key, once))
        if before is None:
            expected = [self._expect(report, key) for report in reports]
            answers, again = self._run(self.store.record_once(reports, key, once))
            assert not again
            assert [each.status for each in answers] == expected
            self.answers[key, once] = (reports, answers)
        elif before[0] == reports:
            assert self._run(self.store.record_once(reports, key, once)) == (before[1], True)
        else:
            try:
                self._run(self.store.record_once(reports, key, once))
            except IdempotencyMismatch:
                return
            raise AssertionError

    @rule(key=KEYS, once=st.sampled_from(["k1", "k2"]))
    def tell_again(self, key: str, once: str) -> None:
        if (key, once) in self.answers:
            self.tell_once(self.answers[key, once][0], key, once)

    def _expect(self, report: Report, key: str) -> str:
        name = report.score_id or str(report.trajectory_digest)[2:]
        if self.scored.get(name, ("", 0))[0] != key:
            return "unknown_score"
        mine = [row for row in self.rows if row[0] == key and row[2] == name]
        target = (report.score_id, report.trajectory_digest, report.evidence)
        same = [
            row for row in mine
            if (row[1].score_id, row[1].trajectory_digest, row[1].evidence) == target
        ]  # fmt: skip
        again = bool(same) and same[-1][1].resolved == report.resolved
        if again and not same[-1][3]:
            return "duplicate"
        tested = [row[1].resolved for row in mine if row[1].evidence == "tests" and not row[3]]
        wrong = report.evidence != "tests" and tested and tested[-1] != report.resolved
        if not (again and wrong):
            self.rows.append((key, report, name, "contradicts_tests" if wrong else None))
        return "quarantined" if wrong else "recorded"

    @invariant()
    def rows_are_what_was_told(self) -> None:
        async def read() -> list[Any]:
            async with self.store.database.reading() as connection:
                statement = (
                    "select key_id, resolved, evidence, quarantine from outcomes order by id"
                )
                return [tuple(row) for row in await connection.execute(text(statement))]

        expected = [(k, int(r.resolved), r.evidence, q) for k, r, _, q in self.rows]
        assert self._run(read()) == expected

    @invariant()
    def labels_are_the_best_and_the_last(self) -> None:
        expected: dict[str, bool] = {}
        for name, (key, _) in self.scored.items():
            mine = [r for k, r, n, q in self.rows if (k, n) == (key, name) and not q]
            if mine:
                best = min(RANK[r.evidence] for r in mine)
                expected[f"t-{name}"] = [r for r in mine if RANK[r.evidence] == best][-1].resolved
        self._run(self.store.recorder.flush())
        found = self._run(self.store.labelled(NOW))
        assert {each.trajectory_digest: each.resolved for each in found} == expected

    @invariant()
    def the_first_verdict_stands(self) -> None:
        for name, (key, logit) in self.scored.items():
            assert self._run(self.store.find([name], key))[name].logit == logit


TestOutcomes = pytest.mark.timeout(count(300, 7_200))(Machine.TestCase)
TestOutcomes.settings = settings(
    max_examples=count(25, 2_000), stateful_step_count=count(20, 30), deadline=None
)
