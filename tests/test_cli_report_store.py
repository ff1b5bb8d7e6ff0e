"""`swe-rm report --store-url`: the page of what a store knows."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import pytest
from stores import REVISION, facts, sqlite_url
from test_cli import run

from app import quality
from app.calibration import sigmoid
from app.outcomes import Report, open_store


async def fill(url: str, *, calibrated: bool) -> None:
    """240 labelled runs of 40 tasks and two policies."""
    chance, now = random.Random(1), time.time()
    logits = [chance.gauss(0, 2) for _ in range(240)]
    labels = [chance.random() < sigmoid(logit) for logit in logits]
    async with open_store(url) as store:
        for n, logit in enumerate(logits):
            tags = {"policy": "<b>bold</b>" if n % 2 else "plain"}
            one = {"logit": logit, "created_at": now, "instance_id": f"task-{n % 40}"}
            store.put(facts(f"s{n}", tags=tags, **one))
        told = [Report(label, "tests", f"s{n}") for n, label in enumerate(labels)]
        await store.record(told, "local")
        if calibrated:
            document = quality.fit(logits, [int(x) for x in labels], "platt", holdout=0.0)
            await store.calibrations.add(REVISION, document, {})
            await store.calibrations.switch(REVISION, document["id"], 0, "local")


@pytest.mark.parametrize("calibrated", [True, False])
def test_a_store_becomes_a_page(tmp_path: Path, calibrated: bool) -> None:
    url, out = sqlite_url(tmp_path), tmp_path / "quality.html"
    asyncio.run(fill(url, calibrated=calibrated))
    run("report", "--store-url", url, "--window", "1d", "--draws", 20, "--out", out)
    page = out.read_text()
    assert page.count("<svg") == 2
    assert "240 labelled runs of 40 instances" in page
    assert "&lt;b&gt;bold" in page
    assert "<b>bold" not in page
    assert "above shorter" not in page  # the store keeps no lengths
    assert ("stable" in page) == calibrated
    assert ("No calibration of the store is active" in page) != calibrated


def test_what_is_no_store_is_named(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    assert "no store" in run("report", "--store-url", url, code=2).stderr
    assert not (tmp_path / "outcomes.db").exists()
    asyncio.run(fill(url, calibrated=False))
    assert "window" in run("report", "--store-url", url, "--window", "soon", code=2).stderr
    assert "--store-url" in run("report", code=2).stderr
    assert "--store-url" in run("report", tmp_path, "--store-url", url, code=2).stderr
