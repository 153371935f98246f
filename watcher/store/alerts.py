"""Alerts: rule × story, each recorded once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, case, func, select, update

from watcher.model import Alert, AlertState, Reason, Span, Update
from watcher.store.statements import Statements
from watcher.store.tables import alert, group, member
from watcher.store.tables import story as story_table

Rate = tuple[int, int, float]


def alert_of(row: Row[Any]) -> Alert:
    """The alert in a row of the table `alert`."""
    return Alert(
        id=row.id,
        rule=row.rule,
        story=row.story,
        item=row.item,
        state=AlertState(row.state),
        reason=Reason[row.reason],
        created_at=row.created_at,
        spans=tuple(Span(**span) for span in row.spans),
        note=row.note,
        explanation=row.explanation,
        update=None if not row.change else _update_of(row.change),
    )


def _update_of(change: dict[str, Any]) -> Update:
    return Update(**{**change, "edits": tuple((gone, come) for gone, come in change["edits"])})


def _values(new: Alert) -> dict[str, Any]:
    return {
        "id": new.id,
        "rule": new.rule,
        "story": new.story,
        "item": new.item,
        "state": new.state.value,
        "reason": new.reason.name,
        "created_at": new.created_at,
        "spans": [asdict(span) for span in new.spans],
        "note": new.note,
        "explanation": new.explanation,
        "change": None if new.update is None else asdict(new.update),
    }


class AlertStatements(Statements):
    """Statements about alerts."""

    async def add(self, new: Alert) -> bool:
        """Record an alert; False where it was recorded before."""
        return bool(await self.add_all([new]))

    async def add_all(self, alerts: Collection[Alert]) -> set[str]:
        """Record alerts; the ids of those that were not recorded before."""
        rows = [_values(new) for _, new in sorted({new.id: new for new in alerts}.items())]
        if not rows:
            return set()
        added = await self._run(self._insert(alert).on_conflict_do_nothing().returning(alert.c.id), rows)
        return {row.id for row in added}

    async def of_items(self, ids: Collection[str]) -> list[Alert]:
        """The alerts that these items made, updates too; oldest first."""
        if not ids:
            return []
        statement = select(alert).where(self._among(alert.c.item, ids)).order_by(alert.c.created_at, alert.c.id)
        return [alert_of(row) for row in await self._rows(statement)]

    async def revive(self, new: Alert, reasons: Collection[Reason]) -> bool:
        """Let `new` take the place of the same alert that was dropped for one of `reasons`; False where it was not."""
        revived = await self._run(
            update(alert)
            .where(
                alert.c.id == new.id,
                alert.c.state == AlertState.DROPPED.value,
                alert.c.reason.in_([reason.name for reason in reasons]),
            )
            .values(
                state=new.state.value,
                reason=new.reason.name,
                item=new.item,
                created_at=new.created_at,
                spans=[asdict(span) for span in new.spans],
                note=new.note,
                explanation=new.explanation,
            )
        )
        return revived.rowcount == 1

    async def restate(self, id_: str, by: Alert) -> bool:
        """Let an alert that waits for the first look's message alone tell what `by` does; False where it does not."""
        elsewhere = (member.c.group_id == group.c.id) & (group.c.kind != "baseline")
        told = select(member.c.alert_id).where(
            member.c.alert_id == id_, member.c.flush_no.isnot(None) | select(group.c.id).where(elsewhere).exists()
        )
        restated = await self._run(
            update(alert)
            .where(alert.c.id == id_, alert.c.state == AlertState.WAITING.value, ~told.exists())
            .values(
                item=by.item,
                spans=[asdict(span) for span in by.spans],
                note=by.note,
                explanation=by.explanation,
            )
        )
        return restated.rowcount == 1

    async def move(self, id_: str, from_state: AlertState, to_state: AlertState, reason: Reason) -> bool:
        """Compare and set: False where the alert is not in `from_state` (any more)."""
        moved = await self._run(
            update(alert)
            .where(alert.c.id == id_, alert.c.state == from_state.value)
            .values(state=to_state.value, reason=reason.name)
        )
        return moved.rowcount == 1

    async def held(
        self,
        story: str | None = None,
        *,
        event: str | None = None,
        rule: str | None = None,
        reason: Reason | None = None,
    ) -> list[Alert]:
        """Alerts that something holds back: of a story, of an event, of a rule, for a reason; oldest first."""
        statement = select(alert).where(alert.c.state == AlertState.HELD.value).order_by(alert.c.created_at, alert.c.id)
        if story is not None:
            statement = statement.where(alert.c.story == story)
        if event is not None:
            statement = statement.where(alert.c.story.in_(select(story_table.c.id).where(story_table.c.event == event)))
        if rule is not None:
            statement = statement.where(alert.c.rule == rule)
        if reason is not None:
            statement = statement.where(alert.c.reason == reason.name)
        return [alert_of(row) for row in await self._rows(statement)]

    async def get(self, ids: Collection[str]) -> list[Alert]:
        """Those of `ids` that the store has, in the order of `ids`."""
        if not ids:
            return []
        rows = await self._rows(select(alert).where(self._among(alert.c.id, ids)))
        found = {row.id: alert_of(row) for row in rows}
        return [found[id_] for id_ in ids if id_ in found]

    async def list(
        self,
        limit: int = 100,
        *,
        rule: str | None = None,
        story: str | None = None,
        states: Collection[AlertState] = (),
        since: float | None = None,
        before: float | None = None,
    ) -> list[Alert]:
        """The newest alerts created at or after `since` and before `before`, newest first."""
        statement = select(alert).order_by(alert.c.created_at.desc(), alert.c.id).limit(limit)
        if rule is not None:
            statement = statement.where(alert.c.rule == rule)
        if story is not None:
            statement = statement.where(alert.c.story == story)
        if states:
            statement = statement.where(alert.c.state.in_([state.value for state in states]))
        if since is not None:
            statement = statement.where(alert.c.created_at >= since)
        if before is not None:
            statement = statement.where(alert.c.created_at < before)
        return [alert_of(row) for row in await self._rows(statement)]

    async def for_group(self, group_id: str, flush_no: int | None = None) -> Sequence[Alert]:
        """The alerts that a group has told, tells or waits to tell; with `flush_no`, those of that flush."""
        statement = (
            select(alert)
            .join(member, member.c.alert_id == alert.c.id)
            .where(member.c.group_id == group_id)
            .order_by(member.c.added_at, alert.c.id)
        )
        if flush_no is not None:
            statement = statement.where(member.c.flush_no == flush_no)
        return [alert_of(row) for row in await self._rows(statement)]

    async def rates(self, rules: Collection[str], now: float, window: float, history: float) -> dict[str, Rate]:
        """How many alerts each of `rules` made in the last `window` seconds and in the `history` seconds before.

        The third number is how many seconds ago the first of them came.
        """
        latest = case((alert.c.created_at > now - window, 1), else_=0)
        rows = await self._rows(
            select(
                alert.c.rule,
                func.sum(latest).label("latest"),
                func.count().label("alerts"),
                func.min(alert.c.created_at).label("first"),
            )
            .where(self._among(alert.c.rule, sorted(rules)), alert.c.created_at > now - window - history)
            .group_by(alert.c.rule)
        )
        return {row.rule: (row.latest, row.alerts - row.latest, now - row.first) for row in rows}

    async def counts(self, since: float) -> dict[AlertState, int]:
        """How many of the alerts created at or after `since` are in each state."""
        rows = await self._rows(
            select(alert.c.state, func.count().label("alerts"))
            .where(alert.c.created_at >= since)
            .group_by(alert.c.state)
        )
        found = {row.state: row.alerts for row in rows}
        return {state: found.get(state.value, 0) for state in AlertState}
