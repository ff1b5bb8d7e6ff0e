"""What the pages tell people to type works: commands and flags exist, curl lines are sent to a house,
Python compiles and imports what is there, configurations parse, links lead somewhere."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import typer
import yaml
from documents import PAGES, ROOT, Block, anchors, blocks, commands, inline, links, text_of
from houses import ask, build, keeping
from stores import sqlite_url
from swe_rm_client.integrations.settings import NAMES, PREFIX

from app.cli import app as cli
from app.config import Settings, read_settings

# First words of commands that are not run here, and why. One that no page uses is an error too.
NOT_RUN = {
    "docker": "no container engine is assumed; tests/test_deploy_images.py runs the same commands",
    "kubectl": "no cluster; tests/test_deploy_kubernetes.py builds and validates the manifests",
    "pip": "installs; tests/test_release.py and tests/test_deploy_images.py do it in venvs of their own",
    "export": "the shell's; the names of variables are checked",
    "chmod": "the system's",
    "python3": "a trainer's own program; what stands in $(…) is checked",
    "rllm": "rLLM's own program",
    "ray": "Ray's own; tests/ray runs the deployment",
    "serve": "Ray's own; tests/ray runs the deployment",
}
# Blocks that are pictures of something, and why they cannot be parsed.
SKETCHES = {
    "jsonc": "an answer with … for what is left out",
    "plain": "a tree of folders, a pipeline",
}
VARIABLES = {f"SWE_RM_{name.upper()}" for name in Settings.model_fields} | {
    PREFIX + name for name in NAMES
}
BLOCKS = [block for page in PAGES for block in blocks(page)]
# Names of foreign frameworks in examples for trainers stay unbound; what is ours must exist.
OURS = ("swe_rm_client", "app")


def of(*languages: str) -> list[Block]:
    found = [block for block in BLOCKS if block.language in languages]
    assert found, languages
    return found


def check_command(words: list[str], *, whole: bool) -> None:
    """Raises what is wrong with it. Without `whole` arguments may be missing."""
    first, rest = words[0].rpartition("/")[2], words[1:]
    if first == "swe-rm":
        check_swe_rm(rest, whole=whole)
    elif first == "make":
        targets = {word for word in rest if "=" not in word}
        assert targets <= make_targets(), words
    elif first == "python" and rest[:1] == ["-m"]:
        check_module(rest[1], rest[2:])
    elif first == "python" and rest[:1] == ["-c"]:
        compile(rest[1], "-c", "exec")
    else:
        assert first in {*NOT_RUN, "curl"}, f"not known and not listed: {' '.join(words)}"


def check_swe_rm(words: list[str], *, whole: bool) -> None:
    command: Any = typer.main.get_command(cli)
    while hasattr(command, "commands"):
        if not words and not whole:
            return
        name, words = words[0] if words else "", words[1:]
        assert name in command.commands, f"swe-rm has no command {name!r}"
        command = command.commands[name]
    if whole and "--help" not in words:
        try:
            made = command.make_context("swe-rm", list(words))
        except Exception as error:  # of the click that typer brings along
            raise AssertionError(getattr(error, "message", error)) from error
        if command.name == "serve":  # contradictions, such as a host for all without keys
            given = {k: v for k, v in made.params.items() if v is not None}
            read_settings(given, {})
    known = {option for each in command.params for option in each.opts}
    asked = {word.partition("=")[0] for word in words if word.startswith("--")} - {"--help", "--"}
    assert asked <= known, f"swe-rm {command.name} has no {asked - known}"


@lru_cache
def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", text_of("Makefile"), flags=re.M))


def check_module(module: str, words: list[str]) -> None:
    """Its flags are read out of its source: to ask for `--help` would import torch."""
    spec = importlib.util.find_spec(module)
    assert spec, f"there is no {module}"
    if spec.submodule_search_locations:
        spec = importlib.util.find_spec(f"{module}.__main__")
        assert spec, f"{module} cannot be run"
    asked = {word.partition("=")[0] for word in words if word.startswith("--")}
    if asked:
        assert spec.origin
        calls = [
            n for n in ast.walk(ast.parse(Path(spec.origin).read_text())) if isinstance(n, ast.Call)
        ]
        added = [n for n in calls if getattr(n.func, "attr", "") == "add_argument"]
        known = {a.value for n in added for a in n.args if isinstance(a, ast.Constant)}
        assert asked <= known, f"python -m {module} has no {asked - known}"


@pytest.mark.parametrize("page", PAGES)
def test_every_command_exists_with_its_flags(page: str) -> None:
    for block in blocks(page):
        for words in commands(block):
            if words[0] != "curl":
                check_command(words, whole=True)
            for inner in re.findall(r"\$\((python -m [^)]*)\)", " ".join(words)):
                check_command(inner.split(), whole=True)


@pytest.mark.parametrize("page", PAGES)
def test_commands_between_words_exist_too(page: str) -> None:
    for code in inline(page):
        if re.match(r"(swe-rm|make|python -m) [a-z]", code):
            words = [word for word in code.split() if word not in ("…", "|")]
            check_command(words, whole=False)


def test_what_is_not_run_is_listed_and_nothing_else() -> None:
    used = {words[0] for block in BLOCKS for words in commands(block)}
    assert NOT_RUN.keys() - used == set()
    known = {"bash", "sh", "python", "yaml", "json", "toml", "", *SKETCHES}
    assert {block.language for block in BLOCKS} <= known
    assert SKETCHES.keys() <= {block.language for block in BLOCKS}


@pytest.mark.parametrize("block", of("jsonc"), ids=str)
def test_a_sketch_is_one(block: Block) -> None:
    """Else it could be parsed, and must be."""
    assert "…" in block.text or "//" in block.text


def check_block(block: Block) -> None:
    """Raises what keeps it from being parsed, or names what it imports of ours that is not there."""
    parse = {"json": json.loads, "yaml": yaml.safe_load, "toml": tomllib.loads}
    if block.language in parse:
        assert parse[block.language](block.text)
        return
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST
    for node in ast.walk(compile(block.text, str(block), "exec", flags)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(OURS):
            module = importlib.import_module(node.module or "")
            missing = [each.name for each in node.names if not hasattr(module, each.name)]
            assert not missing, f"{node.module} has no {missing}"


@pytest.mark.parametrize("block", of("json", "yaml", "toml", "python"), ids=str)
def test_configurations_parse_and_python_imports_what_is_there(block: Block) -> None:
    check_block(block)


@pytest.mark.parametrize(
    ("language", "text"),
    [("json", '{"a": 1,}'), ("yaml", "a: [1"), ("toml", "a = "), ("python", "def f(:"),
     ("python", "from swe_rm_client import Nothing"), ("python", "import swe_rm_client as")],
)  # fmt: skip
def test_a_wrong_block_is_seen(language: str, text: str) -> None:
    with pytest.raises((AssertionError, SyntaxError, ValueError, yaml.YAMLError)):
        check_block(Block("page", 0, language, text))


def curls() -> list[tuple[str, list[str]]]:
    return [(str(b), words) for b in BLOCKS for words in commands(b) if words[0] == "curl"]


def request_of(words: list[str]) -> httpx.Request:
    """What a curl line would send. Raises on options that are not known here."""
    url, body, headers, method = "", None, {}, None
    given = iter(words[1:])
    for word in given:
        if word in ("-H", "--header"):
            name, _, value = next(given).partition(":")
            headers[name.strip()] = value.strip()
        elif word in ("-d", "--data", "--data-binary"):
            body = next(given)
        elif word in ("-X", "--request"):
            method = next(given)
        elif not word.startswith("-"):
            url = word if "//" in word else f"http://{word}"
        else:
            assert word == "-s", f"an option of curl that the test does not know: {word}"
    path = urlsplit(url)
    where = f"http://house{path.path or '/'}" + (f"?{path.query}" if path.query else "")
    return httpx.Request(
        method or ("POST" if body else "GET"), where, headers=headers, content=body
    )


@pytest.mark.parametrize(("where", "words"), curls())
async def test_curl_lines_are_answered(where: str, words: list[str], tmp_path: Path) -> None:
    built = build()
    try:
        async with keeping(built, sqlite_url(tmp_path)), ask(built) as client:
            answer = await client.send(request_of(words))
            assert answer.status_code == 200, f"{where}: {answer.text}"
            if answer.headers["content-type"] == "application/json":
                failed = answer.json().get("counts", {}).get("failed", 0)
                assert failed == 0, answer.text
    finally:
        built.house.close()


@pytest.mark.parametrize("page", PAGES)
def test_variables_exist(page: str) -> None:
    named = set(re.findall(r"\bSWE_(?:RM|REWARD)_[A-Z][A-Z_]*[A-Z]\b", text_of(page)))
    assert named <= VARIABLES, named - VARIABLES


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in links(page):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        file = (ROOT / page).parent / target if target else ROOT / page
        assert file.exists(), f"{page}: {link}"
        if anchor:
            assert anchor in anchors(file.resolve().relative_to(ROOT).as_posix()), link


def test_the_runbook_has_every_alert_that_points_there() -> None:
    rules = yaml.safe_load(text_of("deploy/prometheus/rules/alerts.yml"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
            assert anchor in anchors(page), rule["alert"]


def test_the_readme_is_short() -> None:
    assert len(text_of("README.md").splitlines()) <= 150


def test_every_page_stands_in_the_site() -> None:
    """`make docs` checks the links; this one needs no tool for it."""
    site = yaml.safe_load(text_of("mkdocs.yml"))
    listed = re.findall(r"[\w/-]+\.md", json.dumps(site["nav"]))
    there = {p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*.md")}
    assert set(listed) == there
    assert len(listed) == len(there)


@pytest.mark.parametrize(
    "line",
    ["swe-rm serv", "swe-rm serve --prot 1", "swe-rm score runs/ --jsom", "make chekc", "frobnicate x",
     "python -m bench.nothing", "python -m bench.order --sed 1", "swe-rm serve --host 0.0.0.0",
     "swe-rm keys new", "swe-rm score"],
)  # fmt: skip
def test_a_wrong_command_is_seen(line: str) -> None:
    with pytest.raises((AssertionError, ImportError, ValueError)):
        check_command(line.split(), whole=True)
