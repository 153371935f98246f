"""SUBSCRIBE: ask a feed's hub to push what is new, and answer when it verifies or denies that.

WebSub (W3C Recommendation of 23 January 2018), the subscriber's part. A hub that pushes makes polls a fallback; where a
poll finds what should have been pushed, the source is polled as before until the hub pushes again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from watcher import log
from watcher.errors import FetchError, HostBusy
from watcher.model import Claim, Subscription
from watcher.pipeline.services import LATER, Counts, Services
from watcher.sources import hub
from watcher.store import Polled, Tx

CALLBACK = "/websub/"  # what the path of a callback begins with
VERIFY = 600.0  # seconds that a hub may take to verify before it is asked again

logger = log.get("websub")


def unguessable() -> str:
    """A text that nobody else can know: the path of a callback, or a secret (WebSub asks for under 200 bytes)."""
    return secrets.token_urlsafe(32)


async def hubs(tx: Tx, services: Services, polled: Polled) -> None:
    """Subscribe where the feed that was polled names its hub, and rely on none that left out what the poll found."""
    if not services.config.settings.public_url:
        return
    state, link = polled.claim.row, polled.cache.get("hub")
    if link or state.cache.get("hub"):
        await tx.subscriptions.want(state.id, (link[0], link[1]) if link else None, unguessable)
    if polled.new_items and state.relies_until is not None and state.last_success is not None:
        known = await tx.subscriptions.get(state.id)
        # What was there before the hub had verified could not be pushed.
        if known is not None and (known.verified_at is None or known.verified_at < state.last_success):
            await tx.subscriptions.distrust(state.id)
            logger.warning("the hub did not push what a poll found: polled as before", source=state.id, hub=known.hub)


async def subscribe(services: Services, claim: Claim[Subscription]) -> Counts:
    """Ask the hub of `claim` for a subscription, or for a longer one. Its verification comes by itself.

    Raises LeaseLost where another worker took it over meanwhile.
    """
    from watcher.fetch import Request  # noqa: PLC0415 - as heavy as aiohttp

    store, row = services.store, claim.row
    source, public_url = services.sources.get(row.id), services.config.settings.public_url
    if source is None or not public_url:  # a configuration that is to come, or has gone, knows more
        later = store.now() + LATER if await services.is_behind() else None
        await store.write(lambda tx: tx.subscriptions.rest(claim, later))
        return Counts()
    await store.write(lambda tx: tx.subscriptions.ask(claim))
    form = {
        "hub.mode": "subscribe",
        "hub.topic": row.topic,
        "hub.callback": public_url.rstrip("/") + CALLBACK + row.path,
        "hub.lease_seconds": str(round(hub.LEASE)),
        # The standard would have it over https only; but without it, who reads the request could push what they like.
        "hub.secret": row.secret,
    }
    again = hub.ask_again(row.failures + 1)
    try:
        await services.tools.fetch.get(Request(row.hub, form=form, accept="*/*"))
    except HostBusy as busy:
        turn = store.now() + (busy.retry_after or LATER)
        await store.write(lambda tx: tx.subscriptions.put_off(claim, turn))
        return Counts()
    except FetchError as error:
        reason = str(error)
        due = store.now() + max(again * services.rng.uniform(0.9, 1.1), error.retry_after or 0.0)
        await store.write(lambda tx: tx.subscriptions.failed(claim, due, reason))
        logger.warning("not subscribed", source=source.name, error=reason, again_in=f"{due - store.now():.0f}s")
        return Counts()
    due = store.now() + max(VERIFY, again)
    await store.write(lambda tx: tx.subscriptions.awaited(claim, due))
    logger.info("subscription asked for", source=source.name, hub=row.hub)
    return Counts()


async def answer(services: Services, known: Subscription, query: Mapping[str, str]) -> str | None:
    """What to answer a hub that calls with `query`: its challenge, "" to a denial; None: that was not asked for.

    WebSub, 5.2 and 5.3. A verification is taken once for each time that the hub was asked; a denial, at any time.
    """
    if query.get("hub.topic") != known.topic:
        return None
    now = services.store.now()
    mode, challenge = query.get("hub.mode"), query.get("hub.challenge", "")
    if mode == "denied":
        reason = " ".join(query.get("hub.reason", "").split())[:200] or "no reason given"
        if known.state != "denied":
            again = now + hub.DENIED * services.rng.uniform(0.9, 1.1)
            await services.store.write(lambda tx: tx.subscriptions.denied(known, reason, again))
            logger.warning("the hub denied the subscription", source=known.id, hub=known.hub, reason=reason)
        return ""
    if mode != "subscribe" or not challenge or known.asked_at is None:
        return None
    holds = hub.lease(query.get("hub.lease_seconds", ""))
    renew_at = now + max(holds * hub.RENEW * services.rng.uniform(0.9, 1.0), 60.0)
    if not await services.store.write(lambda tx: tx.subscriptions.verified(known, now + holds, renew_at)):
        return None
    logger.info("subscribed", source=known.id, hub=known.hub, days=round(holds / hub.DAY, 2))
    return challenge
