"""FLUSH: render what a channel is to be told now, and put it into the outbox."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from watcher import log
from watcher.alerting.excerpt import excerpt
from watcher.alerting.group import after_spending
from watcher.alerting.render import Notice, Told, render
from watcher.config import Channel
from watcher.errors import TransportError
from watcher.model import Alert, Claim, Delivery, Group, Item, Reason, Story, derive_id
from watcher.pipeline.services import Counts, Services
from watcher.store import Tx
from watcher.transports import transport_for

LATER = 60.0  # seconds between looks at a channel that cannot be used until the configuration is mended

logger = log.get("flush")


async def flush(services: Services, claim: Claim[Group]) -> Counts:
    """Tell the alerts of the claimed group: one message a target, in as many parts as the channel needs.

    Where the channel's limit is used up, the alerts move to the group that tells them together when it refills.
    Raises LeaseLost where another worker took the group over meanwhile.
    """
    store, now = services.store, services.store.now()
    async with store.read() as tx:
        alerts = await tx.alerts.get(await tx.groups.members(claim))
        items = await tx.items.get([alert.item for alert in alerts])
        stories = await tx.stories.get([alert.story for alert in alerts])
    channel = services.config.channels.get(claim.row.channel)
    if channel is None:
        await store.write(lambda tx: tx.groups.dropped(claim, Reason.CHANNEL_REMOVED, now))
        logger.warning("channel removed; its alerts are kept but told to nobody", channel=claim.row.channel)
        return Counts()
    if channel.withheld:
        await store.write(lambda tx: tx.groups.postpone(claim, now + LATER, Reason.CHANNEL_WITHHELD))
        return Counts()
    told = [
        _told(services, alert, items[alert.item], stories[alert.story])
        for alert in alerts
        if alert.item in items and alert.story in stories
    ]
    try:
        deliveries = await _deliveries(claim, channel, told, now)
    except TransportError as error:
        await store.write(lambda tx: tx.groups.postpone(claim, now + LATER, Reason.CHANNEL_UNUSABLE))
        logger.error("the channel's url cannot be used", channel=channel.name, error=error.answer)
        return Counts()
    high = all(one.priority == "high" for one in told)
    parts = max((one.part + 1 for one in deliveries), default=1)

    async def work(tx: Tx) -> float | None:
        held_until = await _spend(tx, channel, high, parts, now)
        if held_until is None:
            next_flush = now + channel.group_interval if claim.row.kind == "alert" else None
            await tx.groups.flushed(claim, [one.alert for one in told], deliveries, now, next_flush)
        else:
            await tx.groups.fold(claim, kind="digest", key="limit", flush_at=held_until, now=now)
        return held_until

    held_until = await store.write(work)
    if held_until is not None:
        logger.info(
            "held", channel=channel.name, alerts=len(told), reason=Reason.LIMIT.value, seconds=round(held_until - now)
        )
    return Counts()


async def _spend(tx: Tx, channel: Channel, high: bool, parts: int, now: float) -> float | None:
    """Take `parts` messages from the channel's limits; None, or when there will be as many again."""
    limits = channel.limits(high=high)
    key = "high" if high else "limit"
    spent = after_spending(limits, await tx.channels.tokens(channel.name, key), now, parts)
    await tx.channels.set_tokens(channel.name, key, spent.tokens, now)
    return spent.wait_until


def _told(services: Services, alert: Alert, item: Item, story: Story) -> Told:
    rule = services.rules.get(alert.rule)
    return Told(
        alert=alert.id,
        rule=rule.name if rule is not None else alert.rule,
        priority=rule.priority if rule is not None else "normal",
        story=story.id,
        title=item.title,
        url=item.url,
        outlet=item.outlet or item.source,
        published=item.published,
        seen=story.opened_at,
        excerpt=excerpt(item, alert.spans),
        title_spans=tuple(span for span in alert.spans if span.field == "title"),
        others=tuple(outlet for outlet in story.outlets if outlet != item.outlet),
        note=alert.note,
    )


async def _deliveries(claim: Claim[Group], channel: Channel, told: list[Told], now: float) -> list[Delivery]:
    """The group's messages, each part for each target. Raises TransportError where the channel's URL is unusable."""
    url = channel.url.get_secret_value()
    transport = transport_for(url)
    await transport.ready(url)
    notice = Notice(
        channel=channel.name, kind=claim.row.kind, told=tuple(told), timezone=ZoneInfo(channel.timezone), now=now
    )
    parts = render(notice, transport.style(url), channel.templates)
    return [
        Delivery(
            id=derive_id(claim.id, str(claim.row.flush_no), channel.name, target.key, str(part)),
            group=claim.id,
            channel=channel.name,
            target=target,
            part=part,
            message=message,
            alerts=tuple(one.alert for one in told),
            next_try=now,
            created_at=now,
        )
        for target, _ in transport.targets(url)
        for part, message in enumerate(parts)
    ]
