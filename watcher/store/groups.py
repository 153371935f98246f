"""Groups: alerts that one channel will tell together. One row is one (channel, kind, key), flushed again and again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Insert, Row, Select, bindparam, delete, func, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from watcher.model import AlertState, Claim, Delivery, Group, Reason, derive_id
from watcher.store.deliveries import DeliveryStatements
from watcher.store.packing import among, many
from watcher.store.statements import Statements
from watcher.store.tables import alert, group, member

MOST_DOUBLINGS = 5  # of the interval after which copies of what was told are told: 10 minutes, up to some 5 hours


@dataclass(frozen=True, slots=True)
class Entry:
    """An alert that the group of (channel, kind, key) is to tell at `flush_at` (see `put_all`)."""

    channel: str
    kind: str
    key: str
    flush_at: float
    alert: str
    slide: bool = False
    latest: float | None = None


def _due(row: Row[Any], entries: Iterable[Entry]) -> tuple[float, float | None]:
    """When a group is flushed, now that `entries` came, and the time that this does not slide past."""
    due, latest = row.due, row.latest
    for one in entries:
        latest = one.latest if due is None or latest is None else latest
        moved = one.flush_at if due is None else max(due, one.flush_at) if one.slide else min(due, one.flush_at)
        if one.slide and latest is not None:
            moved = min(moved, latest)
        due = max(moved, row.not_before or 0.0)
    return due, latest


# Statements that every alert runs through, built once: building one takes as long as running it.
_MOVE = update(group).where(group.c.id == bindparam("of")).values(due=bindparam("at"), latest=bindparam("until"))
_ONE = select(group.c.flush_no, group.c.due).where(group.c.id == bindparam("of"))
_waits = (member.c.group_id == bindparam("of")) & member.c.flush_no.is_(None)
_MEMBERS = select(member.c.alert_id).where(_waits).order_by(member.c.added_at, member.c.alert_id)
_LEAVE = delete(member).where(_waits)


@cache
def _make(postgres: bool) -> Insert:
    into = postgresql.insert(group) if postgres else sqlite.insert(group)
    return into.on_conflict_do_nothing()


@cache
def _join(postgres: bool) -> ReturningInsert[Any]:
    into = postgresql.insert(member) if postgres else sqlite.insert(member)
    return into.on_conflict_do_nothing().returning(member.c.group_id, member.c.alert_id)


@cache
def _locked(postgres: bool) -> Select[Any]:
    return select(group).where(among(group.c.id, "ids", postgres)).order_by(group.c.id).with_for_update()


def group_row(row: Row[Any]) -> Group:
    """The group in a row of the table `group`."""
    due = 0.0 if row.due is None else row.due
    outlets = tuple(row.outlets or ())
    return Group(row.id, row.channel, row.kind, row.key, due, row.flush_no, outlets, row.first_outlets or 0)


class GroupStatements(Statements):
    """Statements about groups and their members."""

    async def put(
        self,
        channel: str,
        kind: str,
        key: str,
        flush_at: float,
        alert_id: str,
        *,
        now: float,
        slide: bool = False,
        latest: float | None = None,
    ) -> str:
        """Let the group of (channel, kind, key) tell an alert; the group's id. Doing it again changes nothing."""
        [id_] = await self.put_all([Entry(channel, kind, key, flush_at, alert_id, slide, latest)], now)
        return id_

    async def put_all(self, entries: Sequence[Entry], now: float) -> set[str]:
        """Let groups tell alerts; the groups' ids. Doing it again changes nothing.

        A group is flushed at the earliest `flush_at` of what waits in it. With `slide` an alert moves that on to its
        own `flush_at`, but not past the `latest` that came with the first.
        """
        if not entries:
            return set()
        by_group: dict[tuple[str, str, str], list[Entry]] = {}
        for one in entries:
            by_group.setdefault((one.channel, one.kind, one.key), []).append(one)
        # In the order of ids: two workers that lock the same rows in two orders would wait for each other.
        ids = sorted((derive_id("group", *place), place) for place in by_group)
        made = [{"id": id_, "channel": channel, "kind": kind, "key": key} for id_, (channel, kind, key) in ids]
        await self._run(_make(self._postgres), made)
        named = {"ids": many([id_ for id_, _ in ids], self._postgres)}
        rows = {row.id: row for row in await self._rows(_locked(self._postgres), named)}
        members = [
            {"group_id": id_, "alert_id": one.alert, "flush_at": one.flush_at, "added_at": now}
            for id_, place in ids
            for one in by_group[place]
        ]
        joined = await self._run(_join(self._postgres), members)
        added = {(row.group_id, row.alert_id) for row in joined}
        moved = []
        for id_, place in ids:
            # Who flushes a group at this moment looks for members that came meanwhile.
            fresh = [one for one in by_group[place] if (id_, one.alert) in added]
            if fresh and rows[id_].lease_until is None:
                due, latest = _due(rows[id_], fresh)
                moved.append({"of": id_, "at": due, "until": latest})
        if moved:
            await self._run(_MOVE, moved)
        return {id_ for id_, _ in ids}

    async def members(self, claim: Claim[Group]) -> list[str]:
        """The alerts that wait to be told by the claimed group, in the order in which they came."""
        return [row.alert_id for row in await self._rows(_MEMBERS, {"of": claim.id})]

    async def flushed(
        self,
        claim: Claim[Group],
        alert_ids: Collection[str],
        deliveries: Iterable[Delivery],
        now: float,
        next_flush: float | None = None,
        outlets: Collection[str] = (),
    ) -> None:
        """End the claim: `alert_ids` are told by `deliveries`, which go into the outbox and name `outlets`.

        Members that came meanwhile wait for the next flush. Nothing of the group is told before `next_flush`.
        """
        row = await self._check(claim)
        await DeliveryStatements(self._connection, self._now).add(deliveries)
        await self._mark(claim, alert_ids, row.flush_no)
        await self._run(
            update(alert)
            .where(self._among(alert.c.id, alert_ids), alert.c.state == AlertState.WAITING.value)
            .values(state=AlertState.TOLD.value)
        )
        waiting = await self._waiting(claim.id)
        due = None if waiting is None else max(waiting, next_flush or 0.0)
        first = {} if row.flush_no else {"first_outlets": len(outlets)}
        await self._end(
            claim,
            due=due,
            flush_no=row.flush_no + 1,
            flushed_at=now,
            latest=None,
            not_before=next_flush,
            reason=None,
            outlets=list(dict.fromkeys([*(row.outlets or ()), *outlets])),
            **first,
        )

    async def _mark(self, claim: Claim[Group], alert_ids: Collection[str], flush_no: int) -> None:
        await self._run(
            update(member)
            .where(
                member.c.group_id == claim.id, self._among(member.c.alert_id, alert_ids), member.c.flush_no.is_(None)
            )
            .values(flush_no=flush_no)
        )

    async def _waiting(self, id_: str) -> float | None:
        """When the earliest of what waits in a group is to be told."""
        earliest = select(func.min(member.c.flush_at)).where(member.c.group_id == id_, member.c.flush_no.is_(None))
        return (await self._run(earliest)).scalar_one_or_none()

    async def dropped(self, claim: Claim[Group], reason: Reason, now: float) -> None:
        """End the claim: what waits in the group is told to nobody. Alerts that wait in no other group are dropped."""
        row = await self._check(claim)
        alert_ids = await self.members(claim)
        await self._mark(claim, alert_ids, row.flush_no)
        elsewhere = select(member.c.alert_id).where(member.c.alert_id == alert.c.id, member.c.flush_no.is_(None))
        await self._run(
            update(alert)
            .where(self._among(alert.c.id, alert_ids), alert.c.state == AlertState.WAITING.value, ~elsewhere.exists())
            .values(state=AlertState.DROPPED.value, reason=reason.name)
        )
        await self._end(claim, due=None, flush_no=row.flush_no + 1, flushed_at=now, latest=None, reason=reason.name)

    async def postpone(self, claim: Claim[Group], flush_at: float, reason: Reason) -> None:
        """End the claim: flushed at `flush_at`, or earlier if an alert comes that must be."""
        await self._end(claim, due=flush_at, reason=reason.name)

    async def fold(self, claim: Claim[Group], *, kind: str, key: str, flush_at: float, now: float) -> None:
        """End the claim: what waits in the group is told by the channel's group of (kind, key) at `flush_at`."""
        row = await self._check(claim)
        id_ = derive_id("group", row.channel, kind, key)
        if id_ == claim.id:
            await self._end(claim, due=flush_at)
            return
        members = await self.members(claim)
        await self.put_all([Entry(row.channel, kind, key, flush_at, alert_id) for alert_id in members], now)
        await self._run(_LEAVE, {"of": claim.id})
        await self._end(claim, due=None, latest=None)

    async def divert(
        self, claim: Claim[Group], alert_ids: Collection[str], *, kind: str, key: str, flush_at: float, now: float
    ) -> None:
        """Let the channel's group of (kind, key) tell `alert_ids` at `flush_at`; the claim goes on with the others."""
        row = await self._check(claim)
        await self.put_all([Entry(row.channel, kind, key, flush_at, alert_id) for alert_id in alert_ids], now)
        await self._run(
            delete(member).where(
                member.c.group_id == claim.id, self._among(member.c.alert_id, alert_ids), member.c.flush_no.is_(None)
            )
        )

    async def rest(self, claim: Claim[Group]) -> None:
        """End the claim: there is nothing to be told but what came meanwhile."""
        await self._end(claim, due=await self._waiting(claim.id), latest=None)

    async def absorb(self, claim: Claim[Group], key: str, now: float) -> None:
        """Let the claimed group tell what waits in the channel's group of the same kind with `key`, too."""
        row = await self._check(claim)
        id_ = derive_id("group", row.channel, row.kind, key)
        free = (group.c.id == id_) & group.c.lease_until.is_(None) & group.c.due.isnot(None)
        if await self._first(select(group.c.id).where(free).with_for_update()) is None:
            return
        waits = await self._rows(_MEMBERS, {"of": id_})
        await self.put_all([Entry(row.channel, row.kind, row.key, now, one.alert_id) for one in waits], now)
        await self._run(_LEAVE, {"of": id_})
        await self._run(update(group).where(group.c.id == id_).values(due=None))

    async def told(self, channel: str, kind: str, key: str) -> bool:
        """Whether the channel's group of (kind, key) has told anything."""
        id_ = derive_id("group", channel, kind, key)
        row = await self._first(_ONE, {"of": id_})
        return row is not None and row.flush_no > 0

    async def grown(self, channels: Iterable[str], keys: Collection[str]) -> None:
        """What the groups of these keys told is in more outlets now: they say so when their time comes.

        For copies alone that is an interval after the first message, and then after twice as long each time.
        """
        ids = [derive_id("group", channel, "alert", key) for channel in channels for key in keys]
        rows = await self._rows(
            select(group).where(
                self._among(group.c.id, ids),
                group.c.flush_no > 0,
                group.c.due.is_(None),
                group.c.lease_until.is_(None),
                group.c.not_before.isnot(None),
            )
        )
        for row in rows:
            wait = (row.not_before - row.flushed_at) * 2.0 ** min(row.flush_no - 1, MOST_DOUBLINGS)
            await self._run(update(group).where(group.c.id == row.id).values(due=row.flushed_at + wait))

    async def catch_up(self, claim: Claim[Group]) -> float | None:
        """When the channel's catch-up after its limit is told, where one waits that is not the claimed group itself."""
        id_ = derive_id("group", claim.row.channel, "digest", "limit")
        found = await self._first(_ONE, {"of": id_}) if id_ != claim.id else None
        return None if found is None else found.due

    async def hasten(self, kinds: Collection[str], now: float) -> None:
        """Flush groups of `kinds` now that only gather what comes in together; not those that were put off."""
        await self._run(
            update(group)
            .where(
                group.c.kind.in_(kinds),
                group.c.due > now,
                group.c.reason.is_(None),
                # A first poll that gathers has a latest time; one that waits for the end of quiet hours has none.
                or_(group.c.kind != "baseline", group.c.latest.isnot(None)),
                or_(group.c.not_before.is_(None), group.c.not_before <= now),
            )
            .values(due=literal(now))
        )

    async def list(self, channel: str | None = None) -> list[Group]:
        """The groups in which something waits, by when they are flushed."""
        statement = select(group).where(group.c.due.isnot(None)).order_by(group.c.due)
        if channel is not None:
            statement = statement.where(group.c.channel == channel)
        return [group_row(row) for row in await self._rows(statement)]
