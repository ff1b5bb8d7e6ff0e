"""Starts and stops what is measured: our server, vLLM's own server, offline vLLM."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from app.config import Settings
from app.engine import device

_START_S = 300.0
_STOP_S = 60.0
_QUIET = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}


def cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def tuned(kv_cache_gib: int) -> dict[str, str]:
    """What our server gives its engine."""
    return {
        "VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, cores())),
        "OMP_NUM_THREADS": str(len(cores())),
        "VLLM_CPU_KVCACHE_SPACE": str(kv_cache_gib),
    }


def engine_settings(dtype: str, context_tokens: int, settings: Settings) -> dict[str, Any]:
    """What our server gives its engine, as arguments of vLLM's engine."""
    return {
        "dtype": device.cpu_dtype(dtype),
        "max_model_len": context_tokens,
        "max_num_batched_tokens": settings.batch_tokens or device.CPU_STEP_TOKENS,
        "max_num_seqs": settings.running_items,
        "enforce_eager": not settings.compile,
        "hf_overrides": {"head_dtype": "float32"},
    }


def peer(
    folder: str, dtype: str, settings: Settings, side: str
) -> tuple[list[str], dict[str, str]]:
    """Command and environment of vLLM's own server: `default`, as it starts by itself (with KV space of
    ours, for it takes none without being told); `tuned`, with our threads, number type and engine
    settings, first come first served; `priority`, tuned, with its priority scheduling."""
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", folder,
               "--served-model-name", "peer"]  # fmt: skip
    if side == "default":
        return command, {"VLLM_CPU_KVCACHE_SPACE": str(settings.kv_cache_gib)}
    command += ["--dtype", device.cpu_dtype(dtype)]
    step_tokens = settings.batch_tokens or device.CPU_STEP_TOKENS
    command += ["--max-num-batched-tokens", str(step_tokens), "--block-size", "32",
                "--max-num-seqs", str(settings.running_items)]  # fmt: skip
    command += [] if settings.compile else ["--enforce-eager"]
    command += ["--scheduling-policy", "priority"] if side == "priority" else []
    return command, tuned(settings.kv_cache_gib)


@contextmanager
def server(command: list[str], ready: str, env: Mapping[str, str], log: Path) -> Iterator[str]:
    """Runs `command` with `--port`, waits for `ready`, yields the URL, ends its process group."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            stdout=out,
            stderr=out,
            env={**os.environ, **_QUIET, **env},
            start_new_session=True,
        )
    try:
        _wait(url + ready, process, log)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def offline(job: Mapping[str, object], env: Mapping[str, str]) -> dict[str, object]:
    """Runs bench.offline in a process of its own; its last line is its answer."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.offline"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        env={**os.environ, **_QUIET, **env},
        check=False,
    )
    if done.returncode:
        message = f"offline vLLM ended with {done.returncode}: {done.stderr[-2000:]}"
        raise RuntimeError(message)
    answer: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            message = f"a peer ended with {process.returncode}: {log.read_text()[-2000:]}"
            raise RuntimeError(message)
        try:
            if httpx.get(url, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    message = f"{url} was not ready in {_START_S:g} s"
    raise RuntimeError(message)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
