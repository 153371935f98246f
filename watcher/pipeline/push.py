"""PUSH: take what a hub sends of a feed as if a poll had brought it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from watcher import log
from watcher.errors import ParseError
from watcher.model import Item, SourceState, Subscription
from watcher.pipeline.judge import Judged
from watcher.pipeline.keep import BATCH, keep_judged
from watcher.pipeline.poll import complete, sift
from watcher.pipeline.services import Counts, Services
from watcher.pipeline.update import Renewed, changed_items, keep_renewed, look
from watcher.sources import Poll
from watcher.sources.feed import Feed
from watcher.sources.hub import is_signed
from watcher.sources.reading import Reading, reading
from watcher.store import Tx

logger = log.get("websub")


async def push(services: Services, known: Subscription, body: bytes, content_type: str, signature: str) -> Counts:
    """Keep and judge what is new in `body`; it is durable when this returns.

    Nothing comes of a body that is not signed as it must be. What cannot be read, and what may be a new beginning, is
    left to a poll, which is due at once then.
    """
    if not is_signed(known.secret, signature, body):
        logger.warning("what was pushed is not signed by the hub: ignored", source=known.id, hub=known.hub)
        return Counts()
    source = services.sources.get(known.id)
    async with services.store.read() as tx:
        state = await tx.sources.get(known.id)
    if not isinstance(source, Feed) or state is None:
        return Counts()
    try:
        got = await source.pushed(body, content_type, state, services.tools)
    except ParseError as error:
        logger.debug("pushed, and polled instead", source=source.name, why=str(error))
        return await _poll_instead(services, known)
    return await _keep(services, known, source, state, got)


async def _keep(services: Services, known: Subscription, source: Feed, state: SourceState, got: Poll) -> Counts:
    store = services.store
    now = store.now()
    async with store.read() as tx:
        there = await tx.versions.given(got.ids)
    new = [item for item in got.items if item.id not in there]
    fresh = await services.pace.map(lambda item: complete(item, source), new)
    how = reading(state, got, fresh, now)
    if how.baseline:
        return await _poll_instead(services, known)
    oldest = now - (source.max_age or services.config.settings.max_age)
    waiting, judged = await sift(services, source, fresh, Reading.NEWS, oldest)  # a part of the feed is no gap
    changed = changed_items(got.items, there)
    renewed = await look(services, source, changed, baseline=False, oldest=oldest, now=now)
    batches = [judged[at : at + BATCH] for at in range(0, max(len(judged), 1), BATCH)]
    counts = Counts()
    for number, batch in enumerate(batches):
        first, again = (waiting, renewed) if number == 0 else ([], [])
        work = partial(_write, services, known, first, batch, again)
        counts += await store.write(work, ingest=bool(batch or again))
    logger.info("pushed", source=source.name, new=counts.new_items, to_read=len(waiting), alerts=counts.alerts)
    return counts


async def _write(
    services: Services,
    known: Subscription,
    waiting: Sequence[Item],
    judged: Sequence[Judged],
    renewed: Sequence[Renewed],
    tx: Tx,
) -> Counts:
    added = await tx.items.add(waiting, now=tx.now, baseline=False, read_at=tx.now)
    counts = await keep_renewed(tx, services, renewed, tx.now) + Counts(new_items=len(added))
    counts += Counts.total(await keep_judged(tx, services, [judged]))
    await tx.sources.pushed(known.id, counts.new_items)
    await tx.subscriptions.pushed(known)
    return counts


async def _poll_instead(services: Services, known: Subscription) -> Counts:
    """Rely on the hub for no more than a hint: a poll that is under way may have come too early."""

    async def work(tx: Tx) -> None:
        await tx.subscriptions.distrust(known.id)
        await tx.sources.hasten({known.id: tx.now})

    await services.store.write(work)
    return Counts()
