"""What both engines' stores have in common: claims, and a transaction's statements by noun."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, ClassVar, Literal, Self, TypeVar

from watcher.errors import LeaseLost, StoreError
from watcher.model import Claim, Queue
from watcher.store.alerts import AlertStatements
from watcher.store.channels import ChannelStatements
from watcher.store.claims import ClaimStatements
from watcher.store.configs import ConfigStatements
from watcher.store.deliveries import DeliveryStatements
from watcher.store.events import EventStatements, HeldWords
from watcher.store.gathered import Gathered
from watcher.store.groups import GroupStatements
from watcher.store.health import HealthStatements
from watcher.store.items import ItemStatements
from watcher.store.retention import Purged, RetentionStatements
from watcher.store.silences import SilenceStatements
from watcher.store.sources import SourceStatements, Unchanged
from watcher.store.statements import Connection, lease_lost
from watcher.store.stories import StoryStatements
from watcher.store.subscriptions import SubscriptionStatements
from watcher.store.versions import VersionStatements
from watcher.store.workers import WorkerStatements

T = TypeVar("T")


class Tx:
    """The statements of one transaction, by noun. `now` is the store's time at which it began."""

    def __init__(self, connection: Connection, now: float, held: HeldWords) -> None:
        self.now = now
        self.claims = ClaimStatements(connection, now)
        self.sources = SourceStatements(connection, now)
        self.items = ItemStatements(connection, now)
        self.versions = VersionStatements(connection, now)
        self.stories = StoryStatements(connection, now)
        self.events = EventStatements(connection, now, held)
        self.alerts = AlertStatements(connection, now)
        self.groups = GroupStatements(connection, now)
        self.deliveries = DeliveryStatements(connection, now)
        self.channels = ChannelStatements(connection, now)
        self.silences = SilenceStatements(connection, now)
        self.configs = ConfigStatements(connection, now)
        self.health = HealthStatements(connection, now)
        self.subscriptions = SubscriptionStatements(connection, now)
        self.workers = WorkerStatements(connection, now)
        self._retention = RetentionStatements(connection, now, self.stories, self.events)

    async def size(self) -> int:
        """How many bytes the store takes up, less what is free for reuse."""
        return await self._retention.size()

    async def purge(self, now: float, *, text: float, items: float, deliveries: float) -> Purged:
        """Remove one batch of what is older than the given ages, in seconds (see `RetentionStatements.purge`)."""
        return await self._retention.purge(now, text=text, items=items, deliveries=deliveries)


Work = Callable[[Tx], Awaitable[T]]


class Store(ABC):
    """An open store. Every method raises StoreError where the engine fails."""

    engine: ClassVar[Literal["sqlite", "postgresql"]]
    gather = 0.0  # seconds in which the results of polls gather, to be written together; who runs many sets it

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._closed = False
        self._held = HeldWords()
        self._unchanged = Gathered[Unchanged, None]()

    @abstractmethod
    def now(self) -> float:
        """The store's clock, which decides what is due and when a lease ends: seconds since the epoch."""

    @abstractmethod
    async def write(self, work: Work[T], ingest: bool = False) -> T:
        """Run `work` in one transaction; what it returned, once that is durable.

        What `work` raises is raised, and nothing of it is written. `work` may be run again, and on another thread: it
        must await nothing but the statements, and change nothing but the store. `ingest` makes it the only one, over
        all workers, that opens stories.
        """

    @abstractmethod
    def read(self) -> AbstractAsyncContextManager[Tx]:
        """A transaction that sees one state of the store and can write nothing."""

    async def look(self, work: Work[T]) -> T:
        """What `work` reads, all of one state; as `write`, it awaits nothing but statements and may run on a thread."""
        async with self.read() as tx:
            return await work(tx)

    @abstractmethod
    async def close(self) -> None:
        """End what is being written, and let go of the store."""

    def _must_be_open(self) -> None:
        if self._closed:
            raise StoreError("the store is closed")

    async def claim(self, queue: Queue, limit: int, lease: float, *, due: float | None = None) -> list[Claim[Any]]:
        """Up to `limit` rows of `queue` that are due (by `due`), ours alone for `lease` seconds; longest due first."""
        return await self.write(
            lambda tx: tx.claims.take(queue, self._worker, limit, lease, tx.now if due is None else due)
        )

    async def renew(self, claims: Iterable[Claim[Any]], lease: float) -> set[str]:
        """Lease them for `lease` seconds from now on; the ids of those that are still ours."""
        held = list(claims)
        return await self.write(lambda tx: tx.claims.renew(held, lease)) if held else set()

    async def release(self, claims: Iterable[Claim[Any]]) -> None:
        """Give claims back as they were, for whoever claims next."""
        held = list(claims)
        if held:
            await self.write(lambda tx: tx.claims.release(held))

    async def next_due(self) -> float | None:
        """When the earliest row of the queues can be claimed; None where there is no work at all."""
        async with self.read() as tx:
            return await tx.claims.next_due()

    async def unchanged(self, poll: Unchanged) -> None:
        """As `tx.sources.unchanged`, but what many polls report at the same time is written by one statement."""
        await self._unchanged.ask(poll, self._write_unchanged, self.gather)

    async def _write_unchanged(self, polls: list[Unchanged]) -> list[LeaseLost | None]:
        ours = await self.write(lambda tx: tx.sources.unchanged(polls))
        return [None if held else lease_lost(poll.claim) for poll, held in zip(polls, ours, strict=True)]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
