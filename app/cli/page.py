"""`swe-rm report`: one HTML page that needs nothing else, from report.json of evaluate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, UndefinedError

from app import quality
from app.cli.files import read_text
from app.errors import ServiceError, StartError


def read_report(path: Path) -> dict[str, Any]:
    """report.json, or that of a folder. Raises `StartError`."""
    path = path / "report.json" if path.is_dir() else path
    try:
        report = json.loads(read_text(path)[0])
    except ServiceError as error:
        message = f"{path}: {error.message}"
        raise StartError(message) from error
    except (ValueError, RecursionError) as error:
        message = f"{path} is no JSON: {error}"
        raise StartError(message) from error
    if not isinstance(report, dict) or report.get("object") != "quality.report":
        message = f"{path} is no report of swe-rm evaluate"
        raise StartError(message)
    return report


def page(report: Mapping[str, Any]) -> str:
    """The page. Whatever the report says is text; only our own pictures are markup."""
    environment = Environment(
        loader=PackageLoader("app.cli", "templates"), autoescape=True, undefined=StrictUndefined
    )
    try:
        figures = {name: quality.svg_text(figure) for name, figure in quality.figures_of(report)}
        return environment.get_template("quality.html").render(
            report=report, figures=figures, lines=quality.lines(report), few=quality.MIN_INSTANCES
        )
    except (KeyError, IndexError, TypeError, UndefinedError) as error:
        message = f"the report is not whole: {error}"
        raise StartError(message) from error
