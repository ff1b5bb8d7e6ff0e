"""Ray Serve on this machine, once a session: two replicas, one PostgreSQL, keys."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [str(ROOT), str(ROOT / "client"), str(ROOT / "tests"), str(ROOT / "tests/ray")]
sys.path[:0] = FOLDERS
SLOW = 4.0


class Cluster:
    """What the checks ask, and of whom."""

    def __init__(self, url: str, key: str, notes: Path, deploy: Callable[..., None]) -> None:
        self.deploy = deploy
        self.url = url
        self.key = key
        self.notes = notes
        headers = {"authorization": f"Bearer {key}"}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=120)

    def until_replicas(self, count: int = 2) -> dict[str, str]:
        """By replica a session whose home it is."""
        for look in range(2_000):
            try:
                found = self._homes(f"{time.monotonic_ns()}-")
            except httpx.TransportError:
                found = {}
            if len(found) == count:
                return found
            time.sleep(0.1 if look else 0)
        pytest.fail(f"never saw {count} replicas")

    def _homes(self, prefix: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for number in range(12):
            session = f"{prefix}{number}"
            answer = self.http.get("/info", headers={"x-session-id": session})
            if answer.status_code == 200:
                found.setdefault(answer.headers["x-swe-rm-replica"], session)
        return found

    def pid(self, replica: str) -> int:
        return int((self.notes / f"{replica}.pid").read_text())

    def busy_s(self) -> dict[int, float]:
        """Seconds that every engine worked, by process."""
        return {int(f.name): float(f.read_text()) for f in self.notes.iterdir() if f.name.isdigit()}


def start_ray(ray: Any) -> None:
    """Ray gives its own processes 30 s to come up, which a busy machine may not grant the first time."""
    for attempt in range(3):
        try:
            ray.init(
                num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
            )
        except Exception:
            ray.shutdown()
            if attempt == 2:
                raise
        else:
            return


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    from servers import free_port
    from stores import postgres

    from app.api.access.keys import make_key

    folder = tmp_path_factory.mktemp("ray")
    notes = folder / "notes"
    notes.mkdir()
    os.environ |= {
        "PYTHONPATH": os.pathsep.join(FOLDERS), "PACED_NOTES": str(notes), "SLOW": str(SLOW),
        "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "deploy.ray.proxy:middlewares",
        "RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0",
    }  # fmt: skip
    import ray
    from paced import PacedReplica
    from ray import serve

    from deploy.ray.app import build

    keys = folder / "keys.jsonl"
    key = make_key(keys, "trainer", ["score", "outcomes", "admin", "metrics"])
    port = free_port()
    with postgres() as database:
        start_ray(ray)
        try:
            serve.start(
                http_options={"host": "127.0.0.1", "port": port},
                logging_config={"log_level": "ERROR"},
            )
            given: dict[str, Any] = {
                "replicas": 2, "engine": "fake", "keys": str(keys), "store_url": database.url,
                "model_store": str(ROOT / "model_store"), "state_dir": str(folder / "state"),
                "drain_s": 120,
            }  # fmt: skip

            def deploy(**other: Any) -> None:
                application = build(given | other, PacedReplica)
                serve.run(application, name="swe-rm", blocking=False)

            deploy()
            found = Cluster(f"http://127.0.0.1:{port}", key, notes, deploy)
            found.until_replicas()
            yield found
        finally:
            serve.shutdown()
            ray.shutdown()
