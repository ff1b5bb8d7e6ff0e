"""Who may come in, and where traces go: set up before anything that takes long, so that a mistake is told
at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.api.access import Access, Keyring, NoKeys
from app.config import Settings
from app.errors import StartError

if TYPE_CHECKING:
    from app.api.traces import Traces

_TRACES_PATH = "/v1/traces"


@dataclass(frozen=True, slots=True)
class Gate:
    access: Access
    traces: Traces | None = None

    def close(self) -> None:
        """Sends the traces that are left; may block for some seconds."""
        if self.traces:
            self.traces.close()


def open_gate(settings: Settings, say: Callable[[str], None]) -> Gate:
    """Of a server. Raises `StartError`."""
    for file in (settings.ssl_certfile, settings.ssl_keyfile):
        if file and not file.is_file():
            message = f"there is no file {file}: name the PEM file, or drop the option"
            raise StartError(message)
    traces = _traces(settings.otlp_endpoint) if settings.otlp_endpoint else None
    if settings.keys:
        ring = _keyring(settings.keys)
        say(f"keys: {len(ring.keys)} in {settings.keys}; whoever has none gets 401")
        return Gate(ring, traces)
    prompts = "taken literally" if settings.trust_prompts else "refused"
    say(
        f"no keys: whoever reaches {settings.host} may score, report and administer; "
        f"pre-rendered prompts are {prompts}"
    )
    return Gate(NoKeys(trust_prompts=settings.trust_prompts), traces)


def open_gate_for_one(settings: Settings) -> Gate:
    """Of a house that one command has for itself, without a socket."""
    return Gate(NoKeys(trust_prompts=settings.trust_prompts))


def _keyring(file: Path) -> Keyring:
    try:
        ring = Keyring(file)
    except OSError as cause:
        message = (
            f"keys {file} cannot be read ({cause.strerror}): make the file with "
            f"`swe-rm keys new NAME --scope score --keys {file}`"
        )
        raise StartError(message) from cause
    except ValueError as cause:
        message = f"keys: {cause}: mend the line, or make the key anew"
        raise StartError(message) from cause
    if not ring.keys:
        message = f"{file} holds no key: make one with `swe-rm keys new`"
        raise StartError(message)
    return ring


def _traces(endpoint: str) -> Traces:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = "otlp_endpoint must be http://host:port or https://host:port"
        raise StartError(message)
    try:
        from app.api.traces import sent_to
    except ImportError as cause:
        message = (
            "otlp_endpoint needs the extra tracing: pip install 'swe-rm-server[tracing]', "
            "or drop the option"
        )
        raise StartError(message) from cause
    url = endpoint if parts.path.strip("/") else endpoint.rstrip("/") + _TRACES_PATH
    return sent_to(url, metadata.version("swe-rm-server"))
