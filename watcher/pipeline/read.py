"""READ: fetch an item's article and judge the item with its text."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

from watcher import log
from watcher.errors import FetchError, HostBusy, ParseError
from watcher.extract import Article, read_article
from watcher.model import Claim, Item, Reason, WaitingItem
from watcher.pipeline.judge import judge, record
from watcher.pipeline.services import LATER, Counts, Services
from watcher.pipeline.update import at_known_addresses, read_again
from watcher.query import has_not
from watcher.sources import Source
from watcher.store import Tx
from watcher.text.language import detect
from watcher.text.urls import words_of

BACKOFF = (60.0, 300.0, 1800.0, 7200.0)  # after the last, the item stays judged on its feed's text
NOT_WAITS = 60.0  # how long a rule with NOT waits for the text before it judges what the feed gave
WALL = 2  # other items of a host that share an article's text

logger = log.get("read")


async def read(services: Services, claim: Claim[WaitingItem]) -> Counts:
    """Read the article of the claimed item, judge the item, and write down the result.

    An article that cannot be read now is tried again by BACKOFF; the item is then judged at once on its feed's text,
    and again when the article comes. Raises LeaseLost where another worker took the item over meanwhile.
    """
    waiting = claim.row
    source = services.sources.get(waiting.item.source)
    if source is None and await services.is_behind():
        later = services.store.now() + LATER
        await services.store.write(lambda tx: tx.items.put_off(claim, later))
        return Counts()
    if source is None:  # its source was removed: what it holds is kept, and judged by nobody
        await services.store.write(lambda tx: tx.items.read(claim, waiting.item))
        return Counts()
    try:
        article = await read_article(waiting.item.url, services.tools, source)
        text_hash = blake2b(article.text.encode("utf-8", "replace"), digest_size=16).hexdigest()
        await _refuse_wall(services, waiting.item, text_hash)
    except HostBusy as busy:
        later = services.store.now() + (busy.retry_after or 0.0)
        await services.store.write(lambda tx: tx.items.put_off(claim, later))
        return Counts()
    except (FetchError, ParseError) as error:
        return await _unread(services, claim, source, error)
    item = _with_article(waiting.item, article, source)
    if waiting.version_of:
        return await read_again(services, claim, source, item, text_hash)
    oldest = _oldest(services, source, waiting)
    [judged] = await services.pace.map(
        lambda item: judge(
            services, source, item, baseline=waiting.baseline, oldest=oldest, article=True, again=waiting.judged
        ),
        [item],
    )

    async def work(tx: Tx) -> Counts:
        await tx.items.read(claim, item, text_hash)
        now = services.store.now()
        counts = await record(tx, services, [judged], now)
        return counts if waiting.baseline else counts + await at_known_addresses(tx, services, source, [judged], now)

    counts = await services.store.write(work, ingest=True)
    logger.debug("read", source=source.name, title=item.title, alerts=counts.alerts)
    return counts


async def _refuse_wall(services: Services, item: Item, text_hash: str) -> None:
    """Raise ParseError where the article's text stands on other pages of its host under other titles."""
    async with services.store.read() as tx:
        others = await tx.items.sharing(item, text_hash)
    if others >= WALL:
        message = f"the same text as {others} other pages of {item.site}: a wall, not an article"
        raise ParseError(f"{item.url}: {message}")


async def _unread(
    services: Services, claim: Claim[WaitingItem], source: Source, error: FetchError | ParseError
) -> Counts:
    waiting, now = claim.row, services.store.now()
    again_at = now + BACKOFF[waiting.attempts] if waiting.attempts < len(BACKOFF) else None
    if waiting.version_of:
        if again_at is None:
            return await read_again(services, claim, source, None)
        later, said = again_at, str(error)
        await services.store.write(lambda tx: tx.items.postpone(claim, later, said))
        return Counts(unread=1)
    rules = None
    if again_at is not None and now - waiting.first_seen < NOT_WAITS:
        rules = [rule.id for rule in services.rules.values() if not has_not(rule.node)]
    judged = judge(
        services,
        source,
        waiting.item,
        baseline=waiting.baseline,
        oldest=_oldest(services, source, waiting),
        article=False,
        rules=rules,
        note=(Reason.FEED_TEXT if again_at is None else Reason.FEED_TEXT_FOR_NOW).value,
        again=waiting.judged,
    )

    async def work(tx: Tx) -> Counts:
        if again_at is None:
            await tx.items.read(claim, waiting.item)
        else:
            await tx.items.postpone(claim, again_at, str(error))
        return await record(tx, services, [judged], now) + Counts(unread=int(again_at is not None))

    counts = await services.store.write(work, ingest=True)
    logger.info("article not read", source=source.name, url=waiting.item.url, error=str(error), alerts=counts.alerts)
    return counts


def _oldest(services: Services, source: Source, waiting: WaitingItem) -> float:
    """The poll has decided by the item's own date, after an outage too; only the article's date is judged here."""
    if waiting.item.published is not None:
        return float("-inf")
    return waiting.first_seen - (source.max_age or services.config.settings.max_age)


def _with_article(item: Item, article: Article, source: Source) -> Item:
    """The item as its article has it; what the feed said stands where the article says less."""
    body = max(article.text, item.body, key=len)
    made_up = item.title == words_of(item.url)  # for want of one in a sitemap
    title = (article.title or item.title) if made_up else (item.title or article.title)
    lang = source.lang or detect(title, body, article.lang or item.lang)
    return replace(
        item,
        title=title,
        body=body,
        author=item.author or article.author,
        published=item.published if item.published is not None else article.published,
        lang=lang,
    )
