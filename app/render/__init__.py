"""Trajectory → Prompt. One function lays a trajectory out, for serving and for training alike.

Knows templates, tokens and lengths. Does not know who wrote the trajectory or which engine reads it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from app.errors import Empty, TooLong
from app.render import elide
from app.render.elide import Place
from app.render.encode import Encoder
from app.render.template import Run, Template
from app.types import Labels, LabelSpec, Piece, Prompt, Segment, TemplateSpec, Trajectory

_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class _Block:
    """One filled part: what it is, where it belongs, and its runs."""

    role: Literal["issue", "briefing", "assistant", "observation", "patch", "question"]
    turn: int | None
    message_index: int | None
    runs: list[Run]


class Renderer:
    """Lays trajectories out under one template and one tokenizer.

    `allowed_tokens` is the longest prompt that may be returned; up to `memo_bytes` of token ids of single
    messages are remembered, so that what grows encodes only what is new. Safe to use from several threads.
    Raises `StartError` when the template does not fit the tokenizer.
    """

    def __init__(
        self,
        tokenizer_file: Path,
        spec: TemplateSpec,
        fingerprint: str,
        allowed_tokens: int,
        memo_bytes: int = 0,
    ) -> None:
        self._encoder = Encoder(tokenizer_file, memo_bytes)
        self._template = Template(spec, self._encoder.control_ids)
        self.fingerprint = fingerprint
        self.allowed_tokens = allowed_tokens

    @property
    def memo_bytes(self) -> int:
        """Bytes of token ids that are remembered."""
        return self._encoder.memo.held_bytes

    def labels(self, spec: LabelSpec) -> Labels:
        return self._encoder.labels(spec)

    def render(
        self, trajectory: Trajectory, on_overflow: Literal["error", "elide"] = "error"
    ) -> Prompt:
        """Raises `TooLong`, naming measured and allowed tokens, when it does not fit."""
        prompt = self.encode(trajectory)
        if len(prompt.ids) <= self.allowed_tokens:
            return prompt
        if on_overflow == "elide":
            return self._elided(trajectory, prompt)
        raise self._too_long(len(prompt.ids), "the prompt is longer than the model allows")

    def render_trusted(self, text: str) -> Prompt:
        """A pre-rendered prompt, taken literally: control tokens in it count, nothing is elided."""
        ids = self._encoder.encode_trusted(text)
        if not ids:
            message = "the prompt is empty"
            raise Empty(message)
        if len(ids) > self.allowed_tokens:
            raise self._too_long(len(ids), "the prompt is longer than the model allows")
        whole = Segment("question", None, None, 0, len(ids))
        return Prompt(ids, (whole,), self._encoder.count_control(ids), self.fingerprint)

    def encode(self, trajectory: Trajectory) -> Prompt:
        """The prompt, however long. Ids equal the joint encoding of `text` for benign content."""
        return self._laid(list(self._blocks(trajectory)))

    def pieces(self, prompt: Prompt) -> tuple[tuple[Piece, ...], ...]:
        """The text of every segment of a prompt, as the verifier reads it."""
        read = self._encoder.pieces
        return tuple(tuple(read(prompt.ids[s.start : s.end])) for s in prompt.segments)

    def _laid(self, blocks: Sequence[_Block]) -> Prompt:
        texts = [run for block in blocks for run in block.runs if isinstance(run, str)]
        encoded = iter(self._encoder.encode_content(texts))
        ids: array[int] = array("i")
        segments: list[Segment] = []
        structural = 0
        for block in blocks:
            start = len(ids)
            for run in block.runs:
                if isinstance(run, int):
                    ids.append(run)
                    structural += 1
                else:
                    ids.extend(next(encoded))
            segments.append(Segment(block.role, block.turn, block.message_index, start, len(ids)))
        return Prompt(ids, tuple(segments), structural, self.fingerprint)

    def _blocks(self, trajectory: Trajectory) -> Iterator[_Block]:
        fill = self._template.fill
        yield _Block("issue", None, None, fill("head", issue=trajectory.issue))
        for text in trajectory.briefing:
            yield _Block("briefing", None, None, fill("briefing", text=text))
        for number, turn in enumerate(trajectory.turns):
            label = str(number + 1)
            calls = self._template.calls(turn.calls)
            runs = fill("assistant", text=turn.text, calls=calls, turn=label)
            yield _Block("assistant", number, turn.message_index, runs)
            for seen in turn.observations:
                runs = fill("observation", text=seen.text, turn=label)
                yield _Block("observation", number, seen.message_index, runs)
        patch = trajectory.patch
        runs = fill("patch", patch=patch) if patch else fill("no_patch")
        yield _Block("patch", None, None, runs)
        yield _Block("question", None, None, fill("question"))

    def _elided(self, trajectory: Trajectory, full: Prompt) -> Prompt:
        """Blocks are encoded apart, so what one observation saves is what the whole prompt saves."""
        sizes = dict(zip(elide.middle_places(trajectory), _observation_sizes(full), strict=False))
        texts = {(t, o): trajectory.turns[t].observations[o].text for t, o in sizes}
        least = self._sizes({place: elide.shortened(text, 0) for place, text in texts.items()})
        spare = {place: size - least[place] for place, size in sizes.items()}
        spare = {place: tokens for place, tokens in spare.items() if tokens > 0}
        allowance = elide.level(list(spare.values()), len(full.ids) - self.allowed_tokens)
        if allowance is None:
            raise self._too_long(
                len(full.ids), "the prompt is too long even with all middle observations elided"
            )
        long = {place: tokens for place, tokens in spare.items() if tokens > allowance}
        short = self._shortened({place: texts[place] for place in long}, long, least, allowance)
        prompt = self.encode(elide.replaced(trajectory, short))
        gone = len(full.ids) - len(prompt.ids)
        return replace(prompt, elided_tokens=gone, elided_turns=len({t for t, _ in short}))

    def _shortened(
        self,
        texts: Mapping[Place, str],
        spare: Mapping[Place, int],
        least: Mapping[Place, int],
        allowance: int,
    ) -> dict[Place, str]:
        """Every text cut until it takes no more than `allowance` tokens beyond the sign of its elision.

        Tokens are not spread evenly over a text, so each cut is tried and made deeper where needed; the
        last attempt keeps nothing.
        """
        keep = {place: len(text) * allowance // spare[place] for place, text in texts.items()}
        short: dict[Place, str] = {}
        for attempts_left in reversed(range(_ATTEMPTS)):
            tried = {place: elide.shortened(texts[place], kept) for place, kept in keep.items()}
            taken = {place: size - least[place] for place, size in self._sizes(tried).items()}
            short |= {place: tried[place] for place in tried if taken[place] <= allowance}
            keep = {
                place: kept * allowance // taken[place] if attempts_left > 1 else 0
                for place, kept in keep.items()
                if place not in short
            }
            if not keep:
                break
        return short

    def _sizes(self, texts: Mapping[Place, str]) -> dict[Place, int]:
        """Tokens of the block that each observation would become; equal ones are encoded once."""
        fill = self._template.fill
        distinct = dict.fromkeys((t, text) for (t, _), text in texts.items())
        blocks = [
            _Block("observation", t, None, fill("observation", text=text, turn=str(t + 1)))
            for t, text in distinct
        ]
        sizes = dict(zip(distinct, _observation_sizes(self._laid(blocks)), strict=True))
        return {place: sizes[place[0], text] for place, text in texts.items()}

    def _too_long(self, measured_tokens: int, what: str) -> TooLong:
        message = f"{what}: {measured_tokens} tokens measured, {self.allowed_tokens} allowed"
        limits = {"measured": measured_tokens, "allowed": self.allowed_tokens}
        return TooLong(message, limits=limits)


def _observation_sizes(prompt: Prompt) -> Iterator[int]:
    return (s.end - s.start for s in prompt.segments if s.role == "observation")
