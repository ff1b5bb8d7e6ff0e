"""From labels.jsonl to examples: the serving ids, the ratio, the curriculum, the masks."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import adapters
from app.errors import StartError
from app.types import Observation, Trajectory, Turn
from training.data.drills import drills
from training.data.encode import Example, prepare, renderer_of
from training.data.lengthen import lengthened
from training.data.masks import failed_turns
from training.data.mix import balanced, batches, card, in_bins
from training.data.rows import read_rows
from training.recipe import Labelled, read_recipe

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "model_store" / "swe-rm-nano"
EXAMPLES = sorted((ROOT / "examples" / "trajectories").glob("*.traj.json"))
RECIPES = ROOT / "training" / "recipes"


def labelled(folder: Path, rows: list[dict[str, Any]]) -> Labelled:
    for file in EXAMPLES[:4]:
        (folder / file.name).write_bytes(file.read_bytes())
    lines = (json.dumps(row) if isinstance(row, dict) else row for row in rows)
    (folder / "labels.jsonl").write_text("\n".join(lines) + "\n")
    return Labelled(folder=folder)


def row(number: int, **more: Any) -> dict[str, Any]:
    name = EXAMPLES[number].name
    return {"file": name, "instance_id": f"i{number}", "resolved": number % 2, **more}


# --- rows


def test_rows_can_be_chosen_by_split_and_by_instance(tmp_path: Path) -> None:
    folder = labelled(
        tmp_path, [row(0, split="train"), row(1, split="test"), row(2, split="train")]
    )
    chosen = read_rows(folder.model_copy(update={"splits": ("train",)}))
    assert [(r.instance_id, r.resolved) for r in chosen] == [("i0", False), ("i2", False)]
    (tmp_path / "ids").write_text("i1\n")
    assert [
        r.instance_id for r in read_rows(folder.model_copy(update={"instances": tmp_path / "ids"}))
    ] == ["i1"]


def test_rows_can_be_chosen_by_policy(tmp_path: Path) -> None:
    folder = labelled(tmp_path, [row(0, policy="a"), row(1, policy="b"), row(2)])
    assert [
        r.instance_id for r in read_rows(folder.model_copy(update={"policies": ("b", "unknown")}))
    ] == ["i1", "i2"]
    with pytest.raises(StartError, match="policies"):
        read_rows(folder.model_copy(update={"policies": ("c",)}))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"file": "gone.json", "instance_id": "i", "resolved": 1}], "labels.jsonl:1"),
        ([{"file": "../labels.jsonl", "instance_id": "i", "resolved": 1}], "leads out of the folder"),
        ([{"file": "gone.json", "instance_id": "i", "resolved": 1}], "no file 'gone.json'"),
        ([row(0), row(0)], "labelled twice"),
        ([row(0, resolved="yes")], "resolved (0 or 1)"),
        (["{"], "no JSON"),
        ([], "no row belongs"),
    ],
)  # fmt: skip
def test_a_bad_label_file_is_named_with_its_line(
    tmp_path: Path, rows: list[Any], told: str
) -> None:
    with pytest.raises(StartError) as caught:
        read_rows(labelled(tmp_path, rows))
    assert told in str(caught.value)
    assert "labels.jsonl" in str(caught.value)


def test_unknown_instances_are_named(tmp_path: Path) -> None:
    folder = labelled(tmp_path, [row(0)])
    (tmp_path / "ids").write_text("i0 nobody\n")
    with pytest.raises(StartError, match="nobody"):
        read_rows(folder.model_copy(update={"instances": tmp_path / "ids"}))


# --- encoding


def test_training_reads_the_very_ids_that_serving_makes(tmp_path: Path) -> None:
    rows = read_rows(labelled(tmp_path, [row(n) for n in range(3)]))
    made = prepare(rows, MODEL, 262_143, "drop", tmp_path / "made", workers=1)
    renderer = renderer_of(MODEL, 262_143)
    for each, example in zip(rows, made.index, strict=True):
        served = renderer.render(adapters.adapt(json.loads(each.file.read_text())).trajectory)
        assert made.prompt(example).tolist() == served.ids.tolist()


def test_what_is_too_long_is_elided_as_serving_does_or_dropped_and_never_cut(
    tmp_path: Path,
) -> None:
    rows = read_rows(labelled(tmp_path, [row(n) for n in range(3)]))
    story = adapters.adapt(json.loads(rows[0].file.read_text())).trajectory
    length = len(renderer_of(MODEL, 262_143).render(story).ids) - 50
    elided = prepare(rows[:1], MODEL, length, "elide", tmp_path / "elided", workers=1)
    assert (
        elided.prompt(elided.index[0]).tolist()
        == renderer_of(MODEL, length).render(story, "elide").ids.tolist()
    )
    assert elided.index[0].elided_tokens > 0
    with pytest.raises(StartError, match="no row could be used"):
        prepare(rows[:1], MODEL, 100, "drop", tmp_path / "dropped", workers=1)
    assert "too_long" in next((tmp_path / "dropped").glob("*/dropped.jsonl")).read_text()


def test_a_file_that_is_no_trajectory_is_dropped_by_name(tmp_path: Path) -> None:
    folder = labelled(tmp_path, [row(0), row(1)])
    (tmp_path / EXAMPLES[1].name).write_text('{"nothing": 1}')
    made = prepare(read_rows(folder), MODEL, 262_143, "drop", tmp_path / "made", workers=1)
    assert len(made.index) == 1
    assert EXAMPLES[1].name in next((tmp_path / "made").glob("*/dropped.jsonl")).read_text()


def test_prepared_examples_are_made_anew_when_the_rows_change(tmp_path: Path) -> None:
    rows = read_rows(labelled(tmp_path, [row(n) for n in range(3)]))
    prepare(rows, MODEL, 262_143, "drop", tmp_path / "made", workers=1)
    assert len(prepare(rows[:2], MODEL, 262_143, "drop", tmp_path / "made", workers=1).index) == 2


def test_failed_steps_are_masked_and_failing_tests_are_not() -> None:
    def turn(text: str) -> Turn:
        return Turn("", (), (Observation(text),))

    story = Trajectory(
        "issue",
        (
            turn("<returncode>127</returncode>\n<output>\nbash: pyton: command not found</output>"),
            turn("<returncode>1</returncode>\n<output>\nFAILED (failures=2)</output>"),
            turn(
                "<returncode>0</returncode>\n<output>\ngrep: x: No such file or directory</output>"
            ),
            turn("sed: can't read a.py: No such file or directory"),
        ),
    )
    assert failed_turns(story) == {0, 3}


# --- mixing


def examples(count: int, resolved: int = 2) -> list[Example]:
    return [
        Example(
            n * 10,
            10 + n % 90,
            n % resolved == 0,
            f"i{n}",
            f"p{n % 3}",
            "a" if n % 4 else "b",
            0,
            3,
            (),
        )
        for n in range(count)
    ]


@given(st.floats(0.25, 4), st.integers(2, 5), st.integers(0, 99))
def test_the_ratio_holds_by_thinning_and_nothing_is_read_twice(
    ratio: float, every: int, seed: int
) -> None:
    drawn = balanced(examples(600, every), ratio, {}, {}, seed)
    yes = sum(e.resolved for e in drawn)
    assert yes / (len(drawn) - yes) == pytest.approx(ratio, rel=0.05)
    assert len({e.start for e in drawn}) == len(drawn)


def test_shares_thin_sources_and_policies() -> None:
    drawn = balanced(examples(6000), None, {"a": 0.5}, {"p0": 2.0}, 1)
    counts = {
        (s, p): sum(e.source == s and e.policy == p for e in drawn)
        for s in "ab"
        for p in ("p0", "p1")
    }
    assert counts["b", "p0"] == 500
    assert counts["a", "p0"] / 1500 == pytest.approx(0.5, abs=0.05)
    assert counts["b", "p1"] / 500 == pytest.approx(0.5, abs=0.07)


@given(st.integers(1, 200), st.integers(20, 500), st.integers(0, 9))
def test_batches_hold_every_example_once_within_their_tokens(
    count: int, size: int, seed: int
) -> None:
    packed = list(batches(examples(count), size, seed))
    assert sorted(e.start for batch in packed for e in batch) == [n * 10 for n in range(count)]
    assert all(len(b) == 1 or len(b) * max(e.tokens for e in b) <= size for b in packed)


def test_the_curriculum_reads_short_ones_first() -> None:
    bins = in_bins(examples(200), (30, 60))
    assert [max(e.tokens for e in b) for b in bins] == [30, 60, 99]
    assert sum(map(len, bins)) == 200


def test_the_card_counts() -> None:
    told = card(examples(100), dropped=3)
    assert (told["examples"], told["resolved"], told["dropped"]) == (100, 50, 3)
    assert told["policies"] == {
        "p0": {"resolved": 17, "unresolved": 17},
        "p1": {"resolved": 16, "unresolved": 17},
        "p2": {"resolved": 17, "unresolved": 16},
    }


# --- drills


def test_drills_are_seeded_and_both_kinds_occur() -> None:
    one, two = list(drills(3, 300)), list(drills(3, 300))
    assert one == two
    assert 100 < sum(resolved for _, resolved in one) < 200
    assert [s for s, _ in drills(4, 5)] != [s for s, _ in one[:5]]


def test_a_resolved_drill_shows_no_wrong_value_after_its_edit() -> None:
    for story, resolved in drills(5, 400):
        after = story.turns[
            next(n for n, t in enumerate(story.turns) if "sed -i" in t.calls[0].arguments[0][1]) :
        ]
        seen = "\n".join(o.text for t in after for o in t.observations)
        if resolved:
            assert "MISMATCH" not in seen
            assert "FAILED" not in seen


# --- made long


@given(seed=st.integers(0, 10**6), turns=st.integers(0, 4), characters=st.integers(0, 20_000))
def test_what_is_made_long_tells_the_same_story_with_looks_between(
    seed: int, turns: int, characters: int
) -> None:
    own = tuple(Turn(f"own {n}", (), (Observation(f"seen {n}"),)) for n in range(turns))
    story = Trajectory("issue", own, patch="patch")
    files = [("a.py", "x = 1\n" * 900), ("b.py", "no line ends here")]
    long = lengthened(story, characters, files, random.Random(seed))
    assert long == lengthened(story, characters, files, random.Random(seed))
    assert tuple(turn for turn in long.turns if turn in own) == own
    looks = [turn for turn in long.turns if turn not in own]
    assert sum(len(look.observations[0].text) for look in looks) >= characters
    assert all("sed -n" in look.calls[0].arguments[0][1] for look in looks)
    assert not own or long.turns[-1] == own[-1], "how it ended stays last"
    assert (long.issue, long.patch) == (story.issue, story.patch)


def test_a_look_shows_the_lines_that_it_asks_for() -> None:
    text = "".join(f"line {n}\n" for n in range(1, 3000))
    story = lengthened(Trajectory("issue", ()), 3000, [("a.py", text)], random.Random(5))
    for turn in story.turns:
        first, last = turn.calls[0].arguments[0][1].split("'")[1].rstrip("p").split(",")
        shown = turn.observations[0].text.partition("<output>\n")[2].removesuffix("</output>")
        asked = [f"line {n}\n" for n in range(int(first), int(last) + 1)]
        assert "".join(asked).startswith(shown)
        assert shown.startswith(asked[0])


def test_the_shipped_recipes_can_be_read_and_unknown_keys_are_named(tmp_path: Path) -> None:
    recipes = [file for file in RECIPES.glob("*.yaml") if file.name != "fsdp.yaml"]
    assert len(recipes) == 3
    for file in recipes:
        assert read_recipe(file).stages
    bad = tmp_path / "bad.yaml"
    bad.write_text((RECIPES / "nano.yaml").read_text() + "colour: blue\n")
    with pytest.raises(StartError, match="colour"):
        read_recipe(bad)
