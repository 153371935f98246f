"""Stories, and the table of shingles by which copies are found.

A hash that COMMON stories hold is boilerplate: it is passed over in look-ups and kept for no further story, so that a
look-up costs the same however many stories the table holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    Delete,
    Row,
    Select,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from watcher.model import Candidate, Item, Story
from watcher.store.items import item_of
from watcher.store.nearby import BY_URL, COMMON, Nearby, Opened, Sought, asked, filed
from watcher.store.packing import among, many, pack, unpack
from watcher.store.statements import Statements
from watcher.store.tables import alert, item, shingle, story

WINDOW = 72 * 3600.0  # copies are looked for this long after a story's last copy,
LONGEST = 7 * 86400.0  # and this long after its first
MOST_HASHES = 4000  # of one text; the lowest, so that two texts keep the same


@dataclass(frozen=True, slots=True)
class StoredStory:
    """A story with its items in the order in which they came, as the CLI and the dashboard show it."""

    story: Story
    items: tuple[Item, ...]
    seen: tuple[float, ...]  # when each came
    alerts: int


def story_of(row: Row[Any]) -> Story:
    """The story in a row of the table `story`."""
    return Story(
        id=row.id,
        first_item=row.first_item,
        title=row.title,
        opened_at=row.opened_at,
        seen_at=row.seen_at,
        event=row.event,
        outlets=tuple(row.outlets),
    )


def lowest(hashes: Collection[int]) -> list[int]:
    """Those of a text's hashes that are kept, in their order."""
    return sorted(hashes)[:MOST_HASHES]


def _values(one: Opened) -> dict[str, Any]:
    new = one.story
    return {
        "id": new.id,
        "first_item": new.first_item,
        "title": new.title,
        "opened_at": new.opened_at,
        "seen_at": new.seen_at,
        "expires_at": _expires(new.opened_at, new.seen_at),
        "event": new.event,
        "outlets": list(new.outlets),
        "hashes": pack(one.hashes),
        "words": None if one.words is None else pack(one.words),
    }


def _expires(opened_at: float, seen_at: float) -> float:
    return min(seen_at + WINDOW, opened_at + LONGEST)


class StoryStatements(Statements):
    """Statements about stories."""

    async def common(self, hashes: Collection[int]) -> frozenset[int]:
        """Those of `hashes` that many stories share: boilerplate, which says nothing of what a text is about."""
        if not hashes:
            return frozenset()
        rows = await self._rows(
            select(shingle.c.hash)
            .where(self._among(shingle.c.hash, lowest(hashes)))
            .group_by(shingle.c.hash)
            .having(func.count() >= COMMON)
        )
        return frozenset(row.hash for row in rows)

    async def around(self, sought: Collection[Sought], since: float, *, least: int = 1) -> Nearby:
        """What many items may be copies of, stories seen at or after `since`: with four statements for all of them.

        A story shares a URL with an item, or `least` hashes, or one of those that are sure; only of such are texts
        read, and only of the best.
        """
        hashes = frozenset().union(*(asked(one.hashes) for one in sought))
        urls = sorted({one.url for one in sought if one.url})
        holders: dict[int, list[int]] = {}
        if hashes:
            for row in await self._rows(_holders(self._postgres), {"hashes": many(sorted(hashes), self._postgres)}):
                holders.setdefault(row.hash, []).append(row.story)
        at_url: dict[str, list[int]] = {}
        if urls:
            values = {"urls": many(urls, self._postgres), "since": since}
            for row in await self._rows(_at_url(self._postgres), values):
                at_url.setdefault(row.canonical, []).append(row.no)
        nearby = Nearby(holders, at_url, least)
        numbers: set[int] = set()
        for one in sought:
            by_url, by_text, _ = nearby.near(one)
            numbers |= by_url | by_text
        nearby.learn(await self._candidates(numbers, since))
        return nearby

    async def _candidates(self, numbers: Collection[int], since: float) -> dict[int, Candidate]:
        if not numbers:
            return {}
        nos = many(sorted(numbers), self._postgres)
        rows = await self._rows(_live(self._postgres), {"nos": nos, "since": since, "now": self._now})
        named = {"ids": many([row.first_item for row in rows], self._postgres)}
        items = {row.id: item_of(row) for row in await self._rows(_items(self._postgres), named)} if rows else {}
        return {
            row.no: Candidate(story_of(row), items[row.first_item], unpack(row.hashes))
            for row in rows
            if row.first_item in items
        }

    async def keep(self, opened: Collection[Opened], joined: Collection[Story]) -> dict[str, int]:
        """Write new stories, and known ones that were joined; the numbers of those that were not known, by id."""
        written: dict[str, int] = {}
        if opened:
            rows = await self._run(_open(self._postgres), [_values(one) for one in opened])
            written = {row.id: row.no for row in rows}
        await self._file(shingle, [(one.filed, written[one.story.id]) for one in opened if one.story.id in written])
        copies = [
            {
                "of": one.id,
                "carriers": list(one.outlets),
                "last": one.seen_at,
                "until": _expires(one.opened_at, one.seen_at),
            }
            for one in sorted(joined, key=lambda one: one.id)
        ]
        if copies:
            await self._run(_JOIN, copies)
        return written

    async def replace_hashes(self, story_id: str, hashes: Collection[int]) -> None:
        """Compare later items with other hashes: the first item's article came."""
        row = await self._first(select(story.c.no, story.c.hashes).where(story.c.id == story_id).with_for_update())
        if row is None:
            return
        await self.forget([(row.no, unpack(row.hashes))])
        await self._run(update(story).where(story.c.no == row.no).values(hashes=pack(lowest(hashes))))
        under = filed(lowest(hashes))
        await self._file(shingle, [(under - await self.common(under), row.no)])

    async def forget(self, stories: Iterable[tuple[int, Collection[int]]]) -> int:
        """Take stories, by number and hashes, out of the table of shingles; how many rows went."""
        gone = 0
        for no, hashes in stories:
            values = {"hashes": many(sorted(hashes), self._postgres), "no": no}
            gone += (await self._run(_forget(self._postgres), values)).rowcount
        return gone

    async def get(self, ids: Collection[str]) -> dict[str, Story]:
        """Those of `ids` that the store has, by id."""
        if not ids:
            return {}
        return {row.id: story_of(row) for row in await self._rows(select(story).where(self._among(story.c.id, ids)))}

    async def of_item(self, item_id: str) -> Story | None:
        """The story that an item belongs to, or None."""
        row = await self._first(select(story).where(item.c.id == item_id, item.c.story == story.c.id))
        return None if row is None else story_of(row)

    async def list(self, limit: int = 100, since: float | None = None) -> Sequence[StoredStory]:
        """The stories with the latest copies, seen at or after `since`, latest first."""
        statement = select(story).order_by(story.c.seen_at.desc(), story.c.no.desc()).limit(limit)
        if since is not None:
            statement = statement.where(story.c.seen_at >= since)
        return await self._with_items([story_of(row) for row in await self._rows(statement)])

    async def _with_items(self, stories: Sequence[Story]) -> Sequence[StoredStory]:
        ids = [one.id for one in stories]
        if not ids:
            return []
        items: dict[str, list[Item]] = {}
        seen: dict[str, list[float]] = {}
        whole = self._among(item.c.story, ids) & item.c.version_of.is_(None)
        statement = select(item).where(whole).order_by(item.c.first_seen, item.c.id)
        for row in await self._rows(statement):
            items.setdefault(row.story, []).append(item_of(row))
            seen.setdefault(row.story, []).append(row.first_seen)
        counted = await self._rows(
            select(alert.c.story, func.count().label("alerts"))
            .where(self._among(alert.c.story, ids))
            .group_by(alert.c.story)
        )
        alerts = {row.story: row.alerts for row in counted}
        return [
            StoredStory(one, tuple(items.get(one.id, ())), tuple(seen.get(one.id, ())), alerts.get(one.id, 0))
            for one in stories
        ]


# Statements of ingest, built once: building one takes as long as running it.
_JOIN = (
    update(story)
    .where(story.c.id == bindparam("of"))
    .values(outlets=bindparam("carriers"), seen_at=bindparam("last"), expires_at=bindparam("until"))
)


@cache
def _holders(postgres: bool) -> Select[tuple[int, int]]:
    return select(shingle.c.hash, shingle.c.story).where(among(shingle.c.hash, "hashes", postgres))


@cache
def _at_url(postgres: bool) -> Select[tuple[str, int]]:
    at_url, recent = among(item.c.canonical, "urls", postgres), story.c.seen_at >= bindparam("since")
    found = select(item.c.canonical, story.c.no).where(at_url, item.c.story == story.c.id, recent).distinct().subquery()
    place = func.row_number().over(partition_by=found.c.canonical, order_by=found.c.no.desc()).label("place")
    ranked = select(found, place).subquery()
    return select(ranked.c.canonical, ranked.c.no).where(ranked.c.place <= BY_URL)


@cache
def _items(postgres: bool) -> Select[Any]:
    return select(item).where(among(item.c.id, "ids", postgres))


@cache
def _live(postgres: bool) -> Select[Any]:
    seen, live = story.c.seen_at >= bindparam("since"), story.c.expires_at > bindparam("now")
    but_words = [column for column in story.c if column is not story.c.words]
    return select(*but_words).where(among(story.c.no, "nos", postgres), seen, live).order_by(story.c.no)


@cache
def _open(postgres: bool) -> ReturningInsert[Any]:
    into = postgresql.insert(story) if postgres else sqlite.insert(story)
    return into.on_conflict_do_nothing().returning(story.c.id, story.c.no)


@cache
def _forget(postgres: bool) -> Delete:
    return delete(shingle).where(among(shingle.c.hash, "hashes", postgres), shingle.c.story == bindparam("no"))
