"""What the rules say of an item, and what follows: story, alerts, groups; all in the caller's one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from watcher.alerting import decide
from watcher.config import Rule
from watcher.model import Alert, AlertState, Coverage, Item, Match, Reason, Story, derive_id
from watcher.pipeline.placing import place, reach, release_held
from watcher.pipeline.services import Counts, Services
from watcher.pipeline.stories import grown_keys, place_all
from watcher.query import Document, explain
from watcher.sources import Source
from watcher.store import Tx
from watcher.store.items import Became
from watcher.stories import Outline, outline, signature_of

TOGETHER = 16_000  # characters matched at once on the event loop: 5 ms where no word of them was met before
BASELINES = (Reason.SILENT_BASELINE, Reason.UNDATED_BASELINE)  # what they drop does not block what comes later


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
    return _with(bare, services.config.ruleset.match(Document.of(item, source.tags), names))


async def judge_all(
    services: Services, source: Source, items: Sequence[Item], *, baseline: bool, oldest: float
) -> list[Judged]:
    """`judge` of each of many items on what the feed gave, in their order, at a pace that leaves the loop its turns."""

    def bare(item: Item) -> Judged:
        return Judged(item, source, (), frozenset(), baseline, oldest, article=False)

    def judged(item: Item) -> Judged:
        one = bare(item)
        return one if one.too_old else _with(one, next(matches))

    documents = (Document.of(item, source.tags) for item in items if not bare(item).too_old)
    matches = services.config.ruleset.match_all(documents, services.config.rules_for(source), most=TOGETHER)
    return await services.pace.map(judged, items)


def _with(bare: Judged, matches: Sequence[Match]) -> Judged:
    item = bare.item
    return replace(bare, matches=tuple(matches), hashes=signature_of(item), outline=outline(item))


def why(rule: Rule, one: Judged) -> dict[str, Any]:
    """Why `rule` holds for a judged item, as an alert keeps it."""
    return explain(rule.node, Document.of(one.item, one.source.tags)).tree.to_json()


async def record_new(tx: Tx, services: Services, judged: Sequence[Judged], now: float) -> dict[str, Counts]:
    """Keep those of the judged items that are not known, with what became of them, and record what follows.

    What came of each of these, by its id.
    """
    known = await tx.items.known([one.item.id for one in judged])
    fresh = {one.item.id: one for one in judged if one.item.id not in known}
    counts, became = await _record(tx, services, list(fresh.values()), now)
    for baseline in (False, True):
        items = [one.item for one in fresh.values() if one.baseline == baseline]
        added = await tx.items.add(items, now=now, baseline=baseline, read_at=None, became=became)
        counts |= {id_: counts[id_] + Counts(new_items=1) for id_ in added}
    return counts


async def record(tx: Tx, services: Services, judged: Sequence[Judged], now: float) -> Counts:
    """Give each judged item its story, make the alerts that follow, and put them into their channels' groups."""
    counts, became = await _record(tx, services, judged, now)
    await tx.items.judged_all(became)
    return Counts.total(counts.values())


async def _record(
    tx: Tx, services: Services, judged: Sequence[Judged], now: float
) -> tuple[dict[str, Counts], dict[str, Became]]:
    counts: dict[str, Counts] = {}
    placed = await place_all(tx, [one for one in judged if not one.too_old], now)
    if keys := grown_keys(placed):  # what was told is in one more outlet
        await tx.groups.grown(services.config.channels, keys)
    became: dict[str, Became] = {}
    for one in judged:
        id_ = one.item.id
        if one.too_old:  # kept so that it is known, and told to nobody
            counts[id_], became[id_] = Counts(), Became(None, Reason.TOO_OLD, "feed")
            continue
        story = placed[id_].story
        rules = [(match, rule) for match in one.matches if (rule := services.rules.get(match.rule)) is not None]
        covered = await reach(tx, story.event) if any(rule.min_outlets > 1 for _, rule in rules) else None
        reason, alerts = Reason.NO_MATCH, 0
        for match, rule in rules:
            reason, made = await _alert(tx, services, rule, match, one, story, covered, now)
            alerts += made
        if placed[id_].grown:
            await release_held(tx, services, story.event, "baseline" if one.baseline else "alert", now)
        became[id_] = Became(story.id, reason, "article" if one.article else "feed")
        counts[id_] = Counts(matched=int(bool(one.matches)), alerts=alerts)
    return counts, became


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
    new = story.first_item == one.item.id and not one.again  # and so are its alerts
    decision = decide.alert(
        published=one.item.published,
        oldest=one.oldest,
        baseline=one.baseline,
        first_poll=one.source.first_poll,
        outlets=covered.outlets if covered is not None else len(story.outlets),
        min_outlets=rule.min_outlets,
        copies=len(story.outlets),
        min_copies=rule.min_copies,
        sight=Reason.FIRST_SIGHT if new else Reason.LATER_TEXT if one.again else Reason.MATCHING_COPY,
    )
    id_, dropped = derive_id("alert", rule.id, story.id), decision.state is AlertState.DROPPED
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
