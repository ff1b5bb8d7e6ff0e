"""Helpers around ISO calendar weeks: labels, ranges, quarters and month grids."""

import re
from collections import namedtuple
from datetime import date, timedelta

__all__ = [
    "Week", "week_of", "parse_week", "weeks_in_year",
    "shift", "week_range", "month_grid", "quarter_of",
]  # fmt: skip

_LABEL = re.compile(r"(\d{4})-?W(\d{2})")


class Week(namedtuple("Week", "year number")):
    """One ISO week; weeks compare in the order of time."""

    __slots__ = ()

    def __new__(cls, year, number):
        """Raise ValueError when the year has no such week."""
        if not 1 <= number <= weeks_in_year(year):
            raise ValueError(f"{year} has no week {number}")
        return super().__new__(cls, year, number)

    def __str__(self):
        return f"{self.year}-W{self.number:02d}"

    @property
    def monday(self):
        """The first day of the week."""
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def sunday(self):
        """The last day of the week."""
        return self.monday + timedelta(days=6)

    def __contains__(self, day):
        """Tell whether a date lies in the week."""
        return self.monday <= day <= self.sunday

    def days(self):
        """Yield the seven dates from Monday to Sunday."""
        for offset in range(7):
            yield self.monday + timedelta(days=offset)

    def month(self):
        """Return (year, month) of the month that holds most of the week, that of its Thursday."""
        thursday = self.monday + timedelta(days=3)
        return thursday.year, thursday.month


def week_of(day):
    """Return the ISO week a date lies in; around New Year its year can differ from the date's."""
    year, number, _ = day.isocalendar()
    return Week(year, number)


def parse_week(label):
    """Read "2024-W05" or "2024W05"; the case and outer spaces do not matter."""
    match = _LABEL.fullmatch(label.strip().upper())
    if match is None:
        raise ValueError(f"not a week label: {label!r}")
    return Week(int(match.group(1)), int(match.group(2)))


def weeks_in_year(year):
    """Return 52 or 53; 28 December always lies in the last week."""
    return date(year, 12, 28).isocalendar()[1]


def shift(week, count):
    """Return the week `count` weeks later, or earlier when negative."""
    return week_of(week.monday + timedelta(weeks=count))


def week_range(first, last, step=1):
    """Yield the weeks from `first` to `last`, both included, every `step` weeks."""
    if step < 1:
        raise ValueError("step must be at least 1")
    span = (last.monday - first.monday).days // 7
    for offset in range(0, span + 1, step):
        yield shift(first, offset)


def month_grid(year, month, first_weekday=0):
    """Return the rows of a wall calendar: lists of seven days, None outside the month.

    `first_weekday` is the weekday of the first column (Monday is 0, Sunday 6).
    """
    if not 0 <= first_weekday <= 6:
        raise ValueError("first_weekday must be between 0 and 6")
    first = date(year, month, 1)
    lead = (first.weekday() - first_weekday) % 7
    start = first - timedelta(days=lead)
    rows = []
    for row in range(6):
        days = [start + timedelta(days=row * 7 + column) for column in range(7)]
        if any(day.month == month for day in days):
            rows.append([day.day if day.month == month else None for day in days])
    return rows


def quarter_of(day, fiscal_start=1):
    """Return (year, quarter) of a date; a fiscal year is named after the year it ends in.

    `fiscal_start` is the month in which the fiscal year begins.
    """
    if not 1 <= fiscal_start <= 12:
        raise ValueError("fiscal_start must be between 1 and 12")
    quarter = (day.month - fiscal_start) % 12 // 3 + 1
    late = fiscal_start > 1 and day.month >= fiscal_start
    return day.year + 1 if late else day.year, quarter
