"""What is minimised: cross-entropy of the answer, of the language, and the experts' balance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from training.train.batch import Batch


@dataclass(frozen=True, slots=True)
class Weights:
    answer: float
    language: float
    language_share: float
    aux: float


@dataclass(frozen=True, slots=True)
class Losses:
    """`total` is to be minimised; the parts are detached (nan where the batch has none)."""

    total: torch.Tensor
    answer: float
    language: float
    aux: float


def losses(model: Any, batch: Batch, weights: Weights, draw: torch.Generator) -> Losses:
    """Logits are made only where a loss needs them: at the answers, and at a drawn share of the
    positions, the same for all rows (a vocabulary's worth of numbers for every token is what would
    fill the memory)."""
    length = batch.ids.shape[1]
    drawn = torch.rand(length - 1, generator=draw) < weights.language_share
    drawn &= torch.tensor(weights.language > 0)
    wanted = torch.unique(torch.cat([batch.ends.cpu(), drawn.nonzero()[:, 0]]))
    wanted = wanted.to(batch.ids.device)
    told = model(
        input_ids=batch.ids,
        attention_mask=torch.ones_like(
            batch.ids
        ),  # without one, jumps of position read as new texts
        position_ids=batch.positions,
        logits_to_keep=wanted,
        output_router_logits=weights.aux > 0,
        use_cache=False,
    )
    logits = told.logits.float()
    total = logits.new_zeros(())
    answer = language = aux = float("nan")
    if weights.answer and bool((batch.answers >= 0).any()):
        columns = torch.searchsorted(wanted, batch.ends)
        said = logits[torch.arange(len(columns), device=logits.device), columns]
        value = cross_entropy(said, batch.answers)
        total, answer = total + weights.answer * value, float(value.detach())
    if weights.language:
        value = _language(logits, batch, wanted, drawn.to(batch.ids.device))
        total, language = total + weights.language * value, float(value.detach())
    if weights.aux:
        total, aux = total + weights.aux * told.aux_loss, float(told.aux_loss.detach())
    return Losses(total, answer, language, aux)


def _language(
    logits: torch.Tensor, batch: Batch, wanted: torch.Tensor, drawn: torch.Tensor
) -> torch.Tensor:
    """Mean next-token loss over the drawn positions whose following token may be predicted."""
    inside = wanted < batch.ids.shape[1] - 1
    inside[inside.clone()] &= drawn[wanted[inside]]
    at = wanted[inside]
    target = torch.where(batch.spoken[:, at + 1], batch.ids[:, at + 1], -100)
    if not bool((target >= 0).any()):
        return logits.sum() * 0.0
    return cross_entropy(logits[:, inside].flatten(0, 1), target.flatten())
