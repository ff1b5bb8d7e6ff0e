"""The trace of system calls: an acknowledgement that comes before its sync is found."""

from __future__ import annotations

import shutil

import pytest

from bench.syncs import CannotTrace, judge, measure, read_trace

ASKED = '7 10.0 recvfrom(19<socket:[1]>, "POST /outcomes HTTP/1.1\\r\\nHost: 1"..., 9) = 9 <0.0001>'
WRITTEN = '8 10.1 pwrite64(11</s/outcomes.db-wal>, "\\0\\0"..., 24, 90) = 24 <0.0001>'
SYNCED = "8 10.2 fdatasync(11</s/outcomes.db-wal>) = 0 <0.0100>"
SENT = '7 10.3 sendto(19<socket:[1]>, "HTTP/1.1 200 OK\\r\\n"..., 156, 0, NULL, 0) = 156 <0.0001>'


def test_a_sync_before_the_answer() -> None:
    found = judge(read_trace([ASKED, WRITTEN, SYNCED, SENT]))
    assert (found.acknowledged, found.unsynced, found.syncs) == (1, 0, [1])


@pytest.mark.parametrize(
    "lines",
    [
        [ASKED, WRITTEN, SENT],
        [ASKED, SENT, WRITTEN.replace("10.1", "10.4"), SYNCED.replace("10.2", "10.5")],
        [ASKED, SYNCED.replace("10.2", "10.05"), WRITTEN, SENT],
        [ASKED, WRITTEN, SYNCED.replace("= 0", "= -1 EIO (Input/output error)"), SENT],
        [ASKED, WRITTEN, SYNCED.replace("<0.0100>", "<0.2000>"), SENT],
        [ASKED, WRITTEN, SYNCED.replace("outcomes.db-wal", "server.log"), SENT],
    ],
)
def test_an_answer_before_its_sync(lines: list[str]) -> None:
    found = judge(read_trace(lines))
    assert (found.acknowledged, found.unsynced) == (1, 1)


@pytest.mark.parametrize(("resumed", "unsynced"), [("10.25", 0), ("10.35", 1)])
def test_a_sync_that_other_threads_interrupt(resumed: str, unsynced: int) -> None:
    begun = "8 10.2 fdatasync(11</s/outcomes.db-wal> <unfinished ...>"
    ended = f"8 {resumed} <... fdatasync resumed>) = 0 <0.0500>"
    lines = sorted([ASKED, WRITTEN, begun, SENT, ended], key=lambda line: line.split()[1])
    assert judge(read_trace(lines)).unsynced == unsynced


def test_the_program_reading_its_own_source_is_no_request() -> None:
    read = ASKED.replace("socket:[1]", "/app/api/labels.py")
    assert judge(read_trace([read, SENT])).acknowledged == 0


def test_the_server_syncs_before_it_answers() -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed here")
    try:
        found = measure(5, own_postgres=False)
    except CannotTrace as cause:
        pytest.skip(str(cause))
    assert found["acknowledged"] == found["synced"] == 5
