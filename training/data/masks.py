"""Failed steps: turns whose words the model shall not learn to say.

SWE-Lego keeps the whole trajectory in context and takes the loss off assistant turns whose step
failed (`turn_mask`, arXiv 2601.01426). Which steps failed its repository does not say; here it is
what a shell or a tool reports of itself: a command or file that is not there, a syntax error, a call
that could not be read. A failing test is no failed step: it is what a careful agent goes looking for.
"""

from __future__ import annotations

from app.types import Trajectory, Turn

_SIGNS = (
    "command not found",
    "No such file or directory",
    "can't open file",
    "cannot access",
    "syntax error near unexpected token",
    "SyntaxError: ",
    "unterminated `s' command",
    "unknown option to `s'",
    "No module named",
    "error: patch failed",
    "Invalid `path` parameter",
    "No replacement was performed",
    "Format error",
    "Tool call error",
    "EXACTLY ONE action",
)
_HEAD_CHARS = 2_000


def failed_turns(trajectory: Trajectory) -> frozenset[int]:
    """Numbers of the turns whose step failed."""
    return frozenset(n for n, turn in enumerate(trajectory.turns) if _failed(turn))


def _failed(turn: Turn) -> bool:
    for seen in turn.observations:
        head = seen.text[:_HEAD_CHARS]
        if "<returncode>0</returncode>" in head or '"returncode": 0' in head:
            continue
        if any(sign in head for sign in _SIGNS):
            return True
    return False
