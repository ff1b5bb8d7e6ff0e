"""Check 24 of docs/reliability.md: mutated bytes for the adapters, mutated commands for the flags.

Every input ends in a trajectory (and its flags) or in a named error, within 50 ms of this process' CPU
time. One that took longer is measured three times, in turns with a plain script of commands, and the least
counts: what is slow by itself is slow every time, and where the machine is slow the plain one is too.
Documents have 16 KiB at most, scripts and texts 4: larger ones have bounds of their own
(test_formats_hostile.py, test_audit_bounds.py).
"""

from __future__ import annotations

import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from audits import FIX, heredoc, story
from audits import run as ran
from counts import FULL, count, seed
from test_audit_bounds import PROSE, UNITS
from test_formats_story import documents

from app.adapters import FORMATS, adapt, rows
from app.audit import audit
from app.errors import ItemError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "formats"
INPUTS = count(1_500, 50_000)  # of each of the two tests
MOST_BYTES = 16_384  # of a document
MOST_COMMAND_BYTES = (
    4_096  # of a script: a thousand commands in it cost what a thousand commands cost
)
MOST_S = 0.05 if FULL else 0.5  # a sample runs beside anything: it looks for what explodes
PLAIN = story(ran(":\n" * (MOST_COMMAND_BYTES // 2)))  # as many commands as there can be
WORDS = [
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"-1", b"1e999", b"NaN", b"9" * 40,
    b'""', b"[]", b"{}", b"\\ud800", b"\\u0000", b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xef\xbb\xbf",
    b"\x00", b"\r\n", b"\n", b"<|im_start|>", b"<|im_end|>", b"<YES>", b"<function=a>", b"</function>",
    b"<parameter=b>", b"```", b"<think>", b"diff --git ", b"@@ -1 +1 @@", b"# aider chat started at x",
    b"<<EOF\\n", b"$(", b"`", b"git log --all", b"; rm tests/t.py", b"| xargs ", b"sed -i s/a/b/ ",
    b'"role":', b'"content":', b'"tool_calls":', b'"arguments":', b'"messages":', b'"type":', b'"id":',
]  # fmt: skip
COMMANDS = [
    "git log --all --oneline | head; git show HEAD~1:src/a.py", "pytest -q tests/ || true",
    "sed -i 's/assert x/pass/' tests/test_x.py && python -m pytest", "bash -c \"rm -rf tests\"",
    "curl -sL https://github.com/a/b/pull/7.diff | git apply", "cd /repo && echo 'exit 0' > run.sh",
    heredoc("tests/conftest.py", "import pytest\n@pytest.hookimpl\ndef f(): ..."), "x=$(date); [[ $x ]]",
    "python - <<'E'\nimport os\nos._exit(0)\nE", "find . -name '*.py' -exec grep -l foo {} +", *UNITS,
]  # fmt: skip


@cache
def samples() -> list[bytes]:
    """Generated documents, and what there is of real ones, cut to size without breaking them."""
    found = [document for _, document, _ in documents().values()]
    for file in sorted(SHARED.rglob("*.gz")):
        for row in rows(gzip.decompress(file.read_bytes()).decode())[:2]:
            found.append(cut(row))
    texts = [each if isinstance(each, str) else json.dumps(each) for each in found]
    return [text.encode() for text in texts if len(text) <= MOST_BYTES]


def cut(value: Any) -> Any:
    """The same shape, with short texts and short lists."""
    if isinstance(value, str):
        return value[:300]
    if isinstance(value, list):
        return [cut(each) for each in value[:6]]
    return {key: cut(each) for key, each in value.items()} if isinstance(value, dict) else value


def mutated(dice: random.Random, pool: Sequence[bytes], most: int = MOST_BYTES) -> bytes:
    """One of the pool after one to eight changes: bits, ranges, words, pieces of another one."""
    found = bytearray(dice.choice(pool))
    for _ in range(dice.choice((1, 1, 2, 4, 8))):
        at = dice.randrange(len(found) + 1)
        end = min(len(found), at + int(2 ** dice.uniform(0, 9)))
        match dice.randrange(6):
            case 0 if at < len(found):
                found[at] ^= 1 << dice.randrange(8)
            case 1:
                del found[at:end]
            case 2:
                found[at:at] = found[at:end] * dice.choice((1, 2, 30))
            case 3:
                other = dice.choice(pool)
                begin = dice.randrange(len(other) + 1)
                found[at:end] = other[begin : begin + dice.randrange(400)]
            case _:
                found[at:at] = dice.choice(WORDS) * dice.choice((1, 1, 1, 2, 50))
    return bytes(found[:most])


def cpu_s(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """(what it took, what it may take), in seconds."""
    took_s = cpu_s(work)
    if took_s <= MOST_S:
        return took_s, MOST_S
    turns = [(cpu_s(work), cpu_s(lambda: audit(PLAIN))) for _ in range(3)]
    return min(took_s, *(t for t, _ in turns)), max(MOST_S, 1.25 * min(p for _, p in turns))


def fuzz(tmp_path: Path, one: Callable[[random.Random], tuple[str, Callable[[], object]]]) -> float:
    """The longest that any input took; one that fails is left in a file."""
    number, slowest_s = seed(), 0.0
    for at in range(INPUTS):
        text, work = one(random.Random(f"{number}/{at}"))
        try:
            took_s, most_s = measured(work)
            assert took_s <= most_s, f"{took_s:.3f} s"
        except Exception:
            kept = tmp_path / "input"
            kept.write_bytes(text.encode("utf-8", "surrogatepass"))
            print(f"input {at} of ACCEPTANCE_SEED={number} lies in {kept}")  # noqa: T201
            raise
        slowest_s = max(slowest_s, took_s)
    print(f"{INPUTS} inputs, none above {slowest_s * 1000:.0f} ms")  # noqa: T201
    return slowest_s


@pytest.mark.timeout(count(300, 7_200))
def test_c24_mutated_documents_end_in_a_trajectory_or_a_name(tmp_path: Path) -> None:
    ends: Counter[str] = Counter()

    def one(dice: random.Random) -> tuple[str, Callable[[], object]]:
        text = mutated(dice, samples()).decode(errors=dice.choice(("replace", "surrogateescape")))
        issue = dice.choice((None, "i"))
        format = dice.choice(("auto", "auto", "auto", dice.choice(FORMATS)))

        def work() -> None:
            try:
                found = adapt(text, format=format, issue=issue)
            except ItemError as error:
                ends[error.code] += 1
                return
            flags = audit(found.trajectory)
            ends["flagged" if flags else "adapted"] += 1
            repr((found, flags)).encode()

        return text, work

    fuzz(tmp_path, one)
    print(ends)  # noqa: T201
    # Otherwise the adapters behind the parser were never asked.
    assert ends["flagged"] + ends["adapted"] > INPUTS / 10, ends


@pytest.mark.timeout(count(300, 7_200))
def test_c24_mutated_commands_and_texts_end_in_flags(tmp_path: Path) -> None:
    pool = [each.encode() for each in (*COMMANDS, *PROSE, FIX)]
    joined = [b"\n".join(pool[at : at + 4]) for at in range(len(pool))]
    kinds: Counter[str] = Counter()

    def one(dice: random.Random) -> tuple[str, Callable[[], object]]:
        command, seen, patch = (
            mutated(dice, pool + joined, MOST_COMMAND_BYTES).decode(errors="replace")
            for _ in range(3)
        )
        told = story(ran(command, seen, text=seen), patch=FIX + patch, issue=seen)
        return "\0".join((command, seen, patch)), lambda: kinds.update(
            flag.kind for flag in audit(told)
        )

    fuzz(tmp_path, one)
    print(kinds)  # noqa: T201
    assert len(kinds) >= 5, kinds
