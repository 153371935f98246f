"""A lane renews what it works on, and cancels a step only where another worker has its row."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tests.clock import START, FakeClock
from watcher.daemon.lane import Lane
from watcher.model import Claim, Queue
from watcher.pipeline import Counts
from watcher.store import open_store


@pytest.fixture
async def services(tmp_path, clock):
    async with await open_store(f"sqlite:///{tmp_path}/watcher.db", clock, "ours") as store:
        yield SimpleNamespace(store=store, clock=clock)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def put(services: Any, *ids: str) -> None:
    rows = [(id_, START - 1, "feed", id_) for id_ in ids]
    await services.store.write(lambda tx: tx.sources.sync(rows, START))


async def test_a_step_whose_result_is_written_while_leases_are_renewed_is_counted(services: Any) -> None:
    """What is written is leased no more, and its step has only to return."""
    await put(services, "a", "b")
    written, renewed = asyncio.Event(), asyncio.Event()

    async def step(services: Any, claim: Claim[Any]) -> Counts:
        await services.store.write(lambda tx: tx.sources.put_off(claim, START + 100))
        written.set()
        await renewed.wait()
        return Counts(polled=1)

    lane = Lane(Queue.SOURCE, step, services, room=5, lease=60.0)
    running = asyncio.create_task(lane.run_dry())
    await written.wait()
    renewing = asyncio.create_task(lane.renew())
    async with services.store.read():  # a moment in which the renewal is under way
        pass
    renewed.set()
    await renewing
    await running
    assert lane.counts.polled == 2


class Slow:
    """A store whose answer to a renewal is a while on its way."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.renewed, self.answered = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def renew(self, *arguments: Any) -> set[str]:
        ours: set[str] = await self._store.renew(*arguments)
        self.renewed.set()
        await self.answered.wait()
        return ours


async def test_what_begins_while_leases_are_renewed_goes_on(services: Any) -> None:
    await put(services, "a")
    begun, end = asyncio.Semaphore(0), asyncio.Event()

    async def step(services: Any, claim: Claim[Any]) -> Counts:
        begun.release()
        await end.wait()
        await services.store.write(lambda tx: tx.sources.put_off(claim, START + 100))
        return Counts(polled=1)

    slow = Slow(services.store)
    lane = Lane(Queue.SOURCE, step, SimpleNamespace(store=slow, clock=services.clock), room=5, lease=60.0)
    pump = asyncio.create_task(lane.pump())
    lane.wake()
    await begun.acquire()
    await put(services, "a", "b")
    renewing = asyncio.create_task(lane.renew())
    await slow.renewed.wait()  # one step's lease; the answer is on its way
    lane.wake()
    await begun.acquire()
    slow.answered.set()
    await renewing
    end.set()
    assert await lane.drain(10)
    pump.cancel()
    assert lane.counts.polled == 2


async def test_a_step_whose_row_another_worker_has_is_cancelled(services: Any, clock: FakeClock) -> None:
    await put(services, "a")
    begun = asyncio.Event()

    async def step(services: Any, claim: Claim[Any]) -> Counts:
        begun.set()
        await asyncio.Event().wait()
        return Counts(polled=1)

    lane = Lane(Queue.SOURCE, step, services, room=5, lease=60.0)
    running = asyncio.create_task(lane.run_dry())
    await begun.wait()
    clock.advance(61)
    await services.store.claim(Queue.SOURCE, 5, 600.0)  # as another worker would
    await lane.renew()
    await running
    assert lane.counts.polled == 0
    assert lane.running == 0
