"""The scripted agents, how often each is meant to succeed, and how often its history leaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from training.world.policies import plans
from training.world.policies.scene import Play, Scene


@dataclass(frozen=True)
class Policy:
    """`aims_right` is the share of runs meant to end in a right patch; the tests have the last word.

    `claim` is set where saying so is what the policy is.
    """

    play: Callable[[Scene], Play]
    aims_right: float
    claim: str = ""
    leaky: float = 0.08
    wants_two_bugs: bool = False


POLICIES: dict[str, Policy] = {
    "careful": Policy(plans.careful, 0.76),
    "hasty": Policy(plans.hasty, 0.5),
    "wrong_place": Policy(plans.wrong_place, 0.33),
    "half_fix": Policy(plans.half_fix, 0.2, wants_two_bugs=True),
    "symptom_patch": Policy(plans.symptom_patch, 0.22),
    "breaks_other": Policy(plans.breaks_other, 0.4),
    "reverts_itself": Policy(plans.reverts_itself, 0.38),
    "out_of_steps": Policy(plans.out_of_steps, 0.4),
    "tampers_tests": Policy(plans.tampers_tests, 0.4),
    "git_peek": Policy(plans.git_peek, 0.6, leaky=0.6),
    "false_claimer": Policy(plans.false_claimer, 0.38, claim="success"),
    "right_doubter": Policy(plans.right_doubter, 0.62, claim="doubt"),
    "tester_first": Policy(plans.tester_first, 0.62),
    "thrasher": Policy(plans.thrasher, 0.42),
}
