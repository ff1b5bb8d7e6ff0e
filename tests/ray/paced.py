"""A replica whose fake engine takes time as the cost model says, and remembers prefixes as vLLM does.

Process number and seconds of work of its engine lie in files of the folder PACED_NOTES. `SLOW` multiplies
all costs. Imported by Ray's workers: PYTHONPATH has this folder.
"""

from __future__ import annotations

import os
import zlib
from array import array
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.cli import build
from app.engine.protocol import EngineFacts
from app.engine.stepped import SteppedEngine
from app.types import Labels, Priority, Verdict
from deploy.ray.replica import Replica

BLOCK_TOKENS = 16


@dataclass(slots=True)
class PacedEngine(SteppedEngine):
    notes: Path = Path()
    _seen: set[int] = field(default_factory=set)

    async def judge(
        self, ids: array[int], labels: Labels, priority: Priority = "rollout"
    ) -> Verdict:
        cached = self._remembered(ids)
        verdict = await SteppedEngine.judge(self, ids, labels, priority)
        (self.notes / str(os.getpid())).write_text(str(self.busy_s))
        return replace(verdict, cached_tokens=cached)

    def _remembered(self, ids: array[int]) -> int:
        """Tokens of whole blocks that came in this order before; all are remembered from here on."""
        digest, cached, known = 0, 0, True
        for start in range(0, len(ids) - BLOCK_TOKENS, BLOCK_TOKENS):
            digest = zlib.crc32(ids[start : start + BLOCK_TOKENS].tobytes(), digest)
            known = known and digest in self._seen
            cached += BLOCK_TOKENS * known
            self._seen.add(digest)
        return cached


class PacedReplica(Replica):
    async def __init__(self, settings: Any) -> None:
        notes = Path(os.environ["PACED_NOTES"])

        async def start(settings: Any, found: Any, renderer: Any) -> PacedEngine:
            facts = EngineFacts("fake", "1", "float32", "float32", renderer.allowed_tokens)
            return PacedEngine(facts, notes=notes, slow=float(os.environ["SLOW"]))

        build._start_engine = start
        await Replica.__init__(self, settings)
        (notes / str(os.getpid())).write_text("0")
        (notes / f"{self._name}.pid").write_text(str(os.getpid()))
