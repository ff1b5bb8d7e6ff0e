"""The server speaks only when it is spoken to, opens no file that it is told of and starts no program: an
audit hook sees every socket, file and process of its own.

The hook cannot be taken out again, so the server is a process of its own.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from houses import STORE, item

PROGRAM = """
import os, sys
told = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def hook(event, given):
    if event in ("socket.connect", "socket.sendto", "socket.bind", "socket.getaddrinfo",
                 "socket.gethostbyname", "socket.gethostbyaddr", "urllib.Request", "ftplib.connect",
                 "smtplib.connect", "http.client.connect", "subprocess.Popen", "os.system", "os.exec",
                 "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn"):
        where = given[1:] if event.startswith("socket.") and len(given) == 2 else given
        os.write(told, (event + " " + repr(where) + chr(10)).encode())
    elif event in ("open", "os.listdir", "os.scandir", "glob.glob") and "bait" in repr(given[0]):
        os.write(told, (event + " " + repr(given[0]) + chr(10)).encode())
sys.addaudithook(hook)
from app.cli import main
main()
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, process.communicate()
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the server did not become ready")


def test_the_hook_sees_a_connection_a_file_and_a_program(tmp_path: Path) -> None:
    """Else the other test could not fail."""
    told = tmp_path / "told"
    spoil = PROGRAM.replace(
        "from app.cli import main\nmain()",
        "import socket, subprocess\nsubprocess.run(['true'])\n"
        "try: open('bait.txt')\nexcept OSError: pass\n"
        "try: socket.create_connection(('127.0.0.1', 9), 1)\nexcept OSError: pass",
    )
    subprocess.run([sys.executable, "-c", spoil, str(told)], check=True, timeout=60)
    seen = {event.partition(" ")[0] for event in told.read_text().splitlines()}
    assert {"socket.connect", "subprocess.Popen", "open"} <= seen


def baited(bait: str) -> list[dict[str, Any]]:
    """Items that name a file wherever a text can stand."""
    call = {
        "id": bait,
        "type": "function",
        "function": {"name": bait, "arguments": json.dumps({bait: f"cat {bait}"})},
    }
    found = []
    for text in (bait, f"file://{bait}", f"{{% include '{bait}' %}}", f"$(cat {bait})"):
        steps = [
            {"role": "assistant", "content": f"<file>{text}</file>", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": bait, "content": text},
        ]
        found.append(item(issue=text, messages=steps, patch=f"--- {text}\n+++ {text}\n"))
    return found


def test_starting_scoring_and_metrics_call_nobody(tmp_path: Path) -> None:
    told, port = tmp_path / "told", free_port()
    bait = tmp_path / "bait.txt"
    bait.write_text("nobody reads me")
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(told), "serve", "--engine", "fake", "--port", str(port),
         "--model-store", str(STORE), "--state-dir", str(tmp_path / "state")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"http_proxy": "http://127.0.0.1:9"},
    )  # fmt: skip
    try:
        until_ready(url, process)
        body = {"trajectories": [item(), item(issue="see http://127.0.0.1:9/x.png")]}
        assert httpx.post(f"{url}/score", json=body).json()["counts"]["scored"] == 2
        found = httpx.post(f"{url}/score", json={"trajectories": baited(str(bait))}).json()
        assert found["counts"]["scored"] == 4, found
        image = {"type": "image_url", "image_url": {"url": "http://127.0.0.1:9/x.png"}}
        seen = item()
        seen["messages"][0]["content"] = [image]
        httpx.post(f"{url}/score", json={"trajectories": [seen]})
        for path in ("/metrics", "/info", "/docs", "/openapi.json", "/quality", "/nowhere"):
            httpx.get(url + path)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    events = told.read_text().splitlines()
    allowed = ("socket.bind", "socket.getaddrinfo ('127.0.0.1', ")
    assert [event for event in events if not event.startswith(allowed)] == []
    binds = [event for event in events if event.startswith("socket.bind")]
    assert binds == [f"socket.bind (('127.0.0.1', {port}),)"]
    lines = [json.loads(line) for line in log.decode().splitlines() if line.startswith("{")]
    assert any(line["event"] == "request" and line["route"] == "/score" for line in lines)
    assert b"no keys" in log
