"""What the door knows of an item: what it will cost, for whom it is, and how urgent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from app.admission.prefixes import BLOCK_TOKENS, Chain
from app.types import Priority

CLASSES: tuple[Priority, ...] = ("interactive", "rollout", "backfill")  # most urgent first


def capped(priority: Priority, ceiling: Priority) -> Priority:
    """The priority that is granted to a key that may not be more urgent than `ceiling`."""
    return max(priority, ceiling, key=CLASSES.index)


@dataclass(frozen=True, slots=True)
class Demand:
    """The work of one item. `tokens` are uncached ones; `pairs` is prompt² − cached², what attention
    costs; `step` is the policy step, earlier first, and no step last."""

    tokens: int
    pairs: int
    step: float = float("inf")

    @property
    def cached_tokens(self) -> int:
        """Of the prompt; pairs / tokens is prompt + cached."""
        return (self.pairs // self.tokens - self.tokens) // 2 if self.tokens else 0

    @property
    def prompt_tokens(self) -> int:
        return self.cached_tokens + self.tokens

    def first(self, tokens: int) -> Demand:
        """Its first so many uncached tokens."""
        return Demand.of(self.cached_tokens + tokens, self.cached_tokens, self.step)

    def after(self, part: Demand) -> Demand:
        """What is left when a first part of it is done."""
        return Demand(self.tokens - part.tokens, self.pairs - part.pairs, self.step)

    @classmethod
    def of(cls, prompt_tokens: int, cached_tokens: int = 0, step: float = float("inf")) -> Demand:
        return cls(prompt_tokens - cached_tokens, prompt_tokens**2 - cached_tokens**2, step)


@dataclass(frozen=True, slots=True)
class Standing:
    """For whom a request is. `deadline` is a time of the door's clock."""

    priority: Priority
    key_id: str
    deadline: float

    @property
    def rank(self) -> int:
        return CLASSES.index(self.priority)


@dataclass(slots=True)
class Load:
    """A sum of demands."""

    tokens: int = 0
    pairs: int = 0
    items: int = 0

    def add(self, demand: Demand) -> None:
        self.tokens += demand.tokens
        self.pairs += demand.pairs
        self.items += 1

    def remove(self, demand: Demand) -> None:
        self.tokens -= demand.tokens
        self.pairs -= demand.pairs
        self.items -= 1

    def merge(self, other: Load) -> None:
        self.tokens += other.tokens
        self.pairs += other.pairs
        self.items += other.items


@dataclass(eq=False, slots=True)
class Seat:
    """One item at the door. `demand` is what is left of it, `part` what goes in next. `granted` gives
    the priority that the engine is told. `size` orders items by their expected work, in steps so coarse
    that a guess that wavers lets nobody pass his equal. `number` is its age: who comes back for the next
    part has not become younger. Of `chain` so many `known_blocks` are expected in the engine's cache.
    A `giant` goes in by parts, or is longer than four steps: there is room for one at a time."""

    demand: Demand
    standing: Standing
    divisible: bool = False
    chain: Chain = ()
    known_blocks: int = 0
    part: Demand = field(init=False)
    size: int = 0
    number: int | None = None
    giant: bool = False
    served_tokens: float = 0.0  # of its key, when its last part went in
    reserved_tokens: int = 0
    came_s: float = 0.0  # when its part went in, by the door's clock
    wish: Standing | None = None  # a better standing, for when it is outside again
    granted: asyncio.Future[Priority] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def __post_init__(self) -> None:
        self.part = self.demand
        self.known_blocks = -(-self.demand.cached_tokens // BLOCK_TOKENS)

    @property
    def part_chain(self) -> Chain:
        """Of the prompt up to the end of the part."""
        return self.chain[: self.part.prompt_tokens // BLOCK_TOKENS]

    @property
    def rest(self) -> Demand | None:
        """What will be left when the part is done."""
        return None if self.part.tokens == self.demand.tokens else self.demand.after(self.part)
