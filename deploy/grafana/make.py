"""Writes dashboards/*.json: `python -m deploy.grafana.make`. A test holds them in step."""

from __future__ import annotations

import json
from pathlib import Path

from deploy.grafana.board import Board, document
from deploy.grafana.engine import ENGINE
from deploy.grafana.quality import QUALITY
from deploy.grafana.rl_step import RL_STEP
from deploy.grafana.service import SERVICE

BOARDS = (SERVICE, ENGINE, QUALITY, RL_STEP)
FOLDER = Path(__file__).with_name("dashboards")


def text(board: Board) -> str:
    return json.dumps(document(board), indent=1) + "\n"


if __name__ == "__main__":
    for board in BOARDS:
        (FOLDER / f"{board.name}.json").write_text(text(board))
