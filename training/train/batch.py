"""Examples → tensors. Padding stands on the right, where a causal model never looks back from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

Ids = np.ndarray[Any, np.dtype[np.int32]]


@dataclass(frozen=True, slots=True)
class Piece:
    """One sequence to learn from. `resolved` is None where there is nothing to judge; `masked` are
    [start, end) spans that take no part in the language loss."""

    ids: Ids
    resolved: bool | None
    masked: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """`ids`, `positions` and `spoken` (whose token may be predicted) are [rows, length]; `ends` are the
    answer positions, `answers` the label ids or -100, both [rows]."""

    ids: torch.Tensor
    positions: torch.Tensor
    spoken: torch.Tensor
    ends: torch.Tensor
    answers: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(*(getattr(self, each.name).to(device) for each in fields(self)))

    @property
    def tokens(self) -> int:
        return int(self.ends.sum()) + len(self.ends)


def collate(
    pieces: Sequence[Piece], yes_id: int, no_id: int, pad_id: int, stretch_tokens: int, seed: int
) -> Batch:
    draw = np.random.default_rng(seed)
    length = max(len(piece.ids) for piece in pieces)
    ids = torch.full((len(pieces), length), pad_id, dtype=torch.long)
    spoken = torch.zeros((len(pieces), length), dtype=torch.bool)
    positions = torch.arange(length).repeat(len(pieces), 1)
    for row, piece in enumerate(pieces):
        positions[row] += _jumps(length, stretch_tokens, draw)
        ids[row, : len(piece.ids)] = torch.from_numpy(piece.ids.astype(np.int64))
        spoken[row, : len(piece.ids)] = True
        for start, end in piece.masked:
            spoken[row, start:end] = False
    ends = torch.tensor([len(piece.ids) - 1 for piece in pieces])
    answers = torch.tensor(
        [-100 if p.resolved is None else (yes_id if p.resolved else no_id) for p in pieces]
    )
    return Batch(ids, positions, spoken, ends, answers)


def _jumps(length: int, stretch_tokens: int, draw: np.random.Generator) -> torch.Tensor:
    """What is added to each position: nothing for every second row; else the text is cut at a few
    places and the positions jump there, up to `stretch_tokens` in all.

    So short texts teach the distances of long ones (PoSE, arXiv 2309.10400).
    """
    added = np.zeros(length, dtype=np.int64)
    room = stretch_tokens - length
    if room > 0 and draw.random() < 0.5:
        cuts = draw.integers(1, length, size=draw.integers(1, 9))
        reach = room * draw.random()
        added[cuts] = (draw.dirichlet(np.ones(len(cuts))) * reach).astype(np.int64)
    return torch.from_numpy(np.cumsum(added))
