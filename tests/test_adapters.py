"""The room of adapters: one story in every format, hostile documents, and no outcome gets in."""

from __future__ import annotations

import copy
import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters import FORMATS, adapt, adapt_messages, rows
from app.errors import Empty, Invalid, ItemError, NoIssue, UnknownFormat, Unreadable
from app.types import Adapted, Observation, ToolCall, Trajectory, Turn

ISSUE = "Sum is wrong\nIt returns 3 for 1+1."
PATCH = "diff --git a/sum.py b/sum.py\n-3\n+2\n"
STEPS = (("Let me look.", "cat sum.py", "return 3"), ("Fix it.", "sed -i s/3/2/ sum.py", ""))
STORY = Trajectory(
    issue=ISSUE,
    turns=tuple(
        Turn(text, (ToolCall("bash", (("command", command),)),), (Observation(seen),))
        for text, command, seen in STEPS
    ),
    patch=PATCH,
)
PROMPT = (
    "<pr_description>\nConsider the following PR description:\n"
    f"{ISSUE}\n</pr_description>\n\nHelpful instructions."
)
SYSTEM = {"role": "system", "content": "You are a helpful assistant."}
INFO = {"exit_status": "Submitted", "submission": PATCH}


def function(command: str, call_id: str = "c") -> dict[str, Any]:
    arguments = json.dumps({"command": command})
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": "bash", "arguments": arguments},
    }


def chat(issue: str = ISSUE) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [SYSTEM, {"role": "user", "content": issue}]
    for text, command, seen in STEPS:
        messages.append({"role": "assistant", "content": text, "tool_calls": [function(command)]})
        messages.append({"role": "tool", "tool_call_id": "c", "content": seen})
    return messages


def fenced(fence: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [SYSTEM, {"role": "user", "content": PROMPT}]
    for text, command, seen in STEPS:
        content = f"{text}\n\n```{fence}\n{command}\n```"
        messages.append({"role": "assistant", "content": content})
        messages.append({"role": "user", "content": seen})
    return messages


def mini(version: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
    tag = {"v1": "mini-swe-agent-1", "v2": "mini-swe-agent-1.1"}[version]
    return {
        "trajectory_format": tag,
        "info": dict(INFO),
        "messages": messages,
        "instance_id": "sum-1",
    }


def mini_responses() -> dict[str, Any]:
    messages: list[dict[str, Any]] = [SYSTEM, {"role": "user", "content": PROMPT}]
    for text, command, seen in STEPS:
        output = [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "private"}]},
            {"type": "message", "content": [{"type": "output_text", "text": text}]},
            {"type": "function_call", "call_id": "c", **function(command)["function"]},
        ]
        messages.append({"object": "response", "output": output})
        messages.append({"type": "function_call_output", "call_id": "c", "output": seen})
    return mini("v2", messages)


def swe_agent_0() -> dict[str, Any]:
    prompt = (
        f"We're solving an issue. Here's the issue text:\nISSUE:\n{ISSUE}\n\nINSTRUCTIONS:\nGo."
    )
    history: list[dict[str, Any]] = [
        SYSTEM,
        {"role": "user", "content": "another issue", "is_demo": True},
        {"role": "assistant", "content": "ls", "action": "ls", "is_demo": True},
        {"role": "user", "content": "Here is a demonstration of how to do it"},
        {"role": "user", "content": prompt},
    ]
    for text, command, seen in STEPS:
        content = f"{text}\n```\n{command}\n```"
        history.append(
            {"role": "assistant", "content": content, "thought": text, "action": f"{command}\n"}
        )
        history.append({"role": "user", "content": seen})
    return {"environment": "swe_main", "trajectory": [], "history": history, "info": dict(INFO)}


def swe_agent_1() -> dict[str, Any]:
    history = [{**m, "message_type": "observation", "agent": "main"} for m in chat(PROMPT)]
    statement = {"text": ISSUE, "type": "text", "id": "sum-1"}
    return {
        "trajectory": [{"messages": chat(PROMPT), "query": chat(PROMPT)}],
        "history": history,
        "info": dict(INFO),
        "replay_config": json.dumps({"problem_statement": statement}),
    }


def said(source: str, content: str) -> dict[str, Any]:
    return {"id": 0, "source": source, "action": "message", "args": {"content": content}}


def events() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"id": 0, "source": "agent", "action": "system", "args": {"content": "You are OpenHands"}},
        said("user", PROMPT),
        {"id": 2, "source": "user", "action": "recall", "args": {"query": PROMPT}},
        {"id": 3, "source": "agent", "observation": "recall", "content": "Added context"},
    ]
    for n, (text, command, seen) in enumerate(STEPS):
        message = {"role": "assistant", "content": text, "tool_calls": [function(command, f"c{n}")]}
        about = {
            "tool_call_id": f"c{n}",
            "model_response": {"id": f"r{n}", "choices": [{"message": message}]},
        }
        args = {"command": command, "thought": text}
        found.append(
            {"source": "agent", "action": "run", "args": args, "tool_call_metadata": about}
        )
        extras = {"command": command, "metadata": {"exit_code": 0}}
        found.append(
            {
                "source": "agent",
                "observation": "run",
                "content": seen,
                "extras": extras,
                "tool_call_metadata": about,
            }
        )
    found.append({"source": "environment", "observation": "agent_state_changed", "content": ""})
    return found


def openhands_row() -> dict[str, Any]:
    return {
        "instance_id": "sum-1",
        "instruction": PROMPT,
        "instance": {"problem_statement": ISSUE, "repo": "a/b"},
        "history": events(),
        "test_result": {"git_patch": PATCH},
        "metadata": {},
    }


def pairs_row() -> dict[str, Any]:
    flat = events()
    acts = [{}, *(e for e in flat if "action" in e)]
    seen = [e for e in flat if "observation" in e]
    # [action, observation] pairs, the first action empty, as old rows have them.
    history = [[acts[0], seen[0]], [acts[2], None], [acts[4], seen[1]], [acts[5], seen[2]]]
    return {**openhands_row(), "history": history}


def chat_row() -> dict[str, Any]:
    return {
        "messages": json.dumps(chat()),
        "instance_id": "sum-1",
        "tools": [],
        "test_result": {"git_patch": PATCH},
    }


def documents() -> dict[str, tuple[str, Any]]:
    """Every telling of the one story: name to (format, document)."""
    v1 = [*fenced("bash"), {"role": "user", "content": PATCH}]
    v2 = [*chat(PROMPT), {"role": "exit", "content": PATCH, "extra": {"submission": PATCH}}]
    attempt = swe_agent_0()
    return {
        "mini v1": ("mini-swe-agent-v1", mini("v1", v1)),
        "mini v2 tool calls": ("mini-swe-agent-v2", mini("v2", v2)),
        "mini v2 text": ("mini-swe-agent-v2", mini("v2", fenced("mswea_bash_command"))),
        "mini v2 responses": ("mini-swe-agent-v2", mini_responses()),
        "swe-agent 0.x": ("swe-agent-0.x", attempt),
        "swe-agent retry, cut off": ("swe-agent-0.x", {"attempts": [{"history": []}, attempt]}),
        "swe-agent 1.x": ("swe-agent-1.x", swe_agent_1()),
        "openhands row": ("openhands-v0", openhands_row()),
        "openhands pairs": ("openhands-v0", pairs_row()),
        "chat row": ("openai-chat", chat_row()),
    }


@pytest.mark.parametrize("name", documents())
def test_every_format_tells_the_same_story(name: str) -> None:
    format, document = documents()[name]
    for told in (document, json.dumps(document), "\ufeff" + json.dumps(document, indent=1)):
        adapted = adapt(told)
        assert adapted.format == format
        assert adapted.trajectory == STORY
        assert adapted.trajectory.digest == STORY.digest
    assert adapt(document, format=format).trajectory == STORY
    assert adapt(document).instance_id in ("sum-1", None)


def test_messages_tell_it_too() -> None:
    assert adapt_messages(chat(), patch=PATCH).trajectory == STORY
    assert adapt(chat(), patch=PATCH).format == "openai-chat"
    assert adapt(events(), patch=PATCH).trajectory == STORY
    assert adapt_messages(chat()).trajectory.patch is None


LEAKS = [
    "resolved", "target", "reward", "report", "test_output", "eval_logs", "gen_tests_correct",
    "critic_result", "ds", "pred_passes_gen_tests", "f2p", "p2p", "f2p_passed",
    "evaluation_result", "success", "result_explanation", "test_patch", "FAIL_TO_PASS",
    "PASS_TO_PASS", "hints_text", "gold_patch", "review", "patch_repair", "outcome",
]  # fmt: skip


@pytest.mark.parametrize("name", documents())
def test_outcomes_never_enter(name: str) -> None:
    _, document = documents()[name]
    leaky = copy.deepcopy(document)
    secrets = {key: "MARK-7f3a " + key for key in LEAKS}
    row = leaky["attempts"][-1] if "attempts" in leaky else leaky
    for place in ("info", "instance", "test_result"):
        row[place] = {**row.get(place, {}), **secrets}
    row["instance"] = {**row["instance"], "patch": "MARK-7f3a gold"}
    for message in row["messages"] if isinstance(row.get("messages"), list) else []:
        message["extra"] = {**secrets, "response": secrets}
    for item in row.get("history", []):
        for event in item if isinstance(item, list) else [item]:
            if event:
                event.update({"extra": secrets, "critic_result": "MARK-7f3a", **secrets})
    row.update(secrets)
    adapted = adapt(leaky)
    assert adapted.trajectory == STORY
    assert "MARK-7f3a" not in repr(adapted)


def test_private_reasoning_stays_private() -> None:
    messages = chat()
    messages[2] |= {"reasoning_content": "MARK", "thinking_blocks": [{"thinking": "MARK"}]}
    messages[2]["content"] = [{"type": "thinking", "thinking": "MARK"}, "Let me look."]
    assert adapt_messages(messages, patch=PATCH).trajectory == STORY


def test_message_indices_point_into_the_documents_own_list() -> None:
    turns = adapt(mini("v2", chat(PROMPT))).trajectory.turns
    assert [t.message_index for t in turns] == [2, 4]
    assert [o.message_index for t in turns for o in t.observations] == [3, 5]
    assert [t.message_index for t in adapt(events()).trajectory.turns] == [4, 6]


# --- issue, briefing, patch


def user(*texts: str) -> list[dict[str, Any]]:
    return [*({"role": "user", "content": t} for t in texts), {"role": "assistant", "content": "k"}]


def test_the_issue_is_the_callers_then_the_documents_then_the_first_user_message() -> None:
    row = {"messages": user("prompt"), "problem_statement": "stated"}
    assert adapt(row, issue="given").trajectory.issue == "given"
    assert adapt(row).trajectory.issue == "stated"
    assert adapt(row, issue=" \n").trajectory.issue == "stated"
    assert adapt(user(" ", "prompt")).trajectory.issue == "prompt"


def test_the_issue_is_rendered_once() -> None:
    wrapped = user("Please fix:\n  the   sum\n\nThanks", "and be quick")
    told = adapt_messages(wrapped, issue="the sum").trajectory
    assert (told.issue, told.briefing) == ("the sum", ("and be quick",))
    other = adapt_messages(user("first", "second"), issue="third").trajectory
    assert other.briefing == ("first", "second")
    # The tool's own prompt around another issue is not what the caller asked for.
    assert adapt(mini("v1", fenced("bash")), issue="x").trajectory.briefing == ()
    reworded = {"problem_statement": {"text": "Sums are off"}}
    told = adapt({**swe_agent_1(), "replay_config": reworded}).trajectory
    assert (told.issue, told.briefing) == ("Sums are off", ())


def test_what_the_opening_holds_besides_the_issue_is_briefing() -> None:
    messages = [
        {"role": "developer", "content": "MARK"},
        {"role": "user", "content": "issue"},
        {"role": "tool", "content": "a file listing"},
        {"role": "user", "content": "hint"},
        {"role": "assistant", "content": "k"},
        {"role": "user", "content": "go on"},
        {"role": "tool", "content": "out"},
    ]
    told = adapt_messages(messages).trajectory
    assert told.briefing == ("a file listing", "hint")
    assert [o.text for o in told.turns[0].observations] == ["go on", "out"]


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ([{"role": "assistant", "content": "k"}], NoIssue),
        ([{"role": "assistant", "content": "k"}, {"role": "user", "content": "u"}], NoIssue),
        ([], Empty),
        ("", Empty),
        (" \n ", Empty),
        ([{"role": "user", "content": "u"}], Empty),
        ({"messages": []}, Empty),
        ({"history": [{"role": "user", "content": "solved", "is_demo": True}]}, Empty),
        ({"a": 1}, UnknownFormat),
        (None, UnknownFormat),
        (7, UnknownFormat),
        ([1, 2], UnknownFormat),
        ([[[]]], UnknownFormat),
        ({"messages": [1]}, UnknownFormat),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]}, Empty),
        ([{"role": "assistant", "content": "x"}, {"type": "function_call"}], NoIssue),
        ([{"role": "user", "content": "x"}, {"type": "shrug"}], UnknownFormat),
        ([{"kind": "MessageEvent", "source": "agent"}], Invalid),
        ([{"kind": "PauseEvent", "source": "agent"}], Empty),
        ({"messages": "[{]"}, Unreadable),
        ("{broken", Unreadable),
        ("[PATCH] broken", Unreadable),
        ('{"a": NaN}', Unreadable),
        ('{"a": -Infinity}', Unreadable),
        ('{"a": 1e999}', Unreadable),
        ("[" * 200_000, Unreadable),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, Unreadable),
        ("[" + "9" * 5_000 + "]", Unreadable),
        ('{"a": 1}\n{"a": ', Unreadable),
    ],
)
def test_what_cannot_be_read_has_a_name(document: object, error: type[ItemError]) -> None:
    with pytest.raises(error) as caught:
        adapt(document)
    assert len(caught.value.message) <= 200


def test_a_patch_without_turns_is_enough() -> None:
    told = adapt([], issue="i", patch="\n\ndiff\r\n+a\r\n").trajectory
    assert (told.turns, told.patch) == ((), "diff\n+a\n")
    assert adapt("", issue="i", patch="diff").trajectory.turns == ()
    with pytest.raises(NoIssue):
        adapt([], patch="diff")
    with pytest.raises(Empty):
        adapt([], issue="i", patch="")


def test_an_empty_patch_says_that_there_is_none() -> None:
    assert adapt(mini("v1", fenced("bash")), patch="").trajectory.patch == ""
    assert adapt(mini("v1", fenced("bash")), patch="other").trajectory.patch == "other"


def test_rows_of_a_data_set_do_not_pass_the_gold_patch_off_as_the_agents() -> None:
    row = {"messages": user("i"), "patch": "p"}
    assert adapt(row).trajectory.patch == "p"
    assert adapt({**row, "traj_id": "t"}).trajectory.patch is None
    assert adapt({**row, "test_patch": "t"}).trajectory.patch is None
    assert adapt({**row, "model_patch": "m"}).trajectory.patch == "m"


# --- one family's own ways


def test_mini_splits_only_what_the_tool_would_have_run() -> None:
    texts = {
        "two": "a\n```bash\nls\n```\nb\n```bash\npwd\n```",
        "open": "a\n```bash\nls",
        "inline": "use ```bash here``` and stop",
        "python": "```python\nx\n```",
    }
    for text in texts.values():
        messages = [*fenced("bash")[:2], {"role": "assistant", "content": text}]
        turn = adapt(mini("v1", messages)).trajectory.turns[0]
        assert (turn.text, turn.calls) == (text, ())
    middle = [*fenced("bash")[:2], {"role": "assistant", "content": "a\n```bash \r\n ls\n```\nb"}]
    turn = adapt(mini("v1", middle)).trajectory.turns[0]
    assert (turn.text, turn.calls[0].arguments) == ("a\n\nb", (("command", "ls"),))


def test_mini_takes_any_version_of_its_tag_and_bare_lists_when_named() -> None:
    fork = {**mini("v2", chat(PROMPT)), "trajectory_format": "mini-swe-agent-1.2"}
    assert adapt(fork).format == "mini-swe-agent-v2"
    bare = adapt(fenced("bash"), format="mini-swe-agent-v1", patch=PATCH)
    assert bare.trajectory == STORY
    assert adapt(fenced("bash")).format == "openai-chat"


def test_mini_keeps_what_was_written_before_its_own_prompt() -> None:
    issue = adapt(mini("v2", chat(f"Only Python 3.11 matters.\n{PROMPT}"))).trajectory.issue
    assert issue == f"Only Python 3.11 matters.\n\n{ISSUE}"
    assert adapt(mini("v2", chat(f"\n {PROMPT}"))).trajectory.issue == ISSUE


def test_swe_agent_1_reads_history_only_and_drops_demonstrations() -> None:
    document = swe_agent_1()
    demo = {"role": "user", "content": "solved elsewhere", "message_type": "demonstration"}
    example = "--------- START OF EXAMPLE ---------\nUSER: list numbers"
    document["history"][1:1] = [demo, {"role": "user", "content": example}]
    document["replay_config"] = None
    assert adapt(document).trajectory == STORY
    assert adapt(document).trajectory.turns[0].message_index == 4


def test_swe_agent_content_parts_and_observation_prefix_stay() -> None:
    document = swe_agent_1()
    image = {"type": "image_url", "image_url": {"url": "data:MARK"}}
    text = {"type": "text", "text": "OBSERVATION:\r\n3"}
    document["history"][3]["content"] = [text, image]
    seen = adapt(document).trajectory.turns[0].observations[0].text
    assert seen == "OBSERVATION:\r\n3\n[image]"


def test_openhands_tells_parallel_calls_once() -> None:
    calls = [function("ls", "a"), function("pwd", "b")]
    response = {"id": "r", "choices": [{"message": {"content": None, "tool_calls": calls}}]}

    def act(call_id: str, thought: str) -> dict[str, Any]:
        about = {"tool_call_id": call_id, "model_response": response}
        args = {"command": "x", "thought": thought}
        return {"source": "agent", "action": "run", "args": args, "tool_call_metadata": about}

    seen = [{"source": "agent", "observation": "run", "content": t} for t in ("1", "2", "3")]
    told = adapt(
        [said("user", "i"), act("a", "why"), seen[0], act("b", ""), seen[1], act("z", "new")]
    ).trajectory.turns
    assert [c.arguments for c in told[0].calls] == [(("command", "ls"),), (("command", "pwd"),)]
    assert [o.text for o in told[0].observations] == ["1", "2"]
    assert told[0].text == "why"
    # A provider that gives every response the same id loses no action by it.
    assert len(told) == 2


def test_openhands_rebuilds_calls_whose_response_was_not_kept() -> None:
    edit = {
        "source": "agent",
        "action": "edit",
        "args": {"path": "a.py", "content": "x", "thought": "t", "start": 1, "hidden": True},
    }
    flat = {"source": "agent", "action": "run", "command": "ls", "message": "m"}
    null = {"source": "agent", "action": "null", "observation_": 1}
    metadata = {"prefix": "[p]\n", "suffix": "\n[exit code 0]", "exit_code": 0}
    seen = {"observation": "run", "content": "out", "extras": {"metadata": metadata}}
    done = {"source": "agent", "action": "finish", "args": {"final_thought": "done"}}
    told = adapt([said("user", "i"), edit, null, flat, {"source": "agent", **seen}, done])
    turns = told.trajectory.turns
    arguments = (("path", "a.py"), ("content", "x"), ("start", "1"))
    assert turns[0] == Turn("t", (ToolCall("edit", arguments),))
    assert turns[1].calls == (ToolCall("bash", (("command", "ls"),)),)
    assert turns[1].observations[0].text == "[p]\nout\n[exit code 0]"
    assert turns[2].calls == (ToolCall("finish", (("final_thought", "done"),)),)
    assert told.trajectory.exit == "finish"


def test_openhands_resolver_row() -> None:
    row = {
        "issue": {"title": "Sum", "body": "is wrong"},
        "instruction": "long prompt: Sum is wrong",
        "history": [said("user", "long prompt: Sum is wrong"), said("agent", "ok")],
        "git_patch": "diff\r\n",
        "success": True,
        "error": None,
    }
    told = adapt(row).trajectory
    assert (told.issue, told.patch, told.briefing) == ("Sum\n\nis wrong", "diff\n", ())
    assert adapt({**row, "history": []}).trajectory.turns == ()


def test_a_log_of_requests_is_the_conversation_of_its_last_request() -> None:
    messages = chat()
    log: list[Any] = []
    for end, asked in ((2, messages[2]), (4, messages[4])):
        log.append({"type": "request", "messages": messages[:end]})
        output = {"message": asked["content"], "tool_calls": asked["tool_calls"]}
        log.append({"type": "response", "outputs": [output]})
    told = adapt("\n".join(map(json.dumps, log)), patch=PATCH).trajectory
    assert told.turns[0] == STORY.turns[0]
    assert told.turns[1].calls == STORY.turns[1].calls
    other = [{"type": "request", "messages": user("another issue")}]
    with pytest.raises(Invalid) as caught:
        adapt(log + other)
    assert caught.value.limits == {"rows": 2}
    assert [len(d) for d in rows(json.dumps(log + other)) if isinstance(d, list)] == [4, 1]


def test_a_logged_request_ends_with_its_answer() -> None:
    answer = {"choices": [{"message": {"role": "assistant", "content": "bye"}}]}
    turns = adapt({"messages": user("i"), "response": answer}).trajectory.turns
    assert [t.text for t in turns] == ["k", "bye"]


def test_the_task_is_taken_out_of_a_worked_example() -> None:
    rule = "-" * 21
    prompt = (
        f"Here's a running example.\n\n{rule} START OF EXAMPLE {rule}\n\nUSER: MARK\n\n"
        f"{rule} END OF EXAMPLE {rule}\n\nDo NOT assume.\n\n{rule} NEW TASK DESCRIPTION {rule}\n"
        f"fix it\n{rule} END OF NEW TASK DESCRIPTION {rule}\n\nPLEASE follow the format."
    )
    assert adapt_messages(user(prompt)).trajectory.issue == "fix it"


# --- messages


def one(**message: object) -> Turn:
    return adapt_messages([*user("i")[:1], {"role": "assistant", **message}]).trajectory.turns[0]


@pytest.mark.parametrize(
    ("arguments", "pairs"),
    [
        ('{"a": "x", "b": [1, {"c": null}], "d": 1.5}', (("a", "x"), ("b", '[1,{"c":null}]'),
                                                        ("d", "1.5"))),
        ({"a": True}, (("a", "true"),)),
        ('{"a": "cut o', (("", '{"a": "cut o'),)),
        ('{"a": NaN}', (("", '{"a": NaN}'),)),
        ('["a"]', (("", '["a"]'),)),
        ("[" * 50_000, (("", "[" * 50_000),)),
        ("", ()),
        (None, ()),
        ("{}", ()),
        ('{"\\ud800": "\\udc00\\u0000"}', (("\ufffd", "\ufffd\0"),)),
    ],
)  # fmt: skip
def test_arguments_become_pairs(arguments: object, pairs: tuple[tuple[str, str], ...]) -> None:
    turn = one(tool_calls=[{"function": {"name": "f", "arguments": arguments}}])
    assert turn.calls == (ToolCall("f", pairs),)


def test_other_ways_to_write_a_call() -> None:
    flat = {"name": "f", "arguments": "{}"}
    assert one(function_call=flat).calls == (ToolCall("f", ()),)
    assert one(tool_calls=[flat]).calls == (ToolCall("f", ()),)
    raw = {"type": "custom", "custom": {"name": "patch", "input": "*** Begin"}}
    assert one(tool_calls=[raw]).calls == (ToolCall("patch", (("", "*** Begin"),)),)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ([{"type": "text", "text": "a"}, {"type": "image_url"}, "b"], "a\n[image]\nb"),
        ([{"type": "input_audio"}, {"type": "refusal", "refusal": "no"}], "[input_audio]\nno"),
        ([{"type": "x\u202e" + "y" * 90}], f"[x?{'y' * 38}]"),
        ("a\ud800b\0", "a\ufffdb\0"),
    ],
)
def test_content_becomes_text(content: object, text: str) -> None:
    assert one(content=content).text == text


def test_a_refusal_beside_the_content_is_kept() -> None:
    assert one(content=None, refusal="I cannot").text == "I cannot"
    assert one(content="so:", refusal="no").text == "so:\nno"


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (
            {"role": "wizard\n" + "z" * 99, "content": ""},
            "messages[1] has an unknown role: wizard?",
        ),
        ({"content": "SECRET"}, "messages[1] has no role"),
        ({"role": 1}, "messages[1] has no role"),
        (5, "messages[1] is not an object"),
        ({"role": "tool", "content": 5}, "messages[1].content"),
        ({"role": "tool", "content": [5]}, "messages[1].content[0]"),
        ({"role": "tool", "content": [{"type": "text", "text": 5}]}, "messages[1].content[0]"),
        ({"role": "assistant", "tool_calls": 5}, "messages[1].tool_calls"),
        ({"role": "assistant", "tool_calls": [5]}, "messages[1].tool_calls[0]"),
        ({"role": "assistant", "tool_calls": [{"function": {"name": 5}}]}, "tool_calls[0].name"),
        ({"role": "assistant", "refusal": 5}, "messages[1].refusal"),
    ],
)
def test_a_broken_message_is_named_and_not_quoted(message: object, named: str) -> None:
    with pytest.raises(Invalid) as caught:
        adapt_messages([{"role": "user", "content": "SECRET"}, message])
    assert named in caught.value.message
    assert len(caught.value.message) <= 200
    assert "SECRET" not in caught.value.message


def test_aliases_of_roles() -> None:
    messages = [
        {"role": "human", "content": "i"},
        {"role": "ai", "content": "a"},
        {"role": "function", "content": "f"},
        {"role": "observation", "content": "o"},
        {"role": "exit", "content": "MARK"},
        {"role": "gpt", "content": "g"},
    ]
    turns = adapt_messages(messages).trajectory.turns
    assert [(t.text, [o.text for o in t.observations]) for t in turns] == [
        ("a", ["f", "o"]),
        ("g", []),
    ]


# --- text, rows, named formats


def test_chat_text_is_parsed_into_messages() -> None:
    text = (
        "<|im_start|>system\nMARK<|im_end|>\n<|im_start|>user\nfix\nit<|im_end|>\n"
        "<|im_start|>assistant\nlook<|im_end|>\n<|im_start|>tool\nout<|im_end|><|endoftext|>\n"
        "<|im_start|>assistant\nunfinished"
    )
    adapted = adapt(text)
    assert adapted.format == "chat-text"
    assert adapted.trajectory == Trajectory(
        "fix\nit", (Turn("look", (), (Observation("out"),)), Turn("unfinished"))
    )
    asking = adapt("<|im_start|>user\ni<|im_end|>x<|im_start|>assistant\n", patch="d").trajectory
    assert (asking.issue, asking.turns) == ("ix", ())
    with pytest.raises(Invalid, match="unknown role"):
        adapt("<|im_start|>wizard\ni<|im_end|>")


def test_plain_text_is_an_issue_and_one_turn() -> None:
    adapted = adapt("\nfix it\r\nI did\nthis\n")
    assert adapted.format == "plain-text"
    assert adapted.trajectory == Trajectory("fix it", (Turn("I did\nthis"),))
    with pytest.raises(Empty):
        adapt("only an issue")


def test_plain_text_beside_an_issue_is_all_turn() -> None:
    assert adapt("a done", issue="fix").trajectory == Trajectory("fix", (Turn("a done"),))
    assert adapt("fix\na done", issue="fix").trajectory == Trajectory("fix", (Turn("a done"),))
    assert adapt("fixed\nit", issue="fix").trajectory.turns == (Turn("fixed\nit"),)
    assert adapt("{x", issue="fix", format="plain-text").trajectory.turns == (Turn("{x"),)


def test_a_document_of_several_trajectories_is_refused_with_their_number() -> None:
    three = [chat_row(), mini("v1", fenced("bash")), openhands_row()]
    for document in (three, json.dumps(three), "\n".join(map(json.dumps, three)) + "\n"):
        with pytest.raises(Invalid) as caught:
            adapt(document)
        assert caught.value.limits == {"rows": 3}
    assert adapt(three[:1]).trajectory == STORY


def test_rows_splits_files_into_documents() -> None:
    three = [chat_row(), chat(), openhands_row()]
    assert rows(json.dumps(three)) == three
    assert rows("\n\n".join(map(json.dumps, three))) == three
    assert rows(json.dumps(chat_row())) == [chat_row()]
    for whole in (chat(), events()):
        assert rows("\n".join(map(json.dumps, whole))) == [whole]
        assert rows(json.dumps(whole)) == [whole]
    assert rows("fix it\ndone") == ["fix it\ndone"]
    # U+2028 ends a line for str.splitlines, not for JSON.
    assert len(rows('{"messages": [{"role": "user", "content": "a\u2028b"}]}\n' * 2)) == 2


def test_a_broken_row_fails_alone() -> None:
    good = json.dumps(chat_row())
    found = rows(f"{good}\n{good[:40]}\n{good}")
    assert [isinstance(r, dict) for r in found] == [True, False, True]
    with pytest.raises(Unreadable):
        adapt(found[1])
    with pytest.raises(Unreadable):
        rows('{"a": ')


def test_a_named_format_is_held_to() -> None:
    for format in FORMATS:
        if format != "plain-text":
            with pytest.raises(Invalid, match=format):
                adapt("just text", format=format, issue="i")
        with pytest.raises(Invalid, match=format):
            adapt({"a": 1}, format=format, issue="i")
    with pytest.raises(Invalid, match="openhands-v0") as caught:
        adapt(chat(), format="csv\n" * 90)
    assert caught.value.param == "format"


# --- hostile documents

JUNK = st.sampled_from(
    [None, True, 0, -1.5, "", "x", "[", "{}", "\ud800", [], {}, [None], [[]], [{}],
     {"role": "user"}, {"id": []}, [{"type": []}], {"content": {}}, [{"function": 1}],
     {"choices": [None]}]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "messages", "history", "info", "type", "action", "args",
                 "observation", "source", "tool_calls", "function", "attempts", "object", "output",
                 "trajectory_format", "replay_config", "instance", "test_result", "request_params"]
            ),
            inner
            | st.sampled_from(["user", "assistant", "request", "response", "mini-swe-agent-1"]),
            max_size=5,
        )
    ),
    max_leaves=25,
)  # fmt: skip


def survives(document: object, **given_: Any) -> None:
    """The one promise: an Adapted that can be encoded and digested, or a named error."""
    try:
        adapted = adapt(document, **given_)
    except ItemError:
        return
    assert isinstance(adapted, Adapted)
    repr(adapted).encode()
    assert adapted.trajectory.issue.strip()
    assert adapted.trajectory.digest.startswith("sha256:")


@settings(max_examples=300, deadline=1000)
@given(document=JSON, format=st.sampled_from(["auto", *FORMATS]))
def test_any_json_is_adapted_or_refused_by_name(document: object, format: str) -> None:
    survives(document, format=format, issue="i")


@settings(max_examples=150, deadline=1000)
@given(st.text(max_size=60) | st.text(alphabet='<|im_startend>\n{}[]",:user', max_size=60))
def test_any_text_is_adapted_or_refused_by_name(text: str) -> None:
    survives(text)
    with suppress(Unreadable):
        assert rows(text)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    found: list[tuple[Any, Any]] = []
    stack = [value]
    while stack:
        here = stack.pop()
        if not isinstance(here, dict | list):
            continue
        for key in list(here) if isinstance(here, dict) else range(len(here)):
            found.append((here, key))
            stack.append(here[key])
    return found


@settings(max_examples=600, deadline=1000)
@given(
    name=st.sampled_from(sorted(documents())),
    junk=st.lists(st.tuples(st.integers(0, 500), JUNK), min_size=1, max_size=3),
)
def test_a_document_with_junk_anywhere_is_adapted_or_refused_by_name(
    name: str, junk: list[tuple[int, Any]]
) -> None:
    document = copy.deepcopy(documents()[name][1])
    for place, value in junk:
        found = places(document)
        container, key = found[place % len(found)]
        container[key] = copy.deepcopy(value)
    survives(document)


MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "```bash" * (MEGABYTE // 7),
        "```bash\n" * (MEGABYTE // 8),
        "```bash" + "\n " * (MEGABYTE // 2),
        "<pr_description>" * (MEGABYTE // 16),
        "- START OF EXAMPLE -" * (MEGABYTE // 20),
        "a " * (MEGABYTE // 2),
        "\ud800" * MEGABYTE,
    ],
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    begun = time.process_time()
    messages = [{"role": "user", "content": "i" + text}, {"role": "assistant", "content": text}]
    survives(mini("v1", messages))
    survives(messages, issue="a " * 1000 + "b")
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    "text",
    [
        "<|im_start|>" * (MEGABYTE // 12),
        "<|im_start|>user\n" + "<|im_end|>" * (MEGABYTE // 10),
        "{}\n" * 200_000,
        "[" + "[]," * 200_000 + "[]]",
        '{"role":"user"}\n' * 50_000,
    ],
)
def test_hostile_documents_take_linear_time(text: str) -> None:
    begun = time.process_time()
    survives(text)
    assert time.process_time() - begun < 5


def test_deep_objects_end_in_a_name() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    survives(deep)
    call = {"function": {"name": "f", "arguments": {"a": deep}}}
    with pytest.raises(Invalid, match="nested too deep"):
        adapt_messages([{"role": "assistant", "tool_calls": [call]}], issue="i")
    survives({"messages": deep, "history": deep, "attempts": deep}, issue="i")
    while deep:  # Freed from the outside in, so that the interpreter does not recurse.
        deep = deep.pop()
