"""Housekeeping: what is old goes, in batches small enough not to hold up the work."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Exists, and_, delete, exists, not_, or_, select, update
from sqlalchemy import text as sql

from watcher.model import DeliveryState
from watcher.store.events import EventStatements
from watcher.store.items import LISTED_EVERY
from watcher.store.packing import unpack
from watcher.store.statements import Connection, Statements
from watcher.store.stories import StoryStatements
from watcher.store.tables import alert, delivery, group, item, member, silence, source, story, worker

BATCH = 500  # rows of each kind
UNLISTED = 30 * 86400.0  # an item is kept this long after its source last held it
WORKERS = 86400.0  # a worker not heard of for this long is forgotten
SILENCES_KEPT = 30 * 86400.0  # after their end: what they held back is told with their reason


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows went; `more` where a batch was full, so that another pass has work."""

    texts: int = 0
    items: int = 0
    shingles: int = 0
    stories: int = 0
    deliveries: int = 0
    groups: int = 0
    more: bool = False


class RetentionStatements(Statements):
    """Statements that remove what is older than it is to be kept."""

    def __init__(self, connection: Connection, now: float, stories: StoryStatements, events: EventStatements) -> None:
        super().__init__(connection, now)
        self._of_stories = stories
        self._events = events

    async def purge(self, now: float, *, text: float, items: float, deliveries: float) -> Purged:
        """Remove one batch of each kind. The three ages are in seconds.

        Alerts stay for ever, and with them their items, texts included. An item outlives `items` while its source
        still lists it, or it would be new, and alert, again.
        """
        seen = await self._texts(now - text)
        expired = await self._shingles(now)
        over = await self._events.expire(now, BATCH)
        gone_items = await self._items(now - items, now - UNLISTED)
        gone_stories = await self._stories(now - items)
        gone_deliveries = await self._deliveries(now - deliveries)
        gone_groups = await self._groups(now - deliveries)
        await self._run(delete(worker).where(worker.c.seen_at < now - WORKERS))
        await self._run(delete(silence).where(silence.c.until < now - SILENCES_KEPT))
        counts = (seen[0], over, gone_items, expired[0], gone_stories, gone_deliveries, gone_groups)
        return Purged(seen[1], gone_items, expired[1], gone_stories, gone_deliveries, gone_groups, BATCH in counts)

    async def size(self) -> int:
        """How many bytes the tables and their indexes take up, less what is free for reuse."""
        if self._postgres:
            statement = "SELECT pg_database_size(current_database())"
        else:
            pages = "pragma_page_count, pragma_freelist_count, pragma_page_size"
            statement = f"SELECT (page_count - freelist_count) * page_size FROM {pages}"  # noqa: S608 - no input in it
        return int((await self._run(sql(statement))).scalar_one())

    async def _texts(self, before: float) -> tuple[int, int]:
        """Decide for items first seen `before` whether their text stays; how many were decided, how many texts went."""
        ids = (
            await self._run(
                select(item.c.id)
                .where(~item.c.settled, item.c.first_seen < before)
                .order_by(item.c.first_seen)
                .limit(BATCH)
            )
        ).scalars()
        old = sorted(ids)
        if not old:
            return 0, 0
        await self._run(update(item).where(self._among(item.c.id, old)).values(settled=True))
        dropped = await self._run(
            update(item)
            .where(self._among(item.c.id, old), not_(_alerted()), or_(item.c.body != "", item.c.summary != ""))
            .values(body="", summary="")
        )
        return len(old), dropped.rowcount

    async def _shingles(self, now: float) -> tuple[int, int]:
        """Take stories whose window is over out of the table of shingles; how many stories, how many rows."""
        rows = await self._rows(
            select(story.c.no, story.c.hashes)
            .where(story.c.hashes.isnot(None), story.c.expires_at <= now)
            .order_by(story.c.expires_at)
            .limit(BATCH)
        )
        if not rows:
            return 0, 0
        gone = await self._of_stories.forget((row.no, unpack(row.hashes)) for row in rows)
        await self._run(update(story).where(self._among(story.c.no, [row.no for row in rows])).values(hashes=None))
        return len(rows), gone

    async def _items(self, before: float, unlisted: float) -> int:
        # A poll that brought no new body lists what the last body listed.
        still_listed = exists().where(
            source.c.id == item.c.source,
            item.c.last_listed >= source.c.parsed_at - LISTED_EVERY,
            source.c.last_success >= unlisted,
        )
        picked = (
            select(item.c.id)
            .where(item.c.first_seen < before, item.c.last_listed < unlisted, not_(still_listed), not_(_alerted()))
            .order_by(item.c.first_seen)
            .limit(BATCH)
        )
        return (await self._run(delete(item).where(item.c.id.in_(picked)))).rowcount

    async def _stories(self, before: float) -> int:
        """Stories that expired and of which neither an item nor an alert is left."""
        picked = (
            select(story.c.no)
            .where(
                story.c.seen_at < before,
                story.c.hashes.is_(None),
                not_(exists().where(item.c.story == story.c.id)),
                not_(exists().where(alert.c.story == story.c.id)),
            )
            .order_by(story.c.seen_at)
            .limit(BATCH)
        )
        return (await self._run(delete(story).where(story.c.no.in_(picked)))).rowcount

    async def _deliveries(self, before: float) -> int:
        ended = [DeliveryState.SENT.value, DeliveryState.DEAD.value, DeliveryState.DROPPED.value]
        picked = (
            select(delivery.c.id)
            .where(delivery.c.created_at < before, delivery.c.state.in_(ended), delivery.c.due.is_(None))
            .order_by(delivery.c.created_at)
            .limit(BATCH)
        )
        return (await self._run(delete(delivery).where(delivery.c.id.in_(picked)))).rowcount

    async def _groups(self, before: float) -> int:
        """Groups that were flushed long ago and have no delivery left: flush numbers begin anew after that."""
        picked = (
            select(group.c.id)
            .where(
                group.c.due.is_(None),
                group.c.flushed_at < before,
                not_(exists().where(delivery.c.group_id == group.c.id)),
            )
            .limit(BATCH)
            .with_for_update(skip_locked=True)  # an alert may be put into one of them at this moment
        )
        ids = sorted((await self._run(picked)).scalars())
        if ids:
            await self._run(delete(member).where(self._among(member.c.group_id, ids)))
            await self._run(delete(group).where(self._among(group.c.id, ids)))
        return len(ids)


def _alerted() -> Exists:
    """The item's story was alerted, or the item itself made an alert."""
    return exists().where(or_(and_(alert.c.story == item.c.story, item.c.story.isnot(None)), alert.c.item == item.c.id))
