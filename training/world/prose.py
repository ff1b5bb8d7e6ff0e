"""What a scripted agent says beside its commands. Voice and claim know nothing of the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from random import Random

import yaml

VOICES = ("confident", "doubting", "terse", "chatty", "formal", "narrating", "plain")
CLAIMS = ("success", "doubt", "neutral", "none")
# voice → how often each claim; the outcome is not asked
_CLAIM_SHARES: Mapping[str, tuple[float, float, float, float]] = {
    "confident": (0.8, 0.0, 0.15, 0.05),
    "doubting": (0.0, 0.8, 0.15, 0.05),
    "terse": (0.15, 0.15, 0.0, 0.7),
    "chatty": (0.45, 0.3, 0.25, 0.0),
    "formal": (0.4, 0.2, 0.4, 0.0),
    "narrating": (0.3, 0.2, 0.5, 0.0),
    "plain": (0.35, 0.35, 0.2, 0.1),
}
_OPENER_SHARE = {
    "confident": 0.45,
    "doubting": 0.45,
    "chatty": 0.6,
    "formal": 0.35,
    "narrating": 0.6,
}
_SWAPPED = {
    "confident": "doubting",
    "doubting": "confident",
    "success": "doubt",
    "doubt": "success",
}


def draw_claim(voice: str, rng: Random) -> str:
    return rng.choices(CLAIMS, _CLAIM_SHARES[voice])[0]


@lru_cache(maxsize=1)
def phrases() -> Mapping[str, list[str]]:
    """Slot → its phrasings; `open_<voice>` are what a voice may begin with."""
    text = Path(__file__).with_name("prose.yaml").read_text("utf-8")
    found: dict[str, list[str]] = yaml.safe_load(text)
    return found


class Speaker:
    """Says the same in the same place for the same seed."""

    def __init__(self, voice: str, claim: str, module: str, seed: str) -> None:
        self.voice, self.claim = voice, claim
        self._module, self._seed = module, seed
        self._claims_at = Random(f"{seed}/at").choice(["claim", "claim", "submit"])

    def twin(self) -> Speaker:
        """The same agent with success claimed where it doubted and doubt where it claimed success."""
        voice = _SWAPPED.get(self.voice, self.voice)
        return Speaker(voice, _SWAPPED.get(self.claim, self.claim), self._module, self._seed)

    def say(self, number: int, slot: str) -> str:
        """The text of the assistant message of this number; often empty in a terse voice."""
        rng = Random(f"{self._seed}/{number}/{slot}")
        roll, opened, pick = rng.random(), rng.random(), rng.random()
        if slot == self._claims_at and self.claim != "none":
            slot = f"claim_{self.claim}"
        elif slot in ("claim", "submit"):
            slot = "submit"
            if roll < 0.4:
                return ""
        if self.voice == "terse" and not slot.startswith("claim_"):
            return "" if roll < 0.75 else _at(phrases()["brief"], pick)
        text = _at(phrases()[slot], pick).replace("{module}", self._module)
        if opened < _OPENER_SHARE.get(self.voice, 0.0) and not slot.startswith("claim_"):
            return f"{_at(phrases()[f'open_{self.voice}'], rng.random())} {text}"
        return text


def _at(pool: list[str], pick: float) -> str:
    return pool[int(pick * len(pool))]
