"""Deliveries: the outbox. One row is one message to one target."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select, true, update

from watcher.model import Claim, Delivery, DeliveryState, Message, Reason, Style, Target
from watcher.store.statements import Statements
from watcher.store.tables import delivery, member

OPEN = (DeliveryState.PENDING.value, DeliveryState.RETRYING.value)


def delivery_row(row: Row[Any]) -> Delivery:
    """The delivery in a row of the table `delivery`."""
    message = dict(row.message)
    return Delivery(
        id=row.id,
        group=row.group_id,
        channel=row.channel,
        target=Target(row.target, row.target_label),
        part=row.part,
        message=Message(**{**message, "style": Style(message["style"])}),
        alerts=tuple(row.alerts),
        state=DeliveryState(row.state),
        next_try=0.0 if row.due is None else row.due,
        attempts=row.attempts,
        created_at=row.created_at,
        first_try=row.first_try,
        sent_at=row.sent_at,
        # A try that was begun and never answered was cut by a crash: its message may be there.
        ambiguous=row.ambiguous or row.trying,
        answer=row.answer,
        reason=row.reason,
        edits=row.edits or "",
        answers=row.answers or "",
        handle=row.handle or "",
    )


def _values(one: Delivery) -> dict[str, Any]:
    return {
        "id": one.id,
        "due": one.next_try,
        "group_id": one.group,
        "channel": one.channel,
        "target": one.target.key,
        "target_label": one.target.label,
        "part": one.part,
        "message": asdict(one.message),
        "alerts": list(one.alerts),
        "state": one.state.value,
        "created_at": one.created_at,
        "reason": one.reason,
        "edits": one.edits or None,
        "answers": one.answers or None,
    }


def _not_being_sent(now: float) -> ColumnElement[bool]:
    return or_(delivery.c.lease_until.is_(None), delivery.c.lease_until <= now)


class DeliveryStatements(Statements):
    """Statements about deliveries."""

    async def add(self, deliveries: Iterable[Delivery]) -> set[str]:
        """Put messages into the outbox; the ids of those that were not there yet."""
        rows = [_values(one) for one in sorted(deliveries, key=lambda one: one.id)]
        if not rows:
            return set()
        added = await self._run(self._insert(delivery).on_conflict_do_nothing().returning(delivery.c.id), rows)
        return {row.id for row in added}

    async def begin(self, claim: Claim[Delivery], now: float) -> None:
        """Write down, before the message goes out, that it is tried at `now`; the claim goes on.

        Raises LeaseLost where the message is another worker's to send by now.
        """
        row = await self._check(claim)
        await self._run(
            update(delivery)
            .where(delivery.c.id == claim.id)
            .values(
                attempts=row.attempts + 1,
                first_try=now if row.first_try is None else row.first_try,
                ambiguous=row.ambiguous or row.trying,
                trying=True,
            )
        )

    async def sent(self, claim: Claim[Delivery], answer: str, now: float, handle: str = "") -> None:
        """End the claim: the channel took the message, and knows it by `handle` where it can be edited."""
        await self._end(
            claim,
            due=None,
            state=DeliveryState.SENT.value,
            sent_at=now,
            trying=False,
            answer=answer,
            handle=handle or None,
        )

    async def retry(self, claim: Claim[Delivery], next_try: float, answer: str, ambiguous: bool) -> None:
        """End the claim: not taken, or with `ambiguous` perhaps taken; tried again at `next_try`."""
        await self._end(
            claim,
            due=next_try,
            state=DeliveryState.RETRYING.value,
            trying=False,
            ambiguous=true() if ambiguous else delivery.c.ambiguous,
            answer=answer,
        )

    async def postpone(self, claim: Claim[Delivery], next_try: float, reason: Reason) -> None:
        """End the claim without a try: the channel is not to be asked before `next_try`."""
        await self._end(claim, due=next_try, reason=reason.value)

    async def dead(self, claim: Claim[Delivery], reason: Reason, answer: str) -> None:
        """End the claim: a dead letter, kept for `watcher deliveries retry`."""
        await self._end(
            claim, due=None, state=DeliveryState.DEAD.value, trying=False, reason=reason.value, answer=answer
        )

    async def waiting(self, channel: str, target: str) -> bool:
        """Whether a message to a target is still to be sent."""
        chosen = (delivery.c.channel == channel) & (delivery.c.target == target) & delivery.c.due.isnot(None)
        return await self._first(select(delivery.c.id).where(chosen).limit(1)) is not None

    async def first_handles(self, group_id: str) -> dict[str, str]:
        """By target, the handle of the first message of a group, where the service can edit it."""
        rows = await self._rows(
            select(delivery.c.target, delivery.c.handle, delivery.c.alerts)
            .where(
                delivery.c.group_id == group_id,
                delivery.c.handle.isnot(None),
                delivery.c.edits.is_(None),
                delivery.c.part == 0,
            )
            .order_by(delivery.c.created_at.desc())
        )
        return {row.target: row.handle for row in rows}  # the first is the last here

    async def told_in(self, channel: str, alert_ids: Collection[str]) -> dict[str, str]:
        """By target, the handle of the message that opens the conversation in which a channel was told of alerts."""
        found: dict[str, str] = {}
        for alert_id in alert_ids:
            for one in await self.of_alert(alert_id):
                if one.channel == channel and (one.answers or one.handle):
                    found.setdefault(one.target.key, one.answers or one.edits or one.handle)
        return found

    async def get(self, id_: str) -> Delivery | None:
        """A delivery, or None."""
        row = await self._first(select(delivery).where(delivery.c.id == id_))
        return None if row is None else delivery_row(row)

    async def of_alert(self, alert_id: str) -> list[Delivery]:
        """The messages that tell an alert, oldest first."""
        groups = select(member.c.group_id).where(member.c.alert_id == alert_id)
        statement = (
            select(delivery).where(delivery.c.group_id.in_(groups)).order_by(delivery.c.created_at, delivery.c.part)
        )
        return [one for row in await self._rows(statement) if alert_id in (one := delivery_row(row)).alerts]

    async def list(
        self,
        limit: int = 100,
        *,
        states: Collection[DeliveryState] = (),
        channel: str | None = None,
        group: str | None = None,
        since: float | None = None,
    ) -> list[Delivery]:
        """The newest deliveries that were created at or after `since`, newest first."""
        statement = select(delivery).order_by(delivery.c.created_at.desc(), delivery.c.part, delivery.c.id).limit(limit)
        if states:
            statement = statement.where(delivery.c.state.in_([state.value for state in states]))
        if channel is not None:
            statement = statement.where(delivery.c.channel == channel)
        if group is not None:
            statement = statement.where(delivery.c.group_id == group)
        if since is not None:
            statement = statement.where(delivery.c.created_at >= since)
        return [delivery_row(row) for row in await self._rows(statement)]

    async def counts(self) -> dict[DeliveryState, int]:
        """How many deliveries are in each state."""
        rows = await self._rows(select(delivery.c.state, func.count().label("deliveries")).group_by(delivery.c.state))
        found = {row.state: row.deliveries for row in rows}
        return {state: found.get(state.value, 0) for state in DeliveryState}

    async def requeue(self, ids: Collection[str]) -> set[str]:
        """Send dead, dropped or waiting deliveries now, their tries counted anew; the ids of those that will be."""
        rows = await self._rows(
            update(delivery)
            .where(
                self._among(delivery.c.id, ids),
                delivery.c.state != DeliveryState.SENT.value,
                _not_being_sent(self._now),
            )
            .values(
                lease_until=None,
                worker=None,
                trying=False,
                ambiguous=False,
                due=self._now,
                state=DeliveryState.PENDING.value,
                attempts=0,
                first_try=None,
                reason="",
            )
            .returning(delivery.c.id)
        )
        return {row.id for row in rows}

    async def drop(self, ids: Collection[str], reason: Reason = Reason.DROPPED) -> set[str]:
        """Never send them; the ids of those that were dropped. One that is being sent at this moment is not."""
        rows = await self._rows(
            update(delivery)
            .where(
                self._among(delivery.c.id, ids),
                delivery.c.state.in_([*OPEN, DeliveryState.DEAD.value]),
                _not_being_sent(self._now),
            )
            .values(
                due=None,
                lease_until=None,
                worker=None,
                state=DeliveryState.DROPPED.value,
                reason=reason.value,
            )
            .returning(delivery.c.id)
        )
        return {row.id for row in rows}
