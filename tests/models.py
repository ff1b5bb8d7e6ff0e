"""The shipped model as it is before anybody calibrates it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

STORE = Path(__file__).resolve().parents[1] / "model_store"


def uncalibrated(store: Path, name: str = "swe-rm-nano") -> Path:
    """A copy in `store` that serves the sigmoid of its margin; its folder."""
    folder = store / name
    shutil.copytree(STORE / name, folder, ignore=shutil.ignore_patterns("calibrations"))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["calibrations"] = {"active": "identity", "files": []}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
