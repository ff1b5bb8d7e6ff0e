"""Connections that keep their word, and what goes wrong with them named.

SQLite: one connection that writes, a few that may only read; WAL, and `synchronous=FULL` read back on
every connection, so that a commit that returned is on the disk. PostgreSQL: `synchronous_commit=on`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.errors import ServiceError, StartError, StoreFull, StoreUnavailable
from app.outcomes.gate import Gate

PATIENCE_S = 10.0
_READERS = 2
_POSTGRES_WRITERS = 4
_JOIN_S = 5.0
_BUSY_MS = 5000
_SYNCHRONOUS_FULL = 2
_FULL = ("database or disk is full", "no space left", "disk quota")
_POSTGRES = {
    "synchronous_commit": "on",
    "lock_timeout": "5000",
    "statement_timeout": "30000",
    "idle_in_transaction_session_timeout": "60000",
}


def read_url(text_url: str) -> URL:
    """`sqlite:///file` or `postgresql://…`. Raises `StartError`."""
    postgres = "postgresql+asyncpg"
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": postgres, "postgres": postgres}
    try:
        url = make_url(text_url)
    except ArgumentError:
        url = None
    kind = url.drivername.partition("+")[0] if url else ""
    if url is None or kind not in drivers or (kind == "sqlite" and not url.database):
        message = "store_url is neither sqlite:///path/to/file.db nor postgresql://user@host/name"
        raise StartError(message)
    return url.set(drivername=drivers[kind])


class Database:
    """`writing` is one transaction at a time in SQLite, a few in PostgreSQL; `reading` never waits for
    it."""

    def __init__(self, url: URL) -> None:
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.shown = url.render_as_string(hide_password=True)
        self._gate = Gate(Path(f"{url.database}.lock")) if self.is_sqlite else None
        self._turn = asyncio.Semaphore(1 if self.is_sqlite else _POSTGRES_WRITERS)
        self._threads: list[Thread] = []
        if self.is_sqlite:
            self._writer = _sqlite(url, 0, self._threads)
            self._reader = _sqlite(url, _READERS, self._threads)
        else:
            self._writer = create_async_engine(
                url, pool_size=_POSTGRES_WRITERS + _READERS, max_overflow=0,
                pool_pre_ping=True, pool_timeout=PATIENCE_S,
                connect_args={"server_settings": _POSTGRES, "timeout": PATIENCE_S / 2},
            )  # fmt: skip
            self._reader = self._writer

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction; what it wrote is durable once this is left without an error.

        Raises `StoreFull` or `StoreUnavailable`; then nothing was written, or, where the connection
        broke in the commit itself, nobody can know: to ask again with the same key is safe.
        """
        with _named():
            async with (
                asyncio.timeout(PATIENCE_S),
                self._turn,
                self._alone(),
                self._writer.begin() as connection,
            ):
                yield connection

    @asynccontextmanager
    async def reading(self, patience_s: float = PATIENCE_S) -> AsyncIterator[AsyncConnection]:
        """Raises `StoreUnavailable`."""
        with _named():
            async with asyncio.timeout(patience_s), self._reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def opening(self) -> AsyncIterator[AsyncConnection]:
        """The first transaction, in which the schema is made. Raises `StartError`."""
        try:
            async with self._turn, self._alone(), self._writer.begin() as connection:
                if not self.is_sqlite:  # replicas start at once, one of them makes the tables
                    await connection.execute(text("select pg_advisory_xact_lock(7203121)"))
                yield connection
        except (SQLAlchemyError, OSError, TimeoutError) as cause:
            message = (
                f"the store {self.shown} cannot be opened ({_first_line(cause)}): "
                "mend it, or choose another store_url"
            )
            raise StartError(message) from cause

    async def close(self) -> None:
        """Readers first: the last connection to leave an SQLite file moves the WAL into it."""
        await self._reader.dispose()
        with suppress(OSError):  # a folder that is not there has no file to leave
            async with self._turn, self._alone():
                await self._writer.dispose()
        for thread in self._threads:  # one whose query was cancelled still answers to this loop
            await asyncio.to_thread(thread.join, _JOIN_S)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        if self._gate is None:
            yield
            return
        async with self._gate.held():
            yield


def _sqlite(url: URL, readers: int, threads: list[Thread]) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=readers or 1, max_overflow=0, pool_timeout=PATIENCE_S
    )
    event.listen(engine.sync_engine, "connect", _read_only if readers else _durable)

    @event.listens_for(engine.sync_engine, "connect")
    def _known(connection: Any, _: object) -> None:
        threads[:] = [each for each in threads if each.is_alive()]
        threads.append(connection.driver_connection._thread)

    if not readers:
        event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _begin(connection: Any) -> None:
    """SQLite's own way would read first and then fail to become a writer."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _durable(connection: Any, _: object) -> None:
    connection.isolation_level = None  # begin and commit are ours
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA journal_mode")
    journal = tuple(cursor.fetchone())
    cursor.execute("PRAGMA synchronous")
    synchronous = tuple(cursor.fetchone())
    cursor.close()
    if journal != ("wal",) or synchronous != (_SYNCHRONOUS_FULL,):
        message = f"the store's file cannot be kept durable: {journal}, {synchronous}"
        raise InterfaceError(message, None, OSError(message))


def _read_only(connection: Any, _: object) -> None:
    _durable(connection, _)
    cursor = connection.cursor()
    cursor.execute("PRAGMA wal_autocheckpoint=0")
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except ServiceError:
        raise
    except TimeoutError as cause:
        message = f"the store did not answer within {PATIENCE_S:g} s"
        raise StoreUnavailable(message, retry_after_s=5.0) from cause
    except (SQLAlchemyError, OSError) as cause:
        state = getattr(getattr(cause, "orig", None), "sqlstate", None)
        if state == "53100" or any(word in str(cause).lower() for word in _FULL):
            message = "the store's disk is full; scoring goes on, and the store when there is room"
            raise StoreFull(message) from cause
        if isinstance(cause, DBAPIError) and _is_ours(cause, state):
            raise
        message = "the store does not answer; scoring goes on"
        raise StoreUnavailable(message, retry_after_s=2.0) from cause


def _is_ours(cause: DBAPIError, state: str | None) -> bool:
    """A statement or a value that the database will never take: a defect, not a fault of its own."""
    if state is not None:
        return state[:2] in ("22", "23", "42")
    kinds = ("IntegrityError", "DataError", "ProgrammingError", "NotSupportedError")
    return type(cause).__name__ in kinds


def _first_line(cause: BaseException) -> str:
    found = getattr(cause, "orig", None) or cause
    return (str(found).splitlines() or [type(found).__name__])[0][:200]
