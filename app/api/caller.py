"""Who asks. Without API keys every caller is the local one."""

from __future__ import annotations

from fastapi import Request

LOCAL_KEY = "local"


def key_of(_: Request) -> str:
    """The id of the caller's key: part of score ids, owner of scores and outcomes."""
    return LOCAL_KEY
