"""What the rules say of an item, and what follows: story, alerts, groups; all in the caller's one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from watcher.alerting import decide, group
from watcher.config import Rule
from watcher.model import Alert, AlertState, Item, Match, Reason, Story, derive_id
from watcher.pipeline.services import Counts, Services
from watcher.query import Document, explain
from watcher.sources import Source
from watcher.store import Tx
from watcher.stories import decide as decide_story
from watcher.stories import signature_of
from watcher.text.urls import canonical

STORY_WINDOW = 72 * 3600.0  # a copy later than this after a story's last copy opens a new story


@dataclass(frozen=True, slots=True)
class Judged:
    """An item, the rules that hold for it, and how it came."""

    item: Item
    source: Source
    matches: tuple[Match, ...]
    hashes: frozenset[int]  # its text's signature
    baseline: bool
    oldest: float  # items published before this are too old to tell
    article: bool  # judged with its article, or on what the feed gave
    note: str = ""

    @property
    def too_old(self) -> bool:
        """Published before its source's max_age."""
        return self.item.published is not None and self.item.published < self.oldest


def judge(
    services: Services,
    source: Source,
    item: Item,
    *,
    baseline: bool,
    oldest: float,
    article: bool,
    rules: Collection[str] | None = None,
    note: str = "",
) -> Judged:
    """Match `item` against the rules that read its source, or only those of them in `rules`. Writes nothing."""
    bare = Judged(item, source, (), frozenset(), baseline, oldest, article, note)
    if bare.too_old:
        return bare
    names = services.config.rules_for(source)
    if rules is not None:
        names = names & frozenset(rules)
    document = Document.of(item, source.tags)
    matches = tuple(
        replace(match, explanation=explain(services.rules[match.rule].node, document).tree.to_json())
        for match in services.config.ruleset.match(document, names)
    )
    return replace(bare, matches=matches, hashes=signature_of(item))


async def record(tx: Tx, services: Services, judged: Sequence[Judged], now: float) -> Counts:
    """Give each judged item its story, make the alerts that follow, and put them into their channels' groups."""
    counts = Counts()
    for one in judged:
        if one.too_old:  # kept so that it is known, and told to nobody
            await tx.items.judged(one.item.id, None, Reason.TOO_OLD, "feed")
            continue
        story = await _story(tx, one, now)
        reason, alerts = Reason.NO_MATCH, 0
        for match in one.matches:
            rule = services.rules.get(match.rule)
            if rule is None:  # removed by a reload since it was matched
                continue
            reason, made = await _alert(tx, services, rule, match, one, story, now)
            alerts += made
        await _release_held(tx, services, one, story, now)
        await tx.items.judged(one.item.id, story.id, reason, "article" if one.article else "feed")
        counts += Counts(matched=int(bool(one.matches)), alerts=alerts)
    return counts


async def _story(tx: Tx, one: Judged, now: float) -> Story:
    """The story that the item belongs to: the one it already has, a known one, or a new one."""
    item, url = one.item, canonical(one.item.url)
    story = await tx.stories.of_item(item.id)
    if story is not None:  # judged before, on its feed's text: the article says more of the same story
        if story.first_item == item.id:
            await tx.stories.replace_hashes(story.id, one.hashes)
        return story
    candidates = await tx.stories.candidates(url, one.hashes, now - STORY_WINDOW)
    telling = one.hashes - await tx.stories.common(one.hashes) if candidates else one.hashes
    verdict = decide_story(item, telling, candidates, copies=one.source.copies)
    if verdict.story is not None:
        return await tx.stories.join(verdict.story.id, item.id, item.outlet, now)
    story_id = derive_id("story", item.id)
    outlets = (item.outlet,) if item.outlet else ()
    story = Story(story_id, item.id, item.title, opened_at=now, seen_at=now, event=story_id, outlets=outlets)
    await tx.stories.open(story, one.hashes)
    return story


async def _alert(
    tx: Tx, services: Services, rule: Rule, match: Match, one: Judged, story: Story, now: float
) -> tuple[Reason, int]:
    """The alert of `rule` on `story`, where there is none yet: why it was or was not told, and 1 or 0."""
    decision = decide.alert(
        published=one.item.published,
        oldest=one.oldest,
        baseline=one.baseline,
        first_poll=one.source.first_poll,
        outlets=len(story.outlets),
        min_outlets=rule.min_outlets,
    )
    alert = Alert(
        id=derive_id("alert", rule.id, story.id),
        rule=rule.id,
        story=story.id,
        item=one.item.id,
        state=decision.state,
        reason=decision.reason,
        created_at=now,
        spans=match.spans,
        explanation=match.explanation,
        note=one.note,
    )
    if not await tx.alerts.add(alert):
        return Reason.COPY, 0
    if decision.state is AlertState.WAITING:
        await _place(tx, services, rule, alert.id, story, decision.kind, now)
    return decision.reason, int(decision.state is not AlertState.DROPPED)


async def _place(tx: Tx, services: Services, rule: Rule, alert_id: str, story: Story, kind: str, now: float) -> None:
    for name in rule.notify or services.config.channels:
        channel = services.config.channels[name]
        place = group.place(channel, kind=kind, event=story.event, priority=rule.priority, now=now)
        await tx.groups.put(
            name, place.kind, place.key, place.flush_at, alert_id, now=now, slide=place.slide, latest=place.latest
        )


async def _release_held(tx: Tx, services: Services, one: Judged, story: Story, now: float) -> None:
    """Tell what waited for more outlets, now that this copy may have brought them."""
    for alert in await tx.alerts.held(story.id):
        rule = services.rules.get(alert.rule)
        if rule is None or len(story.outlets) < rule.min_outlets:
            continue
        if await tx.alerts.move(alert.id, AlertState.HELD, AlertState.WAITING, Reason.FIRST_SIGHT):
            await _place(tx, services, rule, alert.id, story, "baseline" if one.baseline else "alert", now)
