"""What the four steps work with, and what each of them reports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from operator import add, attrgetter
from random import Random
from typing import Any

from watcher.clock import Clock
from watcher.config import Config, Rule
from watcher.fetch import Client
from watcher.pipeline.pace import Pace
from watcher.sources import Source, Tools
from watcher.store import Store
from watcher.store.gathered import Gathered
from watcher.workers import Workers

JUDGED_AT_ONCE = 16  # polls with news: what is judged waits in memory until the store has taken it
KEPT_TOGETHER = 50  # new items in one transaction, or what costs as much: some 50 ms, in which others wait
LATER = 60.0  # seconds until what cannot be done by this configuration is looked at again


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened, in numbers; adds up. The names are those of `watcher once --json`."""

    polled: int = 0  # sources asked, whatever they answered
    not_modified: int = 0  # answered 304, or with the same body as last time
    failed: int = 0  # could not be fetched or read
    new_items: int = 0
    unread: int = 0  # articles that could not be read and are tried again
    matched: int = 0  # items, new or changed or with their article now, that at least one rule matched
    alerts: int = 0
    sent: int = 0
    retrying: int = 0
    dead: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*map(add, _numbers(self), _numbers(other)))

    @classmethod
    def total(cls, counts: Iterable[Counts]) -> Counts:
        """The sum of many."""
        return sum(counts, cls())

    def as_dict(self) -> dict[str, int]:
        """For --json and logs."""
        return asdict(self)


_numbers = attrgetter(*(field.name for field in fields(Counts)))


class Services:
    """The rooms that the steps use, built once per process; the configuration is swapped whole at a reload."""

    def __init__(
        self, config: Config, store: Store, fetch: Client, workers: Workers, clock: Clock, rng: Random
    ) -> None:
        self.store = store
        self.tools = Tools(fetch=fetch, workers=workers, clock=clock)
        self.clock = clock
        self.rng = rng
        self.judging = asyncio.Semaphore(JUDGED_AT_ONCE)
        # Each poll that waits for the others holds a place of `judging`, so that there are no more of them.
        self.findings: Gathered[Any, Counts] = Gathered(KEPT_TOGETHER, attrgetter("size"), callers=JUDGED_AT_ONCE)
        self.pace = Pace()
        self.use(config)

    async def is_behind(self) -> bool:
        """Whether another worker has read a newer configuration: what is missing in ours may be in that one."""
        async with self.store.read() as tx:
            saved_at = await tx.configs.saved_at()
        return saved_at is not None and saved_at > self.adopted_at

    def use(self, config: Config) -> None:
        """Work by `config` from now on; steps under way end with what they began with."""
        self.config = config
        self.adopted_at = self.store.now()
        self.sources: dict[str, Source] = {source.id: source for source in config.sources.values()}
        self.rules: dict[str, Rule] = {rule.id: rule for rule in config.rules.values()}
        self.on_update = frozenset(rule.on_update for rule in config.rules.values())  # all that rules say of updates
