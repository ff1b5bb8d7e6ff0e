"""What was scored and what became of it: an append-only store in SQLite or PostgreSQL.

store.py     the room's face            recorder.py      scores on their way to the disk
labels.py    reports → rows             windows.py       what was scored since, with its labels
calibrations.py  fitted and active      database.py      connections that keep their word
gate.py      one writer of a file       migrate.py, tables.py  the schema          facts.py  nouns
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
)
from app.outcomes.store import OUTCOMES_A_MINUTE, Store, open_store
from app.outcomes.windows import Window

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
