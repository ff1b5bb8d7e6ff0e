"""Scores, outcomes, idempotency keys, calibrations and their switches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, *, null: bool = False, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=null, primary_key=key)


def _number(name: str, *, null: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=null)


def _row_id() -> sa.Column[int]:
    return sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True)


def upgrade() -> None:
    texts = ("score_id", "trajectory_digest", "prompt_digest", "model", "revision", "template")
    numbers = ("logit", "probability", "raw_probability", "label_mass", "created_at")
    op.create_table(
        "scores",
        _row_id(),
        *map(_text, (*texts, "system_fingerprint", "calibration", "key_id")),
        *map(_number, numbers),
        *(_text(name, null=True) for name in ("instance_id", "group_name", "policy", "source")),
        sa.Column("tags", sa.Text, nullable=False),
    )
    op.create_index("scores_score_id", "scores", ["score_id"], unique=True)
    op.create_index("scores_trajectory", "scores", ["trajectory_digest"])
    op.create_index("scores_created", "scores", ["created_at"])
    op.create_table(
        "trajectories",
        _text("trajectory_digest", key=True),
        sa.Column("document", sa.Text, nullable=False),
    )
    _create_outcomes()
    _create_calibrations()


def _create_outcomes() -> None:
    op.create_table(
        "outcomes",
        _row_id(),
        _text("trajectory_digest"),
        _text("score_id", null=True),
        sa.Column("resolved", sa.Boolean, nullable=False),
        _text("evidence"),
        sa.Column("selected", sa.Boolean, nullable=False),
        _number("observed_at", null=True),
        _number("recorded_at"),
        _text("key_id"),
        _text("quarantine", null=True),
    )
    op.create_index("outcomes_trajectory", "outcomes", ["trajectory_digest"])
    op.create_index("outcomes_key_time", "outcomes", ["key_id", "recorded_at"])
    op.create_table(
        "idempotency",
        _text("key_id", key=True),
        _text("idempotency_key", key=True),
        _text("body_digest"),
        sa.Column("answer", sa.Text, nullable=False),
        _number("created_at"),
    )


def _create_calibrations() -> None:
    op.create_table(
        "calibrations",
        _text("id", key=True),
        _text("revision"),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
        _number("created_at"),
    )
    op.create_table(
        "switches",
        _text("revision", key=True),
        sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
        _text("calibration_id"),
        _text("key_id"),
        _number("created_at"),
    )


def downgrade() -> None:
    for table in ("switches", "calibrations", "idempotency", "outcomes", "trajectories", "scores"):
        op.drop_table(table)
