"""What several polls found is written in one transaction, and what goes wrong with one of them is that one's alone."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.clock import START, FakeClock
from tests.contract.store.make import put_source
from tests.newsroom import configured, judged, newsroom, words
from watcher.errors import LeaseLost, StoreError
from watcher.model import Item, Queue, Reason
from watcher.pipeline import Services
from watcher.pipeline.keep import BATCH, Finding, keep
from watcher.pipeline.services import JUDGED_AT_ONCE, KEPT_TOGETHER, Counts
from watcher.store import Polled, Store

NAMES = ("a", "b", "c", "d")


@pytest.fixture
async def services(tmp_path: Path, store: Store, clock: FakeClock) -> Services:
    await put_source(store, *NAMES)
    return newsroom(configured(tmp_path), store, clock)


async def findings(services: Services, items: int = 1, names: Sequence[str] = NAMES) -> list[Finding]:
    """Of each source one poll, which found so many items that the rule matches."""
    claims = {claim.id: claim for claim in await services.store.claim(Queue.SOURCE, 100, 60)}
    return [
        Finding(
            polled=Polled(claims[name], START + 300, f"etag {name}", None, None, None, 0, {}, 40, items, 0.1),
            baseline=False,
            listed=(),
            waiting=(),
            judged=[
                judged(services, Item(f"{name}{n}", name, f"Harbour {name} {n}", " ".join(words(ord(name) + n, 40))))
                for n in range(items)
            ],
            renewed=(),
            remark="",
        )
        for name in names
    ]


@pytest.fixture
def writes(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every transaction that is asked for."""
    made: list[Any] = []

    async def counted(work, ingest=False, write=store.write):
        made.append(work)
        return await write(work, ingest)

    monkeypatch.setattr(store, "write", counted)
    return made


async def kept(store: Store) -> tuple[dict[str, str | None], set[str], int]:
    """The validators of the sources, the items, and how many alerts there are."""
    async with store.read() as tx:
        etags = {status.state.id: status.state.etag for status in await tx.sources.list()}
        return etags, {one.item.id for one in await tx.items.list()}, len(await tx.alerts.list())


async def test_polls_that_end_together_are_one_transaction(services: Services, writes: list[Any]) -> None:
    found = await findings(services)
    writes.clear()
    counts = await asyncio.gather(*(keep(services, one) for one in found))
    assert counts == [Counts(polled=1, new_items=1, matched=1, alerts=1)] * 4
    assert len(writes) == 1
    expected = {name: f"etag {name}" for name in NAMES}, {f"{name}0" for name in NAMES}, 4
    assert await kept(services.store) == expected


async def test_a_lease_that_was_lost_is_its_own_polls_matter(
    services: Services, writes: list[Any], other: Store, clock: FakeClock
) -> None:
    found = await findings(services)
    clock.advance(60)
    [taken] = await other.claim(Queue.SOURCE, 1, 60)
    writes.clear()
    came = await asyncio.gather(*(keep(services, one) for one in found), return_exceptions=True)
    lost = [name for name, one in zip(NAMES, came, strict=True) if isinstance(one, LeaseLost)]
    assert lost == [taken.id]
    assert len(writes) == 1
    left = [name for name in NAMES if name != taken.id]
    etags = {name: f"etag {name}" for name in left} | {taken.id: None}
    assert await kept(services.store) == (etags, {f"{name}0" for name in left}, 3)


async def test_what_cannot_be_written_keeps_no_other_from_it(services: Services, writes: list[Any]) -> None:
    found = await findings(services)
    found[2] = replace(found[2], polled=replace(found[2].polled, cache={"a set": {1}}))
    writes.clear()
    came = await asyncio.gather(*(keep(services, one) for one in found), return_exceptions=True)
    assert [type(one) for one in came] == [Counts, Counts, TypeError, Counts]
    assert len(writes) == 1 + 4  # all of them, and then each by itself
    etags, items, alerts = await kept(services.store)
    assert (etags["b"], etags["c"], items, alerts) == ("etag b", None, {"a0", "b0", "d0"}, 3)


async def test_a_copy_in_the_same_transaction_is_a_copy(services: Services) -> None:
    found = await findings(services)
    text = " ".join(words(7, 60))
    same = [
        replace(one, judged=[judged(services, replace(one.judged[0].item, title="The harbour is closed", body=text))])
        for one in found
    ]
    counts = Counts.total(await asyncio.gather(*(keep(services, one) for one in same)))
    assert (counts.new_items, counts.matched, counts.alerts) == (4, 4, 1)


async def test_many_items_are_parted_and_the_last_part_ends_the_claim(services: Services, writes: list[Any]) -> None:
    [found, *_] = await findings(services, items=BATCH + 1)
    writes.clear()
    assert (await keep(services, found)).new_items == BATCH + 1
    assert len(writes) == 2
    assert (await kept(services.store))[0]["a"] == "etag a"


async def test_who_has_a_news_hears_of_it_though_a_first_look_has_it_too(
    tmp_path: Path, store: Store, clock: FakeClock
) -> None:
    await put_source(store, *NAMES)
    rule = "{two: {query: harbour, min_outlets: 2}}"
    services = newsroom(configured(tmp_path, rule), store, clock)
    text, parts = " ".join(words(7, 60)), []
    for one, baseline in zip((await findings(services))[:2], (True, False), strict=True):
        item = replace(one.judged[0].item, title="The harbour is closed", body=text, outlet=one.polled.claim.id)
        verdict = judged(services, replace(item, published=START), baseline=baseline)
        parts.append(replace(one, judged=[verdict], baseline=baseline))
    await asyncio.gather(*(keep(services, one) for one in parts))
    async with store.read() as tx:
        [alert] = await tx.alerts.list()
        [group] = await tx.groups.list()
        stored = {one.item.id: one.baseline for one in await tx.items.list()}
    assert (alert.item, alert.reason, group.kind) == ("b0", Reason.FIRST_SIGHT, "alert")
    assert stored == {"a0": True, "b0": False}


async def test_what_only_some_have_is_written_for_them(services: Services, writes: list[Any], clock: FakeClock) -> None:
    store = services.store
    await keep(services, (await findings(services))[0])
    clock.advance(7 * 3600)
    _, second, third, fourth = await findings(services)
    unread = replace(second.judged[0].item, id="unread")
    writes.clear()
    counts = await asyncio.gather(
        keep(services, replace(second, waiting=[unread], judged=())),
        keep(services, replace(third, remark="items may have been missed")),
        keep(services, replace(fourth, listed=["a0"])),
    )
    assert len(writes) == 1
    assert [(one.new_items, one.alerts) for one in counts] == [(1, 0), (1, 1), (1, 1)]
    async with store.read() as tx:
        [note] = await tx.health.notes()
        items = {one.item.id: one for one in await tx.items.list()}
    assert (note.subject, note.text) == ("source:c", "items may have been missed")
    assert items["unread"].read_at == clock.now()
    assert items["a0"].last_listed == clock.now()


async def test_an_item_that_a_poll_has_twice_counts_once(services: Services) -> None:
    [found, *_] = await findings(services)
    counts = await keep(services, replace(found, judged=[*found.judged, *found.judged]))
    assert counts == Counts(polled=1, new_items=1, matched=1, alerts=1)


async def test_two_polls_of_one_source_are_told_apart(services: Services, other: Store, clock: FakeClock) -> None:
    """A step whose lease has ended may still wait when the source is claimed again by the same process."""
    stale = (await findings(services))[0]
    clock.advance(61)
    fresh = (await findings(services))[0]
    assert stale.polled.claim.id == fresh.polled.claim.id
    came = await asyncio.gather(keep(services, stale), keep(services, fresh), return_exceptions=True)
    assert [type(one) for one in came] == [LeaseLost, Counts]


async def test_a_store_that_is_away_is_not_tried_for_each(
    services: Services, writes: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await findings(services)

    async def away(work, ingest=False):
        writes.append(work)
        raise StoreError("away")

    monkeypatch.setattr(services.store, "write", away)
    writes.clear()
    came = await asyncio.gather(*(keep(services, one) for one in found), return_exceptions=True)
    assert [str(one) for one in came] == ["away"] * 4
    assert len(writes) == 1 + 2


async def test_nobody_waits_for_others_where_no_more_can_come(services: Services, writes: list[Any]) -> None:
    """Each who waits holds a place of `judging`; so many polls without new items fill no batch by what they bring."""
    names = [f"source {number}" for number in range(JUDGED_AT_ONCE + 1)]
    await put_source(services.store, *names)
    first, *others = await findings(services, items=0, names=names)
    services.store.gather = 1000.0

    async def kept_in_turn(one: Finding) -> Counts:
        async with services.judging:
            return await keep(services, one)

    await keep(services, first)  # alone, and at once
    writes.clear()
    await asyncio.wait_for(asyncio.gather(*map(kept_in_turn, others)), 60)
    assert len(writes) == 1


async def test_a_batch_is_full_at_some_time(services: Services, writes: list[Any]) -> None:
    found = await findings(services, items=KEPT_TOGETHER // 2 - 1)
    services.store.gather = 1000.0
    writes.clear()
    await asyncio.gather(*(keep(services, one) for one in found))
    assert len(writes) == 2


async def test_who_is_cancelled_is_left_out(services: Services, writes: list[Any]) -> None:
    found = await findings(services)
    tasks = [asyncio.create_task(keep(services, one)) for one in found]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [False, True, False, False]
    assert (await kept(services.store))[1] == {"a0", "c0", "d0"}
