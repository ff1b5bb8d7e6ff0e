"""The integrations that are given objects or become classes: rLLM, verifiers, NeMo-Gym, Moatless.

The frameworks' types are stood in for as their sources have them.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import sys
import types
from dataclasses import dataclass, field
from typing import Any

import client_server
import pydantic
import pytest
import swe_rm_client as rm
from client_server import Server, refusal
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from swe_rm_client.integrations import moatless, nemo_gym, rllm, verifiers

clockwork = client_server.clockwork
BAD = json.dumps({"p": 0.5, "fail": "no_issue", "retryable": False})


def says(p: float) -> str:
    return json.dumps({"p": p})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, clockwork: Any) -> Server:
    return client_server.on_the_network(monkeypatch, Server())


def install(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> None:
    module = types.ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)


# rLLM: evaluate(task, episode) -> EvalOutput


@dataclass
class Signal:
    name: str
    value: float
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass
class EvalOutput:
    reward: float
    is_correct: bool
    signals: list[Signal] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)


def episode(*steps: Any) -> Any:
    steps_ = [types.SimpleNamespace(**step) for step in steps]
    return types.SimpleNamespace(trajectories=[types.SimpleNamespace(steps=steps_)])


def test_rllm(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "rllm")
    install(monkeypatch, "rllm.eval")
    install(monkeypatch, "rllm.eval.types", EvalOutput=EvalOutput, Signal=Signal)
    evaluator = rllm.Evaluator()  # as load_evaluator makes it
    task = types.SimpleNamespace(
        instruction="the issue", metadata={"patch": "GOLD", "instance_id": 7}
    )
    out = evaluator.evaluate(task, episode({"input": "fix", "output": says(0.8)}))
    assert (out.reward, out.is_correct) == (0.8, True)
    assert [(s.name, s.value) for s in out.signals] == [("swe_rm", 0.8)]
    (sent,) = server.bodies[0]["trajectories"]
    assert (sent["issue"], sent["instance_id"], "patch" in sent) == ("the issue", "7", False)
    assert not evaluator.evaluate(
        {"issue": "i"}, episode({"input": "q", "output": says(0.2)})
    ).is_correct
    with pytest.raises(rm.ItemFailed):
        evaluator.evaluate(task, episode({"input": "fix", "output": BAD}))
    stood_in = rllm.Evaluator(unscored_reward=-1.0)
    out = stood_in.evaluate(task, episode({"input": "fix", "output": BAD}))
    assert out == EvalOutput(-1.0, False, [], {"swe_rm_unscored": "no_issue"})


def test_rllm_episodes_of_every_kind() -> None:
    chat = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    more = {"role": "assistant", "content": "b"}
    kinds = [
        episode({"chat_completions": chat, "input": None, "output": None}),
        episode({"input": chat[:1], "output": "a"}),
        episode({"input": "q", "output": chat[1]}),
    ]
    assert [rllm.messages_of(kind) for kind in kinds] == [chat] * 3
    two = episode({"input": "q", "output": "a"}, {"input": None, "output": "b"})
    assert rllm.messages_of(two) == [*chat, more]
    assert rllm.messages_of(types.SimpleNamespace(trajectories=[])) == []


# verifiers v1: invoked with what its parameters name, wrapped under the plugged name


class Message(pydantic.BaseModel):
    role: str
    content: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None


async def verifiers_invoke(fn: Any, available: dict[str, Any]) -> Any:
    @functools.wraps(fn)
    def plugged(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    params = inspect.signature(plugged).parameters
    (found,) = await asyncio.gather(plugged(**{n: v for n, v in available.items() if n in params}))
    return found


async def test_verifiers(server: Server) -> None:
    call = {"id": "c", "name": "bash", "arguments": "{}"}
    messages = [
        Message(role="user", content="fix"),
        Message(role="assistant", content=says(0.6), tool_calls=[call]),
        Message(role="tool", content="done", tool_call_id="c"),
    ]
    task = types.SimpleNamespace(prompt_text="the issue", instance_id="a__b-1", patch="GOLD")
    trace = types.SimpleNamespace(messages=messages, info={"model_patch": "diff"})
    available = {"task": task, "trace": trace, "runtime": object()}
    assert await verifiers_invoke(verifiers.score, available) == 0.6
    (sent,) = server.bodies[0]["trajectories"]
    assert (sent["issue"], sent["patch"], sent["instance_id"]) == ("the issue", "diff", "a__b-1")
    function = {"name": "bash", "arguments": "{}"}
    assert sent["messages"][1]["tool_calls"] == [
        {"id": "c", "type": "function", "function": function}
    ]
    messages[1].content = BAD
    with pytest.raises(rm.ItemFailed):
        await verifiers_invoke(verifiers.score, available)


# NeMo-Gym: SimpleResourcesServer.verify behind judge_failsafe, as its base server mounts it


class JudgeError(Exception):
    """As in nemo_gym.judge."""


async def run_judge(call: Any) -> Any:
    try:
        return await call
    except Exception as error:
        raise JudgeError(str(error)) from error


def judge_failsafe(verify: Any) -> Any:
    @functools.wraps(verify)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return await verify(*args, **kwargs)
        except JudgeError as error:
            failed = {"reward": 0.0, "_ng_failure_class": "judge_failed"}
            told = {"_ng_failure_judge_error": str(error)}
            return JSONResponse(kwargs["body"].model_dump() | failed | told)

    return wrapper


class BaseVerifyRequest(pydantic.BaseModel):
    responses_create_params: dict[str, Any]
    response: dict[str, Any]


class BaseVerifyResponse(BaseVerifyRequest):
    reward: float


class SimpleResourcesServer(pydantic.BaseModel):
    def app(self) -> FastAPI:
        app = FastAPI()
        verify: Any = self.verify  # type: ignore[attr-defined]
        app.post("/verify")(judge_failsafe(verify))
        return app


def test_nemo_gym(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "nemo_gym")
    install(
        monkeypatch, "nemo_gym.base_resources_server", SimpleResourcesServer=SimpleResourcesServer,
        BaseVerifyRequest=BaseVerifyRequest, BaseVerifyResponse=BaseVerifyResponse,
    )  # fmt: skip
    install(monkeypatch, "nemo_gym.judge", run_judge=run_judge)
    http = TestClient(nemo_gym.server_class(base_url="http://rewards")().app())
    row = {
        "responses_create_params": {"input": "q"},
        "response": {"output": []},
        "instance_id": "i",
    }
    answer = http.post("/verify", json=row).json()
    assert answer.items() >= (row | {"reward": 0.7}).items()
    assert server.bodies[0] == row  # what the row has beyond the base request gets through
    assert http.post("/verify", json={"response": {}}).status_code == 422
    server.refusals = [refusal(400)]
    failed = http.post("/verify", json=row).json()
    assert failed["_ng_failure_class"] == "judge_failed"
    assert "400" in failed["_ng_failure_judge_error"]


def test_outside_a_framework_its_classes_say_so() -> None:
    with pytest.raises(ImportError):
        nemo_gym.server_class()
    with pytest.raises(ImportError):
        rllm.Evaluator().evaluate({}, episode())


# Moatless: await value_function.get_reward(node=node) -> Reward | None
# 0.0.12: value_function.get_reward(node=node) -> (Reward | None, Completion | None)


class Reward(pydantic.BaseModel):
    explanation: str | None = None
    value: int = pydantic.Field(ge=-100, le=100)


class BaseValueFunction(pydantic.BaseModel):
    async def get_reward(self, node: Any) -> Any:
        raise NotImplementedError


class Action(pydantic.BaseModel):
    name: str = "RunTests"
    path: str = "x.py"


def node(parent: Any, thoughts: str, message: str | None = None) -> Any:
    step = types.SimpleNamespace(action=Action(), observation=types.SimpleNamespace(message="ok"))
    made = types.SimpleNamespace(
        user_message=message, assistant_message=None, thoughts=types.SimpleNamespace(text=thoughts),
        action_steps=[] if message else [step],
        file_context=types.SimpleNamespace(generate_git_patch=lambda: "diff"),
    )  # fmt: skip
    made.get_trajectory = lambda: [*(parent.get_trajectory() if parent else []), made]
    return made


async def test_moatless(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "moatless")
    install(monkeypatch, "moatless.node", Reward=Reward)

    class SweRmValueFunction(moatless.SweRmValue, BaseValueFunction):
        """Judged by swe-rm."""

    function = SweRmValueFunction()
    root = node(None, "", "the task")
    for p, value in ((0.0, -100), (0.83, 66), (1.0, 100)):
        reward = await function.get_reward(node=node(root, says(p)))
        assert reward.value == value
        assert f"{p:.2f}" in reward.explanation
    (sent,) = server.bodies[0]["trajectories"]
    assert [m["role"] for m in sent["messages"]] == ["user", "assistant", "tool"]
    assert sent["messages"][1]["tool_calls"][0]["function"]["name"] == "RunTests"
    assert sent["patch"] == "diff"
    assert await function.get_reward(node=node(root, BAD)) is None
    server.refusals = [refusal(401)]
    with pytest.raises(rm.Unauthorized):
        await function.get_reward(node=node(root, says(0.5)))


def test_moatless_as_released(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "moatless")
    install(monkeypatch, "moatless.node", Reward=Reward)

    class Released(pydantic.BaseModel):
        def get_reward(self, node: Any) -> Any:
            raise NotImplementedError

    class SweRmValueFunction(moatless.SweRmReleasedValue, Released):
        """Judged by swe-rm."""

    function, root = SweRmValueFunction(), node(None, "", "the task")
    said = node(root, "")
    del said.thoughts, root.thoughts
    said.assistant_message = says(0.83)
    reward, completion = function.get_reward(node=said)
    assert (reward.value, completion) == (66, None)
    assert function.get_reward(node=node(root, BAD)) == (None, None)
    server.refusals = [refusal(401)]
    with pytest.raises(rm.Unauthorized):
        function.get_reward(node=node(root, says(0.5)))
