"""Settings of the integrations: arguments first, then the environment, read at every call.

| argument | variable | |
|---|---|---|
| `base_url` | `SWE_REWARD_URL` | default `http://127.0.0.1:8000` |
| `api_key` | `SWE_REWARD_API_KEY` | default: none |
| `timeout_s` | `SWE_REWARD_TIMEOUT_S` | seconds for one call in all, retries included |
| `unscored_reward` | `SWE_REWARD_UNSCORED_REWARD` | no default; see `Client.score_values` |
| `score_options` | `SWE_REWARD_SCORE_OPTIONS` | JSON; `model`, `reward`, `value`, … of `score_values` |

The variables do not begin with SWE_RM_, for a server on the same machine refuses what it does not know
there. So do we: a SWE_REWARD_ variable that is none of these is a `UsageError`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from ..errors import UsageError
from ..wire import check_seconds, server_share_s
from .documents import plain

PREFIX = "SWE_REWARD_"
NAMES = ("URL", "API_KEY", "TIMEOUT_S", "UNSCORED_REWARD", "SCORE_OPTIONS", "AREAL_TIMEOUT_S")
DEFAULT_TIMEOUT_S = 900.0


class Given(TypedDict, total=False):
    """The arguments that every integration takes; None is not given."""

    base_url: str | None
    api_key: str | None
    timeout_s: float | None
    unscored_reward: float | None
    score_options: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Settings:
    """`timeout_s` is for one call in all, in seconds; the server gets all but the journey home."""

    base_url: str
    api_key: str | None = field(repr=False)
    timeout_s: float
    unscored_reward: float | None
    score_options: Mapping[str, Any]

    def for_values(self) -> dict[str, Any]:
        """Arguments of `score_values`, `on_error` left open."""
        options = dict(self.score_options)
        value = "reward" if options.get("reward") is not None else "probability"
        return {
            "value": value,
            "timeout_s": server_share_s(self.timeout_s),
            "wait_s": self.timeout_s,
            "unscored_reward": self.unscored_reward,
            **options,
        }


def read_settings(
    given: Given,
    *,
    default_timeout_s: float = DEFAULT_TIMEOUT_S,
    timeout_name: str = "TIMEOUT_S",
) -> Settings:
    """Raises `UsageError` for a value that cannot be, and for an unknown variable."""
    known = {PREFIX + name for name in NAMES}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        message = f"unknown variable {unknown[0]}; there are {', '.join(sorted(known))}"
        raise UsageError(message)
    timeout_s, unscored = given.get("timeout_s"), given.get("unscored_reward")
    if timeout_s is None:
        timeout_s = _number(timeout_name)
    if unscored is None:
        unscored = _number("UNSCORED_REWARD")
    options = given.get("score_options")
    return Settings(
        base_url=given.get("base_url") or _variable("URL") or "http://127.0.0.1:8000",
        api_key=given.get("api_key") or _variable("API_KEY"),
        timeout_s=default_timeout_s if timeout_s is None else check_seconds(timeout_s, "timeout_s"),
        unscored_reward=unscored,
        score_options=_options() if options is None else plain(options),
    )


def _variable(name: str) -> str | None:
    return os.environ.get(PREFIX + name) or None


def _number(name: str) -> float | None:
    text = _variable(name)
    if text is None:
        return None
    try:
        return float(text)
    except ValueError as error:
        message = f"{PREFIX}{name} is not a number"
        raise UsageError(message) from error


def _options() -> Mapping[str, Any]:
    try:
        options = json.loads(_variable("SCORE_OPTIONS") or "{}")
    except ValueError as error:
        message = f"{PREFIX}SCORE_OPTIONS is not JSON: {error}"
        raise UsageError(message) from error
    if not isinstance(options, dict):
        message = f"{PREFIX}SCORE_OPTIONS is not a JSON object"
        raise UsageError(message)
    return options
