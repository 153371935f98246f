import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from tests.clock import START, FakeClock
from tests.contract.store.make import item, story
from tests.stories import join_story, look_up, open_story
from watcher.errors import StoreError
from watcher.model import Story
from watcher.store import Store, Tx, open_store


@pytest.fixture
def commits() -> Iterator[list[str]]:
    """A mark for each commit, on any connection."""
    seen: list[str] = []

    def committed(connection: Any) -> None:
        seen.append("commit")

    event.listen(Engine, "commit", committed)
    yield seen
    event.remove(Engine, "commit", committed)


def beat(name: str) -> Any:
    return lambda tx: tx.workers.beat(name, "1", START)


async def names(store: Store) -> set[str]:
    async with store.read() as tx:
        return {worker.id for worker in await tx.workers.list()}


async def test_the_result_is_what_the_work_returned(store: Store) -> None:
    async def work(tx: Tx) -> str:
        return "done"

    assert await store.write(work) == "done"


async def test_what_is_acknowledged_is_there_for_others(store: Store, other: Store) -> None:
    await store.write(beat("a"))
    assert await names(other) == {"a"}


async def test_a_work_that_raises_rolls_back_alone(store: Store) -> None:
    async def bad(tx: Tx) -> None:
        await tx.workers.beat("half", "1", START)
        raise ValueError("no")

    async def breaks_sql(tx: Tx) -> None:
        await tx.workers.beat("half", "1", START)
        await tx.workers._run(text("SELECT nonsense FROM nowhere"))

    works = [beat("a"), bad, beat("b"), breaks_sql, beat("c")]
    results = await asyncio.gather(*(store.write(work) for work in works), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), ValueError, type(None), StoreError, type(None)]
    assert await names(store) == {"a", "b", "c"}


async def test_writes_that_are_ready_together_are_committed_together(store: Store, commits: list[str]) -> None:
    await asyncio.gather(*(store.write(beat(f"worker {n}")) for n in range(100)))
    assert len(await names(store)) == 100
    assert len(commits) < 20 if store.engine == "sqlite" else len(commits) >= 100


async def test_a_caller_who_was_cancelled_does_not_hold_up_the_others(store: Store) -> None:
    async def slow(tx: Tx) -> None:
        await tx.workers.beat("slow", "1", START)

    tasks = [asyncio.create_task(store.write(slow)) for _ in range(5)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.write(beat("after"))
    assert "after" in await names(store)


async def test_reading_sees_one_state_while_others_write(store: Store) -> None:
    await store.write(beat("before"))
    async with store.read() as tx:
        assert {worker.id for worker in await tx.workers.list()} == {"before"}
        await store.write(beat("meanwhile"))
        assert {worker.id for worker in await tx.workers.list()} == {"before"}
    assert await names(store) == {"before", "meanwhile"}


async def test_reading_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError):
        async with store.read() as tx:
            await tx.workers.beat("reader", "1", START)
    assert await names(store) == set()


async def test_two_processes_write_at_the_same_time(store: Store, other: Store) -> None:
    works = [one.write(beat(f"{n} of {one!r}")) for n in range(50) for one in (store, other)]
    await asyncio.gather(*works)
    assert len(await names(store)) == 100


async def test_a_transaction_that_reads_first_may_write(store: Store, other: Store) -> None:
    async def work(tx: Tx) -> None:
        known = await tx.workers.list()
        await tx.workers.beat(f"worker {len(known)}", "1", START)

    await asyncio.gather(*(one.write(work) for _ in range(20) for one in (store, other)))


async def test_a_closed_store_says_so(url: str, clock: FakeClock) -> None:
    store = await open_store(url, clock, "first", measure_skew=False)
    await store.close()
    with pytest.raises(StoreError):
        await store.write(beat("late"))


async def test_what_was_asked_before_closing_is_written(url: str, clock: FakeClock) -> None:
    store = await open_store(url, clock, "first", measure_skew=False)
    writes = [asyncio.create_task(store.write(beat(f"worker {n}"))) for n in range(20)]
    await asyncio.gather(*writes[:1])
    results = asyncio.gather(*writes)
    if store.engine == "postgresql":
        await results
    await store.close()
    await results
    async with await open_store(url, clock, "first", measure_skew=False) as again:
        assert len(await names(again)) == 20


async def test_copies_that_come_in_at_once_open_one_story(store: Store, other: Store) -> None:
    """Eight writers, each looking for a story with these hashes and opening one where there is none."""
    hashes = frozenset(range(100, 140))

    def ingest(number: int) -> Any:
        async def work(tx: Tx) -> str:
            one = item(f"item {number}")
            await tx.items.add([one], now=START, baseline=False, read_at=None)
            found = (await look_up(tx, "", hashes, START - 1000)).candidates
            if found:
                joined: Story = await join_story(tx, found[0].story.id, one.id, f"outlet {number}", START)
                return joined.id
            await open_story(tx, story(f"story of {number}", one.id), hashes)
            return f"story of {number}"

        return work

    writes = [(store, other)[number % 2].write(ingest(number), ingest=True) for number in range(40)]
    assert len(set(await asyncio.gather(*writes))) == 1
    async with store.read() as tx:
        [stored] = await tx.stories.list()
    assert len(stored.items) == 40
    assert len(set(stored.story.outlets)) == len(stored.story.outlets) == 39


async def test_a_work_that_waits_for_something_else_is_refused_on_sqlite(store: Store) -> None:
    async def waits(tx: Tx) -> None:
        await tx.workers.beat("waits", "1", START)
        await asyncio.sleep(0)

    if store.engine == "sqlite":
        with pytest.raises(RuntimeError, match="awaits something other"):
            await store.write(waits)
        assert await names(store) == set()
    else:
        await store.write(waits)


async def test_works_that_wait_for_each_other_are_run_again(store: Store, other: Store) -> None:
    """Two transactions take two rows in opposite orders: on PostgreSQL one is the deadlock's victim, and run again."""
    both_hold_one = asyncio.Barrier(2)
    runs: list[str] = []

    def work(first: str, second: str) -> Any:
        async def run(tx: Tx) -> None:
            runs.append(first)
            await tx.channels.hold(first, "", START)
            if store.engine == "postgresql" and len(runs) <= 2:
                await both_hold_one.wait()
            await tx.channels.hold(second, "", START)

        return run

    await asyncio.gather(store.write(work("a", "b")), other.write(work("b", "a")))
    assert len(runs) >= (3 if store.engine == "postgresql" else 2)  # what is run again may be the victim again
    async with store.read() as tx:
        assert {state.channel for state in await tx.channels.list()} == {"a", "b"}


async def test_a_server_that_dropped_its_connections_is_written_to_all_the_same(
    postgres_url: str, clock: FakeClock
) -> None:
    drop = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with (
        await open_store(postgres_url, clock, "first", measure_skew=False) as store,
        await open_store(postgres_url, clock, "second", measure_skew=False) as other,
    ):
        await asyncio.gather(*(store.write(beat(f"before {n}")) for n in range(5)))
        await other.write(lambda tx: tx.workers._run(drop))
        await asyncio.gather(*(store.write(beat(f"after {n}")) for n in range(5)))
        assert len(await names(store)) == 10
