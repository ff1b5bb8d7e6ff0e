"""Check 40: disks that are full or read-only, readers and writers that are stuck, a log that is gone."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from stores import facts, sqlite_url

from app.errors import StartError, StoreFull, StoreUnavailable
from app.outcomes import Report, open_store

SIZE_MB = 3


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", folder]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass


def told(name: str) -> Report:
    return Report(True, "tests", name)


def sound(file: Path) -> bool:
    with sqlite3.connect(file) as connection:
        (said,) = connection.execute("pragma integrity_check").fetchone()
    connection.close()
    return bool(said == "ok")


async def test_c40_a_full_disk_is_said_and_passes(disk: Path) -> None:
    url, ballast = sqlite_url(disk), disk / "ballast"
    async with open_store(url) as store:
        store.put(facts("before"))
        answers, _ = await store.record_once([told("before")], "local", "k-before")
        assert answers[0].status == "recorded"
        fill(ballast)
        for n in range(400):
            store.put(facts(f"more-{n}"))
        with pytest.raises(StoreFull):
            await store.record_once([told("more-1")], "local", "k-full")
        assert store.calibrations  # what does not write goes on
        ballast.unlink()
        answers, _ = await store.record_once([told("before")], "local", "k-after")
        assert answers[0].status == "duplicate"
        assert set(await store.find(["before"], "local")) == {"before"}
    assert sound(next(disk.glob("*.db")))


async def test_c40_a_read_only_disk_stops_the_start_and_says_why(disk: Path) -> None:
    url = sqlite_url(disk)
    async with open_store(url) as store:
        store.put(facts("before"))
        await store.recorder.flush()
    remount(disk, "ro")
    with pytest.raises(StartError, match=r"(?i)read-?only"):
        async with open_store(url):
            pass
    remount(disk, "rw")
    async with open_store(url) as store:
        assert set(await store.find(["before"], "local")) == {"before"}


async def test_c40_a_stuck_reader_holds_up_nobody(tmp_path: Path) -> None:
    async with open_store(sqlite_url(tmp_path)) as store:
        store.put(facts("first"))
        await store.recorder.flush()
        reader = sqlite3.connect(next(tmp_path.glob("*.db")))
        reader.execute("begin")
        assert reader.execute("select count(*) from scores").fetchone() == (1,)
        for n in range(50):
            store.put(facts(f"more-{n}"))
            answers, _ = await store.record_once([told(f"more-{n}")], "local", f"k-{n}")
            assert answers[0].status == "recorded"
        assert reader.execute("select count(*) from scores").fetchone() == (1,)
        reader.close()


async def test_c40_a_stuck_writer_is_said_and_passes(tmp_path: Path) -> None:
    async with open_store(sqlite_url(tmp_path)) as store:
        store.put(facts("first"))
        await store.recorder.flush()
        writer = sqlite3.connect(next(tmp_path.glob("*.db")), isolation_level=None)
        writer.execute("begin immediate")
        with pytest.raises(StoreUnavailable):
            await store.record_once([told("first")], "local", "k")
        writer.execute("rollback")
        writer.close()
        answers, _ = await store.record_once([told("first")], "local", "k")
        assert answers[0].status == "recorded"


async def test_c40_without_its_log_the_database_opens_as_of_its_last_checkpoint(
    tmp_path: Path,
) -> None:
    """As after SIGKILL, and somebody tidied up: what stood in the log alone is gone, nothing else."""
    left = tmp_path / "left"
    left.mkdir()
    async with open_store(sqlite_url(tmp_path)) as store:
        store.put(facts("checkpointed"))
        await store.recorder.flush()
        file = next(tmp_path.glob("*.db"))
        with sqlite3.connect(file) as other:
            other.execute("pragma wal_checkpoint(truncate)")
        other.close()
        store.put(facts("in-the-log"))
        await store.recorder.flush()
        shutil.copy2(file, left / file.name)
    async with open_store(sqlite_url(left)) as store:
        assert set(await store.find(["checkpointed", "in-the-log"], "local")) == {"checkpointed"}
        store.put(facts("anew"))
        answers, _ = await store.record_once([told("anew")], "local", "k")
        assert answers[0].status == "recorded"
    assert sound(left / file.name)
