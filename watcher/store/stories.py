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
    BigInteger,
    Delete,
    Insert,
    Row,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from watcher.model import Candidate, Item, Story
from watcher.store.items import item_of
from watcher.store.packing import among, each, many, pack, unpack
from watcher.store.statements import Statements
from watcher.store.tables import alert, item, shingle, story

WINDOW = 72 * 3600.0  # copies are looked for this long after a story's last copy,
LONGEST = 7 * 86400.0  # and this long after its first
COMMON = 20  # stories
CANDIDATES = 20  # the best by shared hashes
BY_URL = 5  # the latest of one canonical URL
MOST_HASHES = 4000  # of one text; the lowest, so that two texts keep the same


@dataclass(frozen=True, slots=True)
class StoredStory:
    """A story with its items in the order in which they came, as the CLI and the dashboard show it."""

    story: Story
    items: tuple[Item, ...]
    seen: tuple[float, ...]  # when each came
    alerts: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up gives: stories that an item may be a copy of, and which of its hashes many stories share.

    Neither what was compared nor the candidates' hashes hold the common ones.
    """

    candidates: tuple[Candidate, ...] = ()
    common: frozenset[int] = frozenset()


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


def _lowest(hashes: Collection[int]) -> list[int]:
    return sorted(hashes)[:MOST_HASHES]


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
            .where(self._among(shingle.c.hash, _lowest(hashes)))
            .group_by(shingle.c.hash)
            .having(func.count() >= COMMON)
        )
        return frozenset(row.hash for row in rows)

    async def look_up(
        self, canonical_url: str, hashes: Collection[int], since: float, *, least: int = 1, sure: Collection[int] = ()
    ) -> Found:
        """Stories that an item may be a copy of, seen at or after `since`: the best by URL and by shared hashes.

        A story shares `least` hashes with the item, or one of those in `sure`; only of such are texts read.
        """
        by_url: set[int] = set()
        if canonical_url:
            by_url = {row.no for row in await self._rows(_at_url(), {"url": canonical_url, "since": since})}
        by_text, common = await self._by_text(_lowest(hashes), least, sure) if hashes else (set(), frozenset[int]())
        if not by_url and not by_text:
            return Found(common=common)
        nos = many(by_url | by_text, self._postgres)
        rows = await self._rows(_live(self._postgres), {"nos": nos, "since": since, "now": self._now})
        first = await self._rows(select(item).where(self._among(item.c.id, [row.first_item for row in rows])))
        items = {row.id: item_of(row) for row in first}
        candidates = tuple(
            Candidate(story_of(row), items[row.first_item], unpack(row.hashes) - common, row.no in by_url)
            for row in rows
            if row.first_item in items
        )
        return Found(candidates, common)

    async def _by_text(self, hashes: list[int], least: int, sure: Collection[int]) -> tuple[set[int], frozenset[int]]:
        rows = await self._rows(_holders(self._postgres), {"hashes": many(hashes, self._postgres)})
        holders: dict[int, list[int]] = {}
        for row in rows:
            holders.setdefault(row.hash, []).append(row.story)
        common = frozenset(hash_ for hash_, nos in holders.items() if len(nos) >= COMMON)
        shared: dict[int, int] = {}
        for hash_, nos in holders.items():
            if hash_ not in common:
                for no in nos:
                    shared[no] = shared.get(no, 0) + 1
        certain = {no for hash_ in sure if hash_ not in common for no in holders.get(hash_, ())}
        near = [no for no, count in shared.items() if count >= least or no in certain]
        return set(sorted(near, key=lambda no: (-shared[no], -no))[:CANDIDATES]), common

    async def open(
        self,
        new: Story,
        hashes: Collection[int],
        *,
        common: Collection[int] | None = None,
        words: Collection[int] | None = None,
    ) -> bool:
        """Keep a new story with the hashes of its first item; False where it was known.

        `common` are those of the hashes that many stories share, where the caller knows them; `words` are the marked
        hashes of the item's outline, where the story describes its event.
        """
        opened = await self._first(
            _open(self._postgres),
            {
                "id": new.id,
                "first_item": new.first_item,
                "title": new.title,
                "opened_at": new.opened_at,
                "seen_at": new.seen_at,
                "expires_at": _expires(new.opened_at, new.seen_at),
                "event": new.event,
                "outlets": list(new.outlets),
                "hashes": pack(_lowest(hashes)),
                "words": None if words is None else pack(words),
            },
        )
        if opened is None:
            return False
        await self._run(_SET_STORY, {"of": new.first_item, "in_story": new.id})
        await self._add_shingles(opened.no, hashes, common)
        return True

    async def _add_shingles(self, no: int, hashes: Collection[int], common: Collection[int] | None = None) -> None:
        rare = frozenset(_lowest(hashes)).difference(await self.common(hashes) if common is None else common)
        if rare:
            await self._run(_add(self._postgres), {"hashes": many(sorted(rare), self._postgres), "no": no})

    async def join(self, story_id: str, item_id: str, outlet: str, now: float) -> Story:
        """Count an item as a copy of a story; the story as it is then."""
        row = (await self._run(select(story).where(story.c.id == story_id).with_for_update())).one()
        outlets = [*row.outlets, outlet] if outlet and outlet not in row.outlets else row.outlets
        seen_at = max(row.seen_at, now)
        values = {"outlets": outlets, "seen_at": seen_at, "expires_at": _expires(row.opened_at, seen_at)}
        joined = await self._run(update(story).where(story.c.id == story_id).values(values).returning(story))
        await self._run(_SET_STORY, {"of": item_id, "in_story": story_id})
        return story_of(joined.one())

    async def replace_hashes(self, story_id: str, hashes: Collection[int]) -> None:
        """Compare later items with other hashes: the first item's article came."""
        row = await self._first(select(story.c.no, story.c.hashes).where(story.c.id == story_id).with_for_update())
        if row is None:
            return
        await self.forget([(row.no, unpack(row.hashes))])
        await self._run(update(story).where(story.c.no == row.no).values(hashes=pack(_lowest(hashes))))
        await self._add_shingles(row.no, hashes)

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

    async def with_items(self, ids: Collection[str]) -> Sequence[StoredStory]:
        """Those of `ids` that the store has, with their items."""
        found = await self.get(ids)
        return await self._with_items([found[id_] for id_ in ids if id_ in found])

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
_SET_STORY = update(item).where(item.c.id == bindparam("of")).values(story=bindparam("in_story"))


@cache
def _holders(postgres: bool) -> Select[tuple[int, int]]:
    return select(shingle.c.hash, shingle.c.story).where(among(shingle.c.hash, "hashes", postgres))


@cache
def _at_url() -> Select[tuple[int]]:
    at_url = item.c.canonical == bindparam("url")
    return (
        select(story.c.no)
        .where(at_url, item.c.story == story.c.id, story.c.seen_at >= bindparam("since"))
        .order_by(story.c.no.desc())
        .limit(BY_URL)
        .distinct()
    )


@cache
def _live(postgres: bool) -> Select[Any]:
    seen, live = story.c.seen_at >= bindparam("since"), story.c.expires_at > bindparam("now")
    return select(story).where(among(story.c.no, "nos", postgres), seen, live).order_by(story.c.no)


@cache
def _open(postgres: bool) -> ReturningInsert[Any]:
    into = postgresql.insert(story) if postgres else sqlite.insert(story)
    return into.on_conflict_do_nothing().returning(story.c.no)


@cache
def _add(postgres: bool) -> Insert:
    hashes = each("hashes", postgres)
    rows = select(hashes.c.value, bindparam("no", type_=BigInteger))
    return insert(shingle).from_select(["hash", "story"], rows)


@cache
def _forget(postgres: bool) -> Delete:
    return delete(shingle).where(among(shingle.c.hash, "hashes", postgres), shingle.c.story == bindparam("no"))
