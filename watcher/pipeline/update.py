"""What a source says anew of an item that is known: rules that match it now, and updates of what was told of it.

The text that an alert told stays as it was. A later one is a version, an item row of its own beside it, and is kept
where something is told of it; where nothing was ever told of an item, it simply says what it says now.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from watcher.model import Alert, AlertState, Claim, Item, Reason, Update, WaitingItem, derive_id
from watcher.pipeline.judge import Judged, judge, record, why
from watcher.pipeline.placing import place
from watcher.pipeline.services import Counts, Services
from watcher.query import Document
from watcher.sources import Source
from watcher.store import StoredItem, Tx, given_hash
from watcher.store.versions import Given
from watcher.stories.change import Change, change
from watcher.stories.edits import edits
from watcher.text.urls import canonical

NO_LONGER = "the rule does not match the text as it is now"


@dataclass(frozen=True, slots=True)
class Heard:
    """Who is told of changes of an item: alerts that told it, each with how an update of it is told."""

    alerts: tuple[tuple[Alert, str], ...] = ()
    told: bool = False  # there is an alert that shows the item's text, whatever became of it


@dataclass(frozen=True, slots=True)
class Renewed:
    """A known item as its source gives it now."""

    first: StoredItem
    given: str  # what its source gives, hashed
    item: Item | None = None  # as it is to be kept: the item itself, or a version of it; None: nothing is to be kept
    is_version: bool = False
    to_read: bool = False  # a version whose article is to be fetched again before it is judged
    headline: str | None = None  # the title now, where another one was told
    judged: Judged | None = None  # with the rules that match now and did not before
    spoken: Judged | None = None  # with all that match now
    change: Change | None = None
    before: Item | None = None  # what was told last
    heard: Heard = Heard()


async def look(
    services: Services, source: Source, items: Sequence[Item], *, baseline: bool, oldest: float, now: float
) -> list[Renewed]:
    """Compare items that are known, and that their source gives with another text, with what is kept of them.

    Writes nothing. Items published, or undated ones first seen, before `oldest` are no news whatever they say.
    """
    if not items:
        return []
    families, alerts = await _kept(services, [item.id for item in items])
    return await services.pace.map(
        lambda item: _renewed(
            services, source, item, families[item.id], alerts, baseline=baseline, oldest=oldest, now=now
        ),
        [item for item in items if families.get(item.id)],
    )


async def _kept(services: Services, ids: Sequence[str]) -> tuple[dict[str, list[StoredItem]], list[Alert]]:
    async with services.store.read() as tx:
        families = await tx.versions.families(ids)
        return families, await tx.alerts.of_items([one.item.id for family in families.values() for one in family])


def _renewed(
    services: Services,
    source: Source,
    item: Item,
    family: Sequence[StoredItem],
    alerts: Sequence[Alert],
    *,
    baseline: bool,
    oldest: float,
    now: float,
) -> Renewed:
    first, given = family[0], given_hash(item)
    known = [one for one in family if one.judged_on is not None]
    if not known:  # it still waits for its article
        return Renewed(first, given, _merged(first.item, item, "feed"))
    dated = first.first_seen if first.item.published is None else first.item.published
    kept_until = first.first_seen + services.config.settings.retention.text
    if dated < oldest or now > kept_until:
        return Renewed(first, given)
    heard = _heard(services, source, {one.item.id for one in family}, alerts)
    latest = known[-1]
    text = _merged(latest.item, item, latest.judged_on)
    if not heard.told:
        return _judged(services, source, Renewed(first, given, text), latest, baseline=baseline, oldest=oldest)
    version = replace(text, id=derive_id("version", first.item.id, given))
    headline = item.title if item.title and item.title != first.item.title else None
    bare = Renewed(first, given, headline=headline, heard=heard)
    if any(one.item.id == version.id for one in family):  # it said so before
        return bare
    renewed = replace(bare, item=version, is_version=True)
    if heard.alerts and latest.judged_on == "article" and item.url and source.full_text != "never":
        asked = replace(
            item, id=version.id, title=text.title, outlet=text.outlet, lang=text.lang, published=text.published
        )
        return replace(renewed, item=asked, to_read=True)
    return _judged(services, source, renewed, latest, baseline=baseline, oldest=oldest)


def _merged(kept: Item, item: Item, judged_on: str | None) -> Item:
    """`item` as it is to be kept: of a text that is the article's, or that is not given this time, the kept one."""
    said = replace(
        kept,
        title=item.title or kept.title,
        summary=item.summary or kept.summary,
        author=item.author or kept.author,
        tags=item.tags,
    )
    if judged_on == "article" or not (item.summary or item.body):
        return said
    return replace(said, summary=item.summary, body=item.body)


def _heard(services: Services, source: Source, ids: Collection[str], alerts: Sequence[Alert]) -> Heard:
    own = [alert for alert in alerts if alert.item in ids]
    asked = []
    for alert in own:
        rule = services.rules.get(alert.rule)
        how = (rule.on_update or source.on_update) if rule is not None else "ignore"
        if alert.update is None and alert.state in (AlertState.WAITING, AlertState.TOLD) and how != "ignore":
            asked.append((alert, how))
    return Heard(tuple(asked), bool(own))


def _judged(
    services: Services, source: Source, renewed: Renewed, latest: StoredItem, *, baseline: bool, oldest: float
) -> Renewed:
    """With what the rules say of its text and what of it is a change of substance; a version only if there is any."""
    assert renewed.item is not None
    article = latest.judged_on == "article"
    now = judge(services, source, renewed.item, baseline=baseline, oldest=oldest, article=article, again=True)
    names = frozenset(match.rule for match in now.matches)
    before = services.config.ruleset.names(Document.of(latest.item, source.tags)) if names else ()
    fresh = names.difference(before)
    changed = change(latest.item, renewed.item) if renewed.heard.alerts else None
    if renewed.is_version and not fresh and changed is None:
        return replace(renewed, item=None)
    only_fresh = replace(now, matches=tuple(match for match in now.matches if match.rule in fresh))
    return replace(renewed, judged=only_fresh, spoken=now, change=changed, before=latest.item)


async def keep_renewed(tx: Tx, services: Services, renewed: Sequence[Renewed], now: float) -> Counts:
    """Write down what `look` found, with the alerts that follow, in the caller's transaction."""
    counts = Counts()
    for one in renewed:
        counts += await _keep(tx, services, one, now)
    await tx.versions.remember({one.first.item.id: one.given for one in renewed})
    return counts


async def _keep(tx: Tx, services: Services, one: Renewed, now: float) -> Counts:
    first = one.first
    if one.heard.told and one.headline != first.headline:
        await tx.versions.retitle(first.item.id, one.headline)
    if one.item is None:
        return Counts()
    if one.is_version:
        read_at = now if one.to_read else None
        if not await tx.versions.add(one.item, first.item.id, first.story, now=now, read_at=read_at) or one.to_read:
            return Counts()
        return await _tell(tx, services, one, now)
    await tx.versions.replace(one.item, unread=one.judged is None)
    if one.judged is None:
        return Counts()
    if one.judged.matches or first.story is None:
        return await record(tx, services, [one.judged], now)
    story = await tx.stories.of_item(first.item.id)
    if story is not None and story.first_item == first.item.id:
        await tx.stories.replace_hashes(story.id, one.judged.hashes)
    return Counts()


async def _tell(tx: Tx, services: Services, one: Renewed, now: float) -> Counts:
    """The alerts of rules that match a version and did not match before, and the updates of what was told."""
    assert one.judged is not None and one.spoken is not None and one.item is not None and one.before is not None
    counts = Counts()
    if one.judged.matches:
        counts += await record(tx, services, [one.judged], now)
    if one.change is None:
        return counts
    said = _Said(one.before, one.item, one.change, one.spoken)
    return counts + await _tell_updates(tx, services, said, one.heard.alerts, now)


@dataclass(frozen=True, slots=True)
class _Said:
    """A change of substance: what was told last, the item as it is now, and what the rules say of it."""

    before: Item
    item: Item
    change: Change
    judged: Judged


async def _tell_updates(
    tx: Tx, services: Services, said: _Said, alerts: Sequence[tuple[Alert, str]], now: float
) -> Counts:
    """An update of each of `alerts`, in the way that comes with it; none that was told before.

    What still waits for the first look's message is told there as it is now, or its update would come before it.
    """
    matches = {match.rule: match for match in said.judged.matches}
    stories = await tx.stories.get({alert.story for alert, _ in alerts})
    shown = edits(said.before, said.item, said.change.detail)
    counts = Counts()
    for alert, how in alerts:
        match, story, rule = matches.get(alert.rule), stories.get(alert.story), services.rules.get(alert.rule)
        if rule is None:  # removed by a reload meanwhile
            continue
        update = Alert(
            id=derive_id("alert", alert.rule, alert.story, "update", said.item.id),
            rule=alert.rule,
            story=alert.story,
            item=said.item.id,
            state=AlertState.WAITING,
            reason=Reason.UPDATED,
            created_at=now,
            spans=match.spans if match else (),
            note="" if match else NO_LONGER,
            explanation=why(rule, said.judged) if match else None,
            update=Update(alert.id, how, said.change.detail, shown),
        )
        if match and await tx.alerts.restate(alert.id, update):
            continue
        if story is not None and await tx.alerts.add(update):
            await place(tx, services, rule, update.id, story, "alert", now)
            counts += Counts(alerts=1)
    return counts


async def at_known_addresses(
    tx: Tx, services: Services, source: Source, judged: Sequence[Judged], now: float
) -> Counts:
    """Updates by items that came under a new id at the address of one that was told, and that are in its story.

    Some feeds give an edited entry a new guid.
    """
    counts = Counts()
    if all((how or source.on_update) == "ignore" for how in services.on_update):
        return counts
    for one in judged:
        story = await tx.stories.of_item(one.item.id) if one.item.url and not one.too_old else None
        if story is None or story.first_item == one.item.id:
            continue
        alerts = (await tx.alerts.list(story=story.id))[::-1]
        family = await tx.items.get({alert.item for alert in alerts})
        here = {id_: item for id_, item in family.items() if _same_address(item, one.item)}
        last = next((alert.item for alert in reversed(alerts) if alert.item in here), None)
        changed = change(here[last], one.item) if last is not None else None
        if last is not None and changed is not None:
            heard = _heard(services, source, set(here), alerts)
            counts += await _tell_updates(tx, services, _Said(here[last], one.item, changed, one), heard.alerts, now)
    return counts


def _same_address(one: Item, other: Item) -> bool:
    return one.id != other.id and one.source == other.source and canonical(one.url) == canonical(other.url)


async def read_again(
    services: Services, claim: Claim[WaitingItem], source: Source, item: Item | None, text_hash: str | None = None
) -> Counts:
    """Judge a version by its article, `item`, or by its entry where there is none; forget it if it says nothing new."""
    of, now = claim.row.version_of, services.store.now()
    families, alerts = await _kept(services, [of])
    family = [one for one in families.get(of, []) if one.item.id != claim.id and one.judged_on is not None]
    renewed = None
    if family:
        heard = _heard(services, source, {one.item.id for one in family}, alerts)
        by_entry = replace(_merged(family[-1].item, claim.row.item, "article"), id=claim.id)
        bare = Renewed(family[0], "", item or by_entry, is_version=True, heard=heard)
        renewed = _judged(services, source, bare, family[-1], baseline=False, oldest=float("-inf"))

    async def work(tx: Tx) -> Counts:
        if renewed is None or renewed.item is None:
            await tx.versions.forget(claim)
            return Counts()
        await tx.items.read(claim, renewed.item, text_hash)
        await tx.items.judged(claim.id, renewed.first.story, Reason.UPDATED, "article")
        return await _tell(tx, services, renewed, now)

    return await services.store.write(work, ingest=True)


def changed_items(items: Sequence[Item], given: Mapping[str, Given]) -> list[Item]:
    """Of the items of a poll, those that are known and may say something else than what is remembered, `given`.

    None is remembered of what was kept before it was; that is compared in full, once.
    """
    return [item for item in items if item.id in given and given[item.id].hash != given_hash(item)]
