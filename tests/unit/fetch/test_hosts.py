import asyncio
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from watcher.fetch.hosts import PATIENCE, QUEUE, Busy, HostGate


async def starts(gate: HostGate, hands: Any, key: str, count: int) -> list[float]:
    found: list[float] = []

    async def one() -> None:
        async with gate.enter(key):
            found.append(hands.now())

    for _ in range(count):
        await one()
    return found


async def test_starts_are_a_gap_apart(hands: Any) -> None:
    gate = HostGate(2, 1.0, hands, Random(1))
    times = await starts(gate, hands, "a:80", 5)
    assert all(1.0 <= later - earlier <= 1.2 for earlier, later in pairwise(times))


async def test_hosts_do_not_wait_for_each_other(hands: Any) -> None:
    gate = HostGate(2, 1.0, hands, Random(1))
    await starts(gate, hands, "a:80", 1)
    await starts(gate, hands, "b:80", 1)
    assert hands.slept == []


async def test_so_many_at_once(hands: Any) -> None:
    gate = HostGate(2, 0.0, hands, Random(1))
    inside = 0
    most = 0
    go = asyncio.Event()

    async def one() -> None:
        nonlocal inside, most
        async with gate.enter("a:80"):
            inside += 1
            most = max(most, inside)
            await go.wait()
            inside -= 1

    tasks = [asyncio.create_task(one()) for _ in range(5)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert inside == 2
    go.set()
    await asyncio.gather(*tasks)
    assert most == 2


async def test_one_that_is_cancelled_leaves_its_place(hands: Any) -> None:
    gate = HostGate(1, 0.0, hands, Random(1))
    async with gate.enter("a:80"):
        waiting = asyncio.create_task(starts(gate, hands, "a:80", 1))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1):
        assert len(await starts(gate, hands, "a:80", 1)) == 1


async def test_a_hold_ends(hands: Any) -> None:
    gate = HostGate(2, 0.0, hands, Random(1))
    gate.hold("a:80", 60)
    gate.hold("a:80", 30)
    assert gate.held("a:80") == 60
    assert gate.held("b:80") == 0
    hands.time += 61
    assert gate.held("a:80") == 0


async def test_a_clock_that_is_set_back_holds_nobody_up(hands: Any) -> None:
    gate = HostGate(2, 1.0, hands, Random(1))
    await starts(gate, hands, "a:80", 1)
    hands.time -= 86400
    await starts(gate, hands, "a:80", 1)
    assert sum(hands.slept) <= 2.4


async def test_idle_hosts_are_forgotten(hands: Any) -> None:
    gate = HostGate(2, 0.0, hands, Random(1))
    gate.hold("kept:80", 1e6)
    for n in range(10_000):
        await starts(gate, hands, f"{n}:80", 1)
    assert len(gate._hosts) <= 4096
    assert gate.held("kept:80")


async def test_the_impatient_are_sent_away_with_a_turn_each(hands: Any) -> None:
    gate = HostGate(1, 1.0, hands, Random(1))
    async with gate.enter("a"):
        waiting = [asyncio.create_task(_enter(gate, "a")) for _ in range(QUEUE)]
        await asyncio.sleep(0)
        later = []
        for _ in range(3):
            with pytest.raises(Busy) as caught:
                async with gate.enter("a", patient=False):
                    pass
            later.append(caught.value.later)
        assert later == sorted(set(later)) and later[0] >= PATIENCE
        async with gate.enter("b", patient=False):  # another host has its own
            pass
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def _enter(gate: HostGate, key: str) -> None:
    async with gate.enter(key):
        pass
