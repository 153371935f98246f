"""Configurations: the last good one, for a start with a broken one."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from watcher.store.statements import Statements
from watcher.store.tables import config

LAST_GOOD = "last good"


class ConfigStatements(Statements):
    """Statements about configurations."""

    async def save(self, files: Mapping[str, str], now: float) -> None:
        """Keep the text of each file, by path, in place of what was kept."""
        values = {"files": dict(files), "saved_at": now}
        statement = self._insert(config).on_conflict_do_update(index_elements=[config.c.id], set_=values)
        await self._run(statement, {"id": LAST_GOOD, **values})

    async def saved_at(self) -> float | None:
        """When what is kept was saved; None where nothing is."""
        row = await self._first(select(config.c.saved_at).where(config.c.id == LAST_GOOD))
        return None if row is None else float(row.saved_at)

    async def last_good(self) -> tuple[dict[str, str], float] | None:
        """The files that were saved last, and when; None where none were."""
        row = await self._first(select(config).where(config.c.id == LAST_GOOD))
        return None if row is None else (row.files, row.saved_at)
