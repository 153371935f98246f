"""What the statements of every noun share: the connection, and the few places where the engines differ."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CursorResult,
    Dialect,
    Executable,
    Row,
    Select,
    Table,
    any_,
    bindparam,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from watcher.errors import LeaseLost
from watcher.model import Claim
from watcher.store.packing import filing
from watcher.store.tables import WORK

Values = Mapping[str, Any]


class Connection(Protocol):
    """What statements run on: SQLAlchemy's AsyncConnection, or one that never really waits."""

    @property
    def dialect(self) -> Dialect:
        """The engine's dialect of SQL."""

    async def execute(
        self, statement: Executable, parameters: Values | Sequence[Values] | None = None
    ) -> CursorResult[Any]:
        """Run a statement, many times where `parameters` is a sequence."""

    async def exec_driver_sql(self, statement: str, parameters: list[tuple[Any, ...]]) -> CursorResult[Any]:
        """Run a statement in the engine's own words many times."""


def lease_lost(claim: Claim[Any]) -> LeaseLost:
    """Another claim came between."""
    return LeaseLost(f"the claim on {claim.queue.value} {claim.id} is no longer ours: nothing was written")


class Statements:
    """One transaction's statements about one noun. `now` is the store's time at which the transaction began."""

    def __init__(self, connection: Connection, now: float) -> None:
        self._connection = connection
        self._now = now
        self._postgres = connection.dialect.name == "postgresql"

    async def _run(self, statement: Executable, values: Values | Sequence[Values] | None = None) -> CursorResult[Any]:
        if isinstance(values, list) and len(values) == 1:
            values = values[0]  # much cheaper than running it "many" times
        return await self._connection.execute(statement, values)

    async def _file(self, table: Table, rows: Sequence[tuple[Collection[int], *tuple[int, ...]]]) -> None:
        """Put rows into `table`: of each one the hashes that it stands under, and its other columns.

        SQLite's driver is given a row for each hash: an array that SQLite takes apart costs it twice as much.
        """
        if self._postgres:
            names = table.columns.keys()
            values = [dict(zip(names, (sorted(hashes), *others), strict=True)) for hashes, *others in rows]
            if values:
                await self._run(filing(table), values)
        elif each := [(value, *others) for hashes, *others in rows for value in sorted(hashes)]:
            await self._connection.exec_driver_sql(_row(table), each)

    async def _rows(self, statement: Executable, values: Values | None = None) -> Sequence[Row[Any]]:
        return (await self._connection.execute(statement, values)).all()

    async def _first(self, statement: Executable, values: Values | None = None) -> Row[Any] | None:
        return (await self._connection.execute(statement, values)).first()

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """INSERT with the ON CONFLICT that the two engines have in common."""
        return postgresql.insert(table) if self._postgres else sqlite.insert(table)

    def _among(self, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
        """`column` is one of `values`, as one parameter: any number of them is the same prepared statement."""
        if self._postgres:
            return column == any_(literal(list(values), ARRAY(column.type)))
        each = func.json_each(literal(json.dumps(list(values)))).table_valued("value")
        return column.in_(select(each.c.value))

    async def _end(self, claim: Claim[Any], **values: Any) -> None:
        """Give the claimed row `values` and end its claim. Raises LeaseLost where another claim came between."""
        table = WORK[claim.queue]
        ended = await self._run(
            update(table)
            .where(table.c.id == claim.id, table.c.token == claim.token, table.c.lease_until.isnot(None))
            .values(lease_until=None, worker=None, **values)
        )
        self._must_be_ours(claim, ended)

    @staticmethod
    def _must_be_ours(claim: Claim[Any], ended: CursorResult[Any]) -> None:
        if ended.rowcount == 0:
            raise lease_lost(claim)

    async def _check(self, claim: Claim[Any]) -> Row[Any]:
        """The claimed row, locked until the transaction ends. Raises LeaseLost as `_end` does."""
        row = await self._first(_HELD[claim.queue], {"of": claim.id, "fence": claim.token})
        if row is None:
            raise lease_lost(claim)
        return row


@cache
def _row(table: Table) -> str:
    """A row of `table`, as SQLite's driver has it."""
    return str(insert(table).compile(dialect=sqlite.dialect()))


def _held(table: Table) -> Select[Any]:
    ours = (table.c.id == bindparam("of")) & (table.c.token == bindparam("fence")) & table.c.lease_until.isnot(None)
    return select(table).where(ours).with_for_update()


_HELD = {queue: _held(table) for queue, table in WORK.items()}  # built once: each result of work runs one
