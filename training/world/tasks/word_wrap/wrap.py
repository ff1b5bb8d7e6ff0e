"""Wrap, indent, align and shorten plain text."""

__all__ = ["align", "dedent", "fill", "indent", "shorten", "wrap", "wrap_lines"]


def _chunks(words, width, break_long):
    """Yield the words, those longer than the width cut into pieces if asked for."""
    for word in words:
        if break_long and len(word) > width:
            for start in range(0, len(word), width):
                yield word[start : start + width]
        else:
            yield word


def wrap_lines(text, width=70, first="", rest="", break_long=True):
    """Yield lines of at most `width` characters, broken at white space.

    White space between words shrinks to one blank. `first` is put before the first line,
    `rest` before all others; both count for the width. A longer word is cut, or with
    `break_long` off stands alone on a line that is too long. No words give no lines.
    Raises ValueError if a prefix leaves no room.
    """
    room = width - max(len(first), len(rest))
    if room < 1:
        raise ValueError("width leaves no room for text")
    prefix = first
    line = ""
    for word in _chunks(text.split(), room, break_long):
        if not line:
            line = word
        elif len(prefix) + len(line) + 1 + len(word) <= width:
            line += " " + word
        else:
            yield prefix + line
            prefix = rest
            line = word
    if line:
        yield prefix + line


def wrap(text, width=70, **options):
    """Return the lines of `wrap_lines` as a list."""
    return list(wrap_lines(text, width, **options))


def fill(text, width=70, **options):
    """Wrap every paragraph by itself; paragraphs stay separated by one blank line.

    One or more blank lines (white space only) separate paragraphs.
    """
    paragraphs = [[]]
    for line in text.splitlines():
        if line.strip():
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    wrapped = ["\n".join(wrap(" ".join(lines), width, **options)) for lines in paragraphs if lines]
    return "\n\n".join(wrapped)


def indent(text, prefix, skip_first=False):
    """Put the prefix before every line that is not blank, or before all but the first such
    line; line ends stay as they are."""
    result = []
    seen = not skip_first
    for line in text.splitlines(keepends=True):
        if not line.strip():
            result.append(line)
            continue
        result.append(prefix + line if seen else line)
        seen = True
    return "".join(result)


def dedent(text):
    """Remove the blanks that all lines start with; blank lines do not count and become
    empty."""
    lines = text.split("\n")
    depths = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip()]
    depth = min(depths, default=0)
    return "\n".join(line[depth:] if line.strip() else "" for line in lines)


def shorten(text, width, placeholder="..."):
    """Collapse white space and drop words from the end until the text fits the width.

    What was dropped is marked by the placeholder, right after the last word that is kept.
    Raises ValueError if not even the placeholder fits.
    """
    words = text.split()
    whole = " ".join(words)
    if len(whole) <= width:
        return whole
    if len(placeholder) > width:
        raise ValueError("placeholder is too long")
    for count in range(len(words) - 1, 0, -1):
        candidate = " ".join(words[:count]) + placeholder
        if len(candidate) <= width:
            return candidate
    return placeholder


def align(line, width, how="left"):
    """Pad a stripped line with blanks: "left", "right", "center" or "justify".

    The odd blank of a centred line goes to the right. Justified text is spread to the full
    width, wider gaps first; a single word stays on the left. A line that is too long stays.
    """
    words = line.split()
    line = line.strip()
    missing = width - len(line)
    if how not in ("left", "right", "center", "justify"):
        raise ValueError(f"unknown alignment: {how!r}")
    if missing <= 0:
        return line
    if how == "right":
        return " " * missing + line
    if how == "center":
        return " " * (missing // 2) + line + " " * (missing - missing // 2)
    if how == "left" or len(words) < 2:
        return line + " " * missing
    size, extra = divmod(width - sum(map(len, words)), len(words) - 1)
    gaps = [" " * (size + (1 if place < extra else 0)) for place in range(len(words) - 1)] + [""]
    return "".join(word + gap for word, gap in zip(words, gaps))
