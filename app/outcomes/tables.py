"""The tables, as the migrations leave them. Rows are only ever added; times are seconds since the
epoch."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()
_ROW_ID = BigInteger().with_variant(Integer, "sqlite")

scores = Table(
    "scores",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("score_id", String, nullable=False),
    Column("trajectory_digest", String, nullable=False),
    Column("prompt_digest", String, nullable=False),
    Column("model", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("template", String, nullable=False),
    Column("system_fingerprint", String, nullable=False),
    Column("calibration", String, nullable=False),
    Column("logit", Double, nullable=False),
    Column("probability", Double, nullable=False),
    Column("raw_probability", Double, nullable=False),
    Column("label_mass", Double, nullable=False),
    Column("key_id", String, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("instance_id", String),
    Column("group_name", String),
    Column("policy", String),
    Column("source", String),
    Column("tags", Text, nullable=False),
    Index("scores_score_id", "score_id", unique=True),
    Index("scores_trajectory", "trajectory_digest"),
    Index("scores_created", "created_at"),
)

trajectories = Table(
    "trajectories",
    metadata,
    Column("trajectory_digest", String, primary_key=True),
    Column("document", Text, nullable=False),
)

# `score_id` is null where a whole trajectory is labelled; `quarantine` is null where a row counts.
outcomes = Table(
    "outcomes",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("trajectory_digest", String, nullable=False),
    Column("score_id", String),
    Column("resolved", Boolean, nullable=False),
    Column("evidence", String, nullable=False),
    Column("selected", Boolean, nullable=False),
    Column("observed_at", Double),
    Column("recorded_at", Double, nullable=False),
    Column("key_id", String, nullable=False),
    Column("quarantine", String),
    Index("outcomes_trajectory", "trajectory_digest"),
    Index("outcomes_key_time", "key_id", "recorded_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key_id", String, primary_key=True),
    Column("idempotency_key", String, primary_key=True),
    Column("body_digest", String, nullable=False),
    Column("answer", Text, nullable=False),
    Column("created_at", Double, nullable=False),
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("id", String, primary_key=True),
    Column("revision", String, nullable=False),
    Column("document", Text, nullable=False),
    Column("report", Text, nullable=False),
    Column("created_at", Double, nullable=False),
)

# The primary key is the compare-and-set: two switches to one generation cannot both be written.
switches = Table(
    "switches",
    metadata,
    Column("revision", String, primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("calibration_id", String, nullable=False),
    Column("key_id", String, nullable=False),
    Column("created_at", Double, nullable=False),
)
