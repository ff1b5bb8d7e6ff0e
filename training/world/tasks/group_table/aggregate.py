"""Grouping, aggregation, pivoting and paging of rows (dicts)."""

from collections.abc import Callable, Iterable
from math import floor

__all__ = ["Page", "aggregate", "group_by", "paginate", "percentile", "pivot", "sort_rows", "top"]

Row = dict


class Page(list):
    """The rows of one page, with its number and the number of pages."""

    def __init__(self, rows: Iterable, number: int, pages: int) -> None:
        """Hold the rows of page `number` of `pages`."""
        super().__init__(rows)
        self.number = number
        self.pages = pages

    @property
    def has_next(self) -> bool:
        """True if a page follows."""
        return self.number < self.pages


def group_by(rows: Iterable[Row], *keys: str) -> dict[tuple, list[Row]]:
    """Return rows by the tuple of their values of the keys, groups in order of appearance.

    A missing key counts as None. ValueError without keys.
    """
    if not keys:
        raise ValueError("at least one key is needed")
    groups: dict[tuple, list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(key) for key in keys), []).append(row)
    return groups


def percentile(values: list[float], percent: float) -> float:
    """Return the percentile with linear interpolation between ranks.

    ValueError on no values or a percent outside of 0 to 100.
    """
    if not values or not 0 <= percent <= 100:
        raise ValueError("percentile needs values and a percent from 0 to 100")
    ordered = sorted(values)
    rank = (len(ordered) - 1) * percent / 100
    low = floor(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


REDUCERS: dict[str, Callable[[list], object]] = {
    "count": len,
    "sum": sum,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "mean": lambda values: sum(values) / len(values) if values else None,
    "median": lambda values: percentile(values, 50) if values else None,
    "distinct": lambda values: len(set(values)),
    "first": lambda values: values[0] if values else None,
}


def aggregate(rows: Iterable[Row], keys: list[str], **columns: tuple[str, str]) -> list[Row]:
    """Return a row per group: its keys, and column=(field, reducer) for each column.

    Fields that are missing or None are left out of a column; rows are in order of first
    appearance. Without keys all rows are one group. ValueError on an unknown reducer.
    """
    for _, reducer in columns.values():
        if reducer not in REDUCERS:
            raise ValueError(f"unknown reducer: {reducer}")
    groups = group_by(rows, *keys) if keys else {(): list(rows)}
    result = []
    for group, members in groups.items():
        row = dict(zip(keys, group, strict=True))
        for column, (field, reducer) in columns.items():
            values = [member[field] for member in members if member.get(field) is not None]
            row[column] = REDUCERS[reducer](values)
        result.append(row)
    return result


def sort_rows(rows: Iterable[Row], *order: str) -> list[Row]:
    """Return rows sorted by several keys, "-key" falling; rows without a value come last."""
    result = list(rows)
    for key in reversed(order):
        falling = key.startswith("-")
        name = key[1:] if falling else key
        known = [row for row in result if row.get(name) is not None]
        unknown = [row for row in result if row.get(name) is None]
        result = sorted(known, key=lambda row: row[name], reverse=falling) + unknown
    return result


def top(rows: Iterable[Row], key: str, count: int) -> list[Row]:
    """Return the rows with the highest values of a key, and all that tie with the last one."""
    ordered = [row for row in sort_rows(rows, "-" + key) if row.get(key) is not None]
    if count <= 0:
        return []
    return [row for row in ordered if row[key] >= ordered[:count][-1][key]]


def pivot(rows: Iterable[Row], index: str, column: str, value: str) -> dict:
    """Return {index: {column: sum of values}}, with 0 in columns that an index has no row for."""
    rows = list(rows)
    columns = sorted({row[column] for row in rows})
    table: dict = {}
    for row in rows:
        cells = table.setdefault(row[index], dict.fromkeys(columns, 0))
        cells[row[column]] += row.get(value) or 0
    return table


def paginate(rows: list, number: int, size: int = 10) -> Page:
    """Return page `number` (from 1); an empty list has one empty page. ValueError beyond."""
    if size < 1:
        raise ValueError("size must be at least 1")
    pages = max(1, -(-len(rows) // size))
    if not 1 <= number <= pages:
        raise ValueError(f"page {number} is not between 1 and {pages}")
    return Page(rows[(number - 1) * size : number * size], number, pages)
