"""Which story and event each item of a batch has: read together, decided one after the other, written together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from watcher import log
from watcher.model import Item, Reason, Story, derive_id
from watcher.sources import Source
from watcher.store import Tx
from watcher.store.events import DESCRIBED, number
from watcher.store.events import WINDOW as EVENT_WINDOW
from watcher.store.nearby import Hearing, Nearby, Opened, Sought, filed, telling
from watcher.store.stories import WINDOW as STORY_WINDOW
from watcher.store.stories import lowest
from watcher.stories import SHARED, Outline, relate, title_hash
from watcher.stories import decide as decide_story
from watcher.text.urls import canonical

logger = log.get("judge")


class Text(Protocol):
    """What is asked of a judged item here (see `judge.Judged`)."""

    @property
    def item(self) -> Item:
        """The item as it is judged."""

    @property
    def source(self) -> Source:
        """Where it came from."""

    @property
    def hashes(self) -> frozenset[int]:
        """Its text's signature."""

    @property
    def outline(self) -> Outline:
        """What it says of its event."""

    @property
    def again(self) -> bool:
        """It was judged before, and has a story."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The story that an item belongs to, and whether it has more outlets, or its event more stories, by it."""

    story: Story
    grown: bool


async def place_all(tx: Tx, texts: Sequence[Text], now: float) -> dict[str, Placed]:
    """Give each item the story that it has, a known one, or a new one; by item id, as they are once all have theirs."""
    placed: dict[str, Placed] = {}
    for one in texts:
        known = await tx.stories.of_item(one.item.id) if one.again else None
        if known is not None:  # judged before, on its feed's text: the article says more of the same story
            if known.first_item == one.item.id:
                await tx.stories.replace_hashes(known.id, one.hashes)
            placed[one.item.id] = Placed(known, grown=False)
    fresh = [one for one in texts if one.item.id not in placed]
    if fresh:
        placed |= await _Batch(tx, now).place(fresh)
    return placed


class _Batch:
    def __init__(self, tx: Tx, now: float) -> None:
        self._tx = tx
        self._now = now
        self._described: dict[str, int] = {}  # of known events, how many stories describe them

    async def place(self, texts: Sequence[Text]) -> dict[str, Placed]:
        sought = {one.item.id: _sought(one) for one in texts}
        nearby = await self._tx.stories.around(sought.values(), self._now - STORY_WINDOW, least=SHARED)
        said = [(one.outline.words, one.outline.title) for one in texts]
        hearing = await self._tx.events.around(said, self._now - EVENT_WINDOW)
        placed = {one.item.id: await self._one(nearby, hearing, one, sought[one.item.id]) for one in texts}
        await self._write(nearby, hearing)
        if not nearby.joined:
            return placed
        return {id_: replace(one, story=nearby.current(one.story)) for id_, one in placed.items()}

    async def _one(self, nearby: Nearby, hearing: Hearing, one: Text, sought: Sought) -> Placed:
        found = nearby.look_up(sought)
        verdict = decide_story(one.item, telling(one.hashes, found.common), found.candidates, copies=one.source.copies)
        if verdict.story is not None:
            return Placed(nearby.join(verdict.story, one.item.outlet, sought.url, self._now), grown=True)
        story, relates, opened = await self._opened(nearby, hearing, one, verdict.reason is Reason.ROUND_UP)
        kept = frozenset(sought.hashes)
        nearby.open(replace(opened, hashes=kept, filed=filed(kept) - found.common), one.item, sought.url)
        return Placed(story, grown=relates)

    async def _opened(self, nearby: Nearby, hearing: Hearing, one: Text, alone: bool) -> tuple[Story, bool, Opened]:
        """A new story, of an event that others report or of one of its own; `alone`: it reports no one event."""
        item, story_id = one.item, derive_id("story", one.item.id)
        outlets = (item.outlet,) if item.outlet else ()
        story = Story(
            story_id, item.id, item.title, opened_at=self._now, seen_at=self._now, event=story_id, outlets=outlets
        )
        bare = Opened(story, frozenset(), frozenset())
        if alone:
            return story, False, bare
        heard = hearing.heard(one.outline.words, one.outline.title, nearby)
        said = one.outline.without(heard.common)
        relation = relate(item, said, heard.held, heard.reports)
        if relation is not None:
            story = replace(story, event=relation.story.event)
            logger.debug("related", title=item.title, to=relation.story.title, why=relation.detail)
            if await self._describing(hearing, story.event) >= DESCRIBED:
                return story, True, replace(bare, story=story)
        opened = Opened(story, frozenset(), frozenset(), said.marked, said.title)
        hearing.describe(opened, number(story.event))
        return story, relation is not None, opened

    async def _describing(self, hearing: Hearing, event: str) -> int:
        if event not in self._described:
            self._described[event] = await self._tx.events.described(event)
        return self._described[event] + hearing.describing(event)

    async def _write(self, nearby: Nearby, hearing: Hearing) -> None:
        opened = nearby.opened
        joined = [story for id_, story in nearby.joined.items() if id_ not in opened]
        numbers = await self._tx.stories.keep(opened.values(), joined)
        await self._tx.events.describe(
            [(numbers[id_], one.story, one.title) for id_, one in opened.items() if id_ in numbers], hearing
        )


def _sought(one: Text) -> Sought:
    sure = (title_hash(one.item),) if one.item.title else ()
    return Sought(canonical(one.item.url), lowest(one.hashes), sure)


def grown_keys(placed: Mapping[str, Placed]) -> list[str]:
    """The keys of the groups that told what has one more outlet now."""
    events = {one.story.event for id_, one in placed.items() if one.story.first_item != id_}
    return [f"{kind}:{event}" for event in sorted(events) for kind in ("event", "high")]
