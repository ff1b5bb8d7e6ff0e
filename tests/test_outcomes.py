"""The store: what was acknowledged is there, once; the first verdict stands; corrections are rows.

Every test runs on SQLite and, where the machine has one, on PostgreSQL.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import delete, text
from stores import NOW, Clock, facts, sqlite_url
from stores import cluster as own_cluster

from app.errors import (
    GenerationConflict,
    IdempotencyInProgress,
    IdempotencyMismatch,
    StartError,
    StoreFull,
    StoreUnavailable,
)
from app.outcomes import Recorded, Report, Store, open_store
from app.outcomes.tables import metadata
from app.outcomes.telling import Telling, Tellings, Told
from bench.postgres import Postgres

DAY_S = 86_400.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    with own_cluster() as found:
        yield found


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    found = str(request.getfixturevalue("cluster").url)
    async with open_store(found) as store, store.database.writing() as connection:
        for table in metadata.sorted_tables:
            await connection.execute(delete(table))
    return found


@pytest_asyncio.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with open_store(url, clock=Clock()) as found:
        yield found


def label(score_id: str, resolved: bool = True, **over: Any) -> Report:
    return Report(resolved, over.pop("evidence", "tests"), score_id, **over)


def digest(name: str, resolved: bool = True, evidence: Any = "tests") -> Report:
    return Report(resolved, evidence, trajectory_digest=f"t-{name}")


async def rows(store: Store) -> int:
    async with store.database.reading() as connection:
        return int((await connection.execute(text("select count(*) from outcomes"))).scalar_one())


def statuses(answers: list[Recorded]) -> list[str]:
    return [answer.status for answer in answers]


async def test_a_score_is_there_as_soon_as_it_is_asked_for(store: Store) -> None:
    told = facts("a", tags={"policy": "p1"}, instance_id="x__y-1", group="g")
    store.put(told)
    assert await store.find(["a", "b"], "local") == {"a": told}
    assert await store.find(["a"], "another") == {}


async def test_the_first_verdict_of_a_score_stands(store: Store) -> None:
    store.put(facts("a", logit=1.0))
    store.put(facts("a", logit=2.0))
    await store.recorder.flush()
    store.put(facts("a", logit=3.0))
    assert (await store.find(["a"], "local"))["a"].logit == 1.0


async def test_outcomes_name_scores_or_trajectories(store: Store) -> None:
    store.put(facts("a"))
    store.put(facts("b", trajectory_digest="t-a"))
    told = [label("a"), digest("a", evidence="human"), label("nope"), digest("nope")]
    assert await store.record(told, "local") == [
        Recorded("recorded", 1), Recorded("recorded", 2), Recorded("unknown_score", 0),
        Recorded("unknown_score", 0),
    ]  # fmt: skip
    assert statuses(await store.record(told[:2], "local")) == ["duplicate"] * 2
    assert statuses(await store.record([label("a")], "another")) == ["unknown_score"]
    assert await rows(store) == 2


async def test_a_correction_is_a_row_and_the_last_one_counts(store: Store) -> None:
    store.put(facts("a"))
    for resolved in (True, False, True, True):
        await store.record([label("a", resolved)], "local")
    assert await rows(store) == 3
    (found,) = await store.labelled(NOW)
    assert found.resolved is True
    kept = await store.outcomes_of((await store.find(["a"], "local"))["a"])
    assert [each.resolved for each in kept] == [True, False, True]


async def test_tests_outweigh_people_and_people_models(store: Store) -> None:
    store.put(facts("a"))
    for evidence, resolved in (("model", False), ("human", True)):
        await store.record([label("a", resolved, evidence=evidence)], "local")
    assert [each.resolved for each in await store.labelled(NOW)] == [True]
    await store.record([label("a", False)], "local")
    (found,) = await store.labelled(NOW)
    assert (found.resolved, found.evidence) == (False, "tests")


async def test_what_contradicts_tests_goes_to_quarantine(store: Store) -> None:
    store.put(facts("a"))
    told = [label("a"), digest("a", False, "human"), label("a", False, evidence="model")]
    assert statuses(await store.record(told, "local")) == [
        "recorded", "quarantined", "quarantined",
    ]  # fmt: skip
    assert statuses(await store.record(told[1:], "local")) == ["quarantined"] * 2
    assert await rows(store) == 3
    (found,) = await store.labelled(NOW)
    assert (found.resolved, found.evidence) == (True, "tests")
    kept = await store.outcomes_of((await store.find(["a"], "local"))["a"])
    assert [each.quarantine for each in kept] == [None, "contradicts_tests", "contradicts_tests"]


async def test_a_label_told_again_counts_once_tests_agree(store: Store) -> None:
    store.put(facts("a"))
    human = label("a", False, evidence="human")
    told = [label("a"), human, human, label("a", False), human, human]
    assert statuses(await store.record(told, "local")) == [
        "recorded", "quarantined", "quarantined", "recorded", "recorded", "duplicate",
    ]  # fmt: skip
    assert await rows(store) == 4


async def test_a_flood_told_again_stays_out(url: str) -> None:
    """Or who floods would only have to send it twice."""
    clock = Clock()
    async with open_store(url, outcomes_a_minute=1, clock=clock) as store:
        told = [label(f"s-{n}") for n in range(3)]
        for n in range(3):
            store.put(facts(f"s-{n}"))
        await store.record(told, "local")
        clock.now += 61.0
        again = statuses(await store.record(told, "local"))
        assert again == ["duplicate", "quarantined", "quarantined"]
        assert await store.labelled(NOW) == ()


async def test_a_flood_from_one_key_goes_to_quarantine(url: str) -> None:
    clock = Clock()
    async with open_store(url, outcomes_a_minute=3, clock=clock) as store:
        for n in range(6):
            store.put(facts(f"flood-{n}"))
        told = [label(f"flood-{n}") for n in range(5)]
        found = statuses(await store.record(told, "local"))
        assert found == ["recorded"] * 3 + ["quarantined"] * 2
        clock.now += 61.0
        assert statuses(await store.record([label("flood-5")], "local")) == ["recorded"]
        # The three that came before the flood was one are part of it.
        assert [each.trajectory_digest for each in await store.labelled(NOW)] == ["t-flood-5"]


async def test_a_flood_is_its_own_key_and_minute(url: str) -> None:
    clock = Clock()
    async with open_store(url, outcomes_a_minute=2, clock=clock) as store:
        for n in range(5):
            store.put(facts(f"a-{n}"))
            store.put(facts(f"b-{n}", key_id="b"))
        await store.record([label("a-0")], "local")
        clock.now += 61.0
        await store.record([label(f"a-{n}") for n in range(1, 5)], "local")
        await store.record([label("b-0"), label("b-1")], "b")
        found = [each.trajectory_digest for each in await store.labelled(NOW)]
        assert sorted(found) == ["t-a-0", "t-b-0", "t-b-1"]


async def test_calls_at_once_share_transactions(store: Store) -> None:
    """Each gets its own answer, in the order in which they came."""
    for n in range(40):
        store.put(facts(f"s-{n}"))
    calls = [
        store.record_once([label(f"s-{n}"), label("none")], "local", f"k-{n}") for n in range(40)
    ]
    first = await asyncio.gather(*calls)
    assert all(statuses(answers) == ["recorded", "unknown_score"] for answers, _ in first)
    assert await rows(store) == 40
    again = await asyncio.gather(
        *(store.record_once([label(f"s-{n}"), label("none")], "local", f"k-{n}") for n in range(40))
    )
    assert all(repeated and answers == first[n][0] for n, (answers, repeated) in enumerate(again))
    mixed = await asyncio.gather(
        store.record_once([label("s-1", resolved=False)], "local", "k-1"),
        store.record([label("s-2")], "local"),
        store.record([label("s-3", resolved=False)], "local"),
        return_exceptions=True,
    )
    assert isinstance(mixed[0], IdempotencyMismatch)
    assert [statuses(each) for each in mixed[1:] if isinstance(each, list)] == [
        ["duplicate"], ["recorded"],
    ]  # fmt: skip


async def test_a_call_that_no_database_takes_fails_alone() -> None:
    batches = []

    async def write(_: str, tellings: Sequence[Telling]) -> list[Told]:
        batches.append(len(tellings))
        await asyncio.sleep(0)
        if any(not each.reports for each in tellings):
            message = "a value of no type"
            raise ValueError(message)
        return [Told([Recorded("recorded", 1)]) for _ in tellings]

    tellings = Tellings(write, 10.0)
    calls = [tellings.tell("k", Telling(each)) for each in ([label("a")], [], [label("b")])]
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in found] == [Told, ValueError, Told]
    assert batches == [3, 1, 1, 1]


async def test_who_waits_when_the_store_closes_is_told() -> None:
    async def write(_: str, tellings: Sequence[Telling]) -> list[Told]:
        await asyncio.Event().wait()
        return []

    tellings = Tellings(write, 10.0)
    call = asyncio.create_task(tellings.tell("k", Telling([label("a")])))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await tellings.close()
    with pytest.raises(StoreUnavailable):
        await call


async def test_a_store_that_does_not_answer_has_a_clock() -> None:
    async def write(_: str, tellings: Sequence[Telling]) -> list[Told]:
        await asyncio.Event().wait()
        return []

    tellings = Tellings(write, 0.01)
    with pytest.raises(StoreUnavailable):
        await tellings.tell("k", Telling([label("a")]))
    await tellings.close()


async def test_who_leaves_before_the_turn_is_not_written(store: Store) -> None:
    for name in "ab":
        store.put(facts(name))
    await store.recorder.flush()
    async with store.database.writing():
        first = asyncio.create_task(store.record([label("a")], "local"))
        await asyncio.sleep(0)
        second = asyncio.create_task(store.record([label("b")], "local"))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        if store.database.is_sqlite:
            assert not first.done()
    assert statuses(await first) == ["recorded"]
    assert await rows(store) == 1


async def test_the_same_key_gets_the_first_answer(store: Store) -> None:
    store.put(facts("a"))
    told = [label("a"), label("nope")]
    first, again = await store.record_once(told, "local", "k1")
    assert not again
    store.put(facts("nope"))
    assert await store.record_once(told, "local", "k1") == (first, True)
    second, _ = await store.record_once(told, "local", "k2")
    assert statuses(second) == ["duplicate", "recorded"]
    foreign, _ = await store.record_once(told, "another", "k1")
    assert statuses(foreign) == ["unknown_score"] * 2
    with pytest.raises(IdempotencyMismatch):
        await store.record_once(told[:1], "local", "k1")
    assert await rows(store) == 2


async def test_keys_are_forgotten_at_a_start_after_30_days(url: str) -> None:
    clock = Clock()
    async with open_store(url, clock=clock) as store:
        store.put(facts("a"))
        await store.record_once([label("a")], "local", "k")
    for days, known in ((29, True), (31, False)):
        clock.now = NOW + days * DAY_S
        async with open_store(url, clock=clock) as store:
            assert (await store.record_once([label("a")], "local", "k"))[1] is known


async def test_32_at_once_with_one_key_write_once(store: Store) -> None:
    store.put(facts("a"))
    asked = [store.record_once([label("a")], "local", "k") for _ in range(32)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    answers = [each[0] for each in found if not isinstance(each, BaseException)]
    assert answers == [[Recorded("recorded", 1)]] * len(answers)
    assert answers
    others = [each for each in found if isinstance(each, BaseException)]
    assert all(isinstance(each, IdempotencyInProgress) for each in others)
    assert await rows(store) == 1


async def test_equal_facts_at_once_from_two_replicas_are_one_row(url: str) -> None:
    async with open_store(url) as one, open_store(url) as other:
        one.put(facts("twice"))
        await one.recorder.flush()
        asked = [each.record([label("twice")], "local") for each in (one, other) * 8]
        found = [answer for (answer,) in await asyncio.gather(*asked)]
        assert sorted(statuses(found)) == ["duplicate"] * 15 + ["recorded"]


async def test_10_000_outcomes_at_once(store: Store) -> None:
    for n in range(10_000):
        store.put(facts(f"s{n}"))
    answers = await store.record([label(f"s{n}", n % 3 == 0) for n in range(10_000)], "local")
    assert set(answers) == {Recorded("recorded", 1)}
    assert len(await store.labelled(NOW)) == 10_000


async def test_a_window_counts_a_trajectory_of_a_model_once(store: Store) -> None:
    store.put(facts("a", tags={"policy": "p"}))
    store.put(facts("b", trajectory_digest="t-a", tags={"policy": "p"}, logit=-3.0))
    store.put(facts("c", trajectory_digest="t-a", revision="sha256:other"))
    store.put(facts("d", created_at=NOW - DAY_S))
    store.put(facts("e", tags={"policy": "p"}))
    await store.record([digest("a"), label("d")], "local")
    labelled = await store.labelled(NOW - 1)
    assert [(each.revision, each.logit) for each in labelled] == [
        ("sha256:weights", 0.5), ("sha256:other", 0.5),
    ]  # fmt: skip
    counted = await store.counted(NOW - 1, "policy")
    assert {(each.value, each.trajectories) for each in counted} == {("p", 2), (None, 1)}


async def test_a_trajectory_that_two_keys_dispute_counts_for_nothing(store: Store) -> None:
    for name in ("a", "b"):
        store.put(facts(name))
        store.put(facts(f"other-{name}", trajectory_digest=f"t-{name}", key_id="other"))
    await store.record([label("a", True), label("b", True)], "local")
    await store.record([label("other-a", False), label("other-b", True)], "other")
    window = await store.window(NOW)
    assert [each.trajectory_digest for each in window.labelled] == ["t-b"]
    assert window.disputed == 1
    await store.record([label("other-a", True)], "other")  # taken back
    window = await store.window(NOW)
    assert (len(window.labelled), window.disputed) == (2, 0)


async def test_of_two_keys_the_better_evidence_counts(store: Store) -> None:
    """Whoever scored or told first."""
    for first, second in (("x", "y"), ("y", "x")):
        store.put(facts(f"{first}-1", trajectory_digest=f"t-{first}", key_id=first))
        store.put(facts(f"{second}-2", trajectory_digest=f"t-{first}", key_id=second))
        await store.record([label(f"{first}-1", first == "x", evidence="human")], first)
        await store.record([label(f"{second}-2", second == "x", evidence="tests")], second)
    window = await store.window(NOW)
    found = {each.trajectory_digest: (each.resolved, each.evidence) for each in window.labelled}
    assert found == {"t-x": (False, "tests"), "t-y": (True, "tests")}
    assert window.disputed == 0


async def test_what_tests_said_of_one_score_outweighs_what_was_said_of_another(
    store: Store,
) -> None:
    store.put(facts("a"))
    store.put(facts("b", trajectory_digest="t-a"))
    await store.record([label("a", True, evidence="model")], "local")
    await store.record([label("b", False)], "local")
    (found,) = await store.labelled(NOW)
    assert (found.resolved, found.evidence) == (False, "tests")


async def test_clocks_that_are_wrong_hurt_nothing(store: Store) -> None:
    store.put(facts("future", created_at=NOW + 10 * DAY_S))
    told = label("future", observed_at=NOW + 100 * DAY_S)
    assert statuses(await store.record([told], "local")) == ["recorded"]
    store.recorder.put(facts("past", created_at=-5.0))
    assert statuses(await store.record([label("past", observed_at=-1.0)], "local")) == ["recorded"]
    assert len(await store.labelled(NOW)) == 1


async def test_hostile_text_is_kept_or_mended(store: Store) -> None:
    name = "a\0b'; drop table scores; -- \N{SNOWMAN}"
    store.put(facts("a", instance_id=name, tags={"policy": name, name: "x"}))
    found = (await store.find(["a"], "local"))["a"]
    assert found.tags == {"policy": name, name: "x"}
    assert found.instance_id in (name, name.replace("\0", "\ufffd"))


async def test_a_row_that_no_database_takes_holds_up_no_other(store: Store) -> None:
    store.put(facts("a"))
    store.put(facts("b", model=None))
    store.put(facts("c"))
    assert set(await store.find(["a", "b", "c"], "local")) == {"a", "c"}
    assert (store.counts.lost, store.counts.waiting) == (1, 0)


async def test_switches_compare_and_set(store: Store) -> None:
    kept = store.calibrations
    assert await kept.active("r") is None
    made = await kept.add("r", {"id": "c1", "method": "identity"}, {"n": 3})
    assert (await kept.all("r")) == [made]
    assert await kept.all("other") == []
    assert (await kept.switch("r", "c1", 0, "local")).generation == 1
    with pytest.raises(GenerationConflict) as caught:
        await kept.switch("r", "identity", 0, "local")
    assert caught.value.limits == {"generation": 1}
    await kept.switch("r", "identity", 1, "local")
    assert [each.calibration_id for each in await kept.history("r")] == ["identity", "c1"]


async def test_of_many_switches_to_one_generation_one_is_made(store: Store) -> None:
    asked = [store.calibrations.switch("r", f"c{n}", 0, "local") for n in range(8)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, GenerationConflict) for each in found) == 7
    assert len(await store.calibrations.history("r")) == 1


async def test_documents_are_kept_only_when_given(store: Store) -> None:
    store.put(facts("a", document="the story"))
    store.put(replace(facts("b"), trajectory_digest="t-a", document="again"))
    store.put(facts("c"))
    await store.recorder.flush()
    async with store.database.reading() as connection:
        found = await connection.execute(
            text("select trajectory_digest, document from trajectories")
        )
        assert [tuple(row) for row in found] == [("t-a", "the story")]


async def test_too_many_scores_are_counted_never_waited_for(tmp_path: Path) -> None:
    async with open_store(sqlite_url(tmp_path)) as store:
        store.recorder._most_waiting = 3
        for n in range(5):
            store.put(facts(f"s{n}"))
        assert (store.counts.waiting, store.counts.lost) == (3, 2)
        assert len(await store.find([f"s{n}" for n in range(5)], "local")) == 3


async def test_what_waits_is_written_at_the_end(tmp_path: Path) -> None:
    async with open_store(sqlite_url(tmp_path)) as store:
        store.put(facts("a"))
    async with open_store(sqlite_url(tmp_path)) as store:
        assert set(await store.find(["a"], "local")) == {"a"}


async def test_scores_reach_the_disk_by_themselves(tmp_path: Path) -> None:
    async with open_store(sqlite_url(tmp_path)) as store:
        store.put(facts("a"))
        async with asyncio.timeout(10):
            while store.counts.written == 0:
                await asyncio.sleep(0.005)


async def test_sqlite_is_durable_on_every_connection(tmp_path: Path) -> None:
    async with open_store(sqlite_url(tmp_path)) as store:
        for opened in (store.database.writing, store.database.reading):
            async with opened() as connection:
                for pragma, value in (("synchronous", 2), ("journal_mode", "wal")):
                    found = await connection.exec_driver_sql(f"PRAGMA {pragma}")
                    assert found.scalar_one() == value
        with pytest.raises(StoreUnavailable):
            async with store.database.reading() as connection:
                await connection.exec_driver_sql("delete from scores")
    with sqlite3.connect(tmp_path / "outcomes.db") as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()


async def test_a_full_disk_is_said_and_passes(tmp_path: Path) -> None:
    async with open_store(sqlite_url(tmp_path)) as store:
        store.put(facts("a"))
        await store.recorder.flush()
        async with store.database._writer.connect() as connection:
            pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
            await connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        for n in range(400):
            store.put(facts(f"more-{n}"))
        with pytest.raises(StoreFull):
            await store.record_once([label("a")], "local", "k")
        assert store.counts.waiting == 400
        assert set(await _read_past_the_queue(store)) == {"a"}
        async with store.database._writer.connect() as connection:
            await connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        assert statuses((await store.record_once([label("a")], "local", "k"))[0]) == ["recorded"]
        assert len(await store.find([f"more-{n}" for n in range(400)], "local")) == 400


async def _read_past_the_queue(store: Store) -> list[str]:
    async with store.database.reading() as connection:
        found = await connection.execute(text("select score_id from scores"))
        return list(found.scalars())


async def test_a_database_that_goes_and_comes_back(cluster: Postgres) -> None:
    async with open_store(cluster.url) as store:
        store.put(facts("before-the-fall"))
        await store.recorder.flush()
        cluster.stop()
        try:
            store.put(facts("in-the-dark"))
            with pytest.raises(StoreUnavailable):
                await store.record_once([label("before-the-fall")], "local", "fall")
            with pytest.raises(StoreUnavailable):
                await store.calibrations.active("r")
        finally:
            cluster.start()
        answers, _ = await store.record_once([label("before-the-fall")], "local", "fall")
        assert statuses(answers) == ["recorded"]
        assert set(await store.find(["in-the-dark"], "local")) == {"in-the-dark"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("mysql://x/y", "store_url"), ("nonsense", "store_url"), ("sqlite://", "store_url"),
     ("sqlite:////no/such/folder/x.db", "outcomes|opened|open"),
     ("postgresql://nobody:secret@127.0.0.1:1/none", "opened")],
)  # fmt: skip
async def test_a_store_that_cannot_be_opened_stops_the_start(wrong: str, said: str) -> None:
    with pytest.raises(StartError, match=said) as caught:
        async with open_store(wrong):
            pass
    assert "secret" not in caught.value.message


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outcomes.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(StartError, match="store_url"):
        async with open_store(sqlite_url(tmp_path)):
            pass


async def test_a_schema_from_the_future_is_refused(tmp_path: Path) -> None:
    async with (
        open_store(sqlite_url(tmp_path)) as store,
        store.database.writing() as connection,
    ):
        await connection.exec_driver_sql("update alembic_version set version_num='9999'")
    with pytest.raises(StartError, match="later version"):
        async with open_store(sqlite_url(tmp_path)):
            pass


async def test_the_migrations_make_the_tables(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    async with store.database.writing() as connection:
        found = await connection.run_sync(
            lambda c: compare_metadata(MigrationContext.configure(c), metadata)
        )
    assert found == []
