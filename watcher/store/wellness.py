"""Whether watcher is well: a daemon is alive, and what is due is being done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watcher.model import Queue
from watcher.store.claims import Backlog
from watcher.store.store import Tx
from watcher.store.workers import WorkerState

ALIVE = 60.0  # seconds since a worker's last sign of life
LATE = 300.0  # seconds that due work may wait


@dataclass(frozen=True, slots=True)
class Wellness:
    """Who works, and what waits."""

    workers: tuple[WorkerState, ...]  # alive
    waiting: Mapping[Queue, Backlog]

    @property
    def lag(self) -> float:
        """For how many seconds the first of what is due has waited."""
        return max((row.late for row in self.waiting.values()), default=0.0)

    @property
    def well(self) -> bool:
        """A worker is alive, and nothing that is due waits for long."""
        return bool(self.workers) and self.lag < LATE


async def wellness(tx: Tx) -> Wellness:
    """How it is at this moment, by the store."""
    alive = tuple(one for one in await tx.workers.list() if tx.now - one.seen_at < ALIVE)
    return Wellness(alive, await tx.claims.backlog())
