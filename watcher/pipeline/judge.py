"""What the rules say of an item, and what follows: story, alerts, groups; all in the caller's one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from watcher import log
from watcher.alerting import decide
from watcher.config import Rule
from watcher.model import Alert, AlertState, Coverage, Item, Match, Reason, Story, derive_id
from watcher.pipeline.placing import place, reach, release_held
from watcher.pipeline.services import Counts, Services
from watcher.query import Document, explain
from watcher.sources import Source
from watcher.store import Tx
from watcher.store.events import WINDOW as EVENT_WINDOW
from watcher.store.stories import WINDOW as STORY_WINDOW
from watcher.stories import SHARED, Outline, outline, relate, signature_of, title_hash
from watcher.stories import decide as decide_story
from watcher.text.urls import canonical

BASELINES = (Reason.SILENT_BASELINE, Reason.UNDATED_BASELINE)  # what they drop does not block what comes later

logger = log.get("judge")


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
    outline: Outline = field(default_factory=Outline)  # what it says of its event
    again: bool = False  # it was judged before, and has a story

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
    again: bool = False,
) -> Judged:
    """Match `item` against the rules that read its source, or only those of them in `rules`. Writes nothing.

    `again` says that the item was judged before, on its feed's text.
    """
    bare = Judged(item, source, (), frozenset(), baseline, oldest, article, note, again=again)
    if bare.too_old:
        return bare
    names = services.config.rules_for(source)
    if rules is not None:
        names = names & frozenset(rules)
    matches = tuple(services.config.ruleset.match(Document.of(item, source.tags), names))
    return replace(bare, matches=matches, hashes=signature_of(item), outline=outline(item))


def why(rule: Rule, one: Judged) -> dict[str, Any]:
    """Why `rule` holds for a judged item, as an alert keeps it."""
    return explain(rule.node, Document.of(one.item, one.source.tags)).tree.to_json()


@dataclass(frozen=True, slots=True)
class _Placed:
    """The story that an item belongs to, and whether it has more outlets, or its event more stories, by it."""

    story: Story
    grown: bool


async def record(tx: Tx, services: Services, judged: Sequence[Judged], now: float) -> Counts:
    """Give each judged item its story, make the alerts that follow, and put them into their channels' groups."""
    counts = Counts()
    verdicts: list[tuple[str, str | None, Reason, str]] = []
    for one in judged:
        if one.too_old:  # kept so that it is known, and told to nobody
            verdicts.append((one.item.id, None, Reason.TOO_OLD, "feed"))
            continue
        placed = await _story(tx, one, now)
        event = placed.story.event
        if placed.story.first_item != one.item.id:  # what was told is in one more outlet
            await tx.groups.grown(services.config.channels, (f"event:{event}", f"high:{event}"))
        rules = [(match, rule) for match in one.matches if (rule := services.rules.get(match.rule)) is not None]
        covered = await reach(tx, event) if any(rule.min_outlets > 1 for _, rule in rules) else None
        reason, alerts = Reason.NO_MATCH, 0
        for match, rule in rules:
            reason, made = await _alert(tx, services, rule, match, one, placed.story, covered, now)
            alerts += made
        if placed.grown:
            await release_held(tx, services, event, "baseline" if one.baseline else "alert", now)
        verdicts.append((one.item.id, placed.story.id, reason, "article" if one.article else "feed"))
        counts += Counts(matched=int(bool(one.matches)), alerts=alerts)
    await tx.items.judged_all(verdicts)
    return counts


async def _story(tx: Tx, one: Judged, now: float) -> _Placed:
    """The story that the item belongs to: the one it already has, a known one, or a new one."""
    item, url = one.item, canonical(one.item.url)
    story = await tx.stories.of_item(item.id) if one.again else None
    if story is not None:  # judged before, on its feed's text: the article says more of the same story
        if story.first_item == item.id:
            await tx.stories.replace_hashes(story.id, one.hashes)
        return _Placed(story, grown=False)
    found = await tx.stories.look_up(
        url, one.hashes, now - STORY_WINDOW, least=SHARED, sure=(title_hash(item),) if item.title else ()
    )
    verdict = decide_story(item, one.hashes - found.common, found.candidates, copies=one.source.copies)
    if verdict.story is not None:
        return _Placed(await tx.stories.join(verdict.story.id, item.id, item.outlet, now), grown=True)
    return await _open(tx, one, found.common, now, alone=verdict.reason is Reason.ROUND_UP)


async def _open(tx: Tx, one: Judged, common: Collection[int], now: float, *, alone: bool) -> _Placed:
    """A new story, of an event that others report or of one of its own; `alone`: it reports no one event."""
    item, story_id = one.item, derive_id("story", one.item.id)
    outlets = (item.outlet,) if item.outlet else ()
    story = Story(story_id, item.id, item.title, opened_at=now, seen_at=now, event=story_id, outlets=outlets)
    if alone:
        await tx.stories.open(story, one.hashes, common=common)
        return _Placed(story, grown=False)
    heard = await tx.events.heard(one.outline.words.keys(), one.outline.title, now - EVENT_WINDOW)
    said = one.outline.without(heard.common)
    relation = relate(item, said, heard.held, heard.reports)
    if relation is not None:
        story = replace(story, event=relation.story.event)
        logger.debug("related", title=item.title, to=relation.story.title, why=relation.detail)
    described = relation is not None and await tx.events.described(story.event)
    opened = await tx.stories.open(story, one.hashes, common=common, words=None if described else said.marked)
    if opened and not described:
        await tx.events.describe(story, said.title)
    return _Placed(story, grown=relation is not None)


async def _alert(
    tx: Tx,
    services: Services,
    rule: Rule,
    match: Match,
    one: Judged,
    story: Story,
    covered: Coverage | None,
    now: float,
) -> tuple[Reason, int]:
    """The alert of `rule` on `story`, where there is none yet: why it was or was not told, and 1 or 0."""
    decision = decide.alert(
        published=one.item.published,
        oldest=one.oldest,
        baseline=one.baseline,
        first_poll=one.source.first_poll,
        outlets=covered.outlets if covered is not None else len(story.outlets),
        min_outlets=rule.min_outlets,
        copies=len(story.outlets),
        min_copies=rule.min_copies,
    )
    id_, dropped = derive_id("alert", rule.id, story.id), decision.state is AlertState.DROPPED
    new = story.first_item == one.item.id and not one.again  # and so are its alerts
    for known in [] if new else await tx.alerts.get([id_]):
        if dropped or known.state is not AlertState.DROPPED or known.reason not in BASELINES:
            return Reason.COPY, 0
    alert = Alert(
        id=id_,
        rule=rule.id,
        story=story.id,
        item=one.item.id,
        state=decision.state,
        reason=decision.reason,
        created_at=now,
        spans=match.spans,
        # Only now: most matches are of copies, of which no alert comes.
        explanation=why(rule, one),
        note=one.note,
    )
    if not await tx.alerts.add(alert) and (dropped or not await tx.alerts.revive(alert, BASELINES)):
        return Reason.COPY, 0
    if decision.state is AlertState.WAITING:
        await place(tx, services, rule, alert.id, story, decision.kind, now)
    return decision.reason, int(not dropped)
