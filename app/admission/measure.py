"""What a seat's demand is expected to cost, and how much of it goes in at once."""

from __future__ import annotations

import math

from app.admission.pace import Pace
from app.admission.seats import Seat

_GIANT_WINDOWS = 2
_LEAST = 1e-9
# What a cache keeps of a prompt is whole blocks; vLLM's have 16 tokens, 128 on a CPU.
_BLOCK_TOKENS = 128


def measure(seat: Seat, pace: Pace, window_tokens: int, part_windows: float) -> None:
    """Sets size and part of a seat that is not in line, by the pace of now. A part takes about as long
    as `part_windows` windows of short prompts; what would not make two of them goes in whole."""
    demand = seat.demand
    work_s, cached_tokens = pace.cost_s(demand), demand.cached_tokens
    seat.size = round(4 * math.log2(max(_LEAST, work_s / pace.seconds(1_000, 1_000_000))))
    seat.part, seat.giant = demand, demand.tokens > _GIANT_WINDOWS * window_tokens
    most_s = part_windows * pace.seconds(window_tokens, 0)
    if seat.divisible and 0 < most_s < work_s / 2:
        # No more than one step of the engine takes beside others: the pace is learnt by steps.
        tokens = min(window_tokens / 4, pace.tokens_in(most_s, cached_tokens))
        end = cached_tokens + max(_BLOCK_TOKENS, tokens)
        seat.part = demand.first(int(end) // _BLOCK_TOKENS * _BLOCK_TOKENS - cached_tokens)
        seat.giant = True
