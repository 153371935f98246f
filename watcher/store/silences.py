"""Silences: rules that tell nothing until a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, select

from watcher.model import Silence
from watcher.store.statements import Statements
from watcher.store.tables import silence


def _silence(row: Row[Any]) -> Silence:
    return Silence(row.id, row.rule, row.until, row.created_at, row.note)


class SilenceStatements(Statements):
    """Statements about silences."""

    async def add(self, new: Silence) -> bool:
        """Keep a silence; False where it was there."""
        added = await self._first(
            self._insert(silence).on_conflict_do_nothing().returning(silence.c.id),
            {"id": new.id, "rule": new.rule, "until": new.until, "created_at": new.created_at, "note": new.note},
        )
        return added is not None

    async def list(self, now: float | None = None) -> list[Silence]:
        """Every silence by its end, or with `now` those in force then."""
        statement = select(silence).order_by(silence.c.until, silence.c.id)
        if now is not None:
            statement = statement.where(silence.c.until > now)
        return [_silence(row) for row in await self._rows(statement)]

    async def end(self, id_: str) -> bool:
        """End a silence; False where there is none of that id."""
        return (await self._run(delete(silence).where(silence.c.id == id_))).rowcount == 1
