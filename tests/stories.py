"""One story at a time, as tests say it, by the statements that take many at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import update

from watcher.model import Story
from watcher.store import Tx
from watcher.store.nearby import Found, Heard, Opened, Sought, copied, filed
from watcher.store.stories import lowest
from watcher.store.tables import item


async def open_story(tx: Tx, new: Story, hashes: Collection[int]) -> bool:
    """Keep a new story with the hashes of its first item; False where it was known."""
    kept = frozenset(lowest(hashes))
    under = filed(kept) - await tx.stories.common(kept)
    if not await tx.stories.keep([Opened(new, kept, under)], []):
        return False
    await _belongs(tx, new.first_item, new.id)
    return True


async def join_story(tx: Tx, story_id: str, item_id: str, outlet: str, now: float) -> Story:
    """Count an item as a copy of a story; the story as it is then."""
    joined = copied((await tx.stories.get([story_id]))[story_id], outlet, now)
    await tx.stories.keep([], [joined])
    await _belongs(tx, item_id, story_id)
    return joined


async def _belongs(tx: Tx, item_id: str, story_id: str) -> None:
    await tx.items._run(update(item).where(item.c.id == item_id).values(story=story_id))


async def look_up(
    tx: Tx, url: str, hashes: Collection[int], since: float, *, least: int = 1, sure: Collection[int] = ()
) -> Found:
    """The stories that an item at `url`, canonical, with these hashes may be a copy of."""
    sought = Sought(url, lowest(hashes), sure)
    return (await tx.stories.around([sought], since, least=least)).look_up(sought)


async def heard(tx: Tx, words: Collection[int], title: Collection[int], since: float) -> Heard:
    """The reports that may be of an item's event, by the words of the item and of its title."""
    found = (await tx.events.around([(words, title)], since)).heard(words, title)
    return replace(found, held={word: events for word in words if (events := found.held.get(word))})
