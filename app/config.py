"""Settings: read once, frozen. Every one is a flag of `swe-rm serve` and a SWE_RM_* variable.

An unknown SWE_RM_* variable is an error, and so is a contradiction; the message says the way out.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

_PREFIX = "SWE_RM_"
_MIB = 1024 * 1024


class Settings(BaseModel):
    """Sizes are in the unit that the name carries; the text says what raising it costs."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    model: str = Field("swe-rm-nano", description="A folder of the model store.")
    model_store: Path = Field(Path("model_store"), description="Where the models lie.")
    state_dir: Path = Field(
        Path(".state"),
        description="What this machine records: canary logits, processes of the engine.",
    )
    engine: Literal["vllm", "transformers", "fake"] = Field("vllm", description="Who judges.")
    dtype: Literal["auto", "bfloat16", "float32", "float16"] = Field(
        "auto",
        description="Type of the weights in memory; auto: the manifest's, and float32 on a CPU without "
        "instructions for it.",
    )
    max_tokens: int | None = Field(
        None,
        ge=2,
        description="Context, answer included; default: the manifest's. Costs KV memory.",
    )
    threads: int = Field(0, ge=0, description="CPU cores of the engine; 0: all.")
    kv_cache_gib: int = Field(2, ge=1, description="KV cache of the CPU engine, in GiB.")
    gpu_memory_ratio: float = Field(0.9, gt=0, lt=1, description="Share of GPU memory to take.")
    batch_tokens: int | None = Field(
        None,
        ge=64,
        description="Tokens of one engine step, which nobody interrupts; default: 8192, on a CPU 2048.",
    )
    running_items: int = Field(64, ge=1, description="Items inside one engine step.")
    compile: bool = Field(False, description="torch.compile: slower start, faster steps.")
    tensor_parallel: int = Field(1, ge=1, description="GPUs that share one model.")
    inside_tokens: int = Field(
        1_048_576, ge=1, description="Tokens handed to the engine at once. What waits stays ours."
    )
    window_tokens: int | None = Field(
        None,
        ge=1,
        description="Uncached tokens that keep the engine just busy; default: two steps, on a CPU one. "
        "More is never idle, less keeps the order of work ours.",
    )
    part_steps: float = Field(
        2.0,
        ge=0,
        description="A long item goes in by parts, each as long as so many steps of short prompts; "
        "less lets others in sooner; 0: whole.",
    )
    waiting_tokens: int = Field(
        134_217_728, ge=1, description="Tokens that may wait; 4 bytes each."
    )
    waiting_items: int = Field(16_384, ge=1, description="Items that may wait.")
    memo_bytes: int = Field(
        64 * _MIB, ge=0, description="Verdicts that are remembered, some 600 bytes each; 0: none."
    )
    memo_ttl_s: float = Field(
        21_600.0, ge=3600, description="How long a verdict is remembered, in seconds."
    )
    token_memo_bytes: int = Field(
        256 * _MIB, ge=0, description="Token ids of messages that are remembered; 0: none."
    )
    render_threads: int = Field(2, ge=1, description="Threads that adapt and tokenize.")
    max_items: int = Field(256, ge=1, description="Items of one request.")
    max_body_bytes: int = Field(64 * _MIB, ge=1024, description="Decoded bytes of a JSON body.")
    max_ndjson_body_bytes: int = Field(256 * _MIB, ge=1024, description="The same, NDJSON.")
    max_item_bytes: int = Field(16 * _MIB, ge=1024, description="Decoded bytes of one item.")
    bodies_bytes: int = Field(
        1024 * _MIB, ge=1024, description="Bytes of all bodies being read or rendered at once."
    )
    header_timeout_s: float = Field(
        10.0, gt=0, description="What the head of a request may take, from its first byte."
    )
    body_timeout_s: float = Field(
        30.0, gt=0, description="Longest silence while a body arrives, or an answer is taken."
    )
    keep_alive_s: int = Field(
        75,
        ge=1,
        description="Idle connections are kept so long; set it above the clients' own time.",
    )
    propagate_s: float = Field(
        0.0,
        ge=0,
        description="Served on after SIGTERM, not ready, while balancers take note of it.",
    )
    drain_s: float = Field(10.0, ge=0, description="What running requests get at shutdown.")
    probe_every_s: float = Field(2.0, gt=0, description="How often the engine is probed.")
    patience_s: float = Field(
        10.0,
        gt=0,
        description="Silence after which an engine is not ready; after three times that it is "
        "replaced. Slow steps and long prompts stretch it.",
    )
    canary_every_s: float = Field(30.0, gt=0, description="How often the canary is judged.")
    restarts: int = Field(
        3,
        ge=0,
        description="Engines replaced within restart_window_s; then the server exits with 70.",
    )
    restart_window_s: float = Field(600.0, gt=0, description="What the budget of restarts is for.")
    trust_prompts: bool = Field(
        False,
        description="Take items' `prompt` literally, control tokens included; for servers without "
        "keys.",
    )
    store_url: str | None = Field(
        None,
        repr=False,
        description="Where scores and outcomes are kept: sqlite:///file.db, postgresql://…, or none; "
        "default: outcomes.db in state_dir.",
    )
    record_scores: bool = Field(True, description="Keep scores (numbers and names, no text).")
    store_trajectories: bool = Field(
        False, description="Keep the text of scored trajectories too. Costs disk."
    )
    outcomes_per_minute: int = Field(
        20_000, ge=1, description="Outcomes of one key; what comes beyond goes to quarantine."
    )
    metric_names: str = Field(
        "", description="Policies and sources that may be metric labels, separated by commas."
    )
    receipt_keys: str | None = Field(
        None, repr=False, description="id:secret, …; the first signs receipts, all verify them."
    )
    receipt_keys_file: Path | None = Field(None, description="The same, in a file: a line each.")
    keys: Path | None = Field(
        None, description="File of API keys, made by `swe-rm keys new`; without it loopback only."
    )
    allow_anonymous: bool = Field(False, description="Listen beyond loopback without keys.")
    ssl_certfile: Path | None = Field(None, description="TLS certificate, PEM: serves https.")
    ssl_keyfile: Path | None = Field(
        None, description="Its private key, where the certificate's file does not hold it."
    )
    otlp_endpoint: str | None = Field(
        None,
        repr=False,
        description="Where traces are sent, http(s)://host:4318 (OTLP over HTTP); default: nowhere.",
    )
    log_format: Literal["json", "console"] | None = Field(
        None, description="Default: console on a terminal, else JSON lines."
    )
    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        "info", description="How much the server says on stderr."
    )

    @model_validator(mode="after")
    def _no_contradictions(self) -> Self:
        self._check_access()
        for body in ("max_body_bytes", "max_ndjson_body_bytes"):
            if self.max_item_bytes > getattr(self, body):
                message = f"max_item_bytes is above {body}: lower the first or raise the second"
                raise ValueError(message)
            if self.bodies_bytes < getattr(self, body):
                message = (
                    f"bodies_bytes is below {body}, so no such body could ever be read: "
                    "raise the first or lower the second"
                )
                raise ValueError(message)
        if self.receipt_keys and self.receipt_keys_file:
            message = "receipt_keys and receipt_keys_file are both given: keep one"
            raise ValueError(message)
        if self.store_trajectories and not self.record_scores:
            message = "store_trajectories needs record_scores: raise the second or drop the first"
            raise ValueError(message)
        if self.waiting_items < self.max_items:
            message = (
                "waiting_items is below max_items, so a full request could never be taken: "
                "raise the first or lower the second"
            )
            raise ValueError(message)
        return self

    def _check_access(self) -> None:
        if not _is_loopback(self.host) and not self.allow_anonymous and not self.keys:
            message = (
                f"host {self.host} is not loopback and there are no keys: anyone could score. "
                "Give keys (`swe-rm keys new`), listen on 127.0.0.1, or set allow_anonymous "
                "behind a gateway of your own"
            )
            raise ValueError(message)
        if self.keys and self.allow_anonymous:
            message = "allow_anonymous and keys: with keys nobody is anonymous; drop one of them"
            raise ValueError(message)
        if self.keys and self.trust_prompts:
            message = (
                "trust_prompts is for servers without keys: drop it, and give the key that may "
                "send prompts the scope trusted_prompt"
            )
            raise ValueError(message)
        if self.ssl_keyfile and not self.ssl_certfile:
            message = "ssl_keyfile needs ssl_certfile: give both, or neither"
            raise ValueError(message)


def read_settings(given: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Flags over environment over defaults. Raises `ValueError` with one sentence a problem."""
    known = {_PREFIX + name.upper(): name for name in Settings.model_fields}
    ours = {name: text for name, text in environment.items() if name.startswith(_PREFIX)}
    if unknown := sorted(ours.keys() - known):
        message = f"unknown setting {', '.join(unknown)}; `swe-rm serve --help` lists all"
        raise ValueError(message)
    try:
        return Settings(**{known[name]: text for name, text in ours.items()} | dict(given))
    except ValidationError as cause:
        lines = [
            f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg'].removeprefix('Value error, ')}"
            for e in cause.errors(include_url=False, include_input=False)
        ]
        raise ValueError("\n".join(lines)) from cause


def engine_threads(settings: Settings) -> int:
    """Cores for the engine: all that this process may use, unless fewer are set."""
    usable = len(os.sched_getaffinity(0))
    return min(usable, settings.threads or usable)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
