"""Business-day arithmetic over a configurable working week and a set of holidays."""

from datetime import date, timedelta

__all__ = ["BusinessCalendar", "iter_days"]

MAX_SCAN_DAYS = 3660


def iter_days(start, end):
    """Yield every date from `start` to `end`, both included; nothing when end is earlier."""
    for offset in range((end - start).days + 1):
        yield start + timedelta(days=offset)


class BusinessCalendar:
    """Knows which dates are worked.

    `weekend` holds weekday numbers (Monday is 0); `holidays` holds dates that are never worked.
    """

    def __init__(self, holidays=(), weekend=(5, 6)):
        self.weekend = frozenset(weekend)
        if not all(0 <= day <= 6 for day in self.weekend):
            raise ValueError("weekend days must be between 0 and 6")
        if len(self.weekend) == 7:
            raise ValueError("at least one weekday must be worked")
        self.holidays = set(holidays)

    def add_holiday(self, day):
        """Add one holiday; return True when it takes away a day that was worked until now."""
        worked = self.is_business_day(day)
        self.holidays.add(day)
        return worked

    def is_business_day(self, day):
        """Tell whether `day` is neither on the weekend nor a holiday."""
        return day.weekday() not in self.weekend and day not in self.holidays

    def roll_forward(self, day):
        """Return `day` itself when it is worked, else the first business day after it."""
        return self._roll(day, 1)

    def roll_back(self, day):
        """Return `day` itself when it is worked, else the last business day before it."""
        return self._roll(day, -1)

    def _roll(self, day, step):
        for offset in range(MAX_SCAN_DAYS):
            candidate = day + timedelta(days=offset * step)
            if self.is_business_day(candidate):
                return candidate
        raise ValueError(f"no business day within {MAX_SCAN_DAYS} days of {day}")

    def modified_following(self, day):
        """Roll forward, but back instead when rolling forward would leave the month."""
        forward = self.roll_forward(day)
        if forward.month != day.month:
            return self.roll_back(day)
        return forward

    def add(self, day, count):
        """Return the date `count` business days after `day`, or before it when negative.

        A start that is not worked is first rolled against the direction of travel, so that
        Saturday plus one is Monday. Zero rolls forward.
        """
        if count == 0:
            return self.roll_forward(day)
        step = 1 if count > 0 else -1
        current = self._roll(day, -step)
        for _ in range(abs(count)):
            current = self._roll(current + timedelta(days=step), step)
        return current

    def count(self, start, end):
        """Count the business days from `start` (included) to `end` (excluded).

        With `end` before `start` the count of the swapped range is returned, negated.
        """
        if end < start:
            return -self.count(end, start)
        last = end - timedelta(days=1)
        return sum(1 for day in iter_days(start, last) if self.is_business_day(day))

    def month_end(self, year, month):
        """Return the last business day of a month."""
        following = date(year + month // 12, month % 12 + 1, 1)
        return self.roll_back(following - timedelta(days=1))

    def nth_of_month(self, year, month, n):
        """Return the nth business day of a month; a negative `n` counts from the end.

        Raises ValueError for 0 and IndexError when the month has fewer business days.
        """
        if n == 0:
            raise ValueError("n must not be zero")
        first = date(year, month, 1)
        days = [d for d in iter_days(first, self.month_end(year, month)) if self.is_business_day(d)]
        if abs(n) > len(days):
            raise IndexError(f"{year}-{month:02d} has only {len(days)} business days")
        return days[n - 1] if n > 0 else days[n]
