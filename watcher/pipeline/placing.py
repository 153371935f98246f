"""Where alerts go: into the groups of the channels that hear of them; and what of the held ones may go there now."""

from __future__ import annotations

from collections.abc import Sequence

from watcher import log
from watcher.alerting import decide, group
from watcher.config import Rule
from watcher.model import Alert, AlertState, Coverage, Reason, Story
from watcher.pipeline.services import Services
from watcher.store import StoredItem, Tx
from watcher.stories import coverage

logger = log.get("judge")


async def place(tx: Tx, services: Services, rule: Rule, alert_id: str, story: Story, kind: str, now: float) -> None:
    """Put an alert of `kind` ("alert" or "baseline") into the group of each channel that `rule` notifies."""
    for name in rule.notify or services.config.channels:
        channel = services.config.channels[name]
        at = group.place(channel, kind=kind, event=story.event, priority=rule.priority, now=now)
        await tx.groups.put(name, at.kind, at.key, at.flush_at, alert_id, now=now, slide=at.slide, latest=at.latest)


async def reach(tx: Tx, event: str) -> Coverage:
    """Which outlets report an event, copies and own reports told apart."""
    return coverage((await tx.events.outlets([event])).get(event, ()))


async def release_held(tx: Tx, services: Services, event: str, kind: str, now: float) -> None:
    """Tell what waited for more outlets or copies of `event`, now that they may be there."""
    held = await tx.alerts.held(event=event)
    await _again(tx, services, [one for one in held if one.reason in decide.WAITS_FOR_MORE], kind, now)


async def review_held(tx: Tx, services: Services, now: float) -> int:
    """Decide anew on all that waits for more outlets or copies, by the rules as they are now; how many moved.

    What is older than max_age by now is no news any more, and what a removed rule held is told to nobody.
    """
    held = await tx.alerts.held()
    removed = [one for one in held if one.rule not in services.rules]
    for one in removed:
        await tx.alerts.move(one.id, AlertState.HELD, AlertState.DROPPED, Reason.RULE_REMOVED)
    waits = [one for one in held if one.rule in services.rules and one.reason in decide.WAITS_FOR_MORE]
    moved = len(removed) + await _again(tx, services, waits, "", now)
    if moved:
        logger.info("held alerts decided anew", alerts=moved)
    return moved


async def _again(tx: Tx, services: Services, held: Sequence[Alert], kind: str, now: float) -> int:
    """Decide on held alerts once more; `kind` is that of the group, "" where it is that which each was held for."""
    stories = await tx.stories.get({one.story for one in held})
    outlets = await tx.events.outlets({one.event for one in stories.values()})
    moved = 0
    for alert in held:
        rule, story = services.rules.get(alert.rule), stories.get(alert.story)
        stored = await tx.items.stored(alert.item)
        if rule is None or story is None or stored is None:
            continue
        decision = _decide(services, rule, alert, stored, story, coverage(outlets[story.event]), bool(kind), now)
        if decision.state is AlertState.HELD:
            continue
        waiting = decision.state is AlertState.WAITING
        reason = Reason.FIRST_SIGHT if waiting else decision.reason
        if await tx.alerts.move(alert.id, AlertState.HELD, decision.state, reason):
            moved += 1
            if waiting:
                await place(tx, services, rule, alert.id, story, kind or decision.kind, now)
    return moved


def _decide(
    services: Services,
    rule: Rule,
    alert: Alert,
    stored: StoredItem,
    story: Story,
    covered: Coverage,
    is_news: bool,
    now: float,
) -> decide.Decision:
    source = services.sources.get(stored.item.source)
    max_age = (source.max_age if source else None) or services.config.settings.max_age
    return decide.alert(
        published=alert.created_at if stored.item.published is None else stored.item.published,
        oldest=float("-inf") if is_news else now - max_age,
        baseline=stored.baseline,
        first_poll=source.first_poll if source else "digest",
        outlets=covered.outlets,
        min_outlets=rule.min_outlets,
        copies=len(story.outlets),
        min_copies=rule.min_copies,
    )
