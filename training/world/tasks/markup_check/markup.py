"""Checks of brackets and of simple angle-bracket markup."""

import re

__all__ = ["check_brackets", "repair_brackets", "max_depth", "check_tags", "outline"]

PAIRS = {"(": ")", "[": "]", "{": "}"}
VOID_TAGS = frozenset({"br", "hr", "img"})
TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)([^<>]*?)(/?)>")


def check_brackets(text, quotes="\"'"):
    """Return None for balanced text, else (offset, reason) of the first fault.

    Reasons are "unexpected", "mismatched" and, at the innermost bracket left open, "unclosed".
    Brackets inside of quotes are ignored; a backslash hides the next character in quotes.
    """
    stack = []
    quote = None
    hidden = False
    for offset, letter in enumerate(text):
        if quote is not None:
            if hidden:
                hidden = False
            elif letter == "\\":
                hidden = True
            elif letter == quote:
                quote = None
        elif letter in quotes:
            quote = letter
        elif letter in PAIRS:
            stack.append((offset, PAIRS[letter]))
        elif letter in PAIRS.values():
            if not stack:
                return offset, "unexpected"
            if stack.pop()[1] != letter:
                return offset, "mismatched"
    if stack:
        return stack[-1][0], "unclosed"
    return None


def repair_brackets(text):
    """Return the text with stray closers dropped and missing closers added at the end.

    A closer that does not match first closes what was opened inside its own pair.
    """
    stack, out = [], []
    for letter in text:
        if letter in PAIRS:
            stack.append(PAIRS[letter])
        elif letter in PAIRS.values():
            if letter not in stack:
                continue
            while (closer := stack.pop()) != letter:
                out.append(closer)
        out.append(letter)
    return "".join(out + stack[::-1])


def max_depth(text):
    """Return the deepest nesting of brackets; ValueError if they are not balanced."""
    fault = check_brackets(text, quotes="")
    if fault is not None:
        raise ValueError(f"{fault[1]} bracket at {fault[0]}")
    depth = deepest = 0
    for letter in text:
        if letter in PAIRS:
            depth += 1
            deepest = max(deepest, depth)
        elif letter in PAIRS.values():
            depth -= 1
    return deepest


def _tags(text):
    """Yield (line, kind, name) of each tag; kind is open, close or void, names in lower case."""
    for match in TAG.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        slash, name, _, self_closing = match.groups()
        name = name.lower()
        if slash:
            yield line, "close", name
        elif self_closing or name in VOID_TAGS:
            yield line, "void", name
        else:
            yield line, "open", name


def check_tags(text, allowed=None):
    """Return the faults of markup as "line N: …" strings in order of lines.

    Faults are tags not allowed (None allows all), closing tags without an open one, closing tags
    that cross another element (which is closed as well), and elements never closed.
    """
    faults, stack = [], []
    for line, kind, name in _tags(text):
        if allowed is not None and kind != "close" and name not in allowed:
            faults.append((line, f"<{name}> is not allowed"))
        if kind == "open":
            stack.append((line, name))
        elif kind == "close":
            if name not in [opened for _, opened in stack]:
                faults.append((line, f"</{name}> was never opened"))
                continue
            while (inner := stack.pop()[1]) != name:
                faults.append((line, f"</{name}> closes <{inner}> too"))
    faults += [(line, f"<{name}> is never closed") for line, name in stack]
    return [f"line {line}: {fault}" for line, fault in sorted(faults, key=lambda pair: pair[0])]


def outline(text, indent="  "):
    """Return the element names, one per line, indented by depth; void elements end in "/"."""
    lines = []
    depth = 0
    for _, kind, name in _tags(text):
        if kind == "close":
            depth = max(0, depth - 1)
            continue
        lines.append(indent * depth + name + ("/" if kind == "void" else ""))
        if kind == "open":
            depth += 1
    return "\n".join(lines)
