"""A long item goes in by parts, so that what is short need not wait for all of it.

The engine keeps what it has computed of a prompt: a part is the prompt up to some token, of which the
parts before are in the engine's cache. Between parts the item stands in line again, with what is left of
it. The parts cost what the whole costs, as long as the cache keeps them; where it did not, the rest goes
in whole.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from app.admission.door import Admission
from app.admission.seats import Seat
from app.types import Priority, Verdict

# (tokens of the prompt, priority) → the verdict of the prompt up to there
Judge = Callable[[int, Priority], Awaitable[Verdict]]


async def in_parts(admission: Admission, seat: Seat, judge: Judge) -> Verdict:
    """The verdict of the whole prompt; its `cached_tokens` are those that no part has computed.

    Raises `Deadline` where the rest cannot be done in time, and what `judge` raises.
    """
    computed_tokens, engine_s, begun = 0, 0.0, False
    while True:
        async with admission.room(seat) as priority:
            part, more = seat.part, seat.rest is not None
            verdict = await judge(part.prompt_tokens, priority)
            admission.finished(verdict.prompt_tokens, verdict.cached_tokens)
            if begun and verdict.cached_tokens < part.cached_tokens / 2:
                seat.divisible = False
        computed_tokens += verdict.prompt_tokens - verdict.cached_tokens
        engine_s += verdict.engine_s
        begun = True
        if not more:
            cached_tokens = max(0, verdict.prompt_tokens - computed_tokens)
            return replace(verdict, cached_tokens=cached_tokens, engine_s=engine_s)
