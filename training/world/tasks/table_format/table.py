"""Lay out rows of values as plain-text tables."""

from dataclasses import dataclass, field

__all__ = ["Column", "Table", "clip", "format_number", "pad"]


def clip(text, width):
    """Cut text to the width; a cut text ends in "~". Width 0 gives empty text."""
    if len(text) <= width:
        return text
    return text[: width - 1] + "~" if width > 0 else ""


def pad(text, width, align="left"):
    """Fill text up to the width; a centred text has the odd blank on its left.

    Raises ValueError for an alignment other than left, right, center.
    """
    missing = max(width - len(text), 0)
    if align == "left":
        return text + " " * missing
    if align == "right":
        return " " * missing + text
    if align == "center":
        before = (missing + 1) // 2
        return " " * before + text + " " * (missing - before)
    raise ValueError(f"unknown alignment: {align!r}")


def format_number(value, places=2):
    """Write an int with commas between thousands, a float also with so many places.

    Negative numbers keep the sign before the digits; a float that rounds to zero has none.
    """
    if isinstance(value, int):
        return f"{value:,}"
    text = f"{value:,.{places}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text


@dataclass
class Column:
    """A column: title, alignment ("auto" sends numbers right), widest and fewest characters."""

    title: str
    align: str = "auto"
    most: int = 30
    least: int = 1
    total: bool = False

    def __post_init__(self):
        if self.least > self.most:
            raise ValueError("least must not exceed most")

    def show(self, value):
        """Return the text of a cell; None is a dash, a bool is yes or no."""
        if value is None:
            return "-"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, (int, float)):
            return format_number(value)
        return clip(" ".join(str(value).split()), self.most)

    def side(self, values):
        """Resolve "auto": right if there are numbers and only numbers or None, else left."""
        if self.align != "auto":
            return self.align
        known = [value for value in values if value is not None]
        numbers = [v for v in known if isinstance(v, (int, float)) and not isinstance(v, bool)]
        return "right" if known and len(numbers) == len(known) else "left"


@dataclass
class Table:
    """Columns and rows; columns may be given as plain titles."""

    columns: list
    rows: list = field(default_factory=list)
    gap: str = "  "

    def __post_init__(self):
        self.columns = [Column(c) if isinstance(c, str) else c for c in self.columns]

    def add(self, *values):
        """Append a row; missing values at its end are None, too many are a ValueError."""
        if len(values) > len(self.columns):
            raise ValueError(f"{len(values)} values for {len(self.columns)} columns")
        self.rows.append(list(values) + [None] * (len(self.columns) - len(values)))
        return self

    def sort(self, title, reverse=False):
        """Sort the rows by the named column, stable both ways; None always comes last."""
        place = [column.title for column in self.columns].index(title)
        known = [row for row in self.rows if row[place] is not None]
        known.sort(key=lambda row: row[place], reverse=reverse)
        self.rows = known + [row for row in self.rows if row[place] is None]
        return self

    def totals(self):
        """Return the sums of the columns with `total` set (None counts 0), None for others."""
        sums = []
        for place, column in enumerate(self.columns):
            values = [row[place] or 0 for row in self.rows]
            sums.append(sum(values) if column.total else None)
        return sums

    def render(self, header=True):
        """Return the lines: titles and a rule (with `header`), the rows, and, if any column
        has a total, a rule and the sums. No line ends in white space."""
        sums = [v if v is None else c.show(v) for c, v in zip(self.columns, self.totals())]
        cells = [[c.show(v) for c, v in zip(self.columns, row)] for row in self.rows]
        titles = [clip(column.title, column.most) for column in self.columns]
        shown = cells + [titles] * header + [[text or "" for text in sums]]
        widths = []
        for place, column in enumerate(self.columns):
            widths.append(max([column.least] + [len(line[place]) for line in shown]))
        sides = [c.side([row[n] for row in self.rows]) for n, c in enumerate(self.columns)]
        rule = self.gap.join("-" * width for width in widths)
        lines = [titles, rule] if header else []
        lines += cells
        if any(text is not None for text in sums):
            lines += [rule, [text or "" for text in sums]]
        return [self._line(line, widths, sides).rstrip() for line in lines]

    def _line(self, texts, widths, sides):
        if isinstance(texts, str):
            return texts
        return self.gap.join(pad(*triple) for triple in zip(texts, widths, sides))
