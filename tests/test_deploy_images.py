"""The images and the compose file, without a container engine: linted, valid, and every install and start
command of the Dockerfile run as it stands there, in a scratch folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import httpx
import pytest
import yaml
from servers import free_port

from app.config import Settings

ROOT = Path(__file__).parents[1]
SETTINGS = {f"SWE_RM_{name.upper()}" for name in (*Settings.model_fields, "keys")}
# "1": installs the packages of the image too, some gigabytes; else those of this run stand in for them.
WHOLE = os.environ.get("TEST_IMAGE_PACKAGES") == "1"


class Stage:
    """One stage of the Dockerfile: its instructions, those of the stages it is made from first."""

    def __init__(self, name: str, steps: list[tuple[str, str]]) -> None:
        self.name = name
        self.steps = steps

    def of(self, *kinds: str) -> list[str]:
        return [text for kind, text in self.steps if kind in kinds]

    @property
    def environment(self) -> dict[str, str]:
        return dict(word.split("=", 1) for text in self.of("ENV") for word in shlex.split(text))


def stages() -> dict[str, Stage]:
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.M)
    found: dict[str, Stage] = {}
    for line in text.replace("\\\n", " ").splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "FROM":
            parent, _, name = rest.split()
            steps = list(found[parent].steps) if parent in found else []
            current = found[name] = Stage(name, steps)
        elif kind and found:
            current.steps.append((kind, rest))
    return found


def test_hadolint_is_content() -> None:
    if not shutil.which("hadolint"):
        pytest.skip("hadolint is not installed: make test-deploy")
    done = subprocess.run(["hadolint", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_an_image_is_locked_down_and_its_packages_are_pinned(name: str) -> None:
    stage = stages()[name]
    assert stage.of("USER")[-1] == "10001:10001"
    assert len(stage.of("HEALTHCHECK")) == 1
    ours = {key for key in stage.environment if key.startswith("SWE_RM_")}
    assert ours <= SETTINGS
    for command in stage.of("RUN"):
        if "pip install" in command:
            loose = "--require-hashes" not in command
            assert loose == ("locks/torch.txt" in command or "--no-index" in command), command
    for copied in stage.of("COPY"):
        for source in copied.split()[:-1]:
            assert source.startswith(("--from", "/wheels")) or (ROOT / source).exists(), source


def test_the_lock_files_of_the_images_have_hashes_only() -> None:
    for name in ("cpu", "gpu", "postgres", "build"):
        text = (ROOT / "locks" / f"{name}.txt").read_text().replace("\\\n", " ")
        pins = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        assert pins
        assert all("==" in pin and "--hash=sha256:" in pin for pin in pins), name


def test_the_compose_file_is_valid() -> None:
    if not shutil.which("check-jsonschema"):
        pytest.skip("check-jsonschema is not installed: make test-deploy")
    schema = ["--builtin-schema", "vendor.compose-spec"]
    subprocess.run(["check-jsonschema", *schema, ROOT / "docker-compose.yml"], check=True)


def test_compose_exposes_no_more_than_it_needs() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    compose = yaml.safe_load(text)
    for name, service in compose["services"].items():
        for port in service.get("ports", []):
            assert name in ("server-cpu", "server-gpu", "grafana")
            assert port.startswith("127.0.0.1:")
        assert "no-new-privileges:true" in service["security_opt"]
        assert name == "postgres" or (service["read_only"] and service["cap_drop"] == ["ALL"])
        given = service.get("environment", {})
        assert {key for key in given if key.startswith("SWE_RM_")} <= SETTINGS
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|KEY\w*))(:\?)?", text)
    assert secrets
    assert all(needed for _, needed in secrets)  # nothing secret has a default
    server = compose["services"]["server-cpu"]
    drain_s = float(server["environment"]["SWE_RM_DRAIN_S"])
    assert (
        server["environment"]["SWE_RM_KEYS"] == "/run/secrets/keys.jsonl"
    )  # else it does not start
    assert server["secrets"] == ["keys.jsonl"]
    assert "KEYS_FILE:?" in compose["secrets"]["keys.jsonl"]["file"]
    assert int(server["stop_grace_period"].removesuffix("m")) * 60 > drain_s + 10


def run(command: str, where: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-ec", command], cwd=where, env=environment, capture_output=True, text=True
    )
    said = done.stdout + done.stderr
    if re.search(r"NewConnectionError|Temporary failure in name|Read timed out", said):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, f"{command}\n{said[-3000:]}"


def copy(sources: list[str], scratch: Path) -> None:
    for source in sources:
        target = scratch / "src" / source
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, target)


def files_in(*folders: Path) -> set[Path]:
    return {file for folder in folders for file in folder.rglob("*")}


@pytest.fixture
def image(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """The file system of the target cpu in a scratch folder, made by the Dockerfile's commands."""
    found = stages()
    copy(["locks", "pyproject.toml", "README.md", "LICENSE", "client", "app"], tmp_path)
    shutil.copytree(ROOT / "model_store", tmp_path / "models")
    for name in ("venv", "builder"):
        subprocess.run([sys.executable, "-m", "venv", tmp_path / name], check=True)
    for name in ("state", "tmp"):
        (tmp_path / name).mkdir()
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("SWE_RM_", "PYTHON"))}
    plain["PIP_REQUIRE_VIRTUALENV"] = "1"  # nothing outside of the scratch folder is touched
    build = plain | {"PATH": f"{tmp_path}/builder/bin:{plain['PATH']}"}
    for command in found["wheels"].of("RUN"):
        run(command.replace("/wheels", f"{tmp_path}/wheels"), tmp_path / "src", build)
    if not WHOLE:
        (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
        (site / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    stage = found["cpu"]
    places = {
        "/opt/venv": f"{tmp_path}/venv", "/var/lib/swe-rm": f"{tmp_path}/state",
        "/tmp/": f"{tmp_path}/tmp/", "/models": f"{tmp_path}/models", "$PATH": plain["PATH"],
    }  # fmt: skip
    place = re.compile("|".join(map(re.escape, places)))
    mine = {
        key: place.sub(lambda found: places[found[0]], value)
        for key, value in stage.environment.items()
    }
    assert shutil.which("python", path=mine["PATH"]) == f"{tmp_path}/venv/bin/python"
    for command in stage.of("RUN"):
        if "pip install" in command and (WHOLE or "--no-index" in command):
            run(command.replace("/wheels", f"{tmp_path}/wheels"), tmp_path / "src", plain | mine)
    return tmp_path, plain | mine | {"TMPDIR": f"{tmp_path}/tmp"}


def test_the_commands_of_the_image_build_it_and_start_it(
    image: tuple[Path, dict[str, str]],
) -> None:
    """It writes nowhere but where it may, answers its own health check, and ends when told to."""
    scratch, environment = image
    stage = stages()["cpu"]
    start = json.loads(stage.of("ENTRYPOINT")[0]) + json.loads(stage.of("CMD")[0])
    check = json.loads(stage.of("HEALTHCHECK")[0].partition("CMD ")[2])
    port = free_port()
    refused = subprocess.run(
        start, env=environment, cwd=scratch / "state", capture_output=True, text=True, timeout=120
    )
    assert refused.returncode != 0  # it listens to all, and nobody gave it keys
    assert "keys" in refused.stderr + refused.stdout
    keys = scratch / "keys.jsonl"
    made = [start[0], "keys", "new", "trainer", "--keys", str(keys), "--scope", "score"]
    secret = subprocess.run(
        made, env=environment, cwd=scratch, capture_output=True, text=True, check=True
    ).stdout.strip()
    here = {"SWE_RM_KEYS": str(keys), "SWE_RM_PORT": str(port), "SWE_RM_ENGINE": "fake"}
    before = files_in(scratch / "venv", scratch / "models")
    quick = here | {"SWE_RM_PROPAGATE_S": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    with (scratch / "said").open("w") as said:
        process = subprocess.Popen(
            start, env=environment | quick, cwd=scratch / "state", stdout=said, stderr=said
        )
    try:
        asked = [word.replace("8000", str(port)) for word in check]
        until = time.monotonic() + 120
        while subprocess.run(asked, env=environment, capture_output=True).returncode != 0:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.2)
        url = f"http://127.0.0.1:{port}/info"
        assert httpx.get(url).status_code == 401
        assert httpx.get(url, headers={"authorization": f"Bearer {secret}"}).status_code == 200
        process.terminate()
        assert process.wait(timeout=60) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert files_in(scratch / "venv", scratch / "models") - before == set()
