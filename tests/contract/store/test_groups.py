from dataclasses import replace

from tests.clock import START, FakeClock
from tests.contract.store.make import delivery, group_id, put_alert
from watcher.model import AlertState, Claim, Delivery, Group, Queue, Reason
from watcher.store import Store


async def flush(store: Store) -> Claim[Group]:
    [claim] = await store.claim(Queue.GROUP, 10, 60)
    return claim


async def members(store: Store, claim: Claim[Group]) -> list[str]:
    async with store.read() as tx:
        return await tx.groups.members(claim)


async def waiting(store: Store) -> dict[str, float]:
    async with store.read() as tx:
        return {group.key: group.flush_at for group in await tx.groups.list()}


async def states(store: Store, *ids: str) -> list[AlertState]:
    async with store.read() as tx:
        return [one.state for one in await tx.alerts.get(ids)]


async def tell(
    store: Store, claim: Claim[Group], ids: list[str], *deliveries: Delivery, next_flush: float | None = None
) -> None:
    await store.write(lambda tx: tx.groups.flushed(claim, ids, deliveries, tx.now, next_flush))


async def test_a_group_gathers_alerts_and_is_flushed_at_the_earliest_time(store: Store, clock: FakeClock) -> None:
    await put_alert(store, "a", flush_at=START + 10)
    clock.advance(1)
    await put_alert(store, "b", flush_at=START + 5)
    await put_alert(store, "c", flush_at=START + 20)
    assert await waiting(store) == {"event": START + 5}
    clock.advance(4)
    claim = await flush(store)
    expected = Group(group_id("desk", "alert", "event"), "desk", "alert", "event", START + 5, 0)
    assert (claim.id, claim.row) == (expected.id, expected)
    assert await members(store, claim) == ["a", "b", "c"]


async def test_putting_an_alert_again_changes_nothing(store: Store, clock: FakeClock) -> None:
    await put_alert(store, "a", flush_at=START + 10)
    await put_alert(store, "a", flush_at=START)
    assert await waiting(store) == {"event": START + 10}
    clock.advance(10)
    claim = await flush(store)
    await tell(store, claim, ["a"])
    await put_alert(store, "a", flush_at=START)
    assert await waiting(store) == {}


async def test_a_sliding_group_waits_until_it_is_quiet_but_not_for_ever(store: Store, clock: FakeClock) -> None:
    await put_alert(store, "a", flush_at=START + 30, slide=True, latest=START + 50)
    clock.advance(10)
    await put_alert(store, "b", flush_at=START + 40, slide=True, latest=START + 60)
    assert await waiting(store) == {"event": START + 40}
    clock.advance(15)
    await put_alert(store, "c", flush_at=START + 55, slide=True, latest=START + 75)
    assert await waiting(store) == {"event": START + 50}


async def test_a_flush_tells_its_alerts_and_fills_the_outbox(store: Store, clock: FakeClock) -> None:
    await put_alert(store, "a")
    await put_alert(store, "b")
    claim = await flush(store)
    messages = [delivery("one", group=claim.id), delivery("two", group=claim.id)]
    await tell(store, claim, ["a", "b"], *messages)
    async with store.read() as tx:
        assert sorted(await tx.deliveries.list(), key=lambda one: one.id) == messages
        assert [one.id for one in await tx.alerts.for_group(claim.id, flush_no=0)] == ["a", "b"]
    assert await states(store, "a", "b") == [AlertState.TOLD] * 2
    assert await waiting(store) == {}


async def test_an_alert_s_messages_are_found_in_every_channel(store: Store) -> None:
    await put_alert(store, "a")
    await put_alert(store, "a", channel="chat")
    await put_alert(store, "b")
    for claim in await store.claim(Queue.GROUP, 10, 60):
        message = delivery(claim.row.channel, group=claim.id, channel=claim.row.channel, alerts=("a",))
        await tell(store, claim, await members(store, claim), message, delivery(f"{claim.id} 2", group=claim.id))
    async with store.read() as tx:
        assert {one.id for one in await tx.deliveries.of_alert("a")} == {"chat", "desk"}
        assert await tx.deliveries.of_alert("b") == []


async def test_what_comes_during_a_flush_waits_for_the_next(store: Store, clock: FakeClock) -> None:
    await put_alert(store, "a")
    claim = await flush(store)
    told = await members(store, claim)
    await put_alert(store, "late", flush_at=START + 5)
    await tell(store, claim, told, delivery("one"))
    assert await states(store, "a", "late") == [AlertState.TOLD, AlertState.WAITING]
    assert await waiting(store) == {"event": START + 5}
    clock.advance(5)
    again = await flush(store)
    assert (again.row.flush_no, await members(store, again)) == (1, ["late"])


async def test_what_comes_during_a_flush_that_dies_is_not_lost(store: Store, clock: FakeClock) -> None:
    await put_alert(store, "a")
    await flush(store)
    await put_alert(store, "late", flush_at=START + 5)
    clock.advance(60)
    again = await flush(store)
    assert (again.row.flush_no, await members(store, again)) == (0, ["a", "late"])


async def test_nothing_is_told_before_the_next_flush(store: Store, clock: FakeClock) -> None:
    await put_alert(store, "a")
    claim = await flush(store)
    await put_alert(store, "meanwhile", flush_at=START + 1)
    await tell(store, claim, ["a"], next_flush=START + 600)
    assert await waiting(store) == {"event": START + 600}
    await put_alert(store, "after", flush_at=START + 2)
    assert await waiting(store) == {"event": START + 600}
    await store.write(lambda tx: tx.groups.hasten(["alert"], START))
    assert await waiting(store) == {"event": START + 600}
    clock.advance(600)
    claim = await flush(store)
    await tell(store, claim, await members(store, claim))
    await put_alert(store, "much later", flush_at=START + 700)
    assert await waiting(store) == {"event": START + 700}


async def test_a_flush_that_is_put_off_is_brought_forward_by_what_cannot_wait(store: Store, clock: FakeClock) -> None:
    await put_alert(store, "a")
    claim = await flush(store)
    await store.write(lambda tx: tx.groups.postpone(claim, START + 900, Reason.CHANNEL_HELD))
    assert await waiting(store) == {"event": START + 900}
    await put_alert(store, "b", flush_at=START + 60)
    assert await waiting(store) == {"event": START + 60}


async def test_groups_that_only_gather_can_be_hastened(store: Store, clock: FakeClock) -> None:
    await put_alert(store, "a")
    held = await flush(store)
    await store.write(lambda tx: tx.groups.postpone(held, START + 900, Reason.LIMIT))
    await put_alert(store, "b", channel="chat", flush_at=START + 5)

    async def digest(tx: object) -> None:
        await tx.groups.put("mail", "digest", "daily", START + 50, "a", now=START)  # type: ignore[attr-defined]

    await store.write(digest)
    await store.write(lambda tx: tx.groups.hasten(["alert", "baseline"], START))
    assert [claim.row.channel for claim in await store.claim(Queue.GROUP, 10, 60)] == ["chat"]


async def test_groups_fold_into_one_where_the_limit_is_used_up(store: Store, clock: FakeClock) -> None:
    await put_alert(store, "a")
    claim = await flush(store)

    def fold(of: Claim[Group]) -> object:
        return lambda tx: tx.groups.fold(of, kind="digest", key="limit", flush_at=START + 300, now=tx.now)

    await store.write(fold(claim))  # type: ignore[arg-type]
    assert await waiting(store) == {"limit": START + 300}
    await put_alert(store, "b")
    claim = await flush(store)
    await store.write(fold(claim))  # type: ignore[arg-type]
    clock.advance(300)
    folded = await flush(store)
    assert (folded.row.kind, await members(store, folded)) == ("digest", ["a", "b"])
    await store.write(lambda tx: tx.groups.fold(folded, kind="digest", key="limit", flush_at=START + 600, now=tx.now))
    assert await waiting(store) == {"limit": START + 600}
    assert await states(store, "a", "b") == [AlertState.WAITING] * 2


async def test_a_removed_channel_drops_what_no_other_tells(store: Store) -> None:
    await put_alert(store, "a")
    await put_alert(store, "b")
    await put_alert(store, "b", channel="chat", flush_at=START + 5)
    claim = await flush(store)
    await store.write(lambda tx: tx.groups.dropped(claim, Reason.CHANNEL_REMOVED, START))
    assert await states(store, "a", "b") == [AlertState.DROPPED, AlertState.WAITING]
    async with store.read() as tx:
        assert [one.channel for one in await tx.groups.list()] == ["chat"]
        assert await tx.groups.list("desk") == []


async def test_a_delivery_is_put_into_the_outbox_once(store: Store, clock: FakeClock) -> None:
    """A flush that was lost after its commit is done again, and adds nothing."""
    message = delivery("one")
    assert await store.write(lambda tx: tx.deliveries.add([message])) == {"one"}
    again = replace(message, channel="another")
    assert await store.write(lambda tx: tx.deliveries.add([again])) == set()
    async with store.read() as tx:
        assert await tx.deliveries.get("one") == message
