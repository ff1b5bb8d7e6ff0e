"""A booking calendar for rooms; times are whole minutes since the start of the day."""

from dataclasses import dataclass, replace

__all__ = ["Booking", "Conflict", "Calendar", "to_minutes", "to_text"]

DAY = 24 * 60


class Conflict(Exception):
    """A booking would overlap with another one."""

    def __init__(self, wanted, other):
        super().__init__(f"{wanted.title} overlaps with {other.title}")
        self.other = other


def to_minutes(text):
    """Read "9:30" as 570; "24:00" is the end of the day. Raises ValueError for other texts."""
    hours, colon, minutes = text.partition(":")
    if not colon or not hours.isdigit() or not minutes.isdigit() or len(minutes) != 2:
        raise ValueError(f"not a time: {text!r}")
    total = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or total > DAY:
        raise ValueError(f"no such time: {text!r}")
    return total


def to_text(minutes):
    """Write 570 as "09:30"."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@dataclass(frozen=True)
class Booking:
    """A room taken from `start` until just before `end`."""

    title: str
    room: str
    start: int
    end: int

    def __post_init__(self):
        if not 0 <= self.start < self.end <= DAY:
            raise ValueError("a booking needs 0 <= start < end <= 1440")

    @property
    def minutes(self):
        """The length of the booking."""
        return self.end - self.start


class Calendar:
    """The bookings of one day; in a room `buffer` minutes stay free between two of them."""

    def __init__(self, opens=0, closes=DAY, buffer=0):
        self.opens = opens
        self.closes = closes
        self.buffer = buffer
        self._bookings = []

    def conflict(self, wanted, ignore=None):
        """Return the earliest booking that clashes with `wanted`, or None."""
        for other in self.bookings(wanted.room):
            if other is ignore:
                continue
            if wanted.start < other.end + self.buffer and other.start < wanted.end + self.buffer:
                return other
        return None

    def book(self, title, room, start, end):
        """Add a booking and return it.

        Raises ValueError outside the opening hours and Conflict on a clash.
        """
        wanted = Booking(title, room, start, end)
        self._check(wanted)
        self._bookings.append(wanted)
        return wanted

    def _check(self, wanted, ignore=None):
        if wanted.start < self.opens or wanted.end > self.closes:
            raise ValueError("outside the opening hours")
        other = self.conflict(wanted, ignore)
        if other is not None:
            raise Conflict(wanted, other)

    def cancel(self, booking):
        """Remove a booking; returns False when it was not in the calendar."""
        if booking not in self._bookings:
            return False
        self._bookings.remove(booking)
        return True

    def move(self, booking, start):
        """Move a booking to another start with the same length and return the moved one.

        It may overlap with its own old place. On an error nothing changes; KeyError when the
        booking is not in the calendar.
        """
        if booking not in self._bookings:
            raise KeyError(booking.title)
        moved = replace(booking, start=start, end=start + booking.minutes)
        index = self._bookings.index(booking)
        self._check(moved, ignore=self._bookings[index])
        self._bookings[index] = moved
        return moved

    def bookings(self, room=None):
        """List the bookings by start, then room; of one room when given."""
        found = [b for b in self._bookings if room is None or b.room == room]
        return sorted(found, key=lambda b: (b.start, b.room))

    def free(self, room, minimum=1):
        """List the (start, end) slots of at least `minimum` minutes that could be booked."""
        slots = []
        position = self.opens
        for booking in self.bookings(room):
            slots.append((position, booking.start - self.buffer))
            position = booking.end + self.buffer
        slots.append((position, self.closes))
        return [(start, end) for start, end in slots if end - start >= max(minimum, 1)]

    def find_room(self, rooms, start, end):
        """Return the first of `rooms` that is free from `start` to `end`, or None."""
        for room in rooms:
            if self.conflict(Booking("?", room, start, end)) is None:
                return room
        return None
