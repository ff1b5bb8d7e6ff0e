"""What a seat's demand is expected to cost, and how much of it goes in at once."""

from __future__ import annotations

import math

from app.admission.pace import Pace
from app.admission.seats import Seat

_GIANT_STEPS = 4
_LEAST = 1e-9
# What a cache keeps of a prompt is whole blocks; vLLM's have 16 tokens, 128 on a CPU.
_BLOCK_TOKENS = 128
_LEAST_TOKENS = 512  # each part costs the engine some milliseconds beside its tokens


def measure(seat: Seat, pace: Pace, step_tokens: int, part_steps: float) -> None:
    """Sets size and part of a seat that is not in line, by the pace of now. A part takes about as long
    as `part_steps` steps of prompts of 1,000 tokens; what would not make two of them goes in whole."""
    demand, unit_s = seat.demand, max(_LEAST, pace.seconds(1_000, 1_000_000))
    work_s, cached_tokens = pace.cost_s(demand), demand.cached_tokens
    seat.size = round(4 * math.log2(max(_LEAST, work_s / unit_s)))
    seat.part, seat.giant = demand, demand.tokens > _GIANT_STEPS * step_tokens
    most_s = part_steps * unit_s * step_tokens / 1_000
    if not seat.divisible or not 0 < most_s < work_s / 2:
        return
    # No more than one step of the engine takes beside others: the pace is learnt by steps.
    tokens = min(step_tokens / 2, pace.tokens_in(most_s, cached_tokens))
    end = cached_tokens + max(_LEAST_TOKENS, tokens)
    part_tokens = int(end) // _BLOCK_TOKENS * _BLOCK_TOKENS - cached_tokens
    if 0 < part_tokens < demand.tokens:
        seat.part, seat.giant = demand.first(part_tokens), True
