import asyncio

from tests.clock import START
from watcher.model import Silence
from watcher.store import ChannelState, Store, Tx


async def test_nothing_is_known_at_first(store: Store) -> None:
    async with store.read() as tx:
        assert await tx.channels.get("desk", "target") == ChannelState("desk", "target", 0.0, None, None, None)
        assert await tx.channels.list() == []


async def test_a_target_is_held_moved_and_refused_apart_from_the_others(store: Store) -> None:
    async def work(tx: Tx) -> None:
        await tx.channels.hold("desk", "one", START + 60)
        await tx.channels.hold("desk", "one", START + 90)
        await tx.channels.move("desk", "one", "new address")
        await tx.channels.refuse("desk", "two", "chat not found", START)

    await store.write(work)
    async with store.read() as tx:
        assert await tx.channels.list() == [
            ChannelState("desk", "one", hold_until=START + 90, moved_to="new address"),
            ChannelState("desk", "two", refused="chat not found", refused_at=START),
        ]
    await store.write(lambda tx: tx.channels.refuse("desk", "two", None, START))
    async with store.read() as tx:
        assert await tx.channels.get("desk", "two") == ChannelState("desk", "two")


async def test_a_limit_is_spent_by_one_worker_at_a_time(store: Store, other: Store) -> None:
    async def spend(tx: Tx) -> None:
        left = await tx.channels.tokens("desk", "limit")
        await tx.channels.set_tokens("desk", "limit", {"20/h": left.get("20/h", 0.0) + 1}, START)

    await asyncio.gather(*(one.write(spend) for _ in range(10) for one in (store, other)))
    await store.write(lambda tx: tx.channels.set_tokens("desk", "high", {"60/h": 1.5}, START))
    await store.write(lambda tx: tx.channels.hold("desk", "", START))
    async with store.read() as tx:
        states = await tx.channels.list()
    assert [state.target for state in states] == [""]

    async def left(tx: Tx) -> tuple[dict[str, float], dict[str, float]]:
        return await tx.channels.tokens("desk", "limit"), await tx.channels.tokens("desk", "high")

    assert await store.write(left) == ({"20/h": 20.0}, {"60/h": 1.5})


async def test_silences(store: Store) -> None:
    first = Silence("a", "rule", START + 60, START, "maintenance")
    second = Silence("b", "rule", START + 30, START)
    assert await store.write(lambda tx: tx.silences.add(first))
    assert not await store.write(lambda tx: tx.silences.add(first))
    await store.write(lambda tx: tx.silences.add(second))
    async with store.read() as tx:
        assert await tx.silences.list() == [second, first]
        assert await tx.silences.list(START + 30) == [first]
    assert await store.write(lambda tx: tx.silences.end("a"))
    assert not await store.write(lambda tx: tx.silences.end("a"))


async def test_the_last_good_configuration(store: Store) -> None:
    async with store.read() as tx:
        assert await tx.configs.last_good() is None
    await store.write(lambda tx: tx.configs.save({"a.yaml": "rules: {}\n"}, START))
    await store.write(lambda tx: tx.configs.save({"b.yaml": "ünï", "c.yaml": ""}, START + 1))
    async with store.read() as tx:
        assert await tx.configs.last_good() == ({"b.yaml": "ünï", "c.yaml": ""}, START + 1)


async def test_workers_say_that_they_live(store: Store) -> None:
    for name, at in (("a", START), ("b", START + 1), ("a", START + 2)):
        await store.write(lambda tx: tx.workers.beat(name, "1.0", at))  # noqa: B023
    async with store.read() as tx:
        seen = [(one.id, one.started_at, one.seen_at) for one in await tx.workers.list()]
    assert seen == [("a", START, START + 2), ("b", START + 1, START + 1)]
    await store.write(lambda tx: tx.workers.leave("a"))
    async with store.read() as tx:
        assert [one.id for one in await tx.workers.list()] == ["b"]
