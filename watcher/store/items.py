"""Items: what sources published, which of them are known, and whose article is still to be read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any

from sqlalchemy import Row, Select, Update, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from watcher.model import Claim, Item, Reason, WaitingItem
from watcher.store.packing import among, many
from watcher.store.statements import Statements
from watcher.store.tables import item
from watcher.text.urls import canonical

# Seconds; how exactly last_listed is kept: a poll must neither rewrite nor read every row that it lists.
LISTED_EVERY = 6 * 3600.0
PAGE = 500  # rows that a stream fetches at once


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item and what became of it, as the CLI and the dashboard show it."""

    item: Item
    first_seen: float
    last_listed: float
    baseline: bool
    read_at: float | None  # when its article is to be read
    attempts: int
    error: str | None
    story: str | None
    reason: Reason | None  # why it was or was not told; None: not judged yet
    judged_on: str | None  # "feed" or "article"
    version_of: str | None = None  # the item that this is a later text of
    headline: str | None = None  # its title now, where another one was told


@dataclass(frozen=True, slots=True)
class Became:
    """What became of an item, judged on the "feed" or on its "article"."""

    story: str | None
    reason: Reason
    judged_on: str

    @property
    def values(self) -> dict[str, str | None]:
        """As the table has it."""
        return {"story": self.story, "reason": self.reason.name, "judged_on": self.judged_on}


def item_of(row: Row[Any]) -> Item:
    """The item in a row of the table `item`."""
    return Item(
        id=row.id,
        source=row.source,
        title=row.title,
        summary=row.summary,
        body=row.body,
        author=row.author,
        url=row.url,
        outlet=row.outlet,
        lang=row.lang,
        tags=tuple(row.tags),
        published=row.published,
        key=row.key,
        site=row.site,
    )


def waiting_item(row: Row[Any]) -> WaitingItem:
    """The item in a row of the table `item`, with what reading its article needs."""
    judged = row.judged_on is not None
    return WaitingItem(item_of(row), row.first_seen, row.attempts, row.baseline, judged, row.version_of or "")


def stored_item(row: Row[Any]) -> StoredItem:
    """A whole row of the table `item`."""
    return StoredItem(
        item=item_of(row),
        first_seen=row.first_seen,
        last_listed=row.last_listed,
        baseline=row.baseline,
        read_at=row.due,
        attempts=row.attempts,
        error=row.error,
        story=row.story,
        reason=None if row.reason is None else Reason[row.reason],
        judged_on=row.judged_on,
        version_of=row.version_of,
        headline=row.headline,
    )


def given_hash(one: Item) -> str:
    """What an item's title and text are known by as its source gives them, so that a change is seen without them."""
    said = "\0".join((one.title, one.summary, one.body))
    return blake2b(said.encode("utf-8", "replace"), digest_size=10).hexdigest()


def item_values(one: Item) -> dict[str, Any]:
    """What a row of the table `item` holds of an item itself."""
    return {
        "source": one.source,
        "key": one.key,
        "title": one.title,
        "summary": one.summary,
        "body": one.body,
        "author": one.author,
        "url": one.url,
        "canonical": canonical(one.url) or None,
        "outlet": one.outlet,
        "lang": one.lang,
        "tags": list(one.tags),
        "published": one.published,
        "site": one.site,
    }


@cache
def _known(postgres: bool) -> Select[tuple[str]]:
    return select(item.c.id).where(among(item.c.id, "ids", postgres))


@cache
def _listed(postgres: bool) -> Update:
    return update(item).where(among(item.c.id, "ids", postgres)).values(last_listed=bindparam("at"))


@cache
def _add(postgres: bool) -> ReturningInsert[Any]:
    into = postgresql.insert(item) if postgres else sqlite.insert(item)
    return into.on_conflict_do_nothing().returning(item.c.id)


_JUDGED = (
    update(item)
    .where(item.c.id == bindparam("of"))
    .values(story=bindparam("in_story"), reason=bindparam("because"), judged_on=bindparam("by"))
)


class ItemStatements(Statements):
    """Statements about items."""

    async def known(self, ids: Collection[str]) -> set[str]:
        """Those of `ids` that the store has."""
        if not ids:
            return set()
        named = {"ids": many(sorted(ids), self._postgres)}
        return {row.id for row in await self._rows(_known(self._postgres), named)}

    async def add(
        self,
        items: Collection[Item],
        *,
        now: float,
        baseline: bool,
        read_at: float | None,
        became: Mapping[str, Became] | None = None,
    ) -> set[str]:
        """Keep new items; the ids of those that were really new. Their articles are to be read at `read_at`.

        `became` says by id what became of those that were judged already.
        """
        if not items:
            return set()
        common = {"due": read_at, "first_seen": now, "last_listed": now, "baseline": baseline}
        # In the order of ids: two workers that insert the same rows in two orders would wait for each other.
        unique = {one.id: one for one in items}
        rows = [
            {"id": id_, **item_values(one), **common, "given": given_hash(one)} for id_, one in sorted(unique.items())
        ]
        if became is not None:
            rows = [{**row, **became[str(row["id"])].values} for row in rows]
        added = await self._run(_add(self._postgres), rows)
        return {row.id for row in added}

    async def listed(self, ids: Collection[str], now: float) -> None:
        """Their source's body still holds them."""
        if ids:
            await self._run(_listed(self._postgres), {"ids": many(ids, self._postgres), "at": now})

    async def get(self, ids: Collection[str]) -> dict[str, Item]:
        """Those of `ids` that the store has, by id."""
        if not ids:
            return {}
        rows = await self._rows(select(item).where(self._among(item.c.id, ids)))
        return {row.id: item_of(row) for row in rows}

    async def read(self, claim: Claim[WaitingItem], one: Item, article_hash: str | None = None) -> None:
        """End the claim with the item as its article has it, or as it was where there is none to be had."""
        await self._end(claim, due=None, error=None, article_hash=article_hash, **item_values(one))

    async def sharing(self, one: Item, article_hash: str) -> int:
        """How many pages of the same host, under other titles, were read to have just this text.

        One that several sources list, each under a title of its own, is one page.
        """
        row = await self._first(
            select(func.count(item.c.canonical.distinct()).label("number")).where(
                item.c.article_hash == article_hash,
                item.c.site == one.site,
                item.c.title != one.title,
                item.c.canonical != canonical(one.url),  # what the page itself said at another time
            )
        )
        return 0 if row is None else int(row.number)

    async def postpone(self, claim: Claim[WaitingItem], read_at: float, error: str) -> None:
        """End the claim: the article could not be read, and is tried again at `read_at`."""
        await self._end(claim, due=read_at, error=error, attempts=item.c.attempts + 1)

    async def put_off(self, claim: Claim[WaitingItem], read_at: float) -> None:
        """End the claim without a try: its host has no turn for it before `read_at`."""
        await self._end(claim, due=read_at)

    async def judged(self, id_: str, story: str | None, reason: Reason, judged_on: str) -> None:
        """What became of an item, judged on the "feed" or on its "article"."""
        await self.judged_all({id_: Became(story, reason, judged_on)})

    async def judged_all(self, became: Mapping[str, Became]) -> None:
        """As `judged`, of many items at once."""
        if became:
            rows = [
                {"of": id_, "in_story": one.story, "because": one.reason.name, "by": one.judged_on}
                for id_, one in sorted(became.items())
            ]
            await self._run(_JUDGED, rows)

    async def stored(self, id_: str) -> StoredItem | None:
        """An item and what became of it, or None."""
        row = await self._first(select(item).where(item.c.id == id_))
        return None if row is None else stored_item(row)

    async def list(
        self,
        limit: int = 100,
        since: float | None = None,
        *,
        source: str | None = None,
        story: str | None = None,
        before: float | None = None,
    ) -> list[StoredItem]:
        """The newest items first seen at or after `since` and before `before`, newest first."""
        whole = select(item).where(item.c.version_of.is_(None))
        statement = whole.order_by(item.c.first_seen.desc(), item.c.id).limit(limit)
        if since is not None:
            statement = statement.where(item.c.first_seen >= since)
        if before is not None:
            statement = statement.where(item.c.first_seen < before)
        if source is not None:
            statement = statement.where(item.c.source == source)
        if story is not None:
            statement = statement.where(item.c.story == story)
        return [stored_item(row) for row in await self._rows(statement)]

    async def texts(self, since: float) -> AsyncIterator[StoredItem]:
        """Every item first seen at or after `since`, oldest first, fetched a page at a time."""
        at, id_ = since, ""
        while True:
            after = (item.c.first_seen > at) | ((item.c.first_seen == at) & (item.c.id > id_))
            page = await self._rows(
                select(item)
                .where(item.c.first_seen >= at, after, item.c.version_of.is_(None))
                .order_by(item.c.first_seen, item.c.id)
                .limit(PAGE)
            )
            for row in page:
                yield stored_item(row)
            if len(page) < PAGE:
                return
            at, id_ = page[-1].first_seen, page[-1].id
