"""Workers: the processes that share the store, and when each was last heard of."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select

from watcher.store.statements import Statements
from watcher.store.tables import worker


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A process that uses the store; `id` is its host and process id."""

    id: str
    version: str
    started_at: float
    seen_at: float


class WorkerStatements(Statements):
    """Statements about workers."""

    async def beat(self, id_: str, version: str, now: float) -> None:
        """A worker is alive."""
        statement = self._insert(worker).on_conflict_do_update(
            index_elements=[worker.c.id], set_={"version": version, "seen_at": now}
        )
        await self._run(statement, {"id": id_, "version": version, "started_at": now, "seen_at": now})

    async def leave(self, id_: str) -> None:
        """A worker has ended in order: nobody is to wait for its next sign of life."""
        await self._run(delete(worker).where(worker.c.id == id_))

    async def list(self) -> list[WorkerState]:
        """Every worker, the one last heard of first."""
        rows = await self._rows(select(worker).order_by(worker.c.seen_at.desc(), worker.c.id))
        return [WorkerState(row.id, row.version, row.started_at, row.seen_at) for row in rows]
