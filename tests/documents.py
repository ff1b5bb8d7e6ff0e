"""Reads the pages for people: blocks of code with their language, inline code, links, headings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [
        ROOT / "README.md",
        ROOT / "client/README.md",
        ROOT / "model_store/README.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
    if not path.is_symlink()
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)((?:(?: {4}.*)?\n)+)", re.M)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
# How a line begins that is a command wherever it stands.
_COMMAND = re.compile(r"(swe-rm|make|curl|pip|python3?|docker|kubectl|\.venv/bin/\S+) ")


@dataclass(frozen=True)
class Block:
    page: str
    number: int
    language: str  # "" for blocks that are indented by four
    text: str

    def __str__(self) -> str:
        return f"{self.page}#{self.number}:{self.language or 'indented'}"


def text_of(page: str) -> str:
    return (ROOT / page).read_text()


def blocks(page: str) -> list[Block]:
    """Fenced and indented ones."""
    text = text_of(page)
    fenced = [(found[1] or "plain", found[2]) for found in _FENCE.finditer(text)]
    rest = _FENCE.sub("", text)
    indented = [
        ("", re.sub("^ {4}", "", found[1], flags=re.M)) for found in _INDENTED.finditer(rest)
    ]
    found = fenced + [each for each in indented if each[1].strip()]
    return [Block(page, number, *each) for number, each in enumerate(found)]


def inline(page: str) -> list[str]:
    return _INLINE.findall(_FENCE.sub("", text_of(page)))


def links(page: str) -> list[str]:
    text = _INLINE.sub("", _FENCE.sub("", text_of(page)))
    return _LINK.findall(text)


def anchors(page: str) -> set[str]:
    """As GitHub and the site make them of headings."""
    headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", text_of(page)), flags=re.M)
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings)
    return {re.sub(r"\s+", "-", heading) for heading in plain}


def commands(block: Block) -> Iterator[list[str]]:
    """Every command of a shell block, in words; of another block, the lines that begin as one."""
    shell = block.language in ("bash", "sh")
    for line in _logical(block.text):
        if shell or (block.language in ("", "plain") and _COMMAND.match(line)):
            words = _without_redirection(shlex.split(line, comments=True))
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0], flags=re.S):
                words = words[1:]
            if words:
                yield words


def _without_redirection(words: list[str]) -> list[str]:
    return words[: words.index(">")] if ">" in words else words


def _logical(text: str) -> Iterator[str]:
    """Lines, joined where a backslash or an open quotation mark goes on."""
    held = ""
    for line in text.splitlines():
        held += line.rstrip()
        if held.endswith("\\"):
            held = held[:-1]
            continue
        if _is_open(held):
            held += "\n"
            continue
        if held.strip():
            yield held.strip()
        held = ""
    assert not held.strip(), f"a command is not closed: {held[:80]}"


def _is_open(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return True
    return False
