"""Foreign document in, Trajectory out: the door of this room.

    text ─ read ─┐
                 ├─ detect ─ one family's file ─ story ─ Adapted
    value ───────┘

family's file     formats, in the order in which `detect` asks
mini_swe_agent    mini-swe-agent-v1 · mini-swe-agent-v2
atif, r2e_gym     atif · r2e-gym
swe_agent         swe-agent-0.x · swe-agent-1.x
openhands_sdk     openhands-sdk (events, folders of event files, rows)
openhands         openhands-v0
nebius            nebius-swe-agent · nebius-openhands
swe_smith         swe-smith
gemini_cli        gemini-cli
anthropic         anthropic
messages          openai-chat (with request_log), SWE-Gym's rows
sharegpt          harbor-traces · sharegpt
responses         nemo-gym · openai-responses
codex             codex-cli · codex-cli-legacy · codex-exec
claude_code       claude-code
moatless          moatless-gen1 · moatless-gen2 · moatless-gen3
predictions       predictions
aider, plain      aider · chat-text · plain-text

What families share: `messages` (roles), `toolcalls` and `text_calls` (calls as JSON, as text),
`teller` (turns out of pieces), `branches` (one path through a tree), `patches` (a patch where no
field holds one), `prompts` (issues out of prompts). `docs/formats.md` says what each reads.

Adapters read fields by name only, so what a document says about its own outcome (`resolved`,
`reward`, `report`, gold patches, test lists) cannot enter. Whatever is wrong with a document ends
in a named `ItemError` that never quotes it.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.adapters import aider
from app.adapters.detect import (
    AIDER,
    CHAT_TEXT,
    FORMATS,
    PLAIN_TEXT,
    STRUCTURED,
    claimed,
    documents,
    join_events,
    sessions,
)
from app.adapters.messages import read as read_messages
from app.adapters.plain import is_chat_text, read_chat, read_plain
from app.adapters.read import loose_values, structured, values
from app.adapters.story import Story, tell
from app.adapters.text import shown
from app.errors import Invalid, UnknownFormat
from app.types import Adapted

_TEXTS = (AIDER, CHAT_TEXT, PLAIN_TEXT)

__all__ = ["FORMATS", "adapt", "adapt_messages", "is_chat_text", "join_events", "rows"]


def adapt(
    document: object, *, format: str = "auto", issue: str | None = None, patch: str | None = None
) -> Adapted:
    """Read one document of any format: an object, an array, or text.

    `issue` and `patch` stand before what the document says; `patch=""` says that there is none.
    """
    if format not in ("auto", *FORMATS):
        message = f"format {shown(format)} is none of: auto, {', '.join(FORMATS)}"
        raise Invalid(message, param="format")
    name, story = _told(document, format, issue)
    return tell(story, format=name, issue=issue, patch=patch)


def adapt_messages(
    messages: object, *, issue: str | None = None, patch: str | None = None
) -> Adapted:
    """Read a list of OpenAI chat messages."""
    if not isinstance(messages, list):
        message = "messages is not a list"
        raise Invalid(message, param="messages")
    return tell(read_messages(messages), format="openai-chat", issue=issue, patch=patch)


def rows(text: str) -> list[object]:
    """The documents in a file's text, for `adapt` one by one.

    A JSON list of rows and JSONL of rows give one document each (a broken line stays text, so that
    it fails alone); lines that are one trajectory together (events, messages) are one document.
    """
    if not structured(text):
        return list(sessions(text))
    found = loose_values(text)
    return documents(found[0] if len(found) == 1 else found)


def _told(document: object, format: str, issue: str | None) -> tuple[str, Story]:
    """(format, story) of a document."""
    if isinstance(document, str):
        text = _text_format(document) if format == "auto" else format
        if text in _TEXTS:
            return text, _told_text(document, text, issue)
        if not structured(document):
            raise _misfit(format)
        found = values(document)
        document = found[0] if len(found) == 1 else found
    value = _only(documents(document), document)
    chosen = claimed(value)
    if format != "auto" and (chosen is None or chosen.name != format):
        chosen = next((a for a in STRUCTURED if a.name == format and a.fits(value)), None)
        if chosen is None:
            raise _misfit(format)
    if chosen is None:
        message = "the document was read, but no adapter knows its format"
        raise UnknownFormat(message)
    return chosen.name, chosen.read(value)


def _text_format(text: str) -> str | None:
    """The format of a text by itself; None where it means to be JSON."""
    if aider.claims(text):
        return AIDER
    if is_chat_text(text):
        return CHAT_TEXT
    return None if structured(text) else PLAIN_TEXT


def _told_text(text: str, format: str, issue: str | None) -> Story:
    if format == PLAIN_TEXT:
        return read_plain(text, issue)
    if _text_format(text) != format:
        raise _misfit(format)
    if format == CHAT_TEXT:
        return read_chat(text)
    return aider.read(str(_only(sessions(text), text)))


def _only(held: Sequence[object], document: object) -> object:
    """The one document among those held; several are several items."""
    if len(held) > 1:
        message = f"the document holds {len(held)} trajectories; send them one by one"
        raise Invalid(message, limits={"rows": len(held)})
    return held[0] if held else document


def _misfit(format: str) -> Invalid:
    message = f"the document is not of the format {format}"
    return Invalid(message, param="format")
