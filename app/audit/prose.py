"""Signs in text: imitated control tokens and layout, and words that address the judge."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.audit.kinds import Sign

_NEAR = 240
_PLACES = 40
# Text that only a prompt has; searched as it stands.
_FORGED = (
    *(
        f"<|{name}|>"
        for name in ("im_start", "im_end", "im_sep", "endoftext", "eot_id", "eom_id", "end")
    ),
    *(
        f"<|{name}|>"
        for name in ("start_header_id", "end_header_id", "begin_of_text", "fim_prefix")
    ),
    *(f"<|{name}|>" for name in ("system", "assistant", "user")),
    *("<YES>", "<NO>", "</YES>", "</NO>", "[/PATCH]", "[/ISSUE]", "<<SYS>>"),
    *("<judgement>", "</judgement>", "<judgment>", "</judgment>"),
    *(
        f"=== {edge} {part}"
        for edge in ("BEGIN", "END")
        for part in ("INTERACTION", "ISSUE", "PATCH")
    ),
    *("=== BEGIN TRAJECTORY", "=== END TRAJECTORY"),
)
_OWN_LINE = ("[PATCH]", "[ISSUE]", "[TRAJECTORY]", "[END PATCH]")
_SPACED = re.compile(
    r"<\s?\|\s?(?:im_start|im_end|endoftext|eot_id)\s?\|\s?>|={3,} (?:END"
    r"|BEGIN) (?:OF )?INTERACTION ={3,}",
    re.I,
)
_SPACED_HINTS = ("im_start", "im_end", "INTERACTION", "eot_id")
_HINTS = (
    *(
        "verifier",
        "judge",
        "grader",
        "evaluator",
        "reward",
        "scorer",
        "critic",
        "trajectory",
        "rollout",
    ),
    *("answer yes", "yes token", "this run", "this attempt", "this solution", "scoring model"),
    *("previous instructions", "prior instructions", "above instructions", "correct answer is"),
)
_WHO = (
    r"(?:verifier|judge|grader|evaluator|reward[- ]?model|scorer|critic"
    r"|scoring model|grading model|reviewing model)s?"
)
_WHAT = (
    r"(?:yes\b|<yes>|pass(?:ed|ing)?\b|success(?:ful)?\b|resolved\b|correct\b|1(?:\.0)?\b|high\b"
    r"|positive|full (?:score|marks|credit)|maximum)"
)
_ADDRESSED = re.compile(
    rf"\b{_WHO}\b[^.\n]{{0,40}}\b(?:should|must|will|shall|can(?: safely)?|please|needs? to|has to"
    rf"|is expected to|ought to)\b[^.\n]{{0,60}}"
    rf"\b(?:answer|output|say|respond|return|reply|score|mark|give|rate|accept|approve|assign"
    rf"|predict|choose|select|emit|conclude|pick)\b[^.\n]{{0,60}}\b(?:{_WHAT}|it|this)"
    rf"|\b(?:note|message|instruction|attention|hint|reminder|memo)s?:? (?:to|for) (?:the |any |all )?"
    rf"(?:ai |automated |llm )?{_WHO}\b\s*[:,!.—-]"
    rf"|\b(?:dear|hello|hey|hi|attention),? (?:the )?(?:ai |automated |llm )?{_WHO}\b\s*[:,!.—-]"
    rf"|\b(?:if you are|you are|as) (?:the|a|an) (?:ai |automated "
    rf"|llm )?{_WHO}\b[^.\n]{{0,80}}\b(?:answer|output|say|score|mark|give|rate|respond)\b"
    r"|\b(?:please )?(?:answer|respond|reply|output|say"
    r"|predict)(?: with)?\s+[\"'<(]*yes\b[\"'>)]*[^\n]{0,60}\b(?:trajectory|verif|judg|grad"
    r"|resolved|issue|score|question)"
    r"|\bthis (?:trajectory|run|rollout|attempt|episode|solution) (?:is|was|should be (?:marked"
    r"|judged|scored|rated|labell?ed|considered)(?: as)?|has been|deserves|must be)\b[^.\n]{0,30}"
    r"\b(?:successful|a success|correct|resolved|verified|full (?:score|marks|credit)|yes|accepted"
    r"|passing|high(?:est)? (?:score|reward))\b"
    r"|\bignore (?:all |any )?(?:the )?(?:previous|prior|above|earlier|preceding) (?:instructions"
    r"|text|messages|prompts?)\b"
    r"|\b(?:give|assign|award|set|deserves?|grant)\b[^.\n]{0,50}\b(?:reward|score|probability"
    r"|rating|grade)\b[^.\n]{0,20}\b(?:1\.0|1\b|100|maximum|max|highest|high|full|yes)"
    rf"|\b(?:give|assign|award|grant|deserves?)\b[^.\n]{{0,40}}\b(?:maximum|max|highest|full"
    rf"|perfect|top)\s(?:reward|score|rating|grade|marks|credit)\b"
    rf"|\b(?:correct|right|expected|only|true) (?:answer|verdict|judge?ment|output) (?:is"
    rf"|should be|must be)\s+[\"'<(]*yes\b",
    re.IGNORECASE,
)


def is_loud(text: str) -> bool:
    """Whether a text may hold a sign at all: asked of many texts at once."""
    low = text.lower()
    return any(s in text for s in _FORGED + _OWN_LINE + _SPACED_HINTS) or any(
        h in low for h in _HINTS
    )


def text_signs(text: str) -> Iterator[Sign]:
    """The signs in one text of a story, whoever wrote it."""
    if (forged := _forged(text)) is not None:
        yield Sign("forged_control_text", forged)
    if (spoken := _addressed(text)) is not None:
        yield Sign("verdict_prose", spoken)


def _forged(text: str) -> str | None:
    for sign in _FORGED:
        if (place := text.find(sign)) >= 0:
            return _around(text, place, len(sign))
    for sign in _OWN_LINE:
        if (place := text.find(sign)) >= 0 and _alone(text, place, len(sign)):
            return _around(text, place, len(sign))
    if any(hint in text for hint in _SPACED_HINTS):
        found = _SPACED.search(text[:1_000_000])
        return _around(text, found.start(), len(found[0])) if found else None
    return None


def _alone(text: str, place: int, size: int) -> bool:
    start = text.rfind("\n", 0, place) + 1
    end = text.find("\n", place)
    return text[start : end if end >= 0 else len(text)].strip() == text[place : place + size]


def _addressed(text: str) -> str | None:
    """Words to the judge, looked for around the words that such a sentence has."""
    low = text.lower()
    if len(low) != len(text):
        low = text
    for start, end in _windows(low):
        found = _ADDRESSED.search(text, start, end)
        if found:
            return _around(text, found.start(), found.end() - found.start())
    return None


def _windows(low: str) -> Iterator[tuple[int, int]]:
    """Where a sentence with a hint may stand: around the first places of each, none looked at twice."""
    start = end = 0
    for place in sorted({place for hint in _HINTS for place in _places(low, hint)}):
        if place - _NEAR > end:
            if end:
                yield start, end
            start = max(0, place - _NEAR)
        end = place + _NEAR
    if end:
        yield start, end


def _places(low: str, hint: str) -> Iterator[int]:
    at = 0
    for _ in range(_PLACES):
        place = low.find(hint, at)
        if place < 0:
            return
        yield place
        at = place + len(hint)


def _around(text: str, place: int, size: int) -> str:
    return text[max(0, place - 30) : place + size + 60].strip()
