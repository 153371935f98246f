"""A source's hours, learnt by the real pipeline from a feed that sleeps at night."""

import email.utils

from tests.pipelines import DAY, HOUR
from watcher.sources.hours import quiet

BY_DAY = range(6, 21)  # UTC


async def test_a_feed_that_sleeps_at_night_is_polled_less_then(serve, start, hands, ok) -> None:
    asked: list[float] = []

    def published() -> list[float]:
        first = int(hands.time // HOUR) - 48
        hours = (HOUR * hour + 600 for hour in range(first, first + 50))
        return [at for at in hours if at <= hands.time and at % DAY // HOUR in BY_DAY]

    async def answer(request, writer) -> None:
        asked.append(hands.time)
        items = "".join(
            f"<item><guid>{at}</guid><title>Piece {at}</title><pubDate>{email.utils.formatdate(at)}</pubDate></item>"
            for at in reversed(published())
        )
        body = f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>".encode()
        writer.write(ok(body, f'ETag: "{len(asked)}"'))

    site = await serve(answer)
    pipeline = await start(f"""
settings: {{store: sqlite:///w.db, fetch: {{host_gap: 0s}}}}
channels: {{ops: {{url: "json://127.0.0.1:9/ops"}}}}
sources: {{paper: {{feed: '{site.url}/feed', full_text: never, first_poll: silent}}}}
""")
    await pipeline.poll()
    await pipeline.day(8)
    asked.clear()
    begun = hands.time
    await pipeline.day(3)
    by_night = [at for at in asked if at % DAY // HOUR in (22, 23, 0, 1, 2, 3, 4)]
    by_day = [at for at in asked if at % DAY // HOUR in BY_DAY]
    assert hands.time - begun == 3 * DAY
    assert len(by_night) / 7 < 0.75 * len(by_day) / 15
    late = [min(at for at in asked if at >= item) - item for item in published() if item > begun and item < asked[-1]]
    assert late and max(late) < 0.7 * HOUR, "no item waits longer for it"

    [one] = await pipeline.sources()
    assert quiet(one.state.cache["hours"], hands.time) == [(21, 6)]
