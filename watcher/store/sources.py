"""Sources: when each is polled next, and what the store remembers of it between polls."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Double,
    Row,
    Update,
    bindparam,
    case,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from watcher.model import Claim, SourceState
from watcher.store.packing import rows_of
from watcher.store.statements import Statements
from watcher.store.tables import as_json, clean, source

FORGOTTEN = 3 * 86400.0  # seconds after which a source that returns begins anew


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source as `watcher status` and `watcher sources` show it."""

    state: SourceState
    kind: str
    active: bool  # it is in the configuration
    added_at: float
    polled_at: float | None
    latency: float | None  # of the last poll, seconds
    listed: int  # items in the last body
    new_items: int  # ever
    error_kind: str | None
    worker: str | None  # who polls it at this moment


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The result of a poll that brought nothing new (a 304, or the same body). `latency` is in seconds."""

    claim: Claim[SourceState]
    next_due: float
    etag: str | None
    last_modified: str | None
    latency: float | None


@dataclass(frozen=True, slots=True)
class Polled:
    """The result of a poll that brought a new body of `items` items, `new_items` of them not seen before."""

    claim: Claim[SourceState]
    next_due: float
    etag: str | None
    last_modified: str | None
    body_hash: str | None
    redirect_to: str | None
    redirects: int
    cache: dict[str, Any]
    items: int
    new_items: int
    latency: float | None  # seconds


def source_state(row: Row[Any]) -> SourceState:
    """The state in a row of the table `source`."""
    return SourceState(
        id=row.id,
        next_due=math.inf if row.due is None else row.due,
        etag=row.etag,
        last_modified=row.last_modified,
        body_hash=row.body_hash,
        redirect_to=row.redirect_to,
        redirects=row.redirects,
        first_polled_at=row.first_polled_at,
        last_success=row.last_success,
        last_new=row.last_new,
        failures=row.failures,
        error=row.error,
        cache=row.cache,
        relies_until=row.relies_until,
    )


def _status(row: Row[Any]) -> SourceStatus:
    return SourceStatus(
        state=source_state(row),
        kind=row.kind,
        active=row.active,
        added_at=row.added_at,
        polled_at=row.polled_at,
        latency=row.latency,
        listed=row.listed,
        new_items=row.new_items,
        error_kind=row.error_kind,
        worker=row.worker,
    )


def _due(at: float) -> float | None:
    """Never (infinity) is NULL in the table."""
    return at if math.isfinite(at) else None


def _while_active(due: ColumnElement[float | None]) -> ColumnElement[float | None]:
    """A source that was removed while it was polled is not due again."""
    return case((source.c.active, due), else_=null())


def _unchanged_statement(postgres: bool) -> ReturningUpdate[Any]:
    """End the claims of many polls without news: one parameter, whatever their number."""
    told = rows_of(
        "polls",
        (source.c.id, source.c.token, source.c.due, source.c.etag, source.c.last_modified, source.c.latency),
        postgres,
    )
    return (
        update(source)
        .where(source.c.id == told.c.id, source.c.token == told.c.token, source.c.lease_until.isnot(None))
        .values(
            due=_while_active(told.c.due),
            lease_until=None,
            worker=None,
            etag=told.c.etag,
            last_modified=told.c.last_modified,
            latency=told.c.latency,
            polled_at=bindparam("at", type_=Double),
            last_success=bindparam("at", type_=Double),
            failures=0,
            error=None,
            error_kind=None,
        )
        .returning(source.c.id, source.c.token)
    )


def _polled_statement(postgres: bool) -> ReturningUpdate[Any]:
    """As `_unchanged_statement`, of polls that brought something."""
    ours = (source.c.id, source.c.token)
    given = (
        source.c.etag,
        source.c.last_modified,
        source.c.body_hash,
        source.c.redirect_to,
        source.c.redirects,
        source.c.first_polled_at,
        source.c.last_new,
        source.c.cache,
        source.c.latency,
        source.c.listed,
    )
    told = rows_of("polls", (*ours, source.c.due, source.c.new_items, *given), postgres)
    now = bindparam("at", type_=Double)
    return (
        update(source)
        .where(source.c.id == told.c.id, source.c.token == told.c.token, source.c.lease_until.isnot(None))
        .values({column.name: told.c[column.name] for column in given})
        .values(
            due=_while_active(told.c.due),
            lease_until=None,
            worker=None,
            polled_at=now,
            parsed_at=now,
            last_success=now,
            failures=0,
            error=None,
            error_kind=None,
            new_items=source.c.new_items + told.c.new_items,
        )
        .returning(source.c.id, source.c.token)
    )


def _within_statement(postgres: bool) -> Update:
    told = rows_of("sources", (source.c.id, Column("longest", Double)), postgres)
    at = source.c.last_success + told.c.longest
    late = source.c.active & (source.c.failures == 0) & (source.c.due > source.c.last_success + told.c.longest * 1.1)
    now = bindparam("now", type_=Double)
    return update(source).where(source.c.id == told.c.id, late).values(due=case((at > now, at), else_=now))


_WITHIN = {postgres: _within_statement(postgres) for postgres in (False, True)}
_UNCHANGED = {postgres: _unchanged_statement(postgres) for postgres in (False, True)}
_POLLED = {postgres: _polled_statement(postgres) for postgres in (False, True)}


class SourceStatements(Statements):
    """Statements about sources."""

    async def sync(self, wanted: Iterable[tuple[str, float, str, str]], now: float) -> None:
        """Make the table say what the configuration says: (id, first due, kind, fingerprint of the address) each.

        A source that is absent is no longer polled, and keeps its history for when it returns. One whose address
        changed forgets its validators, is due at once, and has its next poll as a baseline.
        """
        rows = {id_: (due, kind, address) for id_, due, kind, address in sorted(wanted)}
        known = {
            row.id: row
            for row in await self._rows(select(source.c.id, source.c.address, source.c.active, source.c.due))
        }
        added = [
            {"id": id_, "due": due, "kind": kind, "address": address, "cache": {}, "added_at": now, "active": True}
            for id_, (due, kind, address) in rows.items()
            if id_ not in known
        ]
        if added:
            await self._run(self._insert(source).on_conflict_do_nothing(), added)
        gone = sorted(id_ for id_, row in known.items() if row.active and id_ not in rows)
        if gone:
            await self._run(update(source).where(self._among(source.c.id, gone)).values(active=False, due=None))
        await self._return(rows, known)
        await self._readdress(rows, known)

    async def _return(self, rows: Mapping[str, tuple[float, str, str]], known: Mapping[str, Row[Any]]) -> None:
        """Poll again what stands in the configuration again; after long, its next poll is a baseline."""
        back = [
            {"of": id_, "first_due": due} for id_, (due, _, _) in rows.items() if id_ in known and not known[id_].active
        ]
        if back:
            statement = update(source).where(source.c.id == bindparam("of"))
            first = case((source.c.last_success >= self._now - FORGOTTEN, source.c.first_polled_at), else_=null())
            await self._run(
                statement.values(active=True, due=bindparam("first_due"), lease_until=None, first_polled_at=first), back
            )

    async def _readdress(self, rows: Mapping[str, tuple[float, str, str]], known: Mapping[str, Row[Any]]) -> None:
        """Forget what was remembered of another address."""
        moved = [
            {"of": id_, "first_due": due, "new_kind": kind, "new_address": address}
            for id_, (due, kind, address) in rows.items()
            if id_ in known and known[id_].address != address
        ]
        if moved:
            statement = (
                update(source)
                .where(source.c.id == bindparam("of"))
                .values(
                    due=bindparam("first_due"),
                    kind=bindparam("new_kind"),
                    address=bindparam("new_address"),
                    lease_until=None,
                    token=source.c.token + 1,  # a poll of the old address that is under way must not be written down
                    etag=None,
                    last_modified=None,
                    body_hash=None,
                    redirect_to=None,
                    redirects=0,
                    first_polled_at=None,
                    failures=0,
                    error=None,
                    error_kind=None,
                    cache={},
                    relies_until=None,
                )
            )
            await self._run(statement, moved)

    async def get(self, id_: str) -> SourceState | None:
        """What is remembered of a source, or None."""
        row = await self._first(select(source).where(source.c.id == id_))
        return None if row is None else source_state(row)

    async def list(self, *, inactive: bool = False) -> list[SourceStatus]:
        """Every source of the configuration by name, with `inactive` those removed from it too."""
        statement = select(source).order_by(source.c.id)
        if not inactive:
            statement = statement.where(source.c.active)
        return [_status(row) for row in await self._rows(statement)]

    async def polled(self, polls: Collection[Polled]) -> Sequence[bool]:
        """End the claims of polls that brought a new body, in one statement; of each, whether it was still ours."""
        told = []
        for poll in polls:
            state = poll.claim.row
            told.append(
                {
                    "id": poll.claim.id,
                    "token": poll.claim.token,
                    "due": _due(poll.next_due),
                    "etag": clean(poll.etag),
                    "last_modified": clean(poll.last_modified),
                    "body_hash": poll.body_hash,
                    "redirect_to": clean(poll.redirect_to),
                    "redirects": poll.redirects,
                    "first_polled_at": self._now if state.first_polled_at is None else state.first_polled_at,
                    "last_new": self._now if poll.new_items else state.last_new,
                    "cache": as_json(poll.cache),
                    "latency": poll.latency,
                    "listed": poll.items,
                    "new_items": poll.new_items,
                }
            )
        values = {"polls": told, "at": self._now}
        ended = {(row.id, row.token) for row in await self._rows(_POLLED[self._postgres], values)}
        return [(poll.claim.id, poll.claim.token) in ended for poll in polls]

    async def unchanged(self, polls: Collection[Unchanged]) -> Sequence[bool]:
        """End the claims of polls that brought nothing new, in one statement; of each, whether it was still ours."""
        told = [
            {
                "id": poll.claim.id,
                "token": poll.claim.token,
                "due": _due(poll.next_due),
                "etag": clean(poll.etag),
                "last_modified": clean(poll.last_modified),
                "latency": poll.latency,
            }
            for poll in polls
        ]
        values = {"polls": told, "at": self._now}
        ended = {(row.id, row.token) for row in await self._rows(_UNCHANGED[self._postgres], values)}
        return [(poll.claim.id, poll.claim.token) in ended for poll in polls]

    async def redirected(self, claim: Claim[SourceState], redirect_to: str | None, redirects: int) -> None:
        """Remember where permanent redirects led; the claim goes on."""
        values = {"redirect_to": redirect_to, "redirects": redirects}
        await self._run(update(source).where(source.c.id == claim.id, source.c.token == claim.token).values(**values))

    async def put_off(self, claim: Claim[SourceState], next_due: float) -> None:
        """End the claim without a poll: its host has no turn for it before `next_due`."""
        await self._end(claim, due=_while_active(literal(_due(next_due), Double)))

    async def hasten(self, due: Mapping[str, float], *, well: bool = False) -> None:
        """Poll sources at these times, by their ids, where that is sooner than they would be; or `well` ones alone."""
        sooner = source.c.active & (source.c.due > bindparam("by"))
        if well:
            sooner &= source.c.failures == 0
        statement = update(source).where(source.c.id == bindparam("of"), sooner).values(due=bindparam("by"))
        if due:
            await self._run(statement, [{"of": id_, "by": at} for id_, at in sorted(due.items())])

    async def keep_within(self, seconds: Mapping[str, float], now: float) -> None:
        """Poll sources that are well no later than so long after the last time, by their ids.

        Jitter may make it a tenth more. This is for when what is configured has changed since they were polled.
        """
        if seconds:
            told = [{"id": id_, "longest": longest} for id_, longest in sorted(seconds.items())]
            await self._run(_WITHIN[self._postgres], {"sources": told, "now": now})

    async def pushed(self, id_: str, new_items: int) -> None:
        """A hub has pushed `new_items` items of it that were not known. What polls go by is left as it is."""
        if new_items:
            counted = {"last_new": self._now, "new_items": source.c.new_items + new_items}
            await self._run(update(source).where(source.c.id == id_).values(counted))

    async def failed(
        self, claim: Claim[SourceState], next_due: float, error: str, kind: str, latency: float | None
    ) -> None:
        """End the claim with a poll that failed: `error` in one line, `kind` in one word."""
        await self._end(
            claim,
            due=_while_active(literal(_due(next_due), Double)),
            polled_at=self._now,
            failures=source.c.failures + 1,
            error=error,
            error_kind=kind,
            latency=latency,
        )
