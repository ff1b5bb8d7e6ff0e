"""The rules under promtool, and every panel and alert against a real Prometheus that scrapes a server
under load. Skipped where Prometheus is not installed (Debian: `apt install prometheus`)."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from dashboards import DEPLOY, RULES, alerts, named, on_page, panels
from houses import chat, item
from servers import Served, free_port
from swe_rm_client import Client, Item, Scored, SweRmError

POLICY = "policy-a"
PATIENCE_S = 180
# What rightly has no data here, and why. A series that does not exist yet has no samples.
ABSENT = {
    "swe_rm_defects_total": "nothing unforeseen happens",
    "swe_rm_unscored_rewards_total": "no key here asks for a reward in place of a score",
}
ABSENT_ON = {"fake": {"vllm:": "the fake engine is not vLLM"}, "vllm": {}}
pytestmark = pytest.mark.skipif(
    "WITH_PROMETHEUS" not in os.environ, reason="takes minutes: make test-grafana"
)


def tool(name: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def promtool(*arguments: str | Path, page: str | None = None) -> str:
    done = subprocess.run(
        [tool("promtool"), *map(str, arguments)], input=page, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_rules_are_sound_and_fire_where_they_should() -> None:
    promtool("check", "rules", *RULES)
    for tests in (DEPLOY / "prometheus" / "tests").glob("*.yml"):
        assert "SUCCESS" in promtool("test", "rules", tests)


def test_the_configuration_is_sound() -> None:
    promtool("check", "config", "--syntax-only", DEPLOY / "prometheus" / "prometheus.yml")


class Load:
    """Rollouts, interactive work, failures, outcomes and a calibration, until it is stopped."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.stop = threading.Event()
        self.chance = random.Random(7)
        with Client(url) as client:
            for step in range(4):
                self.step(client, f"task-{step}")
        fit = {"method": "temperature", "activate": True}
        made = httpx.post(f"{url}/calibrations", json=fit, timeout=120)
        assert made.is_success, made.text
        self.threads = [threading.Thread(target=each) for each in (self.trainer, self.others)]
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def trainer(self) -> None:
        """A group after the other; every third is dead, for its rollouts are equal."""
        step = 10
        with Client(self.url) as client:
            while not self.stop.wait(0.4):
                step += 1
                with suppress(SweRmError):  # a busy machine: the next step has its own chance
                    self.step(client, f"task-{step}", alike=step % 3 == 0)

    def step(self, client: Client, task: str, alike: bool = False) -> None:
        """Scores a group and tells the outcomes, which follow the scores by chance."""
        group = [
            Item(
                messages=chat(word=task if alike else f"{task}-{n}"), instance_id=task,
                group=task, group_size=16, tags={"policy": POLICY},
            )
            for n in range(16)
        ]  # fmt: skip
        answer = client.score(group, group_stats=True)
        client.outcomes(
            {"score_id": one.score_id, "evidence": "tests",
             "resolved": self.chance.random() < 1 / (1 + math.exp(-0.3 * one.logit - 1))}
            for one in answer.results if isinstance(one, Scored)
        )  # fmt: skip

    def others(self) -> None:
        """Everything that goes another way than a trainer's step."""
        while not self.stop.wait(0.5):
            with suppress(httpx.TransportError):
                self.another_round()

    def another_round(self) -> None:
        late = {"trajectories": [item(), {"messages": []}], "timeout_s": 1e-6, "memo": "off"}
        leaving = {"trajectories": [item(n=3)] * 32, "memo": "off"}
        with httpx.Client(base_url=self.url, timeout=60) as http:
            http.post("/rerank", json={"candidates": [item(), item(n=2)]})
            http.post("/score", json=late)
            http.post("/score", content=b"{")
            with suppress(httpx.ReadTimeout):
                http.post("/score", json=leaving, timeout=0.05)
        storm = [threading.Thread(target=self.much) for _ in range(4)]
        for thread in storm:
            thread.start()
        for thread in storm:
            thread.join()

    def much(self) -> None:
        """With another three of it, more than may wait."""
        many = {"trajectories": [item(n=n) for n in range(1, 33)], "memo": "off"}
        with suppress(httpx.TransportError):
            httpx.post(f"{self.url}/score", json=many, timeout=60)


@pytest.fixture(scope="module", params=["fake", "vllm"])
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def served(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    tool("prometheus")
    flags = ("--metric-names", POLICY, "--max-items", "32", "--waiting-items", "48")
    inside = ("--inside-tokens", "2000")
    state = tmp_path_factory.mktemp("state")
    if engine == "fake":
        one = Served(free_port(), state, *flags, *inside, delay_s=0.02)
    else:
        small = ("--engine", "vllm", "--max-tokens", "16384", "--kv-cache-gib", "1")
        one = Served(free_port(), state, *flags, *inside, *small)
    try:
        one.ready(within_s=300)
        load = Load(one.url)
        try:
            yield one
        finally:
            load.end()
    finally:
        one.kill()


@pytest.fixture(scope="module")
def prometheus(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("prometheus")
    for file in RULES:
        (folder / file.name).write_text(file.read_text().replace("interval: 15s", "interval: 1s"))
    job = {"job_name": "swe-rm", "static_configs": [{"targets": [f"127.0.0.1:{served.port}"]}]}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [f"{folder}/{file.name}" for file in RULES],
        "scrape_configs": [job],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    port = free_port()
    process = subprocess.Popen(
        [tool("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
         f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            started(client)
            yield client
    finally:
        process.terminate()
        process.wait(timeout=30)


def started(client: httpx.Client) -> None:
    for _ in range(300):
        with suppress(httpx.TransportError):
            if client.get("/-/ready").is_success:
                return
        time.sleep(0.1)
    pytest.fail("Prometheus did not start")


def page_of(served: Served) -> str:
    return httpx.get(f"{served.url}/metrics", timeout=30).text


def ours(page: str) -> str:
    """Without the metrics of the interpreter, and without the moments at which series were made."""
    kept, keep = [], False
    for line in page.splitlines():
        if line.startswith("# HELP "):
            name = line.split()[2]
            keep = name.startswith("swe_rm_") and not name.endswith("_created")
        kept += [line] if keep else []
    return "\n".join(kept) + "\n"


def test_the_page_is_clean(served: Served) -> None:
    said = promtool("check", "metrics", page=ours(page_of(served)))
    assert not said.strip(), said


def test_every_metric_is_on_a_panel_and_every_name_exists(served: Served) -> None:
    exist = on_page(page_of(served))
    shown = set().union(*map(named, panels().values()))
    used = shown.union(*map(named, alerts().values()))
    assert exist - shown == set()
    assert used - exist == set()


def query(prometheus: httpx.Client, expression: str) -> list[Any]:
    answer = prometheus.get("/api/v1/query", params={"query": expression}).json()
    assert answer["status"] == "success", (expression, answer)
    return list(answer["data"]["result"])


@pytest.mark.timeout(900)
def test_every_panel_and_alert_has_data(
    engine: str, served: Served, prometheus: httpx.Client
) -> None:
    absent = ABSENT | ABSENT_ON[engine]
    expressions = panels() | {f"alert / {name}": text for name, text in alerts().items()}
    empty = dict(expressions)
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        empty = {name: e for name, e in empty.items() if not query(prometheus, e)}
        missing = {n: e for n, e in empty.items() if not any(name in e for name in absent)}
        if not missing:
            break
        time.sleep(2)
    sys.stdout.write(told(engine, expressions, empty, absent))
    assert missing == {}
    assert len(expressions) - len(empty) > len(expressions) / 2


def told(
    engine: str, expressions: dict[str, str], empty: dict[str, str], absent: dict[str, str]
) -> str:
    """A table, panel by panel, for who runs this with -s."""
    why = {name: next((w for n, w in absent.items() if n in e), "") for name, e in empty.items()}
    rows = [f"| {name} | {why.get(name, 'data')} |" for name in expressions]
    head = f"{engine}: {len(expressions) - len(empty)} of {len(expressions)} expressions have data"
    return "\n".join(["", head, "", "| panel / series | |", "|---|---|", *rows])
