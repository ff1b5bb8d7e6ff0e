"""Check 24 of docs/reliability.md: schemathesis holds a real server to its own OpenAPI page.

Valid and invalid data for every operation, the boundaries of every field, undeclared methods, and
chains of requests by the page's links. The store and the receipts are on, the engine is fake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from counts import FULL, count, seed
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events
from servers import Served, free_port

EXAMPLES = count(20, 1_000)  # of an operation that takes anything
CHAINS, STEPS = count(5, 200), count(5, 10)
# Their items are read one by one: an invalid one is an error in its place, inside a 200.
ONE_BY_ONE = ("/score", "/rerank", "/v1/rerank", "/v2/rerank", "/rewards")
ON = {"enabled": True}
REFUSED = ["400", "401", "403", "404", "405", "409", "413", "415", "422"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = Served(free_port(), tmp_path, "--receipt-keys", "k1:0123456789abcdef0123")
    try:
        server.ready()
        yield server
    finally:
        server.kill()


@dataclass
class Found:
    """Requests by phase and operation, and the first failure of each kind."""

    cases: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)

    def take(self, event: Any) -> None:
        if isinstance(event, events.FatalError):
            raise event.exception
        if isinstance(event, events.NonFatalError):
            self.failures[type(event.value).__name__, event.label] = str(event.value)[:500]
        if not isinstance(event, events.ScenarioFinished):
            return
        recorder = event.recorder
        for name, node in recorder.cases.items():
            case = node.value
            where = f"{case.operation.method.upper()} {case.operation.path}"
            self.cases[event.phase.value, where] += 1
            for check in recorder.checks.get(name, ()):
                if check.failure_info:
                    kind = type(check.failure_info.failure).__name__
                    self.failures.setdefault((kind, where), _told(check, node, recorder, name))


def _told(check: Any, node: Any, recorder: Any, name: str) -> str:
    answer = recorder.interactions[name].response
    said = (answer.status_code, answer.content[:300]) if answer else None
    return f"{check.failure_info.failure}: {repr(node.value.body)[:500]} -> {said}"


def settings(number: int) -> SchemathesisConfig:
    """What a refusal may be: what the schema cannot say (an unknown flag, a window of 0 days) is 400."""
    checks = {
        "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "403", "404", "409"]},
        "negative_data_rejection": {"expected-statuses": REFUSED},
    }
    lax = {"negative_data_rejection": {"enabled": False}}
    # 503: a request whose timeout has passed before it could be done is refused as `overloaded`.
    lax["not_a_server_error"] = {"expected-statuses": ["2xx", "4xx", "503"]}
    return SchemathesisConfig.from_dict(
        {
            "seed": number,
            "continue-on-failure": True,
            "request-timeout": 60,
            "checks": checks,
            "generation": {"mode": "all", "max-examples": EXAMPLES},
            "phases": {
                "coverage": {"enabled": FULL},  # 2,300 requests, the same ones every time
                "stateful": {"generation": {"max-examples": CHAINS}, "max-steps": STEPS},
            },
            "operations": [{"include-path": path, "checks": lax} for path in ONE_BY_ONE],
        }
    )


@pytest.mark.timeout(count(300, 10_800))
def test_c24_answers_are_what_the_page_says(served: Served) -> None:
    config = settings(seed())
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json", config=config)
    found = Found()
    for event in engine.from_schema(schema).execute():
        found.take(event)
    print(sorted(found.cases.items()))  # noqa: T201
    assert not found.failures, "\n\n".join(f"{k}: {v}" for k, v in found.failures.items())
    fuzzed = {where: n for (phase, where), n in found.cases.items() if phase == "fuzzing"}
    fewest = Counter({where: n for where, n in fuzzed.items() if n > 1})  # 1: it takes nothing
    assert len(fewest) == 17
    assert min(fewest.values()) >= EXAMPLES, fewest
    linked = {where for phase, where in found.cases if phase == "stateful"}
    assert "PUT /calibrations/active" in linked, linked
