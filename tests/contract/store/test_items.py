from dataclasses import replace

from tests.clock import START, FakeClock
from tests.contract.store.make import item
from watcher.model import Item, Queue, Reason
from watcher.store import Store, Tx

FULL = Item(
    id="full",
    source="wire",
    title="Überschrift 标题",
    summary="Zusammenfassung",
    body="Erster Absatz.\n\nZweiter 🌍.",
    author="A. Author",
    url="https://example.org/a?b=c",
    outlet="example.org",
    lang="de",
    tags=("one", "two"),
    published=START - 0.125,
    key="guid",
    site="example.org",
)


async def add(
    store: Store, *items: Item, now: float = START, baseline: bool = False, read_at: float | None = None
) -> set[str]:
    return await store.write(lambda tx: tx.items.add(items, now=now, baseline=baseline, read_at=read_at))


async def test_an_item_comes_back_as_it_went_in(store: Store) -> None:
    assert await add(store, FULL) == {"full"}
    async with store.read() as tx:
        assert await tx.items.get(["full", "absent"]) == {"full": FULL}


async def test_only_new_items_are_added(store: Store) -> None:
    assert await add(store, item("a"), item("b")) == {"a", "b"}
    assert await add(store, item("b", title="Another"), item("c"), item("c")) == {"c"}
    assert await add(store) == set()
    async with store.read() as tx:
        assert await tx.items.known(["a", "b", "c", "d"]) == {"a", "b", "c"}
        assert await tx.items.known([]) == set()
        assert (await tx.items.get(["b"]))["b"].title == "Title b"


async def test_thousands_at_once(store: Store) -> None:
    names = [f"item {n}" for n in range(3000)]
    assert await add(store, *(item(name) for name in names)) == set(names)
    async with store.read() as tx:
        assert await tx.items.known([*names, "absent"]) == set(names)


async def test_text_that_an_engine_would_refuse_is_kept_without_it(store: Store) -> None:
    await add(store, item("a", title="nul \0 and \ud800 lone", tags=("\0",)))
    async with store.read() as tx:
        kept = (await tx.items.get(["a"]))["a"]
    assert kept.title == "nul  and ? lone"


async def test_an_article_is_read_when_it_is_due(store: Store, clock: FakeClock) -> None:
    await add(store, item("waits"), read_at=START + 10, baseline=True)
    await add(store, item("waits not"))
    assert await store.claim(Queue.ITEM, 10, 60) == []
    clock.advance(10)
    [claim] = await store.claim(Queue.ITEM, 10, 60)
    waiting = claim.row
    assert (waiting.item, waiting.first_seen, waiting.attempts) == (item("waits"), START, 0)
    assert (waiting.baseline, waiting.judged) == (True, False)

    await store.write(lambda tx: tx.items.postpone(claim, START + 70, "no route"))
    await store.write(lambda tx: tx.items.judged("waits", None, Reason.FEED_TEXT_FOR_NOW, "feed"))
    clock.advance(60)
    [claim] = await store.claim(Queue.ITEM, 10, 60)
    assert (claim.row.attempts, claim.row.judged) == (1, True)

    article = replace(item("waits"), body="The article.", author="Someone", lang="en")
    await store.write(lambda tx: tx.items.read(claim, article))
    await store.write(lambda tx: tx.items.judged("waits", "story", Reason.FIRST_SIGHT, "article"))
    async with store.read() as tx:
        stored = await tx.items.stored("waits")
        assert await tx.items.stored("absent") is None
    assert stored is not None
    assert (stored.item, stored.read_at, stored.error) == (article, None, None)
    assert (stored.story, stored.reason, stored.judged_on) == ("story", Reason.FIRST_SIGHT, "article")
    assert await store.next_due() is None


async def test_the_newest_come_first(store: Store) -> None:
    for n in range(4):
        await add(store, item(f"item {n}", source="even" if n % 2 == 0 else "odd"), now=START + n)
    async with store.read() as tx:
        assert [one.item.id for one in await tx.items.list(2)] == ["item 3", "item 2"]
        assert [one.item.id for one in await tx.items.list(since=START + 2)] == ["item 3", "item 2"]
        assert [one.item.id for one in await tx.items.list(before=START + 2)] == ["item 1", "item 0"]
        assert [one.item.id for one in await tx.items.list(source="even")] == ["item 2", "item 0"]
        assert await tx.items.list(story="absent") == []


async def test_texts_stream_every_item_once_oldest_first(store: Store) -> None:
    names = [f"item {n:04}" for n in range(1201)]
    for start in (0, 600):
        await add(store, *(item(name) for name in names[start : start + 600]), now=START + start)
    await add(store, item(names[-1]), now=START + 600)
    await add(store, item("too old"), now=START - 1)
    async with store.read() as tx:
        assert [one.item.id async for one in tx.items.texts(START)] == names


async def test_what_a_feed_says_anew_does_not_replace_an_article_that_came_meanwhile(store: Store) -> None:
    await add(store, item("a"), item("b"), read_at=START)
    claims = await store.claim(Queue.ITEM, 2, 60)
    [claim] = [one for one in claims if one.id == "a"]
    article = replace(item("a"), body="The whole article.")

    async def read(tx: Tx) -> None:
        await tx.items.read(claim, article)
        await tx.items.judged("a", None, Reason.NO_MATCH, "article")

    await store.write(read)
    for id_ in ("a", "b"):
        teaser = replace(item(id_), body="Another teaser.")
        await store.write(lambda tx, teaser=teaser: tx.versions.replace(teaser, unread=True))
    async with store.read() as tx:
        kept = await tx.items.get(["a", "b"])
    assert (kept["a"].body, kept["b"].body) == ("The whole article.", "Another teaser.")
