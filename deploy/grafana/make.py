"""Writes dashboards/*.json and the rules for Kubernetes: `python -m deploy.grafana.make`.

A test holds them in step.
"""

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
_DEPLOY = Path(__file__).parents[1]
RULES = sorted((_DEPLOY / "prometheus" / "rules").glob("*.yml"))
OPERATOR_RULE = _DEPLOY / "kubernetes" / "monitoring" / "prometheusrule.yaml"
_HEAD = """\
# Made of deploy/prometheus/rules by `python -m deploy.grafana.make`.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: swe-rm-server
spec:
  groups:
"""


def text(board: Board) -> str:
    return json.dumps(document(board), indent=1) + "\n"


def operator_rule() -> str:
    """The rule files as the one document that the Prometheus operator reads."""
    groups = (file.read_text().partition("groups:\n")[2] for file in RULES)
    return _HEAD + "".join(f"  {line}" for text in groups for line in text.splitlines(True))


if __name__ == "__main__":
    for board in BOARDS:
        (FOLDER / f"{board.name}.json").write_text(text(board))
    OPERATOR_RULE.write_text(operator_rule())
