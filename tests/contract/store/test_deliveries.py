import pytest

from tests.clock import START, FakeClock
from tests.contract.store.make import delivery
from watcher.errors import LeaseLost
from watcher.model import Claim, Delivery, DeliveryState, Message, Queue, Reason, Style, Target
from watcher.store import Store


async def add(store: Store, *deliveries: Delivery) -> None:
    await store.write(lambda tx: tx.deliveries.add(deliveries))


async def get(store: Store, id_: str = "one") -> Delivery:
    async with store.read() as tx:
        found = await tx.deliveries.get(id_)
    assert found is not None
    return found


async def claim(store: Store) -> Claim[Delivery]:
    [one] = await store.claim(Queue.DELIVERY, 1, 60)
    return one


async def test_a_delivery_comes_back_as_it_went_in(store: Store) -> None:
    one = delivery(
        "one",
        message=Message("Tïtle", "<b>body</b>", Style.EMAIL, html="<p>…</p>", thread="story"),
        target=Target("key", "k…@example.org"),
        part=1,
        alerts=("a", "b"),
        next_try=START + 0.5,
    )
    await add(store, one)
    assert await get(store) == one
    async with store.read() as tx:
        assert await tx.deliveries.get("absent") is None


async def test_a_message_is_tried_then_sent(store: Store, clock: FakeClock) -> None:
    await add(store, delivery("one"))
    one = await claim(store)
    await store.write(lambda tx: tx.deliveries.begin(one, START + 1))
    await store.write(lambda tx: tx.deliveries.sent(one, "ok", START + 2))
    after = await get(store)
    assert (after.state, after.attempts, after.first_try, after.sent_at) == (
        DeliveryState.SENT,
        1,
        START + 1,
        START + 2,
    )
    assert (after.answer, after.ambiguous) == ("ok", False)
    clock.advance(1e6)
    assert await store.claim(Queue.DELIVERY, 1, 60) == []


async def test_a_try_that_failed_is_made_again_later(store: Store, clock: FakeClock) -> None:
    await add(store, delivery("one"))
    one = await claim(store)
    await store.write(lambda tx: tx.deliveries.begin(one, START))
    await store.write(lambda tx: tx.deliveries.retry(one, START + 30, "busy", ambiguous=False))
    after = await get(store)
    assert (after.state, after.next_try, after.answer) == (DeliveryState.RETRYING, START + 30, "busy")
    assert await store.claim(Queue.DELIVERY, 1, 60) == []
    clock.advance(30)
    one = await claim(store)
    assert (one.row.attempts, one.row.first_try, one.row.ambiguous) == (1, START, False)
    await store.write(lambda tx: tx.deliveries.begin(one, START + 30))
    await store.write(lambda tx: tx.deliveries.retry(one, START + 60, "cut off", ambiguous=True))
    clock.advance(30)
    one = await claim(store)
    await store.write(lambda tx: tx.deliveries.begin(one, START + 60))
    await store.write(lambda tx: tx.deliveries.retry(one, START + 90, "busy", ambiguous=False))
    after = await get(store)
    assert (after.attempts, after.first_try, after.ambiguous) == (3, START, True)  # once ambiguous, always


async def test_a_crash_during_a_try_shows(store: Store, other: Store, clock: FakeClock) -> None:
    await add(store, delivery("one"))
    dead = await claim(store)
    await store.write(lambda tx: tx.deliveries.begin(dead, START))
    clock.advance(60)
    one = await claim(other)
    assert (one.row.attempts, one.row.ambiguous) == (1, True)
    with pytest.raises(LeaseLost):
        await store.write(lambda tx: tx.deliveries.begin(dead, START + 60))
    await other.write(lambda tx: tx.deliveries.begin(one, START + 60))
    await other.write(lambda tx: tx.deliveries.sent(one, "ok", START + 61))
    assert (await get(store)).ambiguous


async def test_a_crash_before_a_try_does_not(store: Store, other: Store, clock: FakeClock) -> None:
    await add(store, delivery("one"))
    await claim(store)
    clock.advance(60)
    one = await claim(other)
    assert (one.row.attempts, one.row.ambiguous, one.row.first_try) == (0, False, None)


async def test_a_dead_letter_can_be_sent_after_all(store: Store, clock: FakeClock) -> None:
    await add(store, delivery("one"))
    one = await claim(store)
    await store.write(lambda tx: tx.deliveries.begin(one, START))
    await store.write(lambda tx: tx.deliveries.dead(one, Reason.REFUSED, "chat not found"))
    after = await get(store)
    assert (after.state, after.reason, after.answer) == (DeliveryState.DEAD, Reason.REFUSED.value, "chat not found")
    assert await store.claim(Queue.DELIVERY, 1, 60) == []
    assert await store.write(lambda tx: tx.deliveries.requeue(["one", "absent"])) == {"one"}
    again = await claim(store)
    assert (again.row.state, again.row.attempts, again.row.reason) == (DeliveryState.PENDING, 0, "")


async def test_what_is_sent_is_not_sent_again(store: Store) -> None:
    await add(store, delivery("one"))
    one = await claim(store)
    assert await store.write(lambda tx: tx.deliveries.requeue(["one"])) == set()  # it is being sent
    assert await store.write(lambda tx: tx.deliveries.drop(["one"])) == set()
    await store.write(lambda tx: tx.deliveries.sent(one, "ok", START))
    assert await store.write(lambda tx: tx.deliveries.requeue(["one"])) == set()
    assert await store.write(lambda tx: tx.deliveries.drop(["one"])) == set()


async def test_a_message_can_be_dropped(store: Store) -> None:
    await add(store, delivery("one"), delivery("two"))
    assert await store.write(lambda tx: tx.deliveries.drop(["one"], Reason.DROPPED)) == {"one"}
    assert [one.id for one in await store.claim(Queue.DELIVERY, 10, 60)] == ["two"]
    after = await get(store)
    assert (after.state, after.reason) == (DeliveryState.DROPPED, Reason.DROPPED.value)


async def test_a_message_waits_while_its_channel_is_held(store: Store, clock: FakeClock) -> None:
    await add(store, delivery("one"))
    one = await claim(store)
    await store.write(lambda tx: tx.deliveries.postpone(one, START + 90, Reason.CHANNEL_HELD))
    clock.advance(89)
    assert await store.claim(Queue.DELIVERY, 1, 60) == []
    clock.advance(1)
    assert (await claim(store)).row.attempts == 0


async def test_deliveries_are_listed_and_counted(store: Store) -> None:
    await add(store, delivery("one"), delivery("two", channel="mail", created_at=START + 1, group="other"))
    await store.write(lambda tx: tx.deliveries.drop(["one"]))
    async with store.read() as tx:
        assert [one.id for one in await tx.deliveries.list()] == ["two", "one"]
        assert [one.id for one in await tx.deliveries.list(channel="desk")] == ["one"]
        assert [one.id for one in await tx.deliveries.list(group="other")] == ["two"]
        assert [one.id for one in await tx.deliveries.list(since=START + 1)] == ["two"]
        assert [one.id for one in await tx.deliveries.list(states=[DeliveryState.DROPPED])] == ["one"]
        counts = await tx.deliveries.counts()
    assert {state: n for state, n in counts.items() if n} == {DeliveryState.PENDING: 1, DeliveryState.DROPPED: 1}
