import math
from pathlib import Path

import pytest

from tests.clock import START, FakeClock
from tests.contract.store.make import put_source
from tests.newsroom import configured, newsroom
from watcher.config import load
from watcher.daemon.start import adopt
from watcher.model import Queue, SourceState
from watcher.store import Polled, Store, Unchanged

HOUR = 3600.0


async def state(store: Store, name: str) -> SourceState:
    async with store.read() as tx:
        found = await tx.sources.get(name)
    assert found is not None
    return found


async def poll(store: Store, name: str, *, next_due: float, new: int = 0, etag: str = "etag") -> None:
    [claim] = [claim for claim in await store.claim(Queue.SOURCE, 10, 60) if claim.id == name]
    polled = Polled(
        claim,
        next_due=next_due,
        etag=etag,
        last_modified="a date",
        body_hash="hash",
        redirect_to="https://example.org/new",
        redirects=2,
        cache={"seen": ["Ünï", 1, None]},
        items=40,
        new_items=new,
        latency=0.25,
    )
    assert await store.write(lambda tx: tx.sources.polled([polled])) == [True]


async def test_a_new_source_is_due_when_the_configuration_says(store: Store) -> None:
    await put_source(store, "a", due=START + 7)
    assert await state(store, "a") == SourceState("a", START + 7)
    async with store.read() as tx:
        assert await tx.sources.get("b") is None


async def test_a_poll_is_remembered(store: Store, clock: FakeClock) -> None:
    await put_source(store, "a")
    clock.advance(5)
    await poll(store, "a", next_due=START + 300, new=3)
    assert await state(store, "a") == SourceState(
        "a",
        START + 300,
        etag="etag",
        last_modified="a date",
        body_hash="hash",
        redirect_to="https://example.org/new",
        redirects=2,
        first_polled_at=START + 5,
        last_success=START + 5,
        last_new=START + 5,
        cache={"seen": ["Ünï", 1, None]},
    )
    clock.advance(295)
    await poll(store, "a", next_due=START + 600)
    after = await state(store, "a")
    assert (after.first_polled_at, after.last_new, after.last_success) == (START + 5, START + 5, START + 300)
    async with store.read() as tx:
        [status] = await tx.sources.list()
    assert (status.listed, status.new_items, status.latency, status.kind) == (40, 3, 0.25, "feed")


async def test_a_restart_polls_nothing_twice(store: Store) -> None:
    await put_source(store, "a")
    await poll(store, "a", next_due=START + 300)
    await put_source(store, "a", due=START)
    assert (await state(store, "a")).next_due == START + 300
    assert await store.claim(Queue.SOURCE, 10, 60) == []


async def test_failures_are_counted_until_a_poll_succeeds(store: Store, clock: FakeClock) -> None:
    await put_source(store, "a")
    await poll(store, "a", next_due=START)
    for count in (1, 2):
        [claim] = await store.claim(Queue.SOURCE, 1, 60)
        await store.write(lambda tx: tx.sources.failed(claim, START, "no route", "network", None))  # noqa: B023
        after = await state(store, "a")
        assert (after.failures, after.error, after.etag) == (count, "no route", "etag")
    [claim] = await store.claim(Queue.SOURCE, 1, 60)
    await store.write(lambda tx: tx.sources.unchanged([Unchanged(claim, START + 60, "etag 2", None, 0.1)]))
    after = await state(store, "a")
    assert (after.failures, after.error, after.etag, after.body_hash) == (0, None, "etag 2", "hash")


async def test_never_is_never(store: Store, clock: FakeClock) -> None:
    await put_source(store, "a")
    [claim] = await store.claim(Queue.SOURCE, 1, 60)
    await store.write(lambda tx: tx.sources.failed(claim, math.inf, "gone", "gone", None))
    clock.advance(1e9)
    assert await store.claim(Queue.SOURCE, 1, 60) == []
    assert await store.next_due() is None
    assert (await state(store, "a")).next_due == math.inf


async def test_a_removed_source_is_not_polled_and_keeps_its_history(store: Store, clock: FakeClock) -> None:
    await put_source(store, "a", "b")
    await poll(store, "a", next_due=START + 10)
    await put_source(store, "b")
    clock.advance(HOUR)
    assert [claim.id for claim in await store.claim(Queue.SOURCE, 10, 60)] == ["b"]
    async with store.read() as tx:
        assert [status.state.id for status in await tx.sources.list()] == ["b"]
        assert [status.state.id for status in await tx.sources.list(inactive=True)] == ["a", "b"]
    await put_source(store, "a", "b", due=START + HOUR)
    back = await state(store, "a")
    assert (back.etag, back.first_polled_at, back.next_due) == ("etag", START, START + HOUR)


async def test_a_source_removed_while_it_is_polled_is_not_due_again(store: Store, clock: FakeClock) -> None:
    await put_source(store, "a", "b", "c", "d")
    claims = {claim.id: claim for claim in await store.claim(Queue.SOURCE, 10, 60)}
    await put_source(store, "d")
    await store.write(lambda tx: tx.sources.unchanged([Unchanged(claims["a"], START + 10, None, None, None)]))
    await store.write(lambda tx: tx.sources.failed(claims["b"], START + 10, "no", "network", None))
    await store.release([claims["c"], claims["d"]])
    clock.advance(HOUR)
    assert [claim.id for claim in await store.claim(Queue.SOURCE, 10, 60)] == ["d"]


async def test_another_address_is_another_beginning(store: Store) -> None:
    await put_source(store, "a")
    await poll(store, "a", next_due=START + 300)
    await store.write(lambda tx: tx.sources.sync([("a", START + 1, "page", "another")], START))
    assert await state(store, "a") == SourceState("a", START + 1, last_success=START)


async def test_a_poll_of_the_old_address_is_not_written_down(store: Store) -> None:
    await put_source(store, "a")
    [claim] = await store.claim(Queue.SOURCE, 1, 60)
    await store.write(lambda tx: tx.sources.sync([("a", START, "feed", "another")], START))
    assert await store.renew([claim], 60) == set()
    [again] = await store.claim(Queue.SOURCE, 1, 60)
    assert again.token > claim.token


async def test_a_source_that_is_to_be_polled_more_often_is_so_from_its_last_poll_on(
    store: Store, clock: FakeClock
) -> None:
    await put_source(store, "hourly", "jittered", "failing", "removed")
    for name in ("hourly", "removed"):
        await poll(store, name, next_due=START + HOUR)
        await store.write(lambda tx: tx.claims.reclaim())
    await poll(store, "jittered", next_due=START + 325)
    await store.write(lambda tx: tx.claims.reclaim())
    [failing] = await store.claim(Queue.SOURCE, 10, 60)
    await store.write(lambda tx: tx.sources.failed(failing, START + HOUR, "an error", "network", None))
    await put_source(store, "hourly", "jittered", "failing")  # one is gone from the configuration
    names = ("hourly", "jittered", "failing", "removed")
    clock.advance(60)
    await store.write(lambda tx: tx.sources.keep_within(dict.fromkeys(names, 300.0), tx.now))
    due = [(await state(store, name)).next_due for name in names]
    assert due == [START + 300, START + 325, START + HOUR, math.inf]
    clock.advance(300)
    await store.write(lambda tx: tx.sources.keep_within({"hourly": 60.0}, tx.now))
    assert (await state(store, "hourly")).next_due == START + 60 + 300  # now: its time is over


@pytest.mark.parametrize(("failed", "due"), [(False, START + 100), (True, START + 24 * HOUR)])
async def test_a_cron_time_that_is_changed_holds_for_the_poll_that_is_awaited(
    store: Store, clock: FakeClock, tmp_path: Path, failed: bool, due: float
) -> None:
    """But for a source that failed, which may have been told to wait."""
    services = newsroom(configured(tmp_path), store, clock)
    await adopt(services, services.config)
    await poll(store, "wire", next_due=START + 24 * HOUR)
    if failed:
        await store.write(lambda tx: tx.sources.hasten({"wire": START}))
        [claim] = await store.claim(Queue.SOURCE, 10, 60)
        await store.write(lambda tx: tx.sources.failed(claim, START + 24 * HOUR, "an error", "network", None))
    file = tmp_path / "watcher.yaml"
    file.write_text(file.read_text().replace("lang: en", "lang: en, cron: '*/15 * * * *'"))
    await adopt(services, load(file, {}))
    assert (await state(store, "wire")).next_due == due


async def test_an_interval_that_is_shortened_holds_for_the_poll_that_is_awaited(
    store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    services = newsroom(configured(tmp_path), store, clock)
    await adopt(services, services.config)
    await poll(store, "wire", next_due=START + HOUR)
    file = tmp_path / "watcher.yaml"
    file.write_text(file.read_text().replace("lang: en", "lang: en, every: 5m"))
    await adopt(services, load(file, {}))
    assert (await state(store, "wire")).next_due == START + 300
