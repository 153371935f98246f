"""FLUSH: render what a channel is to be told now, and put it into the outbox.

    silence → is the channel to be reached → fold by event → render → spend the limit → outbox

What may not be told now moves to the group that tells it together with the rest when it may: after a silence, once
the channel works again, when its limit has refilled.
"""

from __future__ import annotations

from collections.abc import Sequence

from watcher import log
from watcher.alerting.group import after_spending, parse_quiet
from watcher.alerting.noise import HISTORY, WINDOW, Rate, remark_on
from watcher.config import Channel
from watcher.errors import TransportError
from watcher.model import AlertState, Claim, Delivery, Group, Reason, Silence, Target
from watcher.pipeline import compose
from watcher.pipeline.compose import News, Post
from watcher.pipeline.services import LATER, Counts, Services
from watcher.store import HELD, Store, Tx, silence_key

logger = log.get("flush")


async def flush(services: Services, claim: Claim[Group]) -> Counts:
    """Tell what the claimed group has: one message a target, in as many parts as the channel needs.

    Raises LeaseLost where another worker took the group over meanwhile.
    """
    store, now = services.store, services.store.now()
    channel = services.config.channels.get(claim.row.channel)
    if channel is None:
        await _channel_removed(services, claim, now)
        return Counts()
    if channel.withheld:
        await store.write(lambda tx: tx.groups.postpone(claim, now + LATER, Reason.CHANNEL_WITHHELD))
        return Counts()
    try:
        post = await compose.post_of(channel)
    except TransportError as error:
        await store.write(lambda tx: tx.groups.postpone(claim, now + LATER, Reason.CHANNEL_UNUSABLE))
        logger.error("the channel's url cannot be used", channel=channel.name, error=error.answer)
        return Counts()
    quiet_until = _quiet_until(channel, claim.row, now)
    if quiet_until is not None:
        await _wait_out(store, claim, quiet_until, now)
        return Counts()
    silences, news = await store.write(lambda tx: _look(tx, claim, channel, post.targets, now))
    if silences:
        logger.info("silenced", channel=channel.name, alerts=silences)
    if news is not None:
        await _tell(services, claim, channel, post, news, now)
    return Counts()


async def _look(
    tx: Tx, claim: Claim[Group], channel: Channel, targets: Sequence[Target], now: float
) -> tuple[int, News | None]:
    """How many alerts silences hold back, and what is left to be told now; None where the claim was ended instead."""
    event = compose.event_of(claim.row)
    if claim.row.key == f"high:{event}":  # what else is known of the event is in the same message
        await tx.groups.absorb(claim, f"event:{event}", now)
    if await _urgent_told(tx, claim):
        await tx.groups.fold(claim, kind="alert", key=f"high:{event}", flush_at=now, now=now)
        return 0, None
    silences = await tx.silences.list(now)
    held_until = await _held_until(tx, channel, targets, now)
    # Who comes later must not take the tokens that a catch-up waits for, and need not be rendered to find out.
    catch_up = await tx.groups.catch_up(claim) if held_until is None and _yields(claim.row) else None
    if catch_up is not None and not silences and not claim.row.flush_no:  # nor need it be read
        await tx.groups.fold(claim, kind="digest", key="limit", flush_at=catch_up, now=now)
        return 0, None
    found = await compose.gather(tx, claim)
    news = await _silence(tx, claim, found, silences, now)
    silenced = len(found.alerts) - len(news.alerts)
    if not news.alerts and not (news.earlier and set(news.outlets()) - set(claim.row.outlets)):
        await tx.groups.rest(claim)
    elif held_until is not None:
        await _hold(tx, claim, news, held_until, now)
    elif catch_up is not None and news.alerts:
        await tx.groups.fold(claim, kind="digest", key="limit", flush_at=catch_up, now=now)
    else:
        return silenced, news
    return silenced, None


async def _channel_removed(services: Services, claim: Claim[Group], now: float) -> None:
    if await services.is_behind():
        await services.store.write(lambda tx: tx.groups.postpone(claim, now + LATER, Reason.CHANNEL_REMOVED))
        return
    await services.store.write(lambda tx: tx.groups.dropped(claim, Reason.CHANNEL_REMOVED, now))
    logger.warning("channel removed; its alerts are kept but told to nobody", channel=claim.row.channel)


def _yields(row: Group) -> bool:
    """Whether the group lets a catch-up after the channel's limit go first: urgent ones and digests do not."""
    return row.kind == "alert" and not row.key.startswith("high:")


def _quiet_until(channel: Channel, row: Group, now: float) -> float | None:
    """The end of the quiet hours that have begun since the group was placed; None where none hold it."""
    if not channel.quiet or row.key.startswith("high:"):
        return None
    return parse_quiet(channel.quiet).end(channel.timezone, now)


async def _wait_out(store: Store, claim: Claim[Group], until: float, now: float) -> None:
    """What quiet hours hold back is one message at their end."""

    async def work(tx: Tx) -> None:
        if claim.row.kind == "alert" and await tx.groups.members(claim):
            await tx.groups.fold(claim, kind="digest", key="quiet", flush_at=until, now=now)
        else:
            await tx.groups.postpone(claim, until, Reason.QUIET_HOURS)

    await store.write(work)


async def _urgent_told(tx: Tx, claim: Claim[Group]) -> bool:
    """Whether the event's urgent alerts were told by a group of their own, which the others follow then."""
    event = compose.event_of(claim.row)
    if claim.row.key != f"event:{event}":
        return False
    return await tx.groups.told(claim.row.channel, claim.row.kind, f"high:{event}")


async def _held_until(tx: Tx, channel: Channel, targets: Sequence[Target], now: float) -> float | None:
    """Until when none of the channel's targets takes anything; None where one does, as far as is known."""
    waits = []
    for target in targets:
        state = await tx.channels.get(channel.name, target.key)
        if state.hold_until > now:
            waits.append(state.hold_until)
        elif state.down and await tx.deliveries.waiting(channel.name, target.key):
            waits.append(now + LATER)  # what waits in the outbox finds out, and what is held is told then
        else:
            return None
    return min(waits, default=None)


async def _silence(tx: Tx, claim: Claim[Group], news: News, silences: Sequence[Silence], now: float) -> News:
    """Let the ends of silences tell what they hold back; what is left to tell now."""
    held = compose.silenced(news, silences, claim.row.channel)
    by_silence: dict[str, list[str]] = {}
    for alert in news.alerts:
        if alert.id in held:
            by_silence.setdefault(held[alert.id].id, []).append(alert.id)
    for silence in silences:
        ids = by_silence.get(silence.id, ())
        if not ids:
            continue
        key = silence_key(silence.id)
        await tx.groups.divert(claim, ids, kind="digest", key=key, flush_at=silence.until, now=now)
        if silence.kind != "channel":
            for id_ in ids:
                await tx.alerts.move(id_, AlertState.WAITING, AlertState.WAITING, Reason.SILENCED)
    return news.without(held)


async def _hold(tx: Tx, claim: Claim[Group], news: News, until: float, now: float) -> None:
    """Nothing is rendered for a channel that is not to be reached: what it misses is one message afterwards."""
    if claim.row.kind == "alert" and news.alerts:
        await tx.groups.fold(claim, kind="digest", key=HELD, flush_at=until, now=now)
    else:
        await tx.groups.postpone(claim, until, Reason.CHANNEL_HELD)


async def _tell(services: Services, claim: Claim[Group], channel: Channel, post: Post, news: News, now: float) -> None:
    remarks = await _remarks(services, claim, news, now)
    notice = compose.notice(services, claim.row, channel, news, now, remarks)
    again, handles = None, {}
    if claim.row.kind == "alert" and news.answers and post.transport.edits(post.url):
        async with services.store.read() as tx:
            of = [update.of for update in news.updates]
            earlier = tx.deliveries.first_handles(claim.id) if news.earlier else tx.deliveries.told_in(channel.name, of)
            handles = await earlier
            first = {alert.id for alert in await tx.alerts.for_group(claim.id, 0)}
        if handles and news.earlier and not news.new_story and not news.updates:
            again = compose.first_again(services, claim.row, notice, news, first)
    made = compose.deliveries(claim, channel, post, notice, again, handles, now)
    high = any(one.priority == "high" for one in notice.told)
    parts = max((one.part + 1 for one in made if not one.edits), default=0)
    held_until = await services.store.write(lambda tx: _put(tx, claim, channel, news, made, high, parts, now))
    if held_until is not None:
        logger.info("held", channel=channel.name, alerts=len(news.alerts), seconds=round(held_until - now))


async def _put(
    tx: Tx,
    claim: Claim[Group],
    channel: Channel,
    news: News,
    made: Sequence[Delivery],
    high: bool,
    parts: int,
    now: float,
) -> float | None:
    """Put the messages into the outbox; or, where the channel's limit is used up, when it will have refilled."""
    held_until = await _spend(tx, channel, high, parts, now) if parts else None
    if held_until is None:
        next_flush = now + channel.group_interval if claim.row.kind == "alert" else None
        ids = [alert.id for alert in news.alerts]
        await tx.groups.flushed(claim, ids, made, now, next_flush, news.outlets())
    elif news.alerts:
        await tx.groups.fold(claim, kind="digest", key="limit", flush_at=held_until, now=now)
    else:
        await tx.groups.postpone(claim, held_until, Reason.LIMIT)
    return held_until


async def _spend(tx: Tx, channel: Channel, high: bool, parts: int, now: float) -> float | None:
    """Take `parts` messages from the channel's limits; None, or when there will be as many again."""
    limits = channel.limits(high=high)
    key = "high" if high else "limit"
    spent = after_spending(limits, await tx.channels.tokens(channel.name, key), now, parts)
    await tx.channels.set_tokens(channel.name, key, spent.tokens, now)
    return spent.wait_until


async def _remarks(services: Services, claim: Claim[Group], news: News, now: float) -> tuple[str, ...]:
    """What is to be said over a digest that nobody ordered: which silence has ended, which rule is noisy."""
    key = claim.row.key
    if claim.row.kind != "digest":
        return ()
    async with services.store.read() as tx:
        if key.startswith(silence_key("")):
            return compose.silence_remark(await tx.silences.get(key.removeprefix(silence_key(""))))
        if key != "limit":
            return ()
        rates = await tx.alerts.rates({alert.rule for alert in news.alerts}, now, WINDOW, HISTORY)
    names = {id_: rule.name for id_, rule in services.rules.items()}
    found = (remark_on(names.get(rule, rule), Rate(*rate)) for rule, rate in sorted(rates.items()))
    return tuple(remark for remark in found if remark)
