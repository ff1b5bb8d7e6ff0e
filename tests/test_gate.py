"""What a server says of keys, TLS and traces before it starts, and that it serves with them."""

from __future__ import annotations

import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from houses import item
from servers import Served, free_port

from app.api.access.keys import make_key
from app.cli.gate import open_gate
from app.config import read_settings
from app.errors import StartError


def refusal(**given: Any) -> str:
    with pytest.raises(StartError) as caught:
        open_gate(read_settings(given, {}), print)
    return caught.value.message


def test_without_keys_it_says_who_may_what() -> None:
    said: list[str] = []
    open_gate(read_settings({}, {}), said.append)
    open_gate(read_settings({"trust_prompts": True}, {}), said.append)
    assert "no keys" in said[0]
    assert "127.0.0.1" in said[0]
    assert [text.rpartition(" ")[2] for text in said] == ["refused", "literally"]


def test_with_keys_it_says_how_many(tmp_path: Path) -> None:
    said: list[str] = []
    make_key(tmp_path / "k", "a", ["score"])
    gate = open_gate(read_settings({"keys": tmp_path / "k", "host": "0.0.0.0"}, {}), said.append)
    assert said[0].startswith("keys: 1 in ")
    gate.close()


def test_a_bad_keys_file_says_the_way_out(tmp_path: Path) -> None:
    file = tmp_path / "keys.jsonl"
    assert "swe-rm keys new" in refusal(keys=file)
    file.write_text("\n")
    assert "swe-rm keys new" in refusal(keys=file)
    file.write_text('{"name": "a"}\n')
    assert "line 1" in refusal(keys=file)
    assert "cannot be read" in refusal(keys=tmp_path)


def test_a_certificate_that_is_not_there(tmp_path: Path) -> None:
    assert "nowhere.pem" in refusal(ssl_certfile=tmp_path / "nowhere.pem")


@pytest.mark.parametrize("endpoint", ["collector:4317", "ftp://h", "http://", "grpc://h:4317"])
def test_an_endpoint_that_is_none(endpoint: str) -> None:
    assert "otlp_endpoint" in refusal(otlp_endpoint=endpoint)


def test_traces_need_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "app.api.traces", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert "swe-rm-server[tracing]" in refusal(otlp_endpoint="http://127.0.0.1:4318")


def test_an_endpoint_is_taken_without_speaking_to_it() -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    gate = open_gate(read_settings({"otlp_endpoint": "http://127.0.0.1:9"}, {}), print)
    assert gate.traces
    gate.close()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-keyout", key,
         "-out", cert, "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


@pytest.fixture
def served(tmp_path: Path, certificate: tuple[Path, Path]) -> Iterator[tuple[Served, str]]:
    """A server with TLS and a key."""
    secret = make_key(tmp_path / "keys.jsonl", "a", ["score"])
    cert, key = map(str, certificate)
    one = Served(
        free_port(), tmp_path / "state", "--keys", str(tmp_path / "keys.jsonl"),
        "--ssl-certfile", cert, "--ssl-keyfile", key,
    )  # fmt: skip
    yield one, secret
    one.kill()


def test_tls_and_a_key(served: tuple[Served, str], certificate: tuple[Path, Path]) -> None:
    one, secret = served
    context = ssl.create_default_context(cafile=str(certificate[0]))
    url = one.url.replace("http://", "https://")
    transport = httpx.HTTPTransport(verify=context, retries=5)
    with httpx.Client(base_url=url, transport=transport, timeout=60) as client:
        for _ in range(600):
            try:
                client.get("/livez")
                break
            except httpx.ConnectError:
                assert one.process.poll() is None, one.end()
        body = {"trajectories": [item()]}
        assert client.post("/score", json=body).status_code == 401
        assert client.post("/score", json=body, auth=("", secret)).status_code == 200
    status, said = one.end(signal.SIGTERM)
    assert status == 0
    assert "keys: 1 in " in said
    assert secret not in said
