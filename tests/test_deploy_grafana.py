"""Dashboards and rules on paper: JSON in step with its source, names known, anchors that exist."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from dashboards import DEPLOY, alerts, panels, rules

from deploy.grafana.make import BOARDS, FOLDER, OPERATOR_RULE, operator_rule, text

ROOT = DEPLOY.parent


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_the_json_is_in_step_with_its_source(board: object) -> None:
    written = (FOLDER / f"{board.name}.json").read_text()
    assert written == text(board), "run python -m deploy.grafana.make"


def test_the_operators_rules_are_those_of_prometheus() -> None:
    assert operator_rule() == OPERATOR_RULE.read_text(), "run python -m deploy.grafana.make"
    groups = yaml.safe_load(operator_rule())["spec"]["groups"]
    given = [rule for group in groups for rule in group["rules"]]
    assert given == [*rules("alert"), *rules("record")]


def test_no_dashboard_is_left_over() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == {board.name for board in BOARDS}


def test_panels_are_placed_beside_each_other() -> None:
    for board in BOARDS:
        taken: set[tuple[int, int]] = set()
        for panel in json.loads(text(board))["panels"]:
            at = panel["gridPos"]
            assert at["x"] + at["w"] <= 24
            cells = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            assert not cells & taken, panel["title"]
            taken |= cells


def test_every_panel_says_what_it_shows() -> None:
    for board in BOARDS:
        titles = [panel.title for panel in board.panels]
        assert len(set(titles)) == len(titles)
        for panel in board.panels:
            assert panel.says.endswith("."), panel.title
            assert panel.queries, panel.title


def test_every_panel_is_of_the_chosen_servers() -> None:
    for name, expression in panels().items():
        for selector in re.findall(r"(?:swe_rm_|vllm:|process_)[\w:]+({[^}]*})?", expression):
            assert 'job=~"swe-rm"' in selector, name


def test_dashboards_name_only_recorded_series() -> None:
    recorded = {rule["record"] for rule in rules("record")}
    used = set(
        re.findall(
            r"\b(?:job|instance):\w+:\w+", " ".join((*panels().values(), *alerts().values()))
        )
    )
    assert used == recorded  # nothing is recorded that nobody looks at


def test_every_alert_leads_to_its_page_of_the_runbook() -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "operations.md").read_text(), re.M)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    for rule in rules("alert"):
        page, anchor = rule["annotations"]["runbook_url"].split("#")
        assert page == "docs/operations.md"
        assert anchor in anchors, rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_vllm_names_are_vllms_own() -> None:
    found = find_spec("vllm")
    if not found or not found.submodule_search_locations:
        pytest.skip("vllm is not installed")
    sources = Path(found.submodule_search_locations[0], "v1", "metrics")
    own = set(re.findall(r'"(vllm:\w+)"', "".join(f.read_text() for f in sources.glob("*.py"))))
    used = set(re.findall(r"vllm:\w+", " ".join(panels().values())))
    bare = {
        name if name in own else re.sub(r"_(total|bucket|sum|count)$", "", name) for name in used
    }
    assert bare <= own


def test_grafana_is_given_the_source_and_the_boards() -> None:
    folder = DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    (boards,) = yaml.safe_load((folder / "dashboards" / "swe-rm.yml").read_text())["providers"]
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    mounts = compose["services"]["grafana"]["volumes"]
    assert f"./deploy/grafana/dashboards:{boards['options']['path']}:ro" in mounts
