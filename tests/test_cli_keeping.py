"""What the settings say of the store and the receipts, in a real house."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from houses import STORE
from prometheus_client import CollectorRegistry

from app.api.house import House
from app.cli.build import open_house
from app.config import Settings
from app.errors import StartError


def settings(folder: Path, **over: Any) -> Settings:
    return Settings(engine="fake", model_store=STORE, state_dir=folder / "state", **over)


async def found(folder: Path, *, keeping: bool = True, **over: Any) -> tuple[House, list[str]]:
    said: list[str] = []
    chosen = settings(folder, **over)
    async with open_house(chosen, CollectorRegistry(), said.append, keeping=keeping) as house:
        return house, said


async def test_the_store_is_a_file_of_the_state_folder(tmp_path: Path) -> None:
    house, _ = await found(tmp_path)
    assert house.feedback is not None
    assert house.feedback.choices.records
    assert not house.feedback.keeps_documents
    assert (tmp_path / "state" / "outcomes.db").exists()


async def test_no_store_where_none_is_wanted(tmp_path: Path) -> None:
    house, said = await found(tmp_path, store_url="none")
    assert house.feedback is None
    assert any("no store" in line for line in said)
    house, _ = await found(tmp_path, keeping=False)
    assert house.feedback is None
    assert not (tmp_path / "state" / "outcomes.db").exists()


async def test_receipt_keys_come_from_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("new:0123456789abcdef\nold:fedcba9876543210\n")
    house, _ = await found(tmp_path, receipt_keys_file=file)
    assert house.feedback is not None
    assert house.feedback.receipts is not None


@pytest.mark.parametrize(
    ("over", "word"),
    [
        ({"receipt_keys": "short"}, "receipt key"),
        ({"receipt_keys_file": Path("/no/such/file")}, "receipt keys"),
        ({"receipt_keys": "a:0123456789abcdef", "store_url": "none"}, "store_url"),
        ({"store_url": "nonsense"}, "store_url"),
    ],
)
async def test_what_cannot_be_stops_the_start(
    tmp_path: Path, over: dict[str, Any], word: str
) -> None:
    with pytest.raises(StartError, match=word):
        await found(tmp_path, **over)
