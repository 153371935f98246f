"""The real pipeline over a site that says what a test wants, in the test's own process, by a clock in its hands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.sites import Hands
from watcher.config import load
from watcher.daemon.start import adopt
from watcher.fetch import Client
from watcher.model import Delivery, Queue
from watcher.pipeline import Counts, Services, checkup, poll, read
from watcher.store import SourceStatus, open_store
from watcher.workers import Workers

HOUR, DAY = 3600.0, 86400.0


@dataclass
class Pipeline:
    """Services over a store of their own, and what a test asks of them."""

    services: Services
    clock: Hands
    folder: Path

    async def reload(self, text: str) -> None:
        self.services.config = load_text(self.folder, text)
        await adopt(self.services, self.services.config)

    async def poll(self) -> Counts:
        """Poll everything that is due, one after the other."""
        claims = await self.services.store.claim(Queue.SOURCE, 1000, 600.0)
        return Counts.total([await poll(self.services, claim) for claim in claims])

    async def poll_all(self) -> Counts:
        """The same, at the time when the last of them is due."""
        due = [one.state.next_due for one in await self.sources()]
        self.clock.time = max([self.clock.time, *(time + 1 for time in due if time < self.clock.time + 30 * DAY)])
        return await self.poll()

    async def day(self, days: float = 1.0) -> int:
        """Let time pass, polling whatever falls due; how many polls that makes."""
        end, polls = self.clock.time + days * DAY, 0
        while True:
            due = min(one.state.next_due for one in await self.sources())
            if due >= end:
                self.clock.time = end
                return polls
            self.clock.time = max(self.clock.time, due)
            polls += (await self.poll()).polled

    async def read(self) -> Counts:
        claims = await self.services.store.claim(Queue.ITEM, 1000, 600.0)
        return Counts.total([await read(self.services, claim) for claim in claims])

    async def sources(self) -> list[SourceStatus]:
        async with self.services.store.read() as tx:
            return await tx.sources.list()

    async def checkup(self) -> list[Delivery]:
        """The messages that a checkup puts into the outbox, beside those that were there."""
        before = {one.id for one in await self.outbox()}
        await checkup(self.services)
        return [one for one in await self.outbox() if one.id not in before]

    async def outbox(self) -> list[Delivery]:
        async with self.services.store.read() as tx:
            return list(await tx.deliveries.list(1000))

    async def notes(self) -> list[str]:
        async with self.services.store.read() as tx:
            return [note.text for note in await tx.health.notes()]


def load_text(folder: Path, text: str):
    (folder / "watcher.yaml").write_text(text)
    return load(folder / "watcher.yaml", {"TZ": "UTC"})


Start = Callable[..., Awaitable[Pipeline]]


@pytest.fixture
async def start(tmp_path: Path, hands: Hands) -> AsyncIterator[Start]:
    """start(configuration, resolver=…, workers_at_once=…) -> Pipeline, taken down at the test's end."""
    async with AsyncExitStack() as stack:

        async def make(text: str, resolver: Any = None, workers_at_once: int = 1) -> Pipeline:
            config = load_text(tmp_path, text)
            store = await stack.enter_async_context(
                await open_store(config.settings.store, hands, "test", exclusive=True)
            )
            fetch = Client(config.settings.fetch.client(), config.private_hosts, hands, Random(1), resolver=resolver)
            await stack.enter_async_context(fetch)
            workers = await stack.enter_async_context(Workers(workers_at_once))
            services = Services(config, store, fetch, workers, hands, Random(1))
            await adopt(services, config)
            return Pipeline(services, hands, tmp_path)

        yield make
