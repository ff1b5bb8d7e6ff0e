"""Lays words out in lines."""

__all__ = ["center", "indent", "initials", "shorten", "tabulate", "wrap"]


def wrap(text, width):
    """Lines of at most `width` characters; a longer word has a line of its own."""
    if width < 1:
        raise ValueError(f"width {width} is below 1")
    lines = []
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    if line:
        lines.append(line)
    return lines


def shorten(text, width, mark="..."):
    """The text, or its start and `mark` where it is longer than `width`."""
    if len(text) <= width:
        return text
    if width < len(mark):
        raise ValueError(f"width {width} is too small for the mark")
    return text[: width - len(mark)].rstrip() + mark


def indent(lines, spaces=4, first=True):
    """Lines moved to the right; empty lines stay empty, the first one only if asked for."""
    moved = []
    for number, line in enumerate(lines):
        if not line or (number == 0 and not first):
            moved.append(line)
        else:
            moved.append(" " * spaces + line)
    return moved


def center(text, width, fill=" "):
    """The text in the middle; an odd space goes to the right."""
    missing = width - len(text)
    if missing <= 0:
        return text
    left = missing // 2
    return fill * left + text + fill * (missing - left)


def initials(name):
    """`"ada king lovelace"` as `"A.K.L."`."""
    return "".join(part[0].upper() + "." for part in name.split())


def tabulate(rows, gap=2):
    """Rows of texts as lines with columns of equal width; short rows are filled."""
    if not rows:
        return []
    columns = max(len(row) for row in rows)
    full = [list(row) + [""] * (columns - len(row)) for row in rows]
    widths = [max(len(row[n]) for row in full) for n in range(columns)]
    return [(" " * gap).join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in full]
