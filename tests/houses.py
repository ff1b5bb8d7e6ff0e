"""A House around a fake engine and the real renderer of swe-rm-nano, for the tests of the edges.

`build` makes one in a few milliseconds; `ask` gives an HTTP client of it without a socket; `listening`
serves it on a free loopback port for what needs sockets.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from prometheus_client import CollectorRegistry

from app import calibration, store
from app.admission import Admission
from app.admission import Limits as DoorLimits
from app.api import create_app
from app.api.access import Access, NoKeys
from app.api.feedback import Choices, Feedback, opened_feedback
from app.api.feedback.receipts import Receipts
from app.api.house import Health, House
from app.api.house import Limits as BodyLimits
from app.engine.fake import FakeEngine
from app.memo import Memo
from app.metrics import Metrics
from app.outcomes import open_store
from app.render import Renderer
from app.scorer import Model, Scorer
from app.types import Identity, Labels

STORE = Path(__file__).parents[1] / "model_store"
MIB = 2**20
PLATT = {"id": "t-platt", "method": "platt", "parameters": {"slope": 2.0, "intercept": -1.0}}
NDJSON = {"content-type": "application/x-ndjson"}
STREAM = {"accept": "application/x-ndjson"}


@lru_cache
def renderer(allowed_tokens: int = 262_143) -> tuple[Renderer, Labels, store.Model]:
    """Tokenizer, template and labels of the small model; read once a test run."""
    found = store.open_model(STORE, "swe-rm-nano")
    made = Renderer(
        found.tokenizer_path,
        found.template,
        f"{found.template.name}@{found.template_digest}",
        allowed_tokens,
    )
    return made, made.labels(found.labels), found


@dataclass
class Built:
    """A house and the knobs that a test turns."""

    house: House
    engine: FakeEngine
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        """Every counter of work and of bytes is back at zero."""
        door = self.house.scorer.admission
        waiting = (door.inside_tokens, door.inside_items, door.waiting_tokens, door.waiting_items)
        return not any((*waiting, self.house.bodies.held_bytes, self.engine.running_tokens))

    async def settle(self, reached: Callable[[], bool] | None = None) -> None:
        """Waits, ten seconds at most, until the house is idle, or until `reached`."""
        check = reached or (lambda: self.idle)
        async with asyncio.timeout(10):
            while not check():
                await asyncio.sleep(0.01)


def limits(**over: Any) -> BodyLimits:
    sizes: dict[str, Any] = {
        "max_items": 256, "max_body_bytes": 64 * MIB, "max_ndjson_body_bytes": 256 * MIB,
        "max_item_bytes": 16 * MIB, "bodies_bytes": 1024 * MIB, "body_timeout_s": 10.0,
    }  # fmt: skip
    return BodyLimits(**sizes | over)


def build(
    *,
    engine: FakeEngine | None = None,
    allowed_tokens: int = 262_143,
    door: DoorLimits | None = None,
    body: BodyLimits | None = None,
    calibrations: tuple[Mapping[str, Any], ...] = (PLATT,),
    active: str = "identity",
    step_calibration: Mapping[str, Any] | None = None,
    label_mass_floor: float = 0.0,
    trust_prompts: bool = False,
    memo_bytes: int = 0,
    access: Access | None = None,
    traces: Any = None,
) -> Built:
    """A house, without a memo unless `memo_bytes`; close it with `house.close()`, or use `opened`."""
    engine = engine or FakeEngine()
    made, labels, found = renderer(allowed_tokens)
    identity = Identity(found.name, found.revision, made.fingerprint, "fp_test", found.trained)
    calibrators = calibration.read_calibrators(calibrations)
    steps = calibration.read_calibrator(step_calibration) if step_calibration else None
    model = Model(identity, labels, label_mass_floor, calibrators, active, steps)
    door = door or DoorLimits(1_048_576, 134_217_728, 16_384)
    scorer = Scorer(
        model, made, Admission(door), engine, 2, door.waiting_items, Memo(memo_bytes, 3600)
    )
    metrics = Metrics(CollectorRegistry())
    metrics.model.info({"name": found.name, "revision": found.revision, "trained": "false"})
    state: dict[str, Any] = {"trouble": None, "canary": {"items": 0, "drift": 0.0}}

    def health() -> Health:
        return Health(state["trouble"], state["canary"], state.get("engine", "ready"))

    access = access or NoKeys(trust_prompts=trust_prompts)
    house = House(scorer, metrics, body or limits(), health, "0.0.test", access, traces=traces)
    return Built(house, engine, state)


@contextmanager
def opened(**how: Any) -> Iterator[Built]:
    built = build(**how)
    try:
        yield built
    finally:
        built.house.close()


@asynccontextmanager
async def keeping(
    built: Built, url: str, *, receipts: Receipts | None = None, clock: Any = time.time, **how: Any
) -> AsyncIterator[Feedback]:
    """Gives the house a store; `how` are `Choices`."""
    house = built.house
    async with (
        open_store(url, clock=clock) as store,
        opened_feedback(store, house.scorer, house.metrics, Choices(**how), receipts) as feedback,
    ):
        house.feedback = feedback
        yield feedback


@asynccontextmanager
async def ask(built: Built, *, defects: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a socket. With `defects` false an exception of the app is a 500, as outside."""
    transport = httpx.ASGITransport(create_app(built.house), raise_app_exceptions=defects)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://house", timeout=60
    ) as client:
        yield client


@asynccontextmanager
async def listening(built: Built) -> AsyncIterator[str]:
    """The URL of the house on a free loopback port."""
    config = uvicorn.Config(
        create_app(built.house), port=0, http="httptools", log_level="critical",
        lifespan="off", log_config=None,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = _Quiet(config)
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.01)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


class _Quiet(uvicorn.Server):
    """Leaves the signals of the test run alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def chat(issue: str = "The sum is wrong.", n: int = 1, word: str = "done") -> list[dict[str, str]]:
    """A short conversation of `n` turns."""
    said = [{"role": "user", "content": issue}]
    for at in range(n):
        said.append({"role": "assistant", "content": f"Step {at}: {word}"})
        said.append({"role": "user", "content": f"output {at}"})
    return said


def item(n: int = 1, word: str = "done", **over: Any) -> dict[str, Any]:
    return {"messages": chat(n=n, word=word)} | over


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line, parse_constant=_no_nan) for line in text.splitlines()]


def strict(text: str | bytes) -> Any:
    """JSON in which NaN and Infinity are errors, as they are for every other language."""
    return json.loads(text, parse_constant=_no_nan)


def _no_nan(name: str) -> None:
    message = f"{name} left the house"
    raise AssertionError(message)


def ndjson(options: Mapping[str, Any], *items: object) -> bytes:
    """A body of lines; an item that is bytes already stands as it is."""
    rows = [json.dumps({"options": dict(options)}).encode()]
    rows += [row if isinstance(row, bytes) else json.dumps(row).encode() for row in items]
    return b"\n".join(rows) + b"\n"


def check_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Holds a refusal to the contract; returns the document."""
    from app.schema import Problem

    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) <= 16_384
    document: dict[str, Any] = strict(answer.content)
    Problem.model_validate(document)
    assert document["code"] == document["error"]["code"] == code, document
    assert document["status"] == status
    assert document["instance"] == f"/requests/{answer.headers['x-request-id']}"
    assert "Traceback" not in answer.text
    if status == 503:
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert answer.headers["x-should-retry"] == "true"
    return document
