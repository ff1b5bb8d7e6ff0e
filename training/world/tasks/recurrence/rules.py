"""Recurring events: daily, weekly, monthly and yearly rules with an interval and an end."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Optional

__all__ = ["Rule", "add_months", "nth_weekday", "occurrences", "next_after", "describe"]

FREQUENCIES = ("daily", "weekly", "monthly", "yearly")
LIMIT = 1000


@dataclass(frozen=True)
class Rule:
    """When an event comes back.

    `interval` is the number of periods between occurrences, `count` the most occurrences in
    all, `until` the last date allowed (included). `weekdays` (Monday is 0) is for weekly rules.
    """

    frequency: str
    interval: int = 1
    count: Optional[int] = None
    until: Optional[date] = None
    weekdays: tuple = ()

    def __post_init__(self):
        if self.frequency not in FREQUENCIES:
            raise ValueError(f"unknown frequency: {self.frequency}")
        if self.interval < 1:
            raise ValueError("interval must be at least 1")
        if self.count is not None and self.until is not None:
            raise ValueError("count and until exclude each other")
        if self.weekdays and self.frequency != "weekly":
            raise ValueError("weekdays need a weekly rule")


def add_months(day, months):
    """Move by whole months, negative ones too; a missing day becomes the month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def nth_weekday(year, month, weekday, n):
    """Return the nth given weekday of a month, the last for -1; None when there is no such day."""
    first = date(year, month, 1)
    last = calendar.monthrange(year, month)[1]
    days = [k for k in range(1, last + 1) if (first.weekday() + k - 1) % 7 == weekday]
    if n == 0 or abs(n) > len(days):
        return None
    return date(year, month, days[n - 1] if n > 0 else days[n])


def _candidates(rule, start):
    """Yield the dates of a rule from `start` on, without count and until."""
    for step in range(0, LIMIT * rule.interval, rule.interval):
        if rule.frequency == "daily":
            yield start + timedelta(days=step)
        elif rule.frequency == "weekly":
            monday = start + timedelta(days=step * 7 - start.weekday())
            for weekday in sorted(set(rule.weekdays)) or [start.weekday()]:
                day = monday + timedelta(days=weekday)
                if day >= start:
                    yield day
        else:
            months = step if rule.frequency == "monthly" else step * 12
            # always counted from the start, so that the 31st comes back after a short month
            yield add_months(start, months)


def occurrences(rule, start, limit=LIMIT, skip=()):
    """List the dates of a rule from `start` on, at most `limit` of them.

    Dates in `skip` are left out but use up the rule's `count` all the same.
    """
    found = []
    for number, day in enumerate(_candidates(rule, start)):
        if len(found) >= limit:
            break
        if rule.count is not None and number >= rule.count:
            break
        if rule.until is not None and day > rule.until:
            break
        if day not in skip:
            found.append(day)
    return found


def next_after(rule, start, day):
    """Return the first occurrence strictly after `day`, or None when the rule has ended."""
    for candidate in occurrences(rule, start):
        if candidate > day:
            return candidate
    return None


def describe(rule):
    """Say a rule in words, such as "every 2 weeks, 5 times"."""
    unit = {"daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}[rule.frequency]
    text = f"every {unit}" if rule.interval == 1 else f"every {rule.interval} {unit}s"
    if rule.weekdays:
        names = [calendar.day_abbr[day] for day in sorted(set(rule.weekdays))]
        text += " on " + ", ".join(names)
    if rule.count is not None:
        text += ", once" if rule.count == 1 else f", {rule.count} times"
    elif rule.until is not None:
        text += f", until {rule.until.isoformat()}"
    return text
