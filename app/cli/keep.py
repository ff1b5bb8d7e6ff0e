"""Files that are whole or not there: written beside, then put in place."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from app.errors import StartError


def keep(path: Path, content: str | bytes) -> None:
    """Writes `path`, making its folder. Raises `StartError` naming the file: no space, no right."""
    data = content.encode() if isinstance(content, str) else content
    beside: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.")
        beside = Path(name)
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(0o644)
        beside.replace(path)
    except OSError as error:
        if beside is not None:
            beside.unlink(missing_ok=True)
        message = f"{path} could not be written: {error.strerror or error}"
        raise StartError(message) from error
