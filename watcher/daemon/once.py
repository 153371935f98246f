"""`watcher once`: every due source polled, everything due sent, then the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from watcher import garbage
from watcher.clock import Clock
from watcher.config import Config
from watcher.daemon.lane import Lane
from watcher.daemon.start import GATHER, catch_up, lanes, open_store, services, worker_name
from watcher.model import Queue
from watcher.pipeline import Counts, checkup, heartbeat

REPORT = 10.0  # seconds between two reports of how far it is


async def once(config: Config, clock: Clock, rng: Random, say: Callable[[Counts], None] | None = None) -> Counts:
    """Poll what is due, read, tell and send what comes of it, and say what happened; to `say`, while it goes on.

    Ends group_wait early, never quiet hours or digests. Raises StoreBusy where a daemon holds the store.
    """
    async with (
        await open_store(config.settings.store, clock, worker_name(), exclusive=True) as store,
        services(config, store, clock, rng) as built,
    ):
        garbage.settle()
        store.gather = GATHER
        built.tools.fetch.patient = True  # what is put off would not be done at all
        await catch_up(store, rng, spread=0.0)
        started = store.now()  # what becomes due meanwhile is for the next time
        queues = lanes(built)
        beside = [asyncio.create_task(_renew(queues, clock))]
        if say is not None:
            beside.append(asyncio.create_task(_report(queues, clock, say)))
        try:
            await queues[Queue.SOURCE].run_dry(due=started)
            await queues[Queue.ITEM].run_dry()
            await store.write(lambda tx: tx.groups.hasten(("alert", "baseline"), tx.now))
            await queues[Queue.GROUP].run_dry()
            await checkup(built)
            await queues[Queue.DELIVERY].run_dry()
            await heartbeat(built)
        finally:
            for task in beside:
                task.cancel()
        return _total(queues)


def _total(queues: dict[Queue, Lane]) -> Counts:
    return Counts.total(lane.counts for lane in queues.values())


async def _report(queues: dict[Queue, Lane], clock: Clock, say: Callable[[Counts], None]) -> None:
    while True:
        await clock.sleep(REPORT)
        say(_total(queues))


async def _renew(queues: dict[Queue, Lane], clock: Clock) -> None:
    while True:
        await clock.sleep(min(lane.lease for lane in queues.values()) / 2)
        for lane in queues.values():
            await lane.renew()
