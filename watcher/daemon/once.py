"""`watcher once`: every due source polled, everything due sent, then the end."""

from __future__ import annotations

import asyncio
from random import Random

from watcher import garbage
from watcher.clock import Clock
from watcher.config import Config
from watcher.daemon.lane import Lane
from watcher.daemon.start import GATHER, catch_up, lanes, open_store, services, worker_name
from watcher.model import Queue
from watcher.pipeline import Counts, checkup, heartbeat


async def once(config: Config, clock: Clock, rng: Random) -> Counts:
    """Poll what is due, read, tell and send what comes of it, and say what happened.

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
        renewing = asyncio.create_task(_renew(queues, clock))
        try:
            await queues[Queue.SOURCE].run_dry(due=started)
            await queues[Queue.ITEM].run_dry()
            await store.write(lambda tx: tx.groups.hasten(("alert", "baseline"), tx.now))
            await queues[Queue.GROUP].run_dry()
            await checkup(built)
            await queues[Queue.DELIVERY].run_dry()
            await heartbeat(built)
        finally:
            renewing.cancel()
        return Counts.total(lane.counts for lane in queues.values())


async def _renew(queues: dict[Queue, Lane], clock: Clock) -> None:
    while True:
        await clock.sleep(min(lane.lease for lane in queues.values()) / 2)
        for lane in queues.values():
            await lane.renew()
