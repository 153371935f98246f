"""Health: what was told of it last, and the notes that wait for the daily message."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select

from watcher.model import derive_id
from watcher.store.statements import Statements
from watcher.store.tables import health, health_note


@dataclass(frozen=True, slots=True)
class HealthNote:
    """Something about a subject that is worth saying and not worth a message of its own."""

    id: str
    at: float
    subject: str
    text: str


class HealthStatements(Statements):
    """Statements about health. A subject that is well has no row."""

    async def told(self) -> dict[str, str]:
        """The state of each subject that was told last."""
        return {row.subject: row.state for row in await self._rows(select(health.c.subject, health.c.state))}

    async def since(self, subject: str) -> float | None:
        """When the subject got into the state that was told last."""
        row = await self._first(select(health.c.since).where(health.c.subject == subject))
        return None if row is None else float(row.since)

    async def tell(self, states: Mapping[str, str | None], now: float) -> None:
        """Remember the state that each subject has by what is told now; None: it is well again."""
        well = sorted(subject for subject, state in states.items() if state is None)
        if well:
            await self._run(delete(health).where(self._among(health.c.subject, well)))
        rows = [
            {"subject": subject, "state": state, "since": now}
            for subject, state in sorted(states.items())
            if state is not None
        ]
        if rows:
            statement = self._insert(health)
            changed = {"state": statement.excluded.state, "since": statement.excluded.since}
            await self._run(statement.on_conflict_do_update(index_elements=[health.c.subject], set_=changed), rows)

    async def note(self, subject: str, text: str, now: float) -> None:
        """Keep a note for the daily message; one of each subject and day."""
        row = {"id": derive_id(subject, str(int(now // 86400)), text[:20]), "at": now, "subject": subject, "text": text}
        await self._run(self._insert(health_note).on_conflict_do_nothing(), row)

    async def notes(self) -> list[HealthNote]:
        """The notes that wait, oldest first."""
        rows = await self._rows(select(health_note).order_by(health_note.c.at, health_note.c.id))
        return [HealthNote(row.id, row.at, row.subject, row.text) for row in rows]

    async def noted(self, ids: Collection[str]) -> None:
        """They were told."""
        await self._run(delete(health_note).where(self._among(health_note.c.id, sorted(ids))))
