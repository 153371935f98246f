"""One host with many sources, and hosts that show a wall instead of their articles."""

import asyncio

from tests.unit.pipeline.test_checkup import configuration, feed
from watcher.daemon.lane import Lane
from watcher.model import Queue
from watcher.pipeline import poll


async def test_a_host_that_hangs_holds_no_more_than_its_own_places(serve, start, ok) -> None:
    hanging, polled = asyncio.Event(), asyncio.Event()

    async def hang(asked, writer) -> None:
        await hanging.wait()
        writer.write(ok(feed(asked.path)))

    async def answer(asked, writer) -> None:
        writer.write(ok(feed(asked.path)))
        polled.set()

    slow, good = await serve(hang), await serve(answer)
    names = [f"a{n:03}" for n in range(150)]  # first in the order of names, and so of claims
    text = configuration(slow, *names) + f"  zebra: {{feed: '{good.url}/z', full_text: never}}\n"
    pipeline = await start(text)
    lane = Lane(Queue.SOURCE, poll, pipeline.services, room=20, lease=60.0)
    pump = asyncio.create_task(lane.pump())
    lane.wake()
    async with asyncio.timeout(20):
        await polled.wait()  # with only 20 places and 150 sources of a host that hangs before it
    pump.cancel()
    hanging.set()
    await lane.drain(10)
    states = {one.state.id: one for one in await pipeline.sources()}
    put_off = [one for one in states.values() if one.polled_at is None]
    assert len(put_off) > 100
    assert all(one.state.failures == 0 and one.state.next_due > pipeline.clock.time for one in put_off)
    turns = sorted(one.state.next_due for one in put_off)
    assert len(set(turns)) == len(turns)  # each has a turn of its own: they do not come back at once


PAGE = "<html><head><title>{0}</title></head><body><article><h1>{0}</h1>{1}</article></body></html>"
WORDS = "The council of the town met on Monday to speak of the bridge over the river and of what its repair will cost. "


def entry(number: int, site) -> str:
    return f"<item><guid>{number}</guid><title>Report number {number}</title><link>{site.url}/{number}</link></item>"


async def test_a_text_that_several_items_share_is_a_wall(serve, start, ok) -> None:
    pages: dict[str, bytes] = {}
    site = await serve(pages)
    wall = "".join(f"<p>{WORDS * 3}</p>" for _ in range(4))
    for number in range(4):
        pages[f"/{number}"] = ok(PAGE.format("Our offer", wall).encode(), "Content-Type: text/html")
    own = "".join(
        f"<p>{word} stood at the gate of the old mill and spoke of rain. {WORDS}</p>" for word in WORDS.split()
    )
    pages["/9"] = ok(PAGE.format("Nine", own).encode(), "Content-Type: text/html")
    items = "".join(entry(number, site) for number in (0, 1, 2, 3, 9))
    pages["/a"] = ok(f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>".encode())
    pipeline = await start(configuration(site, "a").replace("full_text: never", "full_text: always"))
    await pipeline.poll()
    await pipeline.read()
    async with pipeline.services.store.read() as tx:
        stored = {one.item.title[-1]: one for one in await tx.items.list(10)}
    walled = [number for number, one in stored.items() if one.error and "wall" in one.error]
    assert len(walled) == 2 and "9" not in walled
    assert all("the same text as" in (stored[number].error or "") and not stored[number].item.body for number in walled)
    assert "old mill" in stored["9"].item.body and stored["9"].error is None


def article(*words: str) -> bytes:
    own = "".join(f"<p>{word} stood at the gate of the old mill and spoke of rain. {WORDS}</p>" for word in words)
    return PAGE.format("The mill burns", own).encode()


async def test_a_page_that_several_sources_list_is_no_wall(serve, start, ok) -> None:
    """Each under a title of its own, and one with something in its address."""
    pages: dict[str, bytes] = {}
    site = await serve(pages)
    pages["/9"] = pages["/9?a=1"] = ok(article(*WORDS.split()), "Content-Type: text/html")
    names = ("a", "b", "c", "d", "e")
    for name in names:
        query = "?a=1" if name == "e" else ""
        item = f"<item><title>{name} says: the mill</title><link>{site.url}/9{query}</link></item>"
        pages[f"/{name}"] = ok(f"<rss version='2.0'><channel><title>t</title>{item}</channel></rss>".encode())
    pipeline = await start(configuration(site, *names).replace("full_text: never", "full_text: always"))
    await pipeline.poll()
    await pipeline.read()
    async with pipeline.services.store.read() as tx:
        stored = await tx.items.list(10)
    assert len(stored) == 5
    assert all(one.error is None and "old mill" in one.item.body for one in stored)


async def test_a_title_made_of_an_address_gives_way_to_the_article_s(serve, start, ok) -> None:
    pages: dict[str, bytes] = {}
    site = await serve(pages)
    pages["/old-mill-on-fire"] = ok(article(*WORDS.split()), "Content-Type: text/html")
    listed = f"<url><loc>{site.url}/old-mill-on-fire</loc></url>"
    pages["/a"] = ok(f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{listed}</urlset>".encode())
    text = configuration(site, "a").replace("full_text: never", "full_text: always").replace("feed:", "sitemap:")
    pipeline = await start(text)
    await pipeline.poll()
    await pipeline.read()
    async with pipeline.services.store.read() as tx:
        [one] = await tx.items.list(10)
    assert one.item.title == "The mill burns"
