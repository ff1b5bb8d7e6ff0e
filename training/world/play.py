"""Drives the real mini-swe-agent loop and its local environment with a scripted agent."""

from __future__ import annotations

import json
import os
import sysconfig
from collections.abc import Generator
from functools import lru_cache
from pathlib import Path
from typing import Any

from minisweagent.agents import default
from minisweagent.config import get_config_from_spec
from minisweagent.environments.local import LocalEnvironment
from minisweagent.models.test_models import DeterministicToolcallModel
from minisweagent.models.utils import actions_toolcall

from training.world.policies.scene import Step
from training.world.prose import Speaker

SHOWN_ROOT = "/testbed"
_COMMAND_S = 60
_COMMAND_CPU_S = 3  # ends endless loops, the same on a busy machine
# Shown in outputs, so nothing here may depend on the machine.
SHELL = {
    "PAGER": "cat",
    "COLUMNS": "80",
    "LC_ALL": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.abbrev",
    "GIT_CONFIG_VALUE_0": "7",
    "GIT_AUTHOR_NAME": "Agent",
    "GIT_AUTHOR_EMAIL": "agent@example.org",
    "GIT_COMMITTER_NAME": "Agent",
    "GIT_COMMITTER_EMAIL": "agent@example.org",
    "GIT_AUTHOR_DATE": "2024-06-01T12:00:00+0000",
    "GIT_COMMITTER_DATE": "2024-06-01T12:00:00+0000",
    "EMAIL": "agent@example.org",
}
Actions = Generator[Step, list[str], None]


class Testbed(LocalEnvironment):  # type: ignore[misc]
    """The local environment, whose folder is called `/testbed` in everything that is shown."""

    __test__ = False

    def __init__(self, root: Path) -> None:
        super().__init__(cwd=SHOWN_ROOT, timeout=_COMMAND_S, env=SHELL)
        library = sysconfig.get_path("stdlib")
        self._real = str(root)
        tools = os.environ["PATH"].partition(":")[0]
        self._shown = (
            (str(root), SHOWN_ROOT),
            (library, "/usr/local/lib/python3"),
            (tools, "/usr/local/bin"),
        )

    def execute(
        self, action: dict[str, Any], cwd: str = "", *, timeout: int | None = None
    ) -> dict[str, Any]:
        command = action.get("command", "").replace(SHOWN_ROOT, self._real)
        command = f"ulimit -t {_COMMAND_CPU_S}; {command}"
        output: dict[str, Any] = super().execute(
            action | {"command": command}, self._real, timeout=timeout
        )
        for real, shown in self._shown:
            output["output"] = output["output"].replace(real, shown)
        return output


class Script(DeterministicToolcallModel):  # type: ignore[misc]
    """A model whose answers are a policy's steps; the policy is sent what its commands printed."""

    def __init__(self, actions: Actions, speaker: Speaker, observation_template: str) -> None:
        super().__init__(outputs=[], cost_per_call=0.0, observation_template=observation_template)
        self.config.model_name = "scripted"
        self._actions, self._speaker, self._number = actions, speaker, 0
        self.slots: list[str] = []
        self._started = False

    def query(self, messages: list[dict[str, Any]], **kwargs: Any) -> dict[str, Any]:
        if self._started:
            step = self._actions.send(_printed(messages))
        else:
            self._started = True
            step = next(self._actions)
        self.slots.append(step.slot)
        return self._message(self._speaker.say(len(self.slots) - 1, step.slot), step)

    def _message(self, text: str, step: Step) -> dict[str, Any]:
        calls, actions = [], []
        for command in step.commands:
            self._number += 1
            name = f"call_{self._number:04d}"
            function = {"name": "bash", "arguments": json.dumps({"command": command})}
            calls.append({"id": name, "type": "function", "function": function})
            actions.append({"command": command, "tool_call_id": name})
        extra = {"actions": actions, "cost": 0.0}
        return {"role": "assistant", "content": text, "tool_calls": calls, "extra": extra}


def _printed(messages: list[dict[str, Any]]) -> list[str]:
    """Outputs of the last step's commands."""
    found: list[str] = []
    for message in reversed(messages):
        if message.get("role") != "tool":
            break
        found.append(str(message["extra"]["raw_output"]))
    return found[::-1]


@lru_cache(maxsize=1)
def _config() -> dict[str, Any]:
    return dict(get_config_from_spec("swebench.yaml"))


@lru_cache(maxsize=1)
def _compile_templates_once() -> None:
    """The tool compiles its templates anew for every message, a quarter of all work here."""
    for module in (default, actions_toolcall):
        module.Template = lru_cache(maxsize=16)(module.Template)


def play(
    root: Path, issue: str, actions: Actions, speaker: Speaker, step_limit: int
) -> tuple[dict[str, Any], list[str]]:
    """(the document that the agent saves, the prose slot of every assistant message)."""
    _compile_templates_once()
    config = _config()
    model = Script(actions, speaker, config["model"]["observation_template"])
    agent = default.DefaultAgent(
        model, Testbed(root), **config["agent"] | {"step_limit": step_limit}
    )
    agent.run(issue)
    actions.close()
    return _without_clock(agent.serialize()), model.slots


def _without_clock(value: Any) -> Any:
    """The document without the times of its making: the same seed gives the same file."""
    if isinstance(value, dict):
        return {key: _without_clock(item) for key, item in value.items() if key != "timestamp"}
    return [_without_clock(item) for item in value] if isinstance(value, list) else value
