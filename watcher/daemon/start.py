"""What `run` and `once` share: the rooms built in order, and taken down in reverse."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

from watcher import log
from watcher.clock import Clock
from watcher.config import Config
from watcher.daemon.lane import Lane, by_target
from watcher.fetch import Client
from watcher.model import Queue, derive_id
from watcher.pipeline import Services, deliver, flush, poll, read, review_held, subscribe
from watcher.pipeline.subscribe import unguessable
from watcher.sources.schedule import cron_times, longest
from watcher.store import Store, Tx, open_store
from watcher.store.wellness import ALIVE
from watcher.workers import Workers

logger = log.get("daemon")

SENDS_AT_ONCE = 16
READS_AT_ONCE = 32
GATHER = 0.2  # seconds in which the results of polls gather, to be written together


def worker_name() -> str:
    """What names this process in claims and `watcher status`: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


@asynccontextmanager
async def services(config: Config, store: Store, clock: Clock, rng: Random) -> AsyncIterator[Services]:
    """The rooms for `config` over an open store; sources are brought up to date in the store."""
    async with (
        Client(config.settings.fetch.client(), config.private_hosts, clock, rng) as fetch,
        Workers() as workers,
    ):
        built = Services(config, store, fetch, workers, clock, rng)
        await adopt(built, config)
        yield built
        await built.findings.end()  # of steps that were cancelled meanwhile, too


async def adopt(services: Services, config: Config) -> None:
    """Work by `config` from now on, and keep it in the store as the last good one.

    What rules held back is decided anew, for they may ask for less now, or be gone.
    """
    now = services.store.now()
    rows = [
        (source.id, now, source.kind, derive_id(source.kind, source.address))
        for source in config.sources.values()
        if source.name not in config.withheld
    ]

    # First in force, then in the store: `sync` makes stale what was polled by the old configuration.
    services.tools.fetch.allow_private(config.private_hosts)
    services.use(config)
    await services.store.write(lambda tx: tx.sources.sync(rows, now))
    # When a source was polled last it was decided when it is next, by what was configured then.
    seconds = {source.id: found for source in config.sources.values() if (found := longest(source)) is not None}
    times = cron_times(config.sources.values(), now)

    async def as_configured(tx: Tx) -> None:
        await tx.sources.keep_within(seconds, now)
        await tx.sources.hasten(times, well=True)

    await services.store.write(as_configured)
    hubs = bool(config.settings.public_url)
    await services.store.write(lambda tx: tx.subscriptions.sync(unguessable, wanted=hubs))
    await services.store.write(lambda tx: review_held(tx, services, now), ingest=True)
    if not config.withheld:  # a configuration that was restored is the one that is kept
        await services.store.write(lambda tx: tx.configs.save(config.storable(), now))


async def catch_up(store: Store, rng: Random, *, spread: float = ALIVE) -> None:
    """Poll what hubs push within `spread` seconds, where no worker was there to take it: hubs do not try for ever."""
    async with store.read() as tx:
        alive = any(store.now() - one.seen_at < ALIVE for one in await tx.workers.list())
        missed = set() if alive else await tx.subscriptions.relied_on()
    if missed:
        due = {id_: store.now() + rng.uniform(0.0, spread) for id_ in missed}
        await store.write(lambda tx: tx.sources.hasten(due))


def lanes(services: Services, then: Callable[[], None] = lambda: None) -> dict[Queue, Lane]:
    """The loops, in the order in which an item passes them, and that of subscriptions at hubs."""
    at_once = services.config.settings.fetch.concurrency
    return {
        Queue.SOURCE: Lane(Queue.SOURCE, poll, services, room=at_once, lease=60.0, then=then),
        Queue.ITEM: Lane(Queue.ITEM, read, services, room=READS_AT_ONCE, lease=60.0, then=then),
        Queue.GROUP: Lane(Queue.GROUP, flush, services, room=16, lease=30.0, then=then),
        Queue.DELIVERY: Lane(
            Queue.DELIVERY, deliver, services, room=SENDS_AT_ONCE, lease=60.0, batches=by_target, then=then
        ),
        Queue.SUBSCRIPTION: Lane(Queue.SUBSCRIPTION, subscribe, services, room=8, lease=60.0),
    }


__all__ = ["GATHER", "adopt", "lanes", "open_store", "services", "worker_name"]
