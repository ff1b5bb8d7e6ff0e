"""What was scored and what became of it: an append-only store in SQLite or PostgreSQL.

store.py     the room's face            recorder.py      scores on their way to the disk
telling.py   calls that go together     labels.py        reports → rows
windows.py   scored since, with labels  calibrations.py  fitted and active
gate.py      one writer of a file       database.py      connections that keep their word
facts.py     nouns                      migrate.py, tables.py  the schema
"""

from app.outcomes.facts import (
    Counted,
    Counts,
    Evidence,
    KeptOutcome,
    Labelled,
    Recorded,
    Report,
    ScoreFacts,
    Slicing,
    StoredCalibration,
    Switch,
    Window,
)
from app.outcomes.store import OUTCOMES_A_MINUTE, Store, open_store

__all__ = [
    "OUTCOMES_A_MINUTE",
    "Counted",
    "Counts",
    "Evidence",
    "KeptOutcome",
    "Labelled",
    "Recorded",
    "Report",
    "ScoreFacts",
    "Slicing",
    "Store",
    "StoredCalibration",
    "Switch",
    "Window",
    "open_store",
]
