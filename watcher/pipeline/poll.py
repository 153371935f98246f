"""POLL: ask one source what is new, keep it, and judge what needs no article."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from watcher import log
from watcher.errors import FetchError, FetchKind, HostBusy, ParseError
from watcher.extract import wants_article
from watcher.model import Claim, Item, SourceState
from watcher.pipeline.judge import Judged, judge_all
from watcher.pipeline.keep import Finding, keep
from watcher.pipeline.outage import answered
from watcher.pipeline.services import LATER, Counts, Services
from watcher.pipeline.update import changed_items, look
from watcher.sources import Outcome, Poll, Source
from watcher.sources.base import ADOPT_AFTER
from watcher.sources.hours import learn
from watcher.sources.reading import Reading, reading
from watcher.sources.schedule import after_failure, next_due
from watcher.store import Polled, Tx, Unchanged
from watcher.store.items import LISTED_EVERY
from watcher.store.statements import lease_lost
from watcher.text.language import detect
from watcher.text.urls import has_domain, host, outlet

logger = log.get("poll")


async def poll(services: Services, claim: Claim[SourceState]) -> Counts:
    """Poll the source of `claim` once and write down the result.

    Raises LeaseLost where another worker took the source over meanwhile; nothing is written then.
    """
    source = services.sources.get(claim.id)
    if source is None:  # removed by a reload since it was claimed; the store no longer schedules it
        later = services.store.now() + LATER  # or another worker's configuration has it already
        await services.store.write(lambda tx: tx.sources.put_off(claim, later))
        return Counts()
    try:
        got = await source.poll(claim.row, services.tools)
    except HostBusy as busy:
        later = services.store.now() + (busy.retry_after or 0.0)
        await services.store.write(lambda tx: tx.sources.put_off(claim, later))
        return Counts()
    except (FetchError, ParseError) as error:
        return await _failed(services, claim, source, error)
    if claim.row.failures:
        await answered(services)
    if got.outcome is not Outcome.PARSED:
        due = next_due(source, got, services.store.now(), services.rng, relies_until=claim.row.relies_until)
        quiet = Unchanged(claim, due, got.etag, got.last_modified, got.elapsed)
        await _unchanged(services, source, quiet, got.permanent_url)
        logger.debug("unchanged", source=source.name, outcome=got.outcome.value)
        return Counts(polled=1, not_modified=1)
    async with services.judging:
        return await _parsed(services, claim, source, got)


async def _unchanged(services: Services, source: Source, poll: Unchanged, permanent_url: str | None) -> None:
    """Write down a poll without news: with many others at once, unless it counts a redirect."""
    state = poll.claim.row
    redirect_to, redirects = _redirects(source, state, permanent_url)
    if (redirect_to, redirects) == (state.redirect_to, state.redirects):
        await services.store.unchanged(poll)
        return

    async def work(tx: Tx) -> None:
        await tx.sources.redirected(poll.claim, redirect_to, redirects)
        if await tx.sources.unchanged([poll]) != [True]:
            raise lease_lost(poll.claim)

    await services.store.write(work)


async def _failed(
    services: Services, claim: Claim[SourceState], source: Source, error: FetchError | ParseError
) -> Counts:
    now = services.store.now()
    due = after_failure(source, claim.row, error, now, services.rng)
    kind = error.kind.value if isinstance(error, FetchError) else "parse"
    await services.store.write(lambda tx: tx.sources.failed(claim, due, str(error), kind, None))
    retry_in = "never: remove it or give its new address" if kind == FetchKind.GONE.value else f"{due - now:.0f}s"
    logger.warning("source failed", source=source.name, kind=kind, error=str(error), again_in=retry_in)
    return Counts(polled=1, failed=1)


async def _parsed(services: Services, claim: Claim[SourceState], source: Source, got: Poll) -> Counts:
    state, store = claim.row, services.store
    now = store.now()
    # What the source still lists is looked at a few times a day, and else only what it gives: new pieces of its feed.
    noted = state.cache.get("listed", 0.0)
    ids = got.ids
    if abs(now - noted) > LISTED_EVERY / 2:
        noted, asked = now, ids
    else:
        asked = tuple(item.id for item in got.items)
    known = await store.look(lambda tx: tx.versions.given(asked))
    max_age = source.max_age or services.config.settings.max_age
    # Counted from the last success, so that an outage is caught up with and not skipped.
    oldest = min(now, state.last_success or now) - max_age
    new = [item for item in got.items if item.id not in known]
    fresh = await services.pace.map(lambda item: complete(item, source), new)
    how = reading(state, got, fresh, now)
    since = None if how.baseline else state.last_success
    hours = learn(state.cache.get("hours"), (item.published for item in fresh), since, now)
    got = replace(got, cache=got.cache | {"hours": hours, "listed": noted})
    waiting, judged = await sift(services, source, fresh, how, oldest)
    changed = changed_items(got.items, known)
    renewed = await look(services, source, changed, baseline=how.baseline, oldest=oldest, now=now)
    redirect_to, redirects = _redirects(source, state, got.permanent_url)
    polled = Polled(
        claim,
        next_due=next_due(source, got, now, services.rng, gap=how is Reading.GAP, relies_until=state.relies_until),
        etag=got.etag,
        last_modified=got.last_modified,
        body_hash=got.body_hash,
        redirect_to=redirect_to,
        redirects=redirects,
        cache=got.cache,
        items=len(ids),
        new_items=len(fresh),
        latency=got.elapsed,
    )
    stale = [id_ for id_, one in known.items() if one.is_stale(now)]
    remark = _remark(source, state, how, now)
    counts = await keep(services, Finding(polled, how.baseline, stale, waiting, judged, renewed, remark))
    logger.info(
        "polled", source=source.name, items=len(ids), new=counts.new_items, to_read=len(waiting), alerts=counts.alerts
    )
    if how.baseline and source.first_poll == "digest" and (waiting or counts.alerts):
        logger.info("first look: what matches is told in one message, half a minute after the last", source=source.name)
    return counts


async def sift(
    services: Services, source: Source, fresh: Sequence[Item], how: Reading, oldest: float
) -> tuple[list[Item], list[Judged]]:
    """Those of the new items whose articles are to be read first, and the others, judged."""
    waiting = [i for i in fresh if i.url and _within(i, oldest) and wants_article(source.full_text, i)]
    waits = {item.id for item in waiting}
    others = [item for item in fresh if item.id not in waits]
    return waiting, await judge_all(services, source, others, baseline=how.baseline, oldest=oldest)


def _remark(source: Source, state: SourceState, how: Reading, now: float) -> str:
    """What the day's note says of such a poll; "" for the usual ones."""
    if how is Reading.GAP:
        hours = (now - (state.last_success or now)) / 3600.0
        return (
            f"{source.name}: no entry of this poll stood in the last one, {hours:.1f} hours before: items may have "
            "been missed. A shorter `max` makes it be polled more often"
        )
    if how is Reading.REISSUED:
        return f"{source.name}: the feed was re-issued whole, old items with new ids: taken as a new beginning"
    return ""


def complete(item: Item, source: Source) -> Item:
    """What the source's configuration and the text itself say of an item."""
    lang = source.lang or detect(item.title, item.body or item.summary, item.lang)
    return replace(item, lang=lang, outlet=source.outlet or _outlet(item, source))


def _outlet(item: Item, source: Source) -> str:
    """Who publishes an item, where the configuration does not say: a host without a domain is known by its source."""
    if item.outlet and (item.outlet != item.site or has_domain(item.site)):
        return item.outlet
    url = item.url or source.address
    return outlet(url) if has_domain(host(url)) else source.name


def _within(item: Item, oldest: float) -> bool:
    return item.published is None or item.published >= oldest


def _redirects(source: Source, state: SourceState, permanent_url: str | None) -> tuple[str | None, int]:
    """Where permanent redirects led, and how many polls in a row led there; what was adopted stays.

    Nothing is kept of an address with a query or a user in it: what it redirects to may repeat a secret.
    """
    parts = urlsplit(source.address)
    if parts.query or parts.username:
        return None, 0
    if permanent_url is None:
        return (state.redirect_to, state.redirects) if state.redirects >= ADOPT_AFTER else (None, 0)
    return permanent_url, state.redirects + 1 if permanent_url == state.redirect_to else 1
