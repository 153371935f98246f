"""What is told of the sources' health, by the real pipeline over a real site."""

import email.utils

from tests.pipelines import DAY, HOUR
from watcher.model import DeliveryState
from watcher.pipeline import heartbeat

NOW = 1_800_000_000.0


def feed(*guids: object, age: float = HOUR) -> bytes:
    date = email.utils.formatdate(NOW - age)
    items = "".join(f"<item><guid>{g}</guid><title>Piece {g}</title><pubDate>{date}</pubDate></item>" for g in guids)
    return f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>".encode()


def configuration(site, *names: str, more: str = "") -> str:
    sources = "\n".join(
        f"  {name}: {{feed: '{site.url}/{name}', full_text: never, first_poll: silent}}" for name in names
    )
    return f"""
settings:
  store: sqlite:///w.db
  fetch: {{host_gap: 0s}}
  health: {{notify: [ops]{more}}}
channels:
  ops: {{url: "json://127.0.0.1:9/ops"}}
sources:
{sources}
"""


async def test_a_dead_source_is_told_once_and_its_recovery_once(serve, start, ok) -> None:
    pages = {"/a": ok(feed(1)), "/b": ok(feed(2))}
    site = await serve(pages)
    pipeline = await start(configuration(site, "a", "b"))
    await pipeline.poll_all()
    assert await pipeline.checkup() == []
    pages["/a"] = ok(status="410 Gone")
    await pipeline.poll_all()
    [message] = await pipeline.checkup()
    assert (message.channel, message.state, message.message.title) == ("ops", DeliveryState.PENDING, "watcher: a gone")
    assert "gone for good" in message.message.body and "/a" in message.message.body
    assert await pipeline.checkup() == []

    pages["/c"] = ok(feed(1))
    await pipeline.reload(configuration(site, "a", "b").replace("/a'", "/c'"))
    await pipeline.poll_all()
    [message] = await pipeline.checkup()
    assert message.message.title == "watcher: a is well again"
    assert await pipeline.checkup() == []


async def test_many_at_once_are_one_message_and_what_fails_shortly_is_none(serve, start, ok) -> None:
    names = [f"s{n}" for n in range(40)]
    pages = {f"/{name}": ok(feed(*(f"{name}-{n}" for n in range(4)))) for name in names}
    site = await serve(pages)
    pipeline = await start(configuration(site, *names))
    await pipeline.poll_all()
    pages.clear()
    pages["/s0"] = ok(feed("s0-1"))
    await pipeline.poll_all()
    assert await pipeline.checkup() == []
    pipeline.clock.time += 7 * HOUR
    await pipeline.poll_all()
    [message] = await pipeline.checkup()
    assert message.message.title == "watcher: 39 need a look"
    assert message.message.body.count("failing") == 12 and "and 27 more" in message.message.body


async def test_what_is_not_urgent_comes_once_a_day(serve, start, ok) -> None:
    pages = {"/a": ok(feed(*range(20)))}
    site = await serve(pages)
    pipeline = await start(configuration(site, "a"))
    await pipeline.poll_all()
    pages["/a"] = ok(feed(*range(100, 120), age=0))
    await pipeline.poll_all()
    [note] = await pipeline.notes()
    assert "items may have been missed" in note and "hours before" in note
    [message] = await pipeline.checkup()
    assert message.message.title == "watcher: notes of the day" and "missed" in message.message.body
    pages["/a"] = ok(feed(*range(200, 220), age=0))
    await pipeline.poll_all()
    assert await pipeline.checkup() == []  # it waits
    pipeline.clock.time += DAY
    assert len(await pipeline.checkup()) == 1
    assert await pipeline.notes() == []


async def test_a_feed_that_is_issued_anew_is_no_news(serve, start, ok) -> None:
    pages = {"/a": ok(feed(*range(30), age=4 * DAY))}
    site = await serve(pages)
    rule = "\nrules: {all: {query: Piece, notify: [ops]}}"
    pipeline = await start(configuration(site, "a") + rule)
    await pipeline.poll_all()
    pages["/a"] = ok(feed(*range(100, 130), age=1.5 * DAY))
    counts = await pipeline.poll_all()
    assert (counts.new_items, counts.alerts) == (30, 0)  # read as this source reads its first poll
    async with pipeline.services.store.read() as tx:
        assert {one.kind for one in await tx.groups.list()} <= {"baseline", "digest"}
        assert all(one.baseline for one in await tx.items.list(30))
    assert "re-issued whole" in (await pipeline.notes())[0]


async def test_the_heartbeat_stops_when_work_piles_up(serve, start, ok) -> None:
    site = await serve({"/a": ok(feed(1)), "/beat": ok(b"OK")})
    pipeline = await start(configuration(site, "a", more=f", heartbeat: '{site.url}/beat'"))
    await pipeline.poll_all()
    assert await heartbeat(pipeline.services)
    assert [asked.path for asked in site.asked] == ["/a", "/beat"]
    pipeline.clock.time += 12 * HOUR
    assert not await heartbeat(pipeline.services)
    assert len(site.asked) == 2
