"""Subscriptions at hubs: what each feed's hub was asked, and what it said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Double, Row, Text, and_, case, delete, literal, null, select, type_coerce, update

from watcher.errors import LeaseLost
from watcher.model import Claim, Subscription
from watcher.store.statements import Statements
from watcher.store.tables import Clean, source, subscription

Link = tuple[str, str]  # a hub, and what it knows the feed by
_FIELDS = [name for name in Subscription.__slots__ if name in subscription.c]


def subscription_row(row: Row[Any]) -> Subscription:
    """The subscription in a row of the table."""
    return Subscription(**{name: getattr(row, name) for name in _FIELDS})


class SubscriptionStatements(Statements):
    """Statements about subscriptions. A source has at most one."""

    async def sync(self, unguessable: Callable[[], str], *, wanted: bool = True) -> None:
        """Make the table say what the sources' feeds name; nothing where none is `wanted`."""
        if not wanted:
            await self._run(delete(subscription))
            await self._run(update(source).where(source.c.relies_until.isnot(None)).values(relies_until=null()))
            return
        text = type_coerce(source.c.cache, Text)
        named = select(source.c.id, source.c.cache).where(source.c.active, text.like('%"hub":%'))
        links = {row.id: row.cache["hub"] for row in await self._rows(named) if row.cache.get("hub")}
        known = await self._rows(select(subscription.c.id))
        for id_ in sorted({row.id for row in known} | links.keys()):
            link = links.get(id_)
            await self.want(id_, (link[0], link[1]) if link else None, unguessable)

    async def want(self, id_: str, link: Link | None, unguessable: Callable[[], str]) -> None:
        """A source is to be subscribed to at `link`, at once where it is not; nowhere, where that is None.

        `unguessable` gives a text that nobody else can know, another each time.
        """
        known = await self._first(select(subscription.c.hub, subscription.c.topic).where(subscription.c.id == id_))
        if known is not None and (known.hub, known.topic) == link:
            return
        if known is not None:
            await self._run(delete(subscription).where(subscription.c.id == id_))
            await self._run(update(source).where(source.c.id == id_).values(relies_until=null()))
        if link is not None:
            row = {"id": id_, "due": self._now, "hub": link[0], "topic": link[1], "state": "pending"}
            row |= {"path": unguessable(), "secret": unguessable()}
            await self._run(self._insert(subscription).on_conflict_do_nothing(), row)

    async def get(self, id_: str) -> Subscription | None:
        """A source's subscription, or None."""
        row = await self._first(select(subscription).where(subscription.c.id == id_))
        return None if row is None else subscription_row(row)

    async def at(self, path: str) -> Subscription | None:
        """The subscription whose callback has `path`, or None."""
        row = await self._first(select(subscription).where(subscription.c.path == path))
        return None if row is None else subscription_row(row)

    async def list(self) -> list[Subscription]:
        """Every one, by its source."""
        return [subscription_row(row) for row in await self._rows(select(subscription).order_by(subscription.c.id))]

    async def ask(self, claim: Claim[Subscription]) -> None:
        """Write down, before it is done, that the hub is asked: its verification may come before its answer."""
        asked = await self._run(
            update(subscription)
            .where(subscription.c.id == claim.id, subscription.c.token == claim.token)
            .where(subscription.c.lease_until.isnot(None))
            .values(asked_at=self._now, failures=subscription.c.failures + 1)
        )
        if asked.rowcount == 0:
            raise LeaseLost(f"the claim on subscription {claim.id} is no longer ours: nothing was written")

    async def awaited(self, claim: Claim[Subscription], due: float) -> None:
        """End the claim: the hub took the request. It is asked again at `due`, unless it verifies, or has done so."""
        verified = subscription.c.asked_at.is_(None)
        await self._end(claim, due=case((verified, subscription.c.due), else_=literal(due, Double)))

    async def failed(self, claim: Claim[Subscription], due: float, reason: str) -> None:
        """End the claim: the hub did not take the request, unless it has verified it all the same."""
        verified = subscription.c.asked_at.is_(None)
        await self._end(
            claim,
            due=case((verified, subscription.c.due), else_=literal(due, Double)),
            reason=case((verified, subscription.c.reason), else_=literal(reason, Clean)),
            asked_at=null(),
        )

    async def put_off(self, claim: Claim[Subscription], due: float) -> None:
        """End the claim: the hub's host had no turn, so it was not asked after all."""
        await self._end(claim, due=due, asked_at=null(), failures=subscription.c.failures - 1)

    async def rest(self, claim: Claim[Subscription], due: float | None) -> None:
        """End the claim without asking; look again at `due`, or never."""
        await self._end(claim, due=due)

    async def verified(self, known: Subscription, expires_at: float, renew_at: float) -> bool:
        """The hub has verified a request that it was asked; False where none is awaited any more."""
        active = and_(subscription.c.state == "active", subscription.c.expires_at > self._now)
        done = await self._run(
            update(subscription)
            .where(subscription.c.id == known.id, subscription.c.path == known.path)
            .where(subscription.c.asked_at.isnot(None))
            .values(
                state="active",
                asked_at=null(),
                failures=0,
                reason="",
                verified_at=case((active, subscription.c.verified_at), else_=literal(self._now, Double)),
                expires_at=expires_at,
                due=renew_at,
            )
        )
        if done.rowcount:
            await self._run(update(source).where(source.c.id == known.id).values(relies_until=expires_at))
        return bool(done.rowcount)

    async def denied(self, known: Subscription, reason: str, again: float) -> None:
        """The hub will not push: poll at once, and ask it again at `again`."""
        await self._run(
            update(subscription)
            .where(subscription.c.id == known.id, subscription.c.path == known.path)
            .values(state="denied", asked_at=null(), expires_at=null(), reason=reason, due=again)
        )
        await self.distrust(known.id)
        sooner = source.c.active & (source.c.due > self._now)
        await self._run(update(source).where(source.c.id == known.id, sooner).values(due=self._now))

    async def pushed(self, known: Subscription) -> None:
        """The hub has pushed: what it pushes may be relied on while the subscription lasts."""
        await self._run(update(subscription).where(subscription.c.id == known.id).values(pushed_at=self._now))
        if known.expires_at is not None:
            await self._run(update(source).where(source.c.id == known.id).values(relies_until=known.expires_at))

    async def distrust(self, id_: str) -> None:
        """Poll a source as if it had no subscription, until its hub pushes again."""
        await self._run(update(source).where(source.c.id == id_).values(relies_until=null()))

    async def relied_on(self) -> set[str]:
        """The sources that are polled seldom, since their hubs push."""
        return {row.id for row in await self._rows(select(source.c.id).where(source.c.relies_until > self._now))}
