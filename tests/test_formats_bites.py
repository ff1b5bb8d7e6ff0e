"""What bites in few files but bites hard: one test for each odd habit of a tool."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from test_adapters import (
    ISSUE,
    PATCH,
    PROMPT,
    STORY,
    chat,
    events,
    mini,
    mini_responses,
    swe_agent_0,
    swe_agent_1,
    user,
)
from test_formats_story import atif, codex, nebius_openhands

from app.adapters import adapt
from app.errors import Empty, NoIssue, UnknownFormat
from app.types import Turn

JUDGED = (
    "=== INTERACTION LOG ===\n[USER]\nfix\n[/USER]\n[ASSISTANT]\ndone\n[/ASSISTANT]\n"
    "=== FINAL PATCH ===\n[PATCH]\ndiff\n[/PATCH]\nYES or NO?"
)


def turns(document: Any, **given: Any) -> tuple[Turn, ...]:
    return adapt(document, **{"issue": "i", **given}).trajectory.turns


def seen(turn: Turn) -> list[str]:
    return [o.text for o in turn.observations]


# --- SWE-agent


def test_several_agents_in_one_history_tell_one_story() -> None:
    """CodeR's Manager, Reproducer, …: each has a system prompt and the demonstration again."""
    document = swe_agent_0()
    again = [{**item, "agent": "Fixer"} for item in document["history"][:4]]
    again[3]["is_demo"] = True
    document["history"][7:7] = [{**again[0], "content": "MARK"}, *again[1:]]
    assert adapt(document).trajectory == STORY


def test_a_flag_of_a_contest_is_what_was_submitted() -> None:
    document = swe_agent_0()
    document["info"]["submission"] = "flag{1}"
    assert adapt(document).trajectory.patch == "flag{1}"


@pytest.mark.parametrize(
    "statement",
    [
        {"type": "text_file", "path": "/x/issue.md", "id": "sum-1"},
        {"type": "github", "github_url": "https://github.com/a/b/issues/1", "id": "sum-1"},
    ],
)
def test_a_problem_that_is_only_pointed_at_is_read_from_the_prompt(statement: Any) -> None:
    document = swe_agent_1() | {"replay_config": {"problem_statement": statement}}
    assert (adapt(document).trajectory, adapt(document).instance_id) == (STORY, "sum-1")
    document["history"] = document["history"][2:]
    with pytest.raises(NoIssue):
        adapt(document)


def test_results_that_name_their_calls_in_the_plural() -> None:
    document = swe_agent_1()
    for item in document["history"]:
        if item.pop("tool_call_id", None):
            item["tool_call_ids"] = ["c"]
    assert adapt(document).trajectory == STORY


def test_the_web_demo_is_another_shape() -> None:
    run = {"history": [{"type": "action", "thought": "a"}], "issue_text": "i", "resolved": True}
    for document in (run, [run]):
        with pytest.raises(UnknownFormat):
            adapt(document, issue="i")


# --- mini-swe-agent


def test_streaks_of_one_notice_are_told_once() -> None:
    """Answers that held no command are not kept; what is, is the notice, up to 93 times on end."""
    notice = {
        "role": "user",
        "content": "No tool calls.",
        "extra": {"interrupt_type": "FormatError"},
    }
    messages = chat(PROMPT)
    messages[4:4] = [notice] * 93
    told = turns(mini("v2", messages))
    assert seen(told[0]) == ["return 3", "No tool calls.\n[93 times]"]
    assert (len(told), told[1]) == (2, STORY.turns[1])
    assert told[0].observations[1].message_index == 4
    messages[5] = {**notice, "content": "Other."}
    told = turns(mini("v2", messages))
    assert seen(told[0])[1:] == ["No tool calls.", "Other.", "No tool calls.\n[91 times]"]


def test_the_same_result_twice_is_no_streak() -> None:
    answer = {"role": "tool", "tool_call_id": "c", "content": ""}
    messages = [*chat(PROMPT)[:3], answer, answer]
    assert seen(turns(mini("v2", messages))[0]) == ["", ""]


def test_errors_between_answers_of_the_responses_api() -> None:
    document = mini_responses()
    told = {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "No call"}],
    }
    document["messages"].insert(4, told)
    assert seen(turns(document)[0]) == ["return 3", "No call"]


# --- OpenHands


def test_whole_files_beside_an_edit_are_not_read() -> None:
    document = events()
    for event in document:
        if "extras" in event:
            event["extras"] |= {key: "MARK" for key in ("old_content", "new_content", "diff")}
    assert adapt(document, patch=PATCH).trajectory == STORY


def test_a_logged_completion_in_both_dialects_is_told_once() -> None:
    """`llm_completions`: the call as it was made, and as it stood before it was put into text."""
    log = {
        "messages": user("fix"),
        "response": {"choices": [{"message": {"role": "assistant", "content": "end"}}]},
        "fncall_messages": user("MARK"),
        "fncall_response": {"choices": [{"message": {"role": "assistant", "content": "MARK"}}]},
        "kwargs": {"tools": ["MARK"]},
    }
    assert [turn.text for turn in turns(log)] == ["k", "end"]


def test_events_of_the_sdk_that_are_no_part_of_the_story() -> None:
    said = {"role": "assistant", "content": [{"type": "text", "text": "ok"}]}
    told = turns(
        [
            {"kind": "ACPToolCallEvent", "source": "agent", "title": "MARK"},
            {"kind": "StreamingDeltaEvent", "source": "agent", "content": "MARK"},
            {"kind": "MessageEvent", "source": "agent", "llm_message": said},
            {"kind": "ConversationErrorEvent", "source": "environment", "detail": "MARK"},
            {"kind": "Condensation", "source": "environment", "summary": "MARK"},
        ]
    )
    assert told == (Turn("ok", message_index=2),)


# --- rows


@pytest.mark.parametrize("verdict", ["YES", "NO", "<judgement>YES</judgement>", "<NO>", " yes\n"])
def test_a_judges_prompt_with_its_verdict_is_no_trajectory(verdict: str) -> None:
    """R2E-Gym's verifier rows: read as chat, the outcome would be the agent's last word."""
    row = {"messages": [*user(JUDGED)[:1], {"role": "assistant", "content": verdict}]}
    for document in (row, row["messages"]):
        with pytest.raises(UnknownFormat, match="verdict"):
            adapt(document)


def test_an_agent_may_say_yes() -> None:
    assert turns([*user("Is it fixed?")[:1], {"role": "assistant", "content": "YES"}])
    assert turns([*user(JUDGED), {"role": "assistant", "content": "YES"}])


def test_arguments_as_objects_and_turns_without_words() -> None:
    document = nebius_openhands()
    for message in document["trajectory"][2::2]:
        message["content"] = None
    told = adapt(document).trajectory
    assert [turn.calls for turn in told.turns] == [turn.calls for turn in STORY.turns]
    assert [turn.text for turn in told.turns] == ["", ""]


def test_samples_of_agentless_are_no_turns() -> None:
    sample = {"prompt": "p", "response": "r", "usage": {}}
    row = {"instance_id": "x", "raw_output": ["r"], "traj": [sample, sample], "file_names": []}
    with pytest.raises(UnknownFormat):
        adapt(row, issue="i")
    with pytest.raises(Empty):
        adapt(row | {"model_patch": ""}, issue="i")


# --- ATIF, chat, Codex


def test_atif_1_7_keeps_the_main_line() -> None:
    document = atif()
    aside = copy.deepcopy(document)
    aside["steps"][2]["message"] = "MARK"
    document["subagent_trajectories"] = [aside]
    for step in document["steps"][2:]:
        step |= {"llm_call_count": 0, "extra": {"reward": "MARK"}}
        step["tool_calls"][0]["extra"] = {"MARK": 1}
        step["metrics"] = {"completion_token_ids": [1], "logprobs": ["MARK"]}
    assert adapt(document, patch=PATCH).trajectory == STORY


def test_orphans_on_either_side_of_a_call() -> None:
    cut = {"id": "a", "function": {"name": "f", "arguments": '{"cut'}}
    told = turns(
        [
            {"role": "assistant", "content": None, "tool_calls": [cut]},
            {"role": "tool", "tool_call_id": "condensed away", "content": "x"},
            {"role": "assistant", "content": "", "tool_calls": [cut]},
        ]
    )
    assert [seen(turn) for turn in told] == [["x"], []]
    assert told[0].calls[0].arguments == (("", '{"cut'),)


def test_codex_compaction_repeats_nothing() -> None:
    lines = codex()
    message = {"type": "message", "role": "user", "content": "MARK"}
    payload = {"message": "MARK", "replacement_history": [message]}
    lines[-1:-1] = [{"type": "compacted", "payload": payload}]
    lines.append({"type": "event_msg", "payload": {"type": "turn_aborted"}})
    told = adapt(lines, patch=PATCH).trajectory
    assert (told.issue, told.turns, told.exit) == (ISSUE, STORY.turns, "turn_aborted")


# --- all


def test_what_a_terminal_wrote_stays_as_the_agent_saw_it() -> None:
    """Escapes, progress bars and NUL are content; only what UTF-8 cannot carry is replaced."""
    text = "\x1b[31mred\x1b[0m 10%\r20%\r\n\x00\ud800"
    told = turns([*user("i"), {"role": "tool", "content": text}])
    assert seen(told[0]) == [text.replace("\ud800", "\ufffd")]


@pytest.mark.parametrize("before", ["<|endoftext|>" * 2, "<s>", "<|begin_of_text|>\n", "\ufeff "])
def test_padding_before_chat_text(before: str) -> None:
    text = "<|im_start|>user\nfix<|im_end|>\n<|im_start|>assistant\ndone<|im_end|>"
    adapted = adapt(before + text)
    assert (adapted.format, adapted.trajectory.issue) == ("chat-text", "fix")
    assert [turn.text for turn in adapted.trajectory.turns] == ["done"]
    assert adapt(f"fix {text}\nx").format == "plain-text"
