"""Events: the table of title words by which reports of one event are found, and an event's stories.

A word that COMMON events hold says nothing of any: it is kept for no further one. An event is described by its first
DESCRIBED stories, so that it does not drift from what it began with, and a look-up costs the same however many report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Delete, ScalarSelect, Select, bindparam, delete, func, select, update

from watcher.model import Report, Story
from watcher.store.nearby import COMMON_WORD, Hearing
from watcher.store.packing import among, many, unpack
from watcher.store.statements import Connection, Statements
from watcher.store.stories import story_of
from watcher.store.tables import event_word, story

WINDOW = 6 * 3600.0  # what is opened this long after a story can report its event
DESCRIBED = 8  # stories
COUNTED_AGAIN = 300.0  # seconds; in so short a part of the window little changes
MOST_COUNTED = 50_000  # words that are remembered


class HeldWords:
    """How many events have each word: what was counted within COUNTED_AGAIN seconds is not counted again.

    Most of what news says it has said before, and to count it is most of what a look-up costs. What this process files
    is added at once; what other workers file, events that end, and what was rolled back, are seen when it is counted
    again.
    """

    def __init__(self) -> None:
        self._events: dict[int, int] = {}
        self._since = 0.0

    def among(self, words: Collection[int], now: float) -> dict[int, int]:
        """Those of `words` that were counted, and how many events have each."""
        if abs(now - self._since) > COUNTED_AGAIN or len(self._events) > MOST_COUNTED:
            self._events, self._since = {}, now
        counted = self._events
        return {word: counted[word] for word in words if word in counted}

    def learn(self, held: Mapping[int, int]) -> None:
        """How many events have each word."""
        self._events.update(held)


class EventStatements(Statements):
    """Statements about events."""

    def __init__(self, connection: Connection, now: float, counted: HeldWords) -> None:
        super().__init__(connection, now)
        self._counted = counted

    async def around(self, outlines: Sequence[tuple[Collection[int], Collection[int]]], since: float) -> Hearing:
        """The stories opened at or after `since` that may report what many items do, and how common their words are.

        Of each item its words and those of its title are given; one of these at least is shared. Three statements.
        """
        titles = {word for _, title in outlines for word in title}
        words = {word for said, title in outlines if title for word in said} | titles
        held = self._counted.among(words, self._now)
        rare = sorted(word for word in titles if held.get(word, 0) < COMMON_WORD)
        if uncounted := sorted(words - titles - held.keys()):
            values = {"words": many(uncounted, self._postgres), "since": since}
            counted = dict.fromkeys(uncounted, 0)
            counted |= {row.hash: row.events for row in await self._rows(_held(self._postgres), values)}
            self._counted.learn(counted)
            held |= counted
        if not rare:
            return Hearing(held, (), ())
        values = {"words": many(rare, self._postgres), "since": since}
        hearing = Hearing(held, await self._rows(_rows(self._postgres), values), rare)
        self._counted.learn({word: hearing.held[word] for word in rare})
        nos = sorted({number for _, title in outlines for number in hearing.best(title)})
        if nos:
            values = {"nos": many(nos, self._postgres), "since": since}
            found = await self._rows(_outlined(self._postgres), values)
            hearing.learn({row.no: Report(story_of(row), unpack(row.words)) for row in found})
        return hearing

    async def described(self, event: str) -> int:
        """How many stories describe the event; no more than DESCRIBED may."""
        counted = await self._first(_DESCRIBED, {"of": event})
        return 0 if counted is None else int(counted.stories)

    async def describe(self, reports: Collection[tuple[int, Story, Collection[int]]], hearing: Hearing) -> None:
        """Let later reports of events be found by the words of titles: of each story its number, itself, the words.

        `hearing` has heard of them.
        """
        await self._file(event_word, [(title, no, number(one.event)) for no, one, title in reports if title])
        self._counted.learn({word: hearing.held[word] for *_, title in reports for word in title})

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


def number(event: str) -> int:
    """An event as the table of words counts it: 64 bits."""
    return int.from_bytes(hashlib.blake2b(event.encode(), digest_size=8).digest(), "big", signed=True)


_DESCRIBED = select(func.count().label("stories")).where(story.c.event == bindparam("of"), story.c.words.isnot(None))


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
def _rows(postgres: bool) -> Select[Any]:
    return select(event_word).where(among(event_word.c.hash, "words", postgres), event_word.c.story >= _oldest())


@cache
def _outlined(postgres: bool) -> Select[Any]:
    within = story.c.opened_at >= bindparam("since")
    but_text = [column for column in story.c if column is not story.c.hashes]
    return select(*but_text).where(among(story.c.no, "nos", postgres), within, story.c.words.isnot(None))


@cache
def _forget(postgres: bool) -> Delete:
    held = among(event_word.c.hash, "words", postgres)
    return delete(event_word).where(held, event_word.c.story == bindparam("no"))
