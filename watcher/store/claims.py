"""Claims: one statement for the tables that hold work.

A claim leases due rows to one worker and counts `token` up, so that what a worker whose lease ended writes later is
refused (fencing tokens: Kleppmann, "How to do distributed locking", 2016). Rows that another transaction is claiming
at the moment are passed over (SKIP LOCKED), not waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Table, bindparam, func, or_, select, tuple_, union_all, update
from sqlalchemy.sql.dml import ReturningUpdate

from watcher.model import Claim, Queue
from watcher.store import deliveries, groups, items, sources, subscriptions
from watcher.store.statements import Statements
from watcher.store.tables import WORK


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many rows of a queue are due and not claimed, and for how many seconds the first has been."""

    due: int
    late: float


READERS: dict[Queue, Callable[[Row[Any]], Any]] = {
    Queue.SOURCE: sources.source_state,
    Queue.ITEM: items.waiting_item,
    Queue.GROUP: groups.group_row,
    Queue.DELIVERY: deliveries.delivery_row,
    Queue.SUBSCRIPTION: subscriptions.subscription_row,
}


def _claim_statement(table: Table) -> ReturningUpdate[Any]:
    free = or_(table.c.lease_until.is_(None), table.c.lease_until <= bindparam("at"))
    picked = (
        select(table.c.id)
        .where(table.c.due <= bindparam("by"), free)
        .order_by(table.c.due)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("picked")  # a CTE with FOR UPDATE is run once; as a subquery, PostgreSQL may run it again and claim more
    )
    return (
        update(table)
        .where(table.c.id.in_(select(picked.c.id)))
        .values(lease_until=bindparam("until"), worker=bindparam("holder"), token=table.c.token + 1)
        .returning(table)
    )


_CLAIM = {queue: _claim_statement(table) for queue, table in WORK.items()}


class ClaimStatements(Statements):
    """Claims on rows of the queues."""

    async def take(self, queue: Queue, worker: str, limit: int, lease: float, due: float) -> list[Claim[Any]]:
        """Lease up to `limit` rows that are due by `due` to `worker` for `lease` seconds, the longest due first."""
        values = {"at": self._now, "by": due, "most": limit, "until": self._now + lease, "holder": worker}
        rows = await self._rows(_CLAIM[queue], values)
        return [Claim(queue, row.id, row.token, READERS[queue](row)) for row in sorted(rows, key=lambda row: row.due)]

    async def renew(self, claims: Iterable[Claim[Any]], lease: float) -> set[str]:
        """Lease them for `lease` seconds from now; the ids of those that are still ours."""
        ours: set[str] = set()
        for queue, held in _by_queue(claims).items():
            table = WORK[queue]
            rows = await self._rows(
                update(table)
                .where(tuple_(table.c.id, table.c.token).in_(held), table.c.lease_until.isnot(None))
                .values(lease_until=self._now + lease)
                .returning(table.c.id)
            )
            ours.update(row.id for row in rows)
        return ours

    async def check(self, claim: Claim[Any]) -> None:
        """Raise LeaseLost where the claim is no longer ours; else it stays so until the transaction ends."""
        await self._check(claim)

    async def release(self, claims: Iterable[Claim[Any]]) -> None:
        """Give them back as they were; those that are no longer ours are left alone."""
        for queue, held in _by_queue(claims).items():
            table = WORK[queue]
            await self._run(
                update(table)
                .where(tuple_(table.c.id, table.c.token).in_(held), table.c.lease_until.isnot(None))
                .values(lease_until=None, worker=None)
            )

    async def backlog(self) -> dict[Queue, Backlog]:
        """What is due in each queue and nobody works on."""
        found = {}
        for queue, table in WORK.items():
            free = or_(table.c.lease_until.is_(None), table.c.lease_until <= self._now)
            row = await self._first(
                select(func.count().label("due"), func.min(table.c.due).label("first")).where(
                    table.c.due <= self._now, free
                )
            )
            assert row is not None
            found[queue] = Backlog(row.due, 0.0 if row.first is None else self._now - row.first)
        return found

    async def reclaim(self) -> None:
        """End every lease. For a process that knows itself to be the only one: who held them is dead."""
        for table in WORK.values():
            await self._run(
                update(table)
                .where(table.c.due.isnot(None), table.c.lease_until.isnot(None))  # by the index of what is due
                .values(lease_until=None, worker=None, token=table.c.token + 1)
            )

    async def next_due(self) -> float | None:
        """When the earliest row of the four queues can be claimed, or None where all are empty."""
        times: list[Any] = []
        for table in WORK.values():
            waiting = select(table.c.due.label("at")).where(table.c.due.isnot(None), table.c.lease_until.is_(None))
            times.append(select(waiting.order_by(table.c.due).limit(1).subquery().c.at))
            # A leased row was due when it was claimed, so these few stand at the head of the index.
            leased = select(table.c.lease_until.label("at")).where(
                table.c.due <= self._now, table.c.lease_until.isnot(None)
            )
            times.append(leased)
        found = await self._first(select(func.min(union_all(*times).subquery().c.at)))
        return None if found is None else found[0]


def _by_queue(claims: Iterable[Claim[Any]]) -> dict[Queue, list[tuple[str, int]]]:
    held: dict[Queue, list[tuple[str, int]]] = {}
    for claim in claims:
        held.setdefault(claim.queue, []).append((claim.id, claim.token))
    return held
