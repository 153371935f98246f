from typing import Any

import pytest

from tests.clock import START, FakeClock
from tests.contract.store.make import alert, delivery, item, put_alert, put_source, story
from tests.stories import open_story
from watcher.model import Queue, Reason
from watcher.store import Polled, Purged, Store, Tx, Unchanged
from watcher.store.retention import BATCH
from watcher.store.stories import WINDOW

DAY = 86400.0
KEEP = {"text": 14 * DAY, "items": 60 * DAY, "deliveries": 90 * DAY}


async def purge(store: Store, clock: FakeClock) -> Purged:
    return await store.write(lambda tx: tx.purge(clock.now(), **KEEP))


async def add(store: Store, name: str, story_id: str | None = None, source: str = "wire", **values: Any) -> None:
    async def work(tx: Tx) -> None:
        await tx.items.add([item(name, source, **values)], now=tx.now, baseline=False, read_at=None)
        await tx.items.judged(name, story_id, Reason.NO_MATCH, "feed")

    await store.write(work)


async def poll(store: Store, clock: FakeClock, *listed: str, changed: bool) -> None:
    [claim] = await store.claim(Queue.SOURCE, 1, 60)

    async def work(tx: Tx) -> None:
        if not changed:
            await tx.sources.unchanged([Unchanged(claim, tx.now, None, None, None)])
            return
        polled = Polled(
            claim,
            next_due=tx.now,
            etag=None,
            last_modified=None,
            body_hash=None,
            redirect_to=None,
            redirects=0,
            cache={},
            items=len(listed),
            new_items=0,
            latency=None,
        )
        await tx.sources.polled([polled])
        await tx.items.listed(listed, tx.now)

    await store.write(work)


async def kept(store: Store) -> dict[str, str]:
    async with store.read() as tx:
        return {one.item.id: one.item.body for one in await tx.items.list()}


async def test_an_old_text_goes_unless_its_story_was_alerted(store: Store, clock: FakeClock) -> None:
    await add(store, "quiet")
    await add(store, "copy", "told")
    await add(store, "first", "told")
    await store.write(lambda tx: tx.alerts.add(alert("a", story="told", item="first")))
    clock.advance(14 * DAY + 1)
    await add(store, "recent")
    assert (await purge(store, clock)).texts == 1
    assert await kept(store) == {"quiet": "", "copy": "Body copy", "first": "Body first", "recent": "Body recent"}
    assert await purge(store, clock) == Purged()


async def test_an_old_item_goes_unless_it_was_alerted(store: Store, clock: FakeClock) -> None:
    await add(store, "quiet")
    await add(store, "told")
    await store.write(lambda tx: tx.alerts.add(alert("a", story="s", item="told")))
    clock.advance(60 * DAY + 1)
    await add(store, "recent")
    assert (await purge(store, clock)).items == 1
    assert await kept(store) == {"told": "Body told", "recent": "Body recent"}


@pytest.mark.parametrize("changed", [True, False])
async def test_an_item_stays_while_its_source_lists_it(store: Store, clock: FakeClock, changed: bool) -> None:
    """An unchanged feed lists what it listed: 304s for months must not make its items new again."""
    await put_source(store, "wire")
    await add(store, "listed")
    await add(store, "dropped")
    await poll(store, clock, "listed", "dropped", changed=True)
    clock.advance(DAY)
    await poll(store, clock, "listed", changed=True)
    for _ in range(15):
        clock.advance(10 * DAY)
        await poll(store, clock, "listed", changed=changed)
        await purge(store, clock)
    assert set(await kept(store)) == {"listed"}


async def test_items_of_a_removed_source_go_a_month_after_it(store: Store, clock: FakeClock) -> None:
    await put_source(store, "wire")
    await add(store, "a")
    await poll(store, clock, "a", changed=True)
    clock.advance(60 * DAY)
    await poll(store, clock, "a", changed=True)
    await put_source(store)
    clock.advance(29 * DAY)
    await purge(store, clock)
    assert set(await kept(store)) == {"a"}
    clock.advance(2 * DAY)
    await purge(store, clock)
    assert await kept(store) == {}


async def test_shingles_go_with_their_window_and_stories_with_their_last_item(store: Store, clock: FakeClock) -> None:
    await add(store, "first", "s")
    await store.write(lambda tx: open_story(tx, story("s", "first"), set(range(50))))
    clock.advance(WINDOW - 1)
    assert (await purge(store, clock)).shingles == 0
    clock.advance(2)
    assert (await purge(store, clock)).shingles == 50
    clock.advance(60 * DAY)
    purged = await purge(store, clock)
    assert (purged.items, purged.stories) == (1, 1)
    async with store.read() as tx:
        assert await tx.stories.list() == []


async def test_an_alerted_story_stays(store: Store, clock: FakeClock) -> None:
    await add(store, "first", "s")
    await store.write(lambda tx: open_story(tx, story("s", "first"), {1}))
    await store.write(lambda tx: tx.alerts.add(alert("a", story="s", item="first")))
    for _ in range(3):
        clock.advance(100 * DAY)
        await purge(store, clock)
    async with store.read() as tx:
        assert [one.story.id for one in await tx.stories.list()] == ["s"]


async def test_old_deliveries_go_when_they_ended_and_their_groups_after_them(store: Store, clock: FakeClock) -> None:
    await put_alert(store, "a")
    [claim] = await store.claim(Queue.GROUP, 1, 60)
    messages = [delivery("sent", group=claim.id), delivery("waits", group=claim.id, next_try=START + 1e9)]
    await store.write(lambda tx: tx.groups.flushed(claim, ["a"], messages, tx.now))
    [sent] = await store.claim(Queue.DELIVERY, 1, 60)
    await store.write(lambda tx: tx.deliveries.sent(sent, "ok", START))
    clock.advance(89 * DAY)
    assert await purge(store, clock) == Purged()
    clock.advance(2 * DAY)
    purged = await purge(store, clock)
    assert (purged.deliveries, purged.groups) == (1, 0)
    await store.write(lambda tx: tx.deliveries.drop(["waits"]))
    purged = await purge(store, clock)
    assert (purged.deliveries, purged.groups) == (1, 1)
    async with store.read() as tx:
        assert [one.id for one in await tx.alerts.list()] == ["a"]  # alerts are for ever


async def test_much_goes_in_batches(store: Store, clock: FakeClock) -> None:
    items = [item(f"item {n}") for n in range(BATCH + 10)]
    await store.write(lambda tx: tx.items.add(items, now=START, baseline=False, read_at=None))
    clock.advance(61 * DAY)
    first = await purge(store, clock)
    second = await purge(store, clock)
    assert (first.items, first.more, second.items, second.more) == (BATCH, True, 10, False)


async def test_the_size_is_what_the_store_takes_up(store: Store) -> None:
    async with store.read() as tx:
        before = await tx.size()
    items = [item(f"item {n}", body="x" * 5000) for n in range(1000)]
    await store.write(lambda tx: tx.items.add(items, now=START, baseline=False, read_at=None))
    async with store.read() as tx:
        assert await tx.size() > before > 0
