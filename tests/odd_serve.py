"""`swe-rm` with a fake engine that the environment makes slow (DELAY_S), slow to start (START_S), dead
after some calls (DIES_AFTER) or without another one to replace it (NO_MORE)."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from app.cli import build, main
from app.engine.fake import FakeEngine

KNOBS = {name: float(os.environ.get(name, 0)) for name in ("DELAY_S", "START_S", "DIES_AFTER")}


class Odd(FakeEngine):
    async def judge(self, *given: Any) -> Any:
        if KNOBS["DIES_AFTER"] and self.calls >= KNOBS["DIES_AFTER"]:
            self.dead = True
        return await FakeEngine.judge(self, *given)


async def start(settings: Any, found: Any, renderer: Any) -> Odd:
    await asyncio.sleep(KNOBS["START_S"])
    return Odd(delay_s=KNOBS["DELAY_S"])


if __name__ == "__main__":
    build._start_engine = start
    main()
