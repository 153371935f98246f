"""What a source still lists outlives retention: it would be news again."""

import email.utils

from tests.pipelines import DAY, HOUR
from tests.unit.pipeline.test_checkup import configuration
from watcher.store.retention import UNLISTED


def entry(guid: str, at: float) -> str:
    date = email.utils.formatdate(at)
    return f"<item><guid>{guid}</guid><title>Piece {guid}</title><pubDate>{date}</pubDate></item>"


async def test_an_item_that_stays_in_a_busy_feed_is_seen_to_be_listed(serve, start, hands, ok) -> None:
    """Only the new entries of such a feed are parsed and looked up; the old ones are noted some times a day."""

    fixed = entry("fixed", hands.time - 90 * DAY)

    async def answer(request, writer) -> None:
        now = int(hands.time // HOUR)
        entries = [fixed]
        entries += [entry(f"hour {hour}", HOUR * hour) for hour in range(now - 3, now)]
        writer.write(ok(f"<rss version='2.0'><channel><title>t</title>{''.join(entries)}</channel></rss>".encode()))

    site = await serve(answer)
    pipeline = await start(configuration(site, "a"))
    await pipeline.poll()
    await pipeline.day(UNLISTED / DAY + 2)
    store = pipeline.services.store
    async with store.read() as tx:
        stored = {one.item.key: one for one in await tx.items.list(1000)}
    assert len(stored) > 40
    assert stored["fixed"].last_listed >= hands.time - 8 * HOUR
    await store.write(lambda tx: tx.purge(tx.now, text=DAY, items=2 * DAY, deliveries=DAY))
    async with store.read() as tx:
        left = {one.item.key for one in await tx.items.list(1000)}
    assert "fixed" in left and len(left) < len(stored)
