from tests.clock import START, FakeClock
from tests.contract.store.make import alert, item, story
from tests.stories import join_story, look_up, open_story
from watcher.model import Item, Story
from watcher.store import Store, Tx
from watcher.store.nearby import CANDIDATES, COMMON, Found
from watcher.store.packing import pack, unpack
from watcher.store.stories import LONGEST, MOST_HASHES, WINDOW

LARGE = 2**63 - 1


async def stored(
    store: Store, name: str, hashes: frozenset[int], first: Item | None = None, at: float = START
) -> Story:
    first = first or item(f"{name}-item")
    new = story(name, first.id, opened_at=at, seen_at=at, outlets=("a.example",))

    async def work(tx: Tx) -> None:
        await tx.items.add([first], now=at, baseline=False, read_at=None)
        assert await open_story(tx, new, hashes)

    await store.write(work)
    return new


async def candidates(store: Store, hashes: frozenset[int], url: str = "", since: float = START - WINDOW) -> list[str]:
    async with store.read() as tx:
        return [one.story.id for one in (await look_up(tx, url, hashes, since)).candidates]


def test_hashes_are_packed_and_unpacked() -> None:
    hashes = frozenset({0, -1, LARGE, -LARGE - 1, 42})
    assert unpack(pack(hashes)) == hashes
    assert unpack(None) == frozenset()


async def test_a_story_is_found_by_its_hashes(store: Store) -> None:
    hashes = frozenset({1, -2, LARGE, -LARGE - 1})
    opened = await stored(store, "a", hashes)
    await stored(store, "b", frozenset({7, 8}))
    async with store.read() as tx:
        [found] = (await look_up(tx, "", {LARGE, 99}, START - 1)).candidates
        assert await look_up(tx, "", {99}, START - 1) == Found()
        assert await look_up(tx, "", frozenset(), START - 1) == Found()
    assert (found.story, found.item, found.hashes, found.same_url) == (opened, item("a-item"), hashes, False)


async def test_a_story_is_found_by_the_canonical_url_of_any_of_its_items(store: Store) -> None:
    await stored(store, "a", frozenset({1, 2}))
    copy = item("copy", url="https://other.example/copy")

    async def join(tx: Tx) -> None:
        await tx.items.add([copy], now=START, baseline=False, read_at=None)
        await join_story(tx, "a", "copy", "other.example", START)

    await store.write(join)
    for url in ("https://example.org/a-item", "https://other.example/copy"):
        async with store.read() as tx:
            [found] = (await look_up(tx, url, {50}, START - 1)).candidates
        assert (found.story.id, found.same_url) == ("a", True)
    assert await candidates(store, frozenset({50}), "https://example.org/absent") == []


async def test_the_best_candidates_are_those_that_share_most(store: Store) -> None:
    for n in range(CANDIDATES + 10):  # story n shares n + 1 hashes of its own with the item
        await stored(store, f"story {n:02}", frozenset(range(100 * n, 100 * n + n + 1)))
    hashes = frozenset(h for n in range(CANDIDATES + 10) for h in range(100 * n, 100 * n + n + 1))
    assert sorted(await candidates(store, hashes)) == [f"story {n:02}" for n in range(10, CANDIDATES + 10)]


async def test_a_story_that_shares_little_is_found_only_by_a_hash_that_is_sure(store: Store) -> None:
    await stored(store, "a", frozenset({1, 2, 3, 4}))
    async with store.read() as tx:
        for hashes, least, sure, found in (
            ({1, 2, 9}, 3, (), []),
            ({1, 2, 3}, 3, (), ["a"]),
            ({4, 9}, 3, (4,), ["a"]),
            ({4, 9}, 3, (9,), []),
        ):
            looked = await look_up(tx, "", hashes, START - 1, least=least, sure=sure)
            assert [one.story.id for one in looked.candidates] == found


async def test_what_many_stories_share_finds_none_of_them(store: Store) -> None:
    boilerplate = frozenset(range(10))
    for n in range(COMMON - 1):
        await stored(store, f"story {n}", boilerplate | {1000 + n})
    async with store.read() as tx:
        assert await tx.stories.common(boilerplate | {1000}) == frozenset()
    assert len(await candidates(store, boilerplate)) == COMMON - 1
    await stored(store, "one more", boilerplate | {5000})
    await stored(store, "and more", boilerplate | {6000})
    async with store.read() as tx:
        assert await tx.stories.common(boilerplate | {1000, 77}) == boilerplate
        looked = await look_up(tx, "", boilerplate | {6000}, START - 1)
    [found] = looked.candidates
    assert looked.common == boilerplate
    assert (found.story.id, found.hashes) == ("and more", {6000})
    assert await candidates(store, boilerplate) == []


async def test_a_story_is_a_candidate_for_its_window(store: Store, clock: FakeClock) -> None:
    await stored(store, "a", frozenset({1}))
    clock.advance(WINDOW - 1)
    assert await candidates(store, frozenset({1}), since=clock.now() - WINDOW) == ["a"]
    await store.write(lambda tx: join_story(tx, "a", "a-item", "", tx.now))  # a copy moves the window on
    clock.advance(WINDOW - 1)
    assert await candidates(store, frozenset({1}), since=clock.now() - WINDOW) == ["a"]
    clock.advance(2)
    assert await candidates(store, frozenset({1}), since=clock.now() - WINDOW) == []


async def test_no_window_is_longer_than_the_longest(store: Store, clock: FakeClock) -> None:
    await stored(store, "a", frozenset({1}))
    while clock.now() < START + LONGEST - 1:
        await store.write(lambda tx: join_story(tx, "a", "a-item", "", tx.now))
        assert await candidates(store, frozenset({1}), since=clock.now() - WINDOW) == ["a"]
        clock.advance(WINDOW / 2)
    assert await candidates(store, frozenset({1}), since=clock.now() - WINDOW) == []


async def test_outlets_are_kept_once_each_in_order_of_appearance(store: Store, clock: FakeClock) -> None:
    await stored(store, "a", frozenset({1}))
    clock.advance(60)
    for outlet in ("c.example", "b.example", "a.example", "", "c.example"):
        joined = await store.write(lambda tx: join_story(tx, "a", "a-item", outlet, tx.now))  # noqa: B023
    assert joined.outlets == ("a.example", "c.example", "b.example")
    assert (joined.opened_at, joined.seen_at) == (START, START + 60)
    async with store.read() as tx:
        assert await tx.stories.get(["a", "absent"]) == {"a": joined}
        assert await tx.stories.of_item("a-item") == joined
        assert await tx.stories.of_item("absent") is None


async def test_opening_twice_is_opening_once(store: Store) -> None:
    opened = await stored(store, "a", frozenset({1, 2}))
    assert not await store.write(lambda tx: open_story(tx, opened, {8, 9}))
    assert await candidates(store, frozenset({8, 9})) == []
    assert await candidates(store, frozenset({1})) == ["a"]


async def test_the_article_s_hashes_take_the_place_of_the_feed_s(store: Store) -> None:
    await stored(store, "a", frozenset({1, 2}))
    await store.write(lambda tx: tx.stories.replace_hashes("a", {2, 3}))
    assert await candidates(store, frozenset({1})) == []
    async with store.read() as tx:
        [found] = (await look_up(tx, "", {3}, START - 1)).candidates
    assert found.hashes == {2, 3}
    await store.write(lambda tx: tx.stories.replace_hashes("absent", {2, 3}))


async def test_a_text_of_any_length_is_compared(store: Store) -> None:
    hashes = frozenset(range(MOST_HASHES * 3))
    await stored(store, "long", hashes)
    assert await candidates(store, hashes) == ["long"]


async def test_stories_are_listed_with_their_items_and_alerts(store: Store, clock: FakeClock) -> None:
    await stored(store, "old", frozenset({1}))
    await stored(store, "new", frozenset({2}), at=START + 60)

    async def more(tx: Tx) -> None:
        await tx.items.add([item("copy")], now=START + 100, baseline=False, read_at=None)
        await join_story(tx, "old", "copy", "b.example", START + 100)
        await tx.alerts.add(alert("one", rule="r1", story="old"))
        await tx.alerts.add(alert("two", rule="r2", story="old"))

    await store.write(more)
    async with store.read() as tx:
        old, new = await tx.stories.list()
        assert [one.story.id for one in await tx.stories.list(limit=1)] == ["old"]
        assert [one.story.id for one in await tx.stories.list(since=START + 61)] == ["old"]
    assert ([one.id for one in old.items], old.alerts) == (["old-item", "copy"], 2)
    assert (new.story.id, [one.id for one in new.items], new.alerts) == ("new", ["new-item"], 0)
