"""Subscriptions at hubs: one for each source whose feed names a hub, verified once for each time it was asked for."""

import itertools
from typing import Any

from tests.clock import START, FakeClock
from tests.contract.store.make import HUB, put_source
from watcher.model import Claim, Queue, Subscription
from watcher.store import Polled, Store, Tx

DAY = 86400.0
LINK = (HUB, "https://a.example/feed")
numbers = itertools.count()


def unguessable() -> str:
    return f"{next(numbers)}"


async def named(store: Store, id_: str, link: tuple[str, str] | None, **values: Any) -> None:
    """A poll of the source found that its feed names a hub, or none."""
    [claim] = [one for one in await store.claim(Queue.SOURCE, 10, 60) if one.id == id_]
    cache = {"hub": list(link)} if link else {}
    polled = {"etag": None, "last_modified": None, "body_hash": None, "redirect_to": None, "redirects": 0}
    polled |= {"next_due": START, "cache": cache, "items": 0, "new_items": 0, "latency": None} | values
    await store.write(lambda tx: tx.sources.polled([Polled(claim, **polled)]))


async def subscribed(store: Store, id_: str = "a", lease: float = DAY) -> Subscription:
    """An active subscription."""
    await put_source(store, id_)
    await store.write(lambda tx: tx.subscriptions.want(id_, LINK, unguessable))
    claim = await asked(store)
    await store.write(lambda tx: tx.subscriptions.awaited(claim, START + 600))
    known = await get(store, id_)
    await store.write(lambda tx: tx.subscriptions.verified(known, tx.now + lease, tx.now + lease / 2))
    return await get(store, id_)


async def asked(store: Store) -> Claim[Subscription]:
    [claim] = await store.claim(Queue.SUBSCRIPTION, 1, 60)
    await store.write(lambda tx: tx.subscriptions.ask(claim))
    return claim


async def get(store: Store, id_: str = "a") -> Subscription:
    async with store.read() as tx:
        found = await tx.subscriptions.get(id_)
    assert found is not None
    return found


async def relies_until(store: Store, id_: str = "a") -> float | None:
    async with store.read() as tx:
        state = await tx.sources.get(id_)
    assert state is not None
    return state.relies_until


async def test_what_is_wanted_is_due_at_once_under_a_path_and_a_secret_of_its_own(store: Store) -> None:
    await store.write(lambda tx: tx.subscriptions.want("a", LINK, unguessable))
    await store.write(lambda tx: tx.subscriptions.want("b", LINK, unguessable))
    claims = await store.claim(Queue.SUBSCRIPTION, 10, 60)
    rows = [claim.row for claim in claims]
    assert [(row.hub, row.topic, row.state) for row in rows] == [(*LINK, "pending")] * 2
    assert len({text for row in rows for text in (row.path, row.secret)}) == 4
    async with store.read() as tx:
        assert [await tx.subscriptions.at(row.path) for row in rows] == rows
        assert await tx.subscriptions.at("other") is None


async def test_wanting_the_same_again_changes_nothing_and_another_hub_is_asked_anew(store: Store) -> None:
    before = await subscribed(store)
    await store.write(lambda tx: tx.subscriptions.want("a", LINK, unguessable))
    assert await get(store) == before and await relies_until(store)
    await store.write(lambda tx: tx.subscriptions.want("a", ("https://b.example/", LINK[1]), unguessable))
    after = await get(store)
    assert (after.state, after.hub) == ("pending", "https://b.example/")
    assert after.path != before.path and after.secret != before.secret
    assert await relies_until(store) is None
    await store.write(lambda tx: tx.subscriptions.want("a", None, unguessable))
    async with store.read() as tx:
        assert await tx.subscriptions.list() == []


async def test_a_verification_may_come_before_the_hubs_answer(store: Store) -> None:
    await put_source(store, "a")
    await store.write(lambda tx: tx.subscriptions.want("a", LINK, unguessable))
    for ending in ("awaited", "failed"):
        claim = await asked(store)
        known = await get(store)
        assert known.asked_at == START and known.failures == 1
        assert await store.write(lambda tx, known=known: tx.subscriptions.verified(known, START + DAY, START))
        if ending == "awaited":
            await store.write(lambda tx, claim=claim: tx.subscriptions.awaited(claim, START + 600))
        else:
            await store.write(lambda tx, claim=claim: tx.subscriptions.failed(claim, START + 600, "lost"))
        known = await get(store)
        assert (known.state, known.failures, known.reason) == ("active", 0, "")
        assert known.expires_at == START + DAY
        assert await relies_until(store) == START + DAY


async def test_what_was_not_asked_for_is_not_verified(store: Store) -> None:
    await put_source(store, "a")
    await store.write(lambda tx: tx.subscriptions.want("a", LINK, unguessable))
    known = await get(store)
    assert not await store.write(lambda tx: tx.subscriptions.verified(known, START + DAY, START))
    known = await subscribed(store)
    assert not await store.write(lambda tx: tx.subscriptions.verified(known, START + 9 * DAY, START))
    assert (await get(store)).expires_at == START + DAY
    claim = await asked_again(store)
    await store.write(lambda tx: tx.subscriptions.failed(claim, START + 600, "no route"))
    known = await get(store)
    assert (known.failures, known.reason, known.state) == (1, "no route", "active")
    assert not await store.write(lambda tx: tx.subscriptions.verified(known, START + 9 * DAY, START))


async def asked_again(store: Store) -> Claim[Subscription]:
    [claim] = await store.claim(Queue.SUBSCRIPTION, 1, 60, due=START + DAY)
    await store.write(lambda tx: tx.subscriptions.ask(claim))
    return claim


async def test_a_renewal_keeps_path_secret_and_since_when(store: Store, clock: FakeClock) -> None:
    before = await subscribed(store)
    clock.advance(DAY / 2)
    claim = await asked(store)
    await store.write(lambda tx: tx.subscriptions.awaited(claim, tx.now + 600))
    known = await get(store)
    await store.write(lambda tx: tx.subscriptions.verified(known, tx.now + DAY, tx.now + DAY / 2))
    after = await get(store)
    assert (after.path, after.secret, after.verified_at) == (before.path, before.secret, before.verified_at)
    assert after.expires_at == START + 1.5 * DAY == await relies_until(store)


async def test_a_denial_makes_the_source_due_and_is_no_more_relied_on(store: Store) -> None:
    known = await subscribed(store)
    await named(store, "a", LINK, next_due=START + DAY)
    await store.write(lambda tx: tx.subscriptions.denied(known, "no room", START + 7 * DAY))
    after = await get(store)
    assert (after.state, after.reason, after.expires_at) == ("denied", "no room", None)
    assert await relies_until(store) is None
    [claim] = await store.claim(Queue.SOURCE, 1, 60)
    assert claim.id == "a"
    assert await store.claim(Queue.SUBSCRIPTION, 1, 60, due=START + 6 * DAY) == []


async def test_a_hub_that_is_not_trusted_is_so_again_when_it_pushes(store: Store) -> None:
    known = await subscribed(store)
    await store.write(lambda tx: tx.subscriptions.distrust("a"))
    assert await relies_until(store) is None
    async with store.read() as tx:
        assert await tx.subscriptions.relied_on() == set()
    await store.write(lambda tx: tx.subscriptions.pushed(known))
    assert await relies_until(store) == START + DAY
    async with store.read() as tx:
        assert await tx.subscriptions.relied_on() == {"a"}


async def test_the_table_follows_what_feeds_name_and_what_is_configured(store: Store) -> None:
    async def sync(*sources: str, wanted: bool = True) -> list[str]:
        async def work(tx: Tx) -> None:
            await tx.sources.sync([(name, START, "feed", "address") for name in sources], START)
            await tx.subscriptions.sync(unguessable, wanted=wanted)

        await store.write(work)
        async with store.read() as tx:
            return [one.id for one in await tx.subscriptions.list()]

    await put_source(store, "a", "b", "c")
    for id_, link in (("a", LINK), ("b", None), ("c", LINK)):
        await named(store, id_, link)
        await store.write(lambda tx: tx.claims.reclaim())
    assert await sync("a", "b", "c") == ["a", "c"]
    before = await get(store, "c")
    assert await sync("b", "c") == ["c"]
    assert await get(store, "c") == before
    assert await sync("b", "c", wanted=False) == []


async def test_sources_are_hastened_but_never_put_off(store: Store) -> None:
    await put_source(store, "a", "b", "gone", due=START + 50)
    await put_source(store, "a", "b", due=START + 50)
    await store.write(lambda tx: tx.sources.hasten({"a": START + 10, "b": START + 99, "gone": START}))
    async with store.read() as tx:
        due = {one.state.id: one.state.next_due for one in await tx.sources.list()}
    assert due == {"a": START + 10, "b": START + 50}
    assert [claim.id for claim in await store.claim(Queue.SOURCE, 9, 60, due=START + 20)] == ["a"]


async def test_a_push_counts_what_is_new_and_leaves_alone_what_polls_go_by(store: Store) -> None:
    await put_source(store, "a")
    await named(store, "a", None, etag="e", body_hash="h", items=5, new_items=5)
    await store.write(lambda tx: tx.sources.pushed("a", 2))
    async with store.read() as tx:
        [one] = await tx.sources.list()
    assert (one.new_items, one.listed, one.state.etag, one.state.body_hash) == (7, 5, "e", "h")
    assert one.state.last_new == START
