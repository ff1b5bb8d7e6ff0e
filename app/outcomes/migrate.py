"""Brings a database to the newest schema, whatever it holds."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from app.errors import StartError

_HERE = Path(__file__).parent / "migrations"


def upgrade(connection: Connection) -> None:
    """Inside the connection's transaction. Raises `StartError` for a schema newer than this code."""
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as cause:
        message = (
            f"the store's schema cannot be brought up to date ({cause}): "
            "it was written by a later version; start that one, or choose another store_url"
        )
        raise StartError(message) from cause
