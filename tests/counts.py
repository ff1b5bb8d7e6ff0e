"""How much of a check is run: a sample in `make test`, the full counts in `make acceptance`."""

from __future__ import annotations

import os
import random

FULL = os.environ.get("ACCEPTANCE") == "full"


def count(sampled: int, full: int) -> int:
    return full if FULL else sampled


def seed() -> int:
    """That of ACCEPTANCE_SEED, or any; printed, so that a failure can be run again."""
    found = int(os.environ.get("ACCEPTANCE_SEED") or random.randrange(2**32))
    print(f"ACCEPTANCE_SEED={found}")  # noqa: T201
    return found
