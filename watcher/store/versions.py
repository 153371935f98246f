"""What items said at one time and another: later texts of an item are rows beside it, so that what was told stays."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, delete, or_, select, update

from watcher.model import Claim, Item, Reason, WaitingItem
from watcher.store.items import LISTED_EVERY, StoredItem, given_hash, item_values, stored_item
from watcher.store.packing import among, many
from watcher.store.statements import Statements, lease_lost
from watcher.store.tables import item


class Given(NamedTuple):
    """What a source said of an item last: `given_hash`, None where not known; and when it was seen to list it."""

    hash: str | None
    listed: float

    def is_stale(self, now: float) -> bool:
        """Whether it is to be written down again that the source lists it."""
        return self.listed < now - LISTED_EVERY / 2


@cache
def _given(postgres: bool) -> Select[Any]:
    return select(item.c.id, item.c.given, item.c.last_listed).where(among(item.c.id, "ids", postgres))


_REMEMBER = update(item).where(item.c.id == bindparam("of")).values(given=bindparam("now_given"))


class VersionStatements(Statements):
    """Statements about items that their source gives with another text than before."""

    async def given(self, ids: Collection[str]) -> dict[str, Given]:
        """Of those of `ids` that the store has, what their source gave last."""
        if not ids:
            return {}
        named = {"ids": many(ids, self._postgres)}
        return {row.id: Given(row.given, row.last_listed) for row in await self._rows(_given(self._postgres), named)}

    async def remember(self, given: Mapping[str, str | None]) -> None:
        """What their source gives of these items now."""
        if given:
            rows = [{"of": id_, "now_given": now_given} for id_, now_given in sorted(given.items())]
            await self._run(_REMEMBER, rows)

    async def families(self, ids: Collection[str]) -> dict[str, list[StoredItem]]:
        """By id, the item and the versions that are kept of it, in the order in which they came."""
        if not ids:
            return {}
        rows = await self._rows(
            select(item)
            .where(or_(self._among(item.c.id, ids), self._among(item.c.version_of, ids)))
            .order_by(item.c.first_seen, item.c.version_of.isnot(None), item.c.id)
        )
        found: dict[str, list[StoredItem]] = {}
        for row in rows:
            found.setdefault(row.version_of or row.id, []).append(stored_item(row))
        return found

    async def replace(self, one: Item, *, unread: bool = False) -> None:
        """Let an item of which nothing was told say what it says now; with `unread`, unless it was judged meanwhile."""
        statement = update(item).where(item.c.id == one.id)
        if unread:  # its article may have come since that was looked at
            statement = statement.where(item.c.judged_on.is_(None))
        await self._run(statement.values(**item_values(one)))

    async def retitle(self, id_: str, headline: str | None) -> None:
        """Keep the title that an item has now beside the one that was told; None where it is that one again."""
        await self._run(update(item).where(item.c.id == id_).values(headline=headline))

    async def headlines(self, ids: Collection[str]) -> dict[str, str]:
        """Of those of `ids` that have another title now than was told, that title."""
        if not ids:
            return {}
        retitled = self._among(item.c.id, ids) & item.c.headline.isnot(None)
        return {row.id: row.headline for row in await self._rows(select(item.c.id, item.c.headline).where(retitled))}

    async def add(self, one: Item, of: str, story: str | None, *, now: float, read_at: float | None = None) -> bool:
        """Keep a later text of item `of`; False where it was kept before. Its article is to be read at `read_at`."""
        added = await self._first(
            self._insert(item).on_conflict_do_nothing().returning(item.c.id),
            {
                "id": one.id,
                **item_values(one),
                "given": given_hash(one),
                "version_of": of,
                "story": story,
                "reason": Reason.UPDATED.name,
                "judged_on": None if read_at is not None else "feed",
                "due": read_at,
                "first_seen": now,
                "last_listed": now,
            },
        )
        return added is not None

    async def forget(self, claim: Claim[WaitingItem]) -> None:
        """End the claim on a version that says nothing new: it goes."""
        gone = await self._run(
            delete(item).where(item.c.id == claim.id, item.c.token == claim.token, item.c.lease_until.isnot(None))
        )
        if gone.rowcount == 0:
            raise lease_lost(claim)
