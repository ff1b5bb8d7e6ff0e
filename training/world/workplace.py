"""Makes a process, and the shells it starts, the same on every machine."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path


def narrow_environment(scratch: Path) -> None:
    """Leave this process nothing but a PATH and a HOME of its own. For worker processes only."""
    tools = scratch / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    python = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    for name in ("python", "python3"):
        if not (tools / name).exists():
            (tools / name).symlink_to(python)
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
