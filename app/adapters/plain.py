"""Text that is no JSON: ChatML chat text, and plain text.

Chat text is untrusted like everything else: it is parsed into messages and rendered again.
"""

from __future__ import annotations

import re

from app.adapters.messages import records
from app.adapters.story import Record, Story
from app.adapters.text import clean

_START, _END, _PAD = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
# Decoded with special tokens, a text has those of its padding in front, or of its beginning.
_OPENING = re.compile(
    r"[\ufeff\s]*(?:(?:<\|endoftext\|>|<\|begin_of_text\|>|<s>)\s*)*<\|im_start\|>"
)


def is_chat_text(document: object) -> bool:
    return isinstance(document, str) and _OPENING.match(document) is not None


def claims_plain(document: object) -> bool:
    return isinstance(document, str)


def read_chat(text: str) -> Story:
    return Story(records(_messages(text)))


def read_plain(text: str, issue: str | None) -> Story:
    """First line issue, the rest one assistant turn.

    With an issue given beside it all of the text is the turn, less the issue where it stands first.
    """
    text = clean(text.removeprefix("\ufeff"))
    known = clean(issue).strip() if isinstance(issue, str) else ""
    if not known:
        known, _, rest = text.lstrip().partition("\n")
    else:
        body = text.lstrip()
        rest = body[len(known) :] if _opens_with(body, known) else text
    turns = [Record("assistant", rest.strip())] if rest.strip() else []
    return Story(turns, issue=known)


def _opens_with(text: str, issue: str) -> bool:
    return text.startswith(issue) and text[len(issue) : len(issue) + 1] in ("", "\n", "\r")


def _messages(text: str) -> list[dict[str, object]]:
    """One pass over the text; a missing last `<|im_end|>` is forgiven."""
    found: list[dict[str, object]] = []
    begin = text.find(_START)
    while begin >= 0:
        begin += len(_START)
        following = text.find(_START, begin)
        block = text[begin : following if following >= 0 else len(text)]
        head, closed, tail = block.partition(_END)
        role, _, content = head.partition("\n")
        content += _unclaimed(tail)
        # An open, empty block at the end only asks for an answer.
        if closed or following >= 0 or content.strip():
            found.append({"role": role.strip(), "content": content})
        begin = following
    return found


def _unclaimed(tail: str) -> str:
    """Text between two messages that is no padding: it stays with the message before it."""
    tail = tail.replace(_PAD, "")
    return tail if tail.strip() else ""
