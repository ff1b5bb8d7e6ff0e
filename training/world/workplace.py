"""Makes a process, and the shells it starts, the same on every machine."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

_MEMORY_FOLDER = Path("/dev/shm")
_ROOM_BYTES = 2 << 30


def fast_folder() -> str | None:
    """A folder in memory, where there is one with room: small repositories are copied without end.
    None says the system's own folder for temporary files."""
    fits = _MEMORY_FOLDER.is_dir() and os.access(_MEMORY_FOLDER, os.W_OK)
    if fits and shutil.disk_usage(_MEMORY_FOLDER).free >= _ROOM_BYTES:
        return str(_MEMORY_FOLDER)
    return None


def narrow_environment(scratch: Path) -> None:
    """Leave this process nothing but a PATH and a HOME of its own. For worker processes only."""
    tools = scratch / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    python = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    for name in ("python", "python3"):
        if not (tools / name).exists():
            (tools / name).symlink_to(python)
    # An environment of its own without packages: starting Python costs a quarter of it.
    settings = f"home = {python.parent}\ninclude-system-site-packages = false\n"
    (scratch / "pyvenv.cfg").write_text(settings)
    os.environ.clear()
    os.environ.update(
        PATH=f"{tools}:/usr/local/bin:/usr/bin:/bin",
        HOME=str(scratch),
        TMPDIR=str(scratch),
        # mini-swe-agent prints and makes a folder when it is imported.
        MSWEA_SILENT_STARTUP="1",
        MSWEA_GLOBAL_CONFIG_DIR=str(scratch / "config"),
    )
    tempfile.tempdir = str(scratch)
    os.umask(0o022)
