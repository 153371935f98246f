"""What moves between groups, and what is known of a channel's targets."""

from dataclasses import replace

from tests.clock import START, FakeClock
from tests.contract.store.make import alert, delivery, group_id, put_alert
from tests.contract.store.test_groups import flush, members, tell, waiting
from watcher.model import Claim, Delivery, Queue, Reason, Silence
from watcher.store import HELD, Store, Tx, silence_key


async def put(store: Store, name: str, key: str, kind: str = "alert", at: float = START) -> None:
    async def work(tx: Tx) -> None:
        await tx.alerts.add(alert(name, story=name))
        await tx.groups.put("desk", kind, key, at, name, now=tx.now)

    await store.write(work)


async def test_some_are_given_away_and_the_claim_goes_on(store: Store) -> None:
    for name in "abc":
        await put_alert(store, name)
    claim = await flush(store)

    async def work(tx: Tx) -> None:
        await tx.groups.divert(claim, ["a", "c"], kind="digest", key="later", flush_at=START + 60, now=START)

    await store.write(work)
    assert await members(store, claim) == ["b"]
    assert (await waiting(store))["later"] == START + 60
    await tell(store, claim, ["b"])
    assert await waiting(store) == {"later": START + 60}


async def test_nothing_to_tell_ends_the_claim(store: Store) -> None:
    await put_alert(store, "a")
    claim = await flush(store)
    await store.write(
        lambda tx: tx.groups.divert(claim, ["a"], kind="digest", key="later", flush_at=START + 9, now=START)
    )
    await store.write(lambda tx: tx.groups.rest(claim))
    assert await waiting(store) == {"later": START + 9}


async def test_a_group_takes_what_waits_in_its_sibling(store: Store) -> None:
    await put(store, "a", "event:e", at=START + 5)
    await put(store, "b", "high:e")
    [claim] = await store.claim(Queue.GROUP, 1, 60)
    assert claim.row.key == "high:e"
    await store.write(lambda tx: tx.groups.absorb(claim, "event:e", START))
    assert sorted(await members(store, claim)) == ["a", "b"]
    await tell(store, claim, ["a", "b"])
    assert await waiting(store) == {}
    async with store.read() as tx:
        assert await tx.groups.told("desk", "alert", "high:e")
        assert not await tx.groups.told("desk", "alert", "event:e")


async def test_what_was_told_and_grows_is_due_after_an_interval_and_then_later(store: Store, clock: FakeClock) -> None:
    await put(store, "a", "event:e")
    await store.write(lambda tx: tx.groups.grown(["desk"], ["event:e"]))
    assert await waiting(store) == {"event:e": START}, "it was not told yet"
    for waited in (600, 1200, 2400):
        claim = await flush(store)
        ids = await members(store, claim)
        await store.write(
            lambda tx: tx.groups.flushed(claim, ids, (), tx.now, tx.now + 600, ["x.example"])  # noqa: B023
        )
        for _ in range(2):
            await store.write(lambda tx: tx.groups.grown(["desk", "chat"], ["event:e", "high:e"]))
        assert await waiting(store) == {"event:e": clock.now() + waited}
        clock.advance(waited)
    assert (await flush(store)).row.outlets == ("x.example",)


async def test_a_target_is_down_when_it_takes_none_of_two(store: Store, clock: FakeClock) -> None:
    async def failed(id_: str) -> bool:
        return await store.write(lambda tx: tx.channels.failed("desk", "target", id_))

    assert [await failed("a"), await failed("a"), await failed("b"), await failed("a")] == [False, False, True, True]
    late = [delivery("a", next_try=START + 900), delivery("b", next_try=START + 5)]
    await store.write(lambda tx: tx.deliveries.add(late))
    await store.write(lambda tx: tx.channels.stop("desk", "target", START + 60))
    await put(store, "x", HELD, "digest", START + 60)
    await put(store, "y", "digest", "digest", START + 5000)
    async with store.read() as tx:
        assert (await tx.channels.get("desk", "target")).down
        assert await tx.deliveries.waiting("desk", "target") and not await tx.deliveries.waiting("desk", "other")
        assert {one.id: one.next_try for one in await tx.deliveries.list()} == {"a": START + 60, "b": START + 5}
    clock.advance(30)
    await store.write(lambda tx: tx.channels.works("desk", "target"))
    assert await waiting(store) == {HELD: START + 30, "digest": START + 5000}
    assert not await failed("c")


async def test_the_first_message_of_a_group_is_what_is_edited(store: Store, clock: FakeClock) -> None:
    group = group_id("desk", "alert", "event")
    first = [delivery("a1", group=group), delivery("a2", group=group, target=replace(delivery("x").target, key="two"))]
    later = [delivery("b1", group=group, created_at=START + 9), delivery("c1", group=group, created_at=START + 3)]
    later[1] = replace(later[1], edits="h-a1")
    await store.write(lambda tx: tx.deliveries.add([*first, *later]))
    claims: list[Claim[Delivery]] = await store.claim(Queue.DELIVERY, 10, 60)
    for claim in claims:
        await store.write(lambda tx: tx.deliveries.sent(claim, "ok", START, f"h-{claim.id}"))  # noqa: B023
    async with store.read() as tx:
        assert await tx.deliveries.first_handles(group) == {"target": "h-a1", "two": "h-a2"}


async def test_a_silence_that_ends_tells_what_it_held_back(store: Store, clock: FakeClock) -> None:
    await store.write(lambda tx: tx.silences.add(Silence("s", "wire", START + 60, START, "why", "source")))
    await put(store, "x", silence_key("s"), "digest", START + 60)
    clock.advance(5)
    assert await store.write(lambda tx: tx.silences.end("s"))
    assert await waiting(store) == {silence_key("s"): START + 5}
    async with store.read() as tx:
        assert await tx.silences.get("s") == Silence("s", "wire", START + 5, START, "why", "source")
        assert await tx.silences.get("t") is None


async def test_rates_and_reasons(store: Store, clock: FakeClock) -> None:
    async def work(tx: Tx) -> None:
        for number, (rule, at) in enumerate([("r", 0), ("r", 5000), ("r", 7000), ("s", 7000)]):
            await tx.alerts.add(alert(f"n{number}", rule, f"s{number}", created_at=START + at))

    await store.write(work)
    async with store.read() as tx:
        found = await tx.alerts.rates({"r", "none"}, START + 7200, 3600, 86400)
    assert found == {"r": (2, 1, 7200.0)}
    assert Reason.SERVICE_RATE.name == "SERVICE_RATE"
