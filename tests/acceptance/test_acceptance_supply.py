"""Check 35 of docs/reliability.md, what tests/test_store*.py leave open: `python -O`, and no network."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from houses import STORE, item
from servers import SWE_RM, free_port

SERVE = [str(SWE_RM), "serve", "--engine", "fake"]
# Starts the command that it is given, scores one item, and says what listens in this namespace.
PROGRAM = """
import fcntl, json, os, socket, struct, subprocess, sys, time, urllib.request
if os.environ.get("LO") == "up":
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh22x", b"lo", 1 | 64))  # SIOCSIFFLAGS: up, running
port, log, body, *command = sys.argv[1:]
url = "http://127.0.0.1:" + port
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
with open(log, "w") as out:
    server = subprocess.Popen([*command, "--port", port], stdout=out, stderr=out)
try:
    while server.poll() is None:
        try:
            opener.open(url + "/readyz")
            break
        except OSError:
            time.sleep(0.1)
    request = urllib.request.Request(url + "/score", body.encode(), {"content-type": "application/json"})
    found = json.load(opener.open(request))
    rows = [line.split() for name in ("tcp", "tcp6") for line in open("/proc/net/" + name)][1:]
    listening = sorted({int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A"})
    print(json.dumps({"counts": found["counts"], "listening": listening}))
finally:
    server.terminate()
    server.wait(30)
"""


def scored(state: Path, *before: str, optimized: bool = False, lo: str = "") -> dict[str, object]:
    """What PROGRAM says of a server that `before` is put in front of."""
    interpreter = [sys.executable, "-O"] if optimized else [sys.executable]
    folders = ["--model-store", str(STORE), "--state-dir", str(state)]
    body = json.dumps({"trajectories": [item()]})
    told = subprocess.run(
        [*before, sys.executable, "-c", PROGRAM, str(free_port()), str(state / "log"), body,
         *interpreter, *SERVE, *folders],
        env={"LO": lo, "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert told.returncode == 0, (told.stderr[-1000:], (state / "log").read_text()[-1000:])
    found: dict[str, object] = json.loads(told.stdout)
    return found


def test_c35_without_asserts_it_serves(tmp_path: Path) -> None:
    found = scored(tmp_path, optimized=True)
    assert found["counts"] == {"scored": 1, "failed": 0, "retryable": 0}


def test_c35_without_asserts_a_flipped_byte_still_stops_the_start(tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(STORE / "swe-rm-nano", store / "swe-rm-nano")
    weights = next((store / "swe-rm-nano").rglob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    folders = ["--model-store", str(store), "--state-dir", str(tmp_path), "--port", "0"]
    told = subprocess.run(
        [sys.executable, "-O", *SERVE, *folders], capture_output=True, text=True, timeout=120
    )
    assert told.returncode not in (0, -9)
    assert weights.name in told.stderr
    assert "Traceback" not in told.stderr


def test_c35_without_a_network_it_serves_on_its_one_port(tmp_path: Path) -> None:
    for namespace in (["unshare", "-n"], ["unshare", "-r", "-n"]):
        if shutil.which("unshare") and not subprocess.run([*namespace, "true"]).returncode:
            break
    else:
        pytest.skip("this machine lets nobody make a network namespace")
    found = scored(tmp_path, *namespace, lo="up")
    assert found["counts"] == {"scored": 1, "failed": 0, "retryable": 0}
    listening = found["listening"]
    assert isinstance(listening, list)
    assert len(listening) == 1
