"""One writer of a file at a time, among all processes of this machine.

SQLite 3.7.0 to 3.51.2 may corrupt a WAL that two connections write and checkpoint at once; behind this
gate they never do. The kernel opens it when its holder dies.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_LOOK_S = 0.005


class Gate:
    """Holds `file` locked while somebody writes beside it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Waits without a clock of its own: for use inside of one. Raises `OSError`."""
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while not _locked(handle):
                await asyncio.sleep(_LOOK_S)
            yield
        finally:
            os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
