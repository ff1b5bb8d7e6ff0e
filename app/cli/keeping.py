"""Opens the store of scores and outcomes, and what lives on it, for a house."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from app.api.feedback import Choices, opened_feedback
from app.api.feedback.receipts import Receipts, read_keys
from app.api.house import House
from app.config import Settings
from app.errors import StartError
from app.outcomes import open_store

NO_STORE = "none"


@asynccontextmanager
async def kept(settings: Settings, house: House, say: Callable[[str], None]) -> AsyncIterator[None]:
    """Inside of it the house keeps what it scores. Raises `StartError`."""
    receipts = _receipts(settings)
    if settings.store_url == NO_STORE:
        if receipts:
            message = "receipts need a store: give a store_url, or no receipt keys"
            raise StartError(message)
        say("no store: outcomes, quality and calibrations are not served")
        yield
        return
    names = (name.strip() for name in settings.metric_names.split(","))
    choices = Choices(
        records=settings.record_scores,
        keeps_documents=settings.store_trajectories,
        named=frozenset(name for name in names if name),
    )
    url = settings.store_url or _own_file(settings)
    store = open_store(url, outcomes_a_minute=settings.outcomes_per_minute)
    async with (
        store as opened,
        opened_feedback(opened, house.scorer, house.metrics, choices, receipts) as feedback,
    ):
        house.feedback = feedback
        yield


def _own_file(settings: Settings) -> str:
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        message = (
            f"state_dir {settings.state_dir} cannot be made ({cause.strerror}): "
            "choose another, or give a store_url"
        )
        raise StartError(message) from cause
    return f"sqlite:///{settings.state_dir / 'outcomes.db'}"


def _receipts(settings: Settings) -> Receipts | None:
    text = settings.receipt_keys
    try:
        if settings.receipt_keys_file:
            text = settings.receipt_keys_file.read_text()
        return None if text is None else Receipts(read_keys(text))
    except (OSError, ValueError) as cause:
        message = f"receipt keys: {cause}"
        raise StartError(message) from cause
