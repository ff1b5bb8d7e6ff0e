"""`swe-rm watch`: scores a growing trajectory turn by turn.

the file changed ─ read ─ which turns are new ─ one request with those steps ─ one line a turn
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.text import Text
from swe_rm_client import AsyncClient, Failed, Item, Scored, Step, SweRmError

from app.cli import growing
from app.cli.growing import Reading, WaitError
from app.cli.tables import as_line
from app.cli.voice import Voice
from app.types import Trajectory

_SERVER_S = 300.0  # a server that does not score for so long is gone
_TIMEOUT_S = 600.0  # of one request
_BAR_CHARS = 20


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look, how long a file may rest; `once`: tell what is there and end."""

    every_s: float = 2.0
    idle_s: float = 3600.0
    once: bool = False


async def watch(
    client: AsyncClient, path: Path, voice: Voice, pace: Pace, *, elide: bool = False
) -> int:
    """Follows the file until its trajectory ends, it rests for too long, or stays broken; the exit
    status."""
    if not (await client.info()).raw.get("model", {}).get("trained", True):
        voice.say("Nothing trained judged here: these numbers mean nothing.")
    if pace.once and not path.exists():
        voice.complain(f"{path} is not there")
        return 1
    clock = _Clock(pace, voice)
    teller = _Teller(client, path, voice, pace.once, "elide" if elide else "error")
    while True:
        stamp = await asyncio.to_thread(growing.stamp, path)
        if clock.is_news(stamp):
            try:
                ended = await teller.look()
            except WaitError as wait:
                if clock.is_over(wait):
                    voice.complain(wait.reason)
                    return 1
            else:
                clock.done(teller.half_line)
                if ended or pace.once:
                    return 0
        elif clock.rests():
            voice.complain(f"{path} has not changed for {pace.idle_s:g} s")
            return 1
        await asyncio.sleep(pace.every_s)


class _Clock:
    """What was seen when: decides whether to look, to wait on, or to give up."""

    def __init__(self, pace: Pace, voice: Voice) -> None:
        self._pace = pace
        self._voice = voice
        self._now_s = asyncio.get_running_loop().time
        self._seen: growing.Stamp | None = None
        self._changed_s = self._now_s()
        self._settled = False  # what was seen needs no second look
        self._half_line = False
        self._waits: tuple[float | None, float] | None = None  # patience, since when

    def is_news(self, stamp: growing.Stamp | None) -> bool:
        if stamp != self._seen:
            self._seen, self._changed_s, self._settled = stamp, self._now_s(), False
        return not self._settled

    def done(self, half_line: bool) -> None:
        self._settled, self._half_line, self._waits = True, half_line, None

    def is_over(self, wait: WaitError) -> bool:
        """Whether what was waited for has become an error."""
        if self._waits is None or self._waits[0] != wait.patience_s:
            self._waits = (wait.patience_s, self._now_s())
            if wait.patience_s != 0:
                self._voice.say(f"waiting: {wait.reason}")
        if wait.patience_s is None:
            self._settled = True  # only another file can help
            return self._pace.once
        return self._now_s() - self._waits[1] >= wait.patience_s

    def rests(self) -> bool:
        resting_s = self._now_s() - self._changed_s
        if self._half_line and resting_s >= growing.BROKEN_S:
            self._half_line = False
            self._voice.complain("the last line stays half-written; it is left out")
        return resting_s >= self._pace.idle_s


class _Teller:
    """Asks for the turns that are not told yet, and tells them."""

    def __init__(
        self,
        client: AsyncClient,
        path: Path,
        voice: Voice,
        once: bool,
        on_overflow: Literal["error", "elide"],
    ) -> None:
        self._client = client
        self._path = path
        self._voice = voice
        self._once = once
        self._on_overflow = on_overflow
        self._told: Trajectory | None = None
        self.half_line = False

    async def look(self) -> bool:
        """Tells what is new; whether the trajectory has ended. Raises `WaitError`."""
        reading = await asyncio.to_thread(growing.read, self._path)
        self.half_line = reading.half_line
        trajectory = reading.adapted.trajectory
        turns = growing.changed_turns(self._told, trajectory)
        if turns or reading.end or self._once:
            result = await self._score(reading, turns)
            grown = len(self._told.turns) if self._told else 0
            for step in result.steps or ():
                self._tell_step(step, again=step.turn < grown)
            if reading.end or self._once:
                self._tell_whole(result, reading.end)
        self._told = trajectory
        return reading.end is not None

    async def _score(self, reading: Reading, turns: list[int]) -> Scored:
        item = Item(trajectory=reading.document)
        try:
            answer = await self._client.score(
                [item],
                steps={"turns": turns} if turns else "none",
                on_overflow=self._on_overflow,
                priority="interactive",
                timeout_s=_TIMEOUT_S,
            )
        except SweRmError as error:
            if not error.retryable:
                raise
            raise WaitError(str(error), _SERVER_S) from error
        result = answer.results[0]
        if isinstance(result, Failed):
            message = f"{self._path}: {result.error.code}: {result.error.message}"
            raise WaitError(message, _SERVER_S if result.error.retryable else 0.0)
        return result

    def _tell_step(self, step: Step, *, again: bool) -> None:
        if self._voice.as_json:
            told = {
                "turn": step.turn,
                "raw_probability": step.raw_probability,
                "logit": step.logit,
                "again": again,
            }
            self._voice.machine(json.dumps(told, allow_nan=False))
            return
        drawn = bar(step.raw_probability, self._voice.out.encoding)
        mark = "  (again: it grew)" if again else ""
        self._print(f"{step.turn:>5}  {step.raw_probability:.3f}  {drawn}{mark}")

    def _tell_whole(self, result: Scored, end: str | None) -> None:
        if self._voice.as_json:
            self._voice.machine(as_line(str(self._path), result, end=end))
            return
        what = f"final ({end})" if end else "so far"
        self._print(f"{what}: P(resolved) {result.probability:.3f}, logit {result.logit:+.3f}")

    def _print(self, line: str) -> None:
        self._voice.out.print(Text(line), soft_wrap=True)


def bar(probability: float, encoding: str) -> str:
    full, rest = "█·" if encoding.lower().startswith("utf") else "#."
    filled = round(probability * _BAR_CHARS)
    return full * filled + rest * (_BAR_CHARS - filled)
