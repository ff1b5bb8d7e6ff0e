"""How many seconds of work every replica has, as one router sees it, and who gets the next request.

A replica reports its backlog about once a second. Between two reports a router reckons on: time works off,
what it sent itself comes on top. What other routers send shows in the next report. No Ray in here.
"""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BOUND = (
    1.25  # of the mean load: above it a session leaves its home (Mirrokni et al., arXiv 1608.01350)
)
LAG_S = 0.25  # what was sent so shortly before a report may not be in it
MAX_SESSIONS = 100_000
UNKNOWN_PACE = 10_000.0  # tokens a second, until a replica has measured its own


@dataclass(frozen=True, slots=True)
class Report:
    """`at`: seconds since the epoch by the replica's clock; clocks of a cluster agree to some ms."""

    at: float = 0.0
    backlog_s: Mapping[str, float] | None = None
    tokens_per_s: float = UNKNOWN_PACE


@dataclass(frozen=True, slots=True)
class Asked:
    """What a router knows of a request: its class of work, its size in tokens, about, and its session."""

    kind: str = "rollout"
    tokens: float = 0.0
    session: str = ""


@dataclass(frozen=True, slots=True)
class _Sent:
    replica: str
    at: float
    tokens: float


class Loads:
    """Of all replicas that one router may choose from."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._reports: dict[str, Report] = {}
        self._sent: dict[str, _Sent] = {}
        self._homes: OrderedDict[str, str] = OrderedDict()

    def keep(self, replicas: Iterable[str]) -> None:
        """Forgets all others."""
        names = set(replicas)
        self._reports = {name: self._reports.get(name, Report()) for name in names}
        self._sent = {key: each for key, each in self._sent.items() if each.replica in names}

    def report(self, replica: str, told: Mapping[str, Any]) -> None:
        """Takes a report that is newer than the last one."""
        at = float(told.get("at", 0.0))
        if at <= self._reports.get(replica, Report()).at:
            return
        pace = float(told.get("tokens_per_s") or UNKNOWN_PACE)
        self._reports[replica] = Report(at, told.get("backlog_s"), pace)
        self._sent = {
            key: each
            for key, each in self._sent.items()
            if each.replica != replica or each.at > at - LAG_S
        }

    def sent(self, request: str, replica: str, tokens: float) -> None:
        """A later call for the same request corrects an earlier one."""
        self._sent[request] = _Sent(replica, self._clock(), tokens)

    def finished(self, request: str) -> None:
        self._sent.pop(request, None)

    def seconds(self, kind: str) -> dict[str, float]:
        """The load of every replica for a newcomer of this class."""
        now, found = self._clock(), {}
        for name, report in self._reports.items():
            told_s = (report.backlog_s or {}).get(kind, 0.0)
            found[name] = max(0.0, told_s - max(0.0, now - report.at))
        for each in self._sent.values():
            if each.replica in found:
                found[each.replica] += each.tokens / self._reports[each.replica].tokens_per_s
        return found

    def order(self, replicas: Sequence[str], asked: Asked) -> list[str]:
        """Least load first; a session's home before all, as long as it is not too busy.

        Home is kept while its load is at most `BOUND` of the mean, or while waiting there costs less
        than what the session left in its prefix cache.
        """
        known = self.seconds(asked.kind)
        loads = {name: known.get(name, 0.0) for name in replicas}
        ranked = sorted(replicas, key=lambda name: (loads[name], random.random()))
        if not asked.session or not ranked:
            return ranked
        home = self._homes.get(asked.session)
        if home in loads and home != ranked[0]:
            mean = sum(loads.values()) / len(loads)
            pace = self._reports.get(home, Report()).tokens_per_s
            extra_s = loads[home] - loads[ranked[0]]
            if loads[home] <= BOUND * mean or extra_s <= asked.tokens / pace:
                ranked = [home, *(name for name in ranked if name != home)]
        self._homes[asked.session] = ranked[0]
        self._homes.move_to_end(asked.session)
        if len(self._homes) > MAX_SESSIONS:
            self._homes.popitem(last=False)
        return ranked
