"""Which parameters learn by which rule: AdamW for all, or Muon for the matrices inside the layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from training.recipe import Recipe

# Coefficients and five rounds: Keller Jordan, https://kellerjordan.github.io/posts/muon/
_A, _B, _C = 3.4445, -4.7750, 2.0315
_ROUNDS = 5
# An update as large as AdamW's, so that one learning rate can serve both: arXiv 2502.16982, section 2.2
_RMS_OF_ADAMW = 0.2


class Muon(torch.optim.Optimizer):
    """The update of a matrix is its momentum with all singular values brought to one.

    As `torch.optim.Muon`, of which two things do not serve here: it takes matrices only, while the
    experts of a layer are one tensor [experts, rows, columns], and it iterates in bfloat16, which a CPU
    without AVX-512 computes some hundred times slower than float32.
    Raises `ValueError` for a parameter that is neither a matrix nor a stack of them.
    """

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        *,
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        for each in (each for group in self.param_groups for each in group["params"]):
            if each.ndim not in (2, 3):
                message = f"Muon takes matrices, alone or stacked, not {tuple(each.shape)}"
                raise ValueError(message)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for each in group["params"]:
                if each.grad is None:
                    continue
                state = self.state[each]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(each.grad)
                state["momentum"].lerp_(each.grad, 1 - group["momentum"])
                ahead = each.grad.lerp(state["momentum"], group["momentum"])  # Nesterov's
                each.mul_(1 - group["lr"] * group["weight_decay"])
                size = _RMS_OF_ADAMW * max(each.shape[-2:]) ** 0.5
                each.add_(orthogonal(ahead), alpha=-group["lr"] * size)


def orthogonal(gradient: torch.Tensor) -> torch.Tensor:
    """Matrices [..., rows, columns] → the same shape, singular values between 0.6 and 1.3: Newton and
    Schulz's iteration of fifth order, in float32."""
    turned = gradient.shape[-2] > gradient.shape[-1]
    found = gradient.float().mT if turned else gradient.float()
    found = found / found.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(_ROUNDS):
        gram = found @ found.mT
        found = _A * found + (_B * gram + _C * gram @ gram) @ found
    return (found.mT if turned else found).to(gradient.dtype)


def optimizers(recipe: Recipe, model: torch.nn.Module) -> list[torch.optim.Optimizer]:
    """Each group has an `lr_ratio`, by which the rate of a step is multiplied for it."""
    hidden = {
        name: each
        for name, each in model.named_parameters()
        if recipe.muon and _is_hidden(name, each)
    }
    rest = [each for name, each in model.named_parameters() if name not in hidden]
    decay = recipe.weight_decay
    found: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            [{"params": rest, "lr_ratio": 1.0}], lr=0.0, betas=recipe.betas, weight_decay=decay
        )
    ]
    if recipe.muon:
        group = {"params": list(hidden.values()), "lr_ratio": recipe.muon.lr_ratio}
        found.append(Muon([group], lr=0.0, momentum=recipe.muon.momentum, weight_decay=decay))
    return found


def _is_hidden(name: str, parameter: torch.nn.Parameter) -> bool:
    """A matrix inside a layer, but the router's, whose rows are single experts."""
    return ".layers." in name and parameter.ndim > 1 and not name.endswith(".gate.weight")
