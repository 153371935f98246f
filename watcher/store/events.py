"""Events: the table of title words by which reports of one event are found, and an event's stories.

A word that COMMON events hold says nothing of any: it is kept for no further one. An event is described by its first
DESCRIBED stories, so that it does not drift from what it began with, and a look-up costs the same however many report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Delete, Insert, ScalarSelect, Select, bindparam, delete, func, insert, select, update

from watcher.model import Report, Story
from watcher.store.packing import among, each, many, unpack
from watcher.store.statements import Statements
from watcher.store.stories import story_of
from watcher.store.tables import event_word, story

WINDOW = 6 * 3600.0  # what is opened this long after a story can report its event
COMMON = 32  # events
DESCRIBED = 8  # stories
REPORTS = 6  # the best by shared words of the title


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of an item's words."""

    reports: tuple[Report, ...] = ()  # stories whose titles hold some of its title
    held: Mapping[int, int] = field(default_factory=dict)  # how many events hold each word in a title

    @property
    def common(self) -> frozenset[int]:
        """Words that so many events hold that they say nothing of any."""
        return frozenset(word for word, events in self.held.items() if events >= COMMON)


class EventStatements(Statements):
    """Statements about events."""

    async def heard(self, words: Collection[int], title: Collection[int], since: float) -> Heard:
        """The stories opened at or after `since` that may report what an item does, and how common its words are.

        `words` are those of the item, `title` those of its title; one of these at least is shared.
        """
        if not title:
            return Heard()
        counts = await self._rows(_held(self._postgres), {"words": many(words, self._postgres), "since": since})
        held = {row.hash: row.events for row in counts}
        rare = [word for word in title if 0 < held.get(word, 0) < COMMON]
        if not rare:
            return Heard(held=held)
        best = await self._rows(_best(self._postgres), {"words": many(rare, self._postgres), "since": since})
        nos = many([row.story for row in best], self._postgres)
        found = await self._rows(_outlined(self._postgres), {"nos": nos, "since": since})
        return Heard(tuple(Report(story_of(row), unpack(row.words)) for row in found), held)

    async def described(self, event: str) -> bool:
        """Whether as many stories describe the event as may."""
        row = await self._first(
            select(func.count().label("stories")).where(story.c.event == event, story.c.words.isnot(None))
        )
        return row is not None and row.stories >= DESCRIBED

    async def describe(self, one: Story, title: Collection[int]) -> None:
        """Let later reports of the event be found by the words of this story's title."""
        if title:
            values = {"words": many(sorted(title), self._postgres), "story": one.id, "event": _number(one.event)}
            await self._run(_describe(self._postgres), values)

    async def stories(self, event: str) -> Sequence[Story]:
        """The stories that report an event, in the order in which they were opened."""
        rows = await self._rows(select(story).where(story.c.event == event).order_by(story.c.opened_at, story.c.no))
        return [story_of(row) for row in rows]

    async def outlets(self, events: Collection[str]) -> dict[str, list[tuple[str, ...]]]:
        """Of each event, the outlets of each of its stories, in the order in which they were opened."""
        if not events:
            return {}
        found: dict[str, list[tuple[str, ...]]] = {}
        rows = await self._rows(
            select(story.c.event, story.c.outlets)
            .where(self._among(story.c.event, events))
            .order_by(story.c.opened_at, story.c.no)
        )
        for row in rows:
            found.setdefault(row.event, []).append(tuple(row.outlets))
        return found

    async def expire(self, now: float, limit: int) -> int:
        """Forget the words of stories whose event is over; how many stories there were, `limit` at most."""
        rows = await self._rows(
            select(story.c.no, story.c.words)
            .where(story.c.words.isnot(None), story.c.opened_at <= now - WINDOW)
            .order_by(story.c.opened_at)
            .limit(limit)
        )
        for row in rows:
            words = many([word & ~3 for word in unpack(row.words)], self._postgres)  # without their marks
            await self._run(_forget(self._postgres), {"words": words, "no": row.no})
        if rows:
            await self._run(update(story).where(self._among(story.c.no, [row.no for row in rows])).values(words=None))
        return len(rows)


def _number(event: str) -> int:
    """An event as the table counts it: 64 bits."""
    return int.from_bytes(hashlib.blake2b(event.encode(), digest_size=8).digest(), "big", signed=True)


@cache
def _oldest() -> ScalarSelect[int]:
    """The number of the first story within the window."""
    return (
        select(story.c.no)
        .where(story.c.words.isnot(None), story.c.opened_at >= bindparam("since"))
        .order_by(story.c.opened_at)
        .limit(1)
        .scalar_subquery()
    )


@cache
def _held(postgres: bool) -> Select[Any]:
    return (
        select(event_word.c.hash, func.count(event_word.c.event.distinct()).label("events"))
        .where(among(event_word.c.hash, "words", postgres), event_word.c.story >= _oldest())
        .group_by(event_word.c.hash)
    )


@cache
def _best(postgres: bool) -> Select[Any]:
    return (
        select(event_word.c.story)
        .where(among(event_word.c.hash, "words", postgres), event_word.c.story >= _oldest())
        .group_by(event_word.c.story)
        .order_by(func.count().desc(), event_word.c.story.desc())
        .limit(REPORTS)
    )


@cache
def _outlined(postgres: bool) -> Select[Any]:
    within = story.c.opened_at >= bindparam("since")
    return select(story).where(among(story.c.no, "nos", postgres), within, story.c.words.isnot(None))


@cache
def _describe(postgres: bool) -> Insert:
    words = each("words", postgres)
    no = select(story.c.no).where(story.c.id == bindparam("story")).scalar_subquery()
    rows = select(words.c.value, no, bindparam("event", type_=BigInteger))
    return insert(event_word).from_select(["hash", "story", "event"], rows)


@cache
def _forget(postgres: bool) -> Delete:
    held = among(event_word.c.hash, "words", postgres)
    return delete(event_word).where(held, event_word.c.story == bindparam("no"))
