"""Fitted calibrations, and which of them is active: a history in which each switch has a number.

The active one of a model is that of the highest generation. To switch is to add the next generation,
which only one can; to roll back is a switch to an earlier calibration.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.errors import GenerationConflict
from app.outcomes.database import Database
from app.outcomes.facts import StoredCalibration, Switch
from app.outcomes.tables import calibrations, switches

MOST_KEPT = 1000


class Calibrations:
    """Of every model that shares the store; `revision` is the model's digest."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def add(
        self, revision: str, document: Mapping[str, Any], report: Mapping[str, Any]
    ) -> StoredCalibration:
        """Keeps a calibration under its own id."""
        kept = StoredCalibration(str(document["id"]), document, report, self._clock())
        row = {
            "id": kept.id,
            "revision": revision,
            "document": json.dumps(dict(document), allow_nan=False),
            "report": json.dumps(dict(report), allow_nan=False),
            "created_at": kept.created_at,
        }
        async with self._database.writing() as connection:
            await connection.execute(insert(calibrations), [row])
        return kept

    async def all(self, revision: str) -> list[StoredCalibration]:
        """Those of one model, the latest first."""
        statement = select(calibrations).where(calibrations.c.revision == revision)
        newest = statement.order_by(calibrations.c.created_at.desc()).limit(MOST_KEPT)
        async with self._database.reading() as connection:
            return [_stored(row) for row in await connection.execute(newest)]

    async def count(self, revision: str) -> int:
        """How many there are: they are never taken away."""
        statement = select(func.count()).where(calibrations.c.revision == revision)
        async with self._database.reading() as connection:
            return int((await connection.execute(statement)).scalar_one())

    async def active(self, revision: str) -> Switch | None:
        """The last switch; None: nobody ever switched, so the model's own choice holds."""
        async with self._database.reading() as connection:
            return await _last(connection, revision)

    async def history(self, revision: str) -> list[Switch]:
        """All switches of a model, the latest first."""
        async with self._database.reading() as connection:
            return await _switches(connection, revision, MOST_KEPT)

    async def switch(
        self, revision: str, calibration_id: str, expected_generation: int, key_id: str
    ) -> Switch:
        """Makes a calibration active. Raises `GenerationConflict` when `expected_generation` is not
        the last one; the caller has made sure that the calibration exists."""
        made = Switch(expected_generation + 1, calibration_id, key_id, self._clock())
        row = {
            "revision": revision,
            "generation": made.generation,
            "calibration_id": calibration_id,
            "key_id": key_id,
            "created_at": made.created_at,
        }
        try:
            async with self._database.writing() as connection:
                last = await _last(connection, revision)
                generation = last.generation if last else 0
                if generation != expected_generation:
                    raise _conflict(generation)
                await connection.execute(insert(switches), [row])
        except IntegrityError as cause:  # another replica was faster
            raise _conflict(made.generation) from cause
        return made


def _conflict(generation: int) -> GenerationConflict:
    message = f"the active calibration is at generation {generation}: read it again, then switch"
    return GenerationConflict(
        message, limits={"generation": generation}, param="expected_generation"
    )


async def _last(connection: AsyncConnection, revision: str) -> Switch | None:
    found = await _switches(connection, revision, 1)
    return found[0] if found else None


async def _switches(connection: AsyncConnection, revision: str, most: int) -> list[Switch]:
    columns = [switches.c[name] for name in Switch.__slots__]
    statement = select(*columns).where(switches.c.revision == revision)
    newest = statement.order_by(switches.c.generation.desc()).limit(most)
    return [Switch(*row) for row in await connection.execute(newest)]


def _stored(row: Any) -> StoredCalibration:
    return StoredCalibration(
        row.id, json.loads(row.document), json.loads(row.report), row.created_at
    )
