"""`watcher run`: the four lanes ticked by APScheduler until a signal, with reload, readiness and an orderly drain."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from watcher import __version__, garbage, log, systemd
from watcher.clock import Clock
from watcher.config import Config
from watcher.daemon.lane import Lane
from watcher.daemon.reload import ConfigSource, Reloader, load_or_last_good
from watcher.daemon.start import GATHER, adopt, catch_up, lanes, open_store, services, worker_name
from watcher.errors import StoreError
from watcher.model import Queue
from watcher.pipeline import Services, checkup, heartbeat
from watcher.pipeline.checkup import EVERY as CHECKUP
from watcher.pipeline.pace import SWITCH, warm
from watcher.store import Store

TICK = 1.0  # seconds between looks for due rows; a finished step wakes the other lanes at once
BEAT = 10.0  # seconds between signs of life in the store
HOUSEKEEPING = 3600.0
JUMP = 5.0  # seconds by which the clock is set for it to matter
LEAVE = 5.0  # seconds that it may take at the end to tell the store that this process is gone
DRAIN = 30.0  # seconds that steps under way may take after SIGTERM

logger = log.get("daemon")


# What listens while the daemon runs: given the services, and what wakes the lanes when there is work for them.
Serve = Callable[[Services, Callable[[], None]], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def nothing(services: Services, wake: Callable[[], None]) -> AsyncIterator[None]:
    """Listen to nobody."""
    yield


async def run(source: ConfigSource, clock: Clock, rng: Random, *, strict: bool = False, serve: Serve = nothing) -> int:
    """Watch until SIGTERM or SIGINT; a second one stops at once. Returns the exit status.

    `serve` listens meanwhile, to hubs and to who asks whether all is well. Raises ConfigError where there is no usable
    configuration, StoreError where the store cannot be used.
    """
    seen = source.signature()
    config = await load_or_last_good(source, clock, strict=strict)
    async with (
        await open_store(config.settings.store, clock, worker_name(), exclusive=True) as store,
        services(config, store, clock, rng) as built,
    ):
        await catch_up(store, rng)
        sys.setswitchinterval(SWITCH)
        await asyncio.to_thread(warm, config)
        garbage.settle()
        store.gather = GATHER
        daemon = _Daemon(built, store, Reloader(source, clock, seen=seen))
        async with serve(built, daemon.wake):
            status = await daemon.run()
    if daemon.hung or daemon.at_once.is_set():  # the interpreter would wait for the thread of a send that hangs
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


@dataclass(slots=True)
class _Daemon:
    services: Services
    store: Store
    reloader: Reloader
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: asyncio.Event = field(default_factory=asyncio.Event)
    hung: bool = False  # steps had to be cancelled at the end
    lanes: dict[Queue, Lane] = field(default_factory=dict)

    async def run(self) -> int:
        self.lanes = lanes(self.services, self.wake)
        self._handle_signals()
        pumps = [asyncio.create_task(lane.pump()) for lane in self.lanes.values()]
        reloads = asyncio.create_task(self._reloads())
        scheduler = self._schedule()
        scheduler.start()
        clock = asyncio.create_task(self._mind_the_clock(scheduler))
        self.wake()
        await self._beat()
        config = self.services.config
        systemd.notify("READY=1", f"STATUS=watching {len(config.sources)} sources by {len(config.rules)} rules")
        logger.info(
            "watching",
            sources=len(config.sources),
            rules=len(config.rules),
            channels=len(config.channels),
            version=__version__,
        )
        try:
            await self.stopping.wait()
        finally:
            systemd.notify("STOPPING=1")
            scheduler.shutdown(wait=False)
            tasks = (*pumps, reloads, clock)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return await self._drain()

    def wake(self) -> None:
        """There may be work for every lane."""
        for lane in self.lanes.values():
            lane.wake()

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self.reloader.ask)

    def _stop(self) -> None:
        if self.stopping.is_set():
            logger.warning("stopping at once")
            self.at_once.set()
        else:
            logger.info("stopping; steps under way are ended first", running=self._running())
            self.stopping.set()

    def _running(self) -> int:
        return sum(lane.running for lane in self.lanes.values())

    async def _drain(self) -> int:
        hurry = asyncio.create_task(self._hurry())
        drained = await asyncio.gather(*(lane.drain(DRAIN) for lane in self.lanes.values()))
        self.hung = not all(drained)
        hurry.cancel()
        with suppress(StoreError, TimeoutError):  # a store that is away sees it a minute later
            async with asyncio.timeout(LEAVE):
                await self.store.write(lambda tx: tx.workers.leave(worker_name()))
        logger.info("stopped")
        return 0

    async def _hurry(self) -> None:
        """A second signal: what is under way is cancelled, and its rows are given back."""
        await self.at_once.wait()
        for lane in self.lanes.values():
            lane.cancel()

    def _schedule(self) -> Any:
        scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        scheduler.add_job(self._wake_job, "interval", seconds=TICK)
        scheduler.add_job(self._renew, "interval", seconds=min(lane.lease for lane in self.lanes.values()) / 2)
        scheduler.add_job(self._beat, "interval", seconds=BEAT)
        scheduler.add_job(self._checkup, "interval", seconds=CHECKUP)
        scheduler.add_job(self._housekeeping, "interval", seconds=HOUSEKEEPING)
        watchdog = systemd.watchdog_interval()
        if watchdog is not None:
            scheduler.add_job(self._pet, "interval", seconds=watchdog)
        return scheduler

    async def _mind_the_clock(self, scheduler: Any) -> None:
        """APScheduler goes by the wall clock: one that is set back would stop the ticks until it has caught up."""
        offset = time.time() - time.monotonic()
        while True:
            await asyncio.sleep(TICK)
            now = time.time() - time.monotonic()
            if abs(now - offset) > JUMP:
                logger.warning("the clock was set", seconds=round(now - offset))
                for job in scheduler.get_jobs():
                    job.modify(next_run_time=datetime.now(UTC))
            offset = now

    async def _wake_job(self) -> None:
        self.wake()

    async def _renew(self) -> None:
        for lane in self.lanes.values():
            await lane.renew()

    async def _beat(self) -> None:
        now = self.store.now()
        await self.store.write(lambda tx: tx.workers.beat(worker_name(), __version__, now))

    async def _pet(self) -> None:
        """Tell systemd's watchdog that all is well, unless a lane has not got through its claims for a minute."""
        now = self.services.clock.now()
        if all(now - lane.ticked_at < 60.0 for lane in self.lanes.values()):
            systemd.notify("WATCHDOG=1")

    async def _checkup(self) -> None:
        if await checkup(self.services):
            self.wake()
        await heartbeat(self.services)

    async def _housekeeping(self) -> None:
        keep = self.services.config.settings.retention
        more = True
        while more:  # in batches, so that the work goes on in between
            removed = await self.store.write(
                lambda tx: tx.purge(tx.now, text=keep.text, items=keep.items, deliveries=keep.deliveries)
            )
            more = removed.more
            logger.debug("housekeeping", removed=str(removed))

    async def _reloads(self) -> None:
        while True:
            try:
                config = await self.reloader.next(self.services.config)
                systemd.reloading()
                await self._adopt(config)
                garbage.settle()
            except Exception as error:  # a store that is away must not end the reloads
                logger.exception(
                    "cannot take over the new configuration; the old one stays in force", error=repr(error)
                )
                self.reloader.ask()
                await self.services.clock.sleep(10.0)
            systemd.notify("READY=1")

    async def _adopt(self, config: Config) -> None:
        old = self.services.config
        for name in ("store", "fetch", "log", "web"):
            if getattr(config.settings, name) != getattr(old.settings, name):
                logger.warning("takes effect at the next start", setting=name)
        await asyncio.to_thread(warm, config)
        await adopt(self.services, config)
        self.wake()
        logger.info(
            "configuration reloaded",
            sources=len(config.sources),
            rules=len(config.rules),
            channels=len(config.channels),
            removed=sorted(
                {*old.sources, *old.rules, *old.channels} - {*config.sources, *config.rules, *config.channels}
            ),
        )
