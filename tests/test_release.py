"""Releases: one version, a changelog that names it, archives that hold what they should, and a client that
installs alone. The slow half (`make test-release`) builds and installs for real."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from swe_rm_client import __version__

ROOT = Path(__file__).parents[1]
BUILD = ROOT / ".venv-build" / "bin" / "python"
MAX_CLIENT_BYTES = 2_000_000
ALLOWED = {  # httpx and what it brings
    "swe-rm-client", "httpx", "httpcore", "h11", "anyio", "certifi", "idna", "sniffio", "typing-extensions",
}  # fmt: skip
slow = pytest.mark.skipif(
    os.environ.get("WITH_RELEASE") != "1", reason="builds and installs: `make test-release`"
)


@pytest.mark.parametrize("where", [".", "client"])
def test_both_take_their_version_from_one_file(where: str) -> None:
    project = tomllib.loads((ROOT / where / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    file = ROOT / where / project["tool"]["hatch"]["version"]["path"]
    assert file.resolve() == ROOT / "client/swe_rm_client/version.py"
    assert f'__version__ = "{__version__}"' in file.read_text()


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    assert headings[0] == __version__
    assert len(headings) == len(set(headings))


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert BUILD.exists(), "locks/install-beside build makes it"
    found = tmp_path_factory.mktemp("dist")
    for where in (ROOT / "client", ROOT):
        command = [BUILD, "-m", "hatchling", "build", "-d", found]
        subprocess.run(command, cwd=where, check=True, capture_output=True)
    return found


@slow
def test_the_archives_hold_the_code_its_data_and_nothing_else(dist: Path) -> None:
    assert sorted(each.name for each in dist.iterdir()) == [
        f"swe_rm_{part}-{__version__}{kind}"
        for part in ("client", "server")
        for kind in ("-py3-none-any.whl", ".tar.gz")
    ]
    for part, package in (("client", "client/swe_rm_client"), ("server", "app")):
        wheel = dist / f"swe_rm_{part}-{__version__}-py3-none-any.whl"
        name = package.rpartition("/")[2]
        files = {each for each in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in each}
        tracked = subprocess.run(
            ["git", "ls-files", package], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.split()
        assert files == {each.removeprefix("client/") for each in tracked}, name
    with tarfile.open(dist / f"swe_rm_server-{__version__}.tar.gz") as archive:
        tops = {Path(each).parts[1] for each in archive.getnames()}
    kept = {"app", "client", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "PKG-INFO"}
    assert tops - {".gitignore"} == kept


@slow
def test_the_source_archive_builds_the_same_wheel(dist: Path, tmp_path: Path) -> None:
    with tarfile.open(dist / f"swe_rm_server-{__version__}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / f"swe_rm_server-{__version__}"
    command = [BUILD, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    wheel = f"swe_rm_server-{__version__}-py3-none-any.whl"
    one, other = (zipfile.ZipFile(folder / wheel) for folder in (dist, tmp_path))
    assert {e.filename: e.CRC for e in one.infolist()} == {
        e.filename: e.CRC for e in other.infolist()
    }


@slow
def test_a_clean_venv_takes_the_client_alone(dist: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    wheel = dist / f"swe_rm_client-{__version__}-py3-none-any.whl"

    def run(*arguments: object) -> str:
        done = subprocess.run(
            [python, *map(str, arguments)], cwd=tmp_path, env=clean, capture_output=True, text=True
        )
        if "NewConnectionError" in done.stderr or "Temporary failure in name" in done.stderr:
            pytest.skip("no package index can be reached")
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("-m", "pip", "install", "--quiet", "--no-compile", wheel)
    listed = run("-m", "pip", "list", "--format=freeze").split()
    names = {each.partition("==")[0].lower().replace("_", "-") for each in listed}
    assert names - {"pip", "setuptools"} <= ALLOWED
    assert {"swe-rm-client", "httpx"} <= names
    code = (
        "import swe_rm_client as c, sys; print(c.__version__);"
        "assert 'app' not in sys.modules;"
        "import swe_rm_client.integrations.trl, swe_rm_client.integrations.slime;"
        "from pathlib import Path;"
        "folder = Path(c.__file__).parent;"
        "print(sum(f.stat().st_size for f in folder.rglob('*') if f.suffix != '.pyc'));"
        "print(sum(f.stat().st_size for f in folder.parent.rglob('*')"
        " if f.is_file() and f.suffix != '.pyc' and 'pip' not in f.parts[-3:]"
        " and not any(p.startswith(('pip', 'setuptools')) for p in f.parts)))"
    )
    version, client_bytes, all_bytes = run("-c", code).split()
    assert version == __version__
    assert int(client_bytes) < MAX_CLIENT_BYTES
    assert wheel.stat().st_size < MAX_CLIENT_BYTES
