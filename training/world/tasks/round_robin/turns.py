"""Round-robin scheduling: fair turns over named queues, with weights, pauses and quotas."""

from collections import OrderedDict, deque

__all__ = ["Scheduler", "interleave", "assign"]


class Scheduler:
    """Serves the jobs of several lanes in turn.

    Lanes are served in the order in which they were added. A lane of weight n gets up to n jobs
    in a row before the next lane has its turn; lanes without jobs are passed over.
    """

    def __init__(self, weights=None):
        self._lanes = OrderedDict()
        self._weights = {}
        self._paused = set()
        self._turn = None
        self._used = 0
        self.served = {}
        for name, weight in (weights or {}).items():
            self.add_lane(name, weight)

    def add_lane(self, name, weight=1):
        """Add a lane at the end; ValueError for a known name or a weight below 1."""
        if name in self._lanes:
            raise ValueError(f"lane exists: {name}")
        if weight < 1:
            raise ValueError("weight must be at least 1")
        self._lanes[name] = deque()
        self._weights[name] = weight
        self.served[name] = 0

    def remove_lane(self, name):
        """Remove a lane and return the jobs left in it; its turn goes to the lane after it."""
        if self._turn == name:
            self._turn = self._after(name) if len(self._lanes) > 1 else None
            self._used = 0
        jobs = list(self._lanes.pop(name))
        self._paused.discard(name)
        del self._weights[name], self.served[name]
        return jobs

    def submit(self, name, *jobs, urgent=False):
        """Put jobs into a lane; urgent ones go to its front, in the order given."""
        lane = self._lanes[name]
        if urgent:
            lane.extendleft(reversed(jobs))
        else:
            lane.extend(jobs)

    def pause(self, name):
        """Pass over a lane until it is resumed; KeyError when there is no such lane."""
        if name not in self._lanes:
            raise KeyError(name)
        self._paused.add(name)

    def resume(self, name):
        """Serve a lane again; returns whether it was paused."""
        paused = name in self._paused
        self._paused.discard(name)
        return paused

    def pending(self, name=None):
        """Count the waiting jobs, of one lane when given; paused lanes count too."""
        if name is not None:
            return len(self._lanes[name])
        return sum(len(lane) for lane in self._lanes.values())

    def _after(self, name):
        names = list(self._lanes)
        return names[(names.index(name) + 1) % len(names)]

    def _ready(self, name):
        return bool(self._lanes[name]) and name not in self._paused

    def next(self):
        """Take the next job as (lane, job), or None when no lane can be served."""
        if not self._lanes:
            return None
        if self._turn is None:
            self._turn = next(iter(self._lanes))
        if self._used >= self._weights[self._turn]:
            self._turn, self._used = self._after(self._turn), 0
        for _ in range(len(self._lanes)):
            if self._ready(self._turn):
                self._used += 1
                self.served[self._turn] += 1
                return self._turn, self._lanes[self._turn].popleft()
            self._turn, self._used = self._after(self._turn), 0
        return None

    def take(self, limit):
        """Take up to `limit` jobs; the list ends early when nothing can be served."""
        taken = []
        for _ in range(limit):
            turn = self.next()
            if turn is None:
                break
            taken.append(turn)
        return taken


def interleave(*sources):
    """Yield one item of each source in turn; sources that have ended drop out."""
    waiting = deque(list(source) for source in sources)
    for position in range(max((len(source) for source in waiting), default=0)):
        for source in waiting:
            if position < len(source):
                yield source[position]


def assign(jobs, workers, capacity=None):
    """Deal jobs out to workers in turn; returns a dict of lists with every worker in it.

    With a `capacity` a worker gets no more jobs than that; ValueError when they do not suffice,
    or when there are jobs but no workers.
    """
    jobs = list(jobs)
    plan = {worker: [] for worker in workers}
    if jobs and (not plan or (capacity is not None and len(jobs) > capacity * len(plan))):
        raise ValueError("not enough workers")
    names = list(plan)
    for index, job in enumerate(jobs):
        plan[names[index % len(names)]].append(job)
    return plan
