"""Silences: rules, sources and channels of which nothing is told until a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, select, update

from watcher.model import Silence
from watcher.store.statements import Statements
from watcher.store.tables import group, silence


def _silence(row: Row[Any]) -> Silence:
    return Silence(row.id, row.rule, row.until, row.created_at, row.note, row.kind or "rule")


_BY_END = select(silence).where(silence.c.until > bindparam("after")).order_by(silence.c.until, silence.c.id)


class SilenceStatements(Statements):
    """Statements about silences."""

    async def add(self, new: Silence) -> bool:
        """Keep a silence; False where it was there."""
        added = await self._first(
            self._insert(silence).on_conflict_do_nothing().returning(silence.c.id),
            {
                "id": new.id,
                "rule": new.name,
                "kind": new.kind,
                "until": new.until,
                "created_at": new.created_at,
                "note": new.note,
            },
        )
        return added is not None

    async def list(self, now: float | None = None) -> list[Silence]:
        """Every silence by its end, or with `now` those in force then."""
        rows = await self._rows(_BY_END, {"after": float("-inf") if now is None else now})
        return [_silence(row) for row in rows]

    async def get(self, id_: str) -> Silence | None:
        """A silence, in force or not, or None."""
        row = await self._first(select(silence).where(silence.c.id == id_))
        return None if row is None else _silence(row)

    async def end(self, id_: str) -> bool:
        """End a silence now, and let its channels tell what it held back; False where none of that id is in force."""
        ended = await self._run(
            update(silence).where(silence.c.id == id_, silence.c.until > self._now).values(until=self._now)
        )
        if ended.rowcount == 1:
            held = (group.c.key == silence_key(id_)) & group.c.due.isnot(None)
            await self._run(update(group).where(held).values(due=self._now))
        return ended.rowcount == 1


def silence_key(id_: str) -> str:
    """The key of the groups that tell what a silence held back, once it has ended."""
    return f"silence:{id_}"
