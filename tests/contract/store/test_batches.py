"""Items that are recorded together get the stories, events and alerts that they get one by one, on both engines."""

import random
from pathlib import Path

from sqlalchemy import func, select

from tests.clock import FakeClock
from tests.contract.store.test_ingest import COUP, report, reprint
from tests.newsroom import configured, copy_of, ingest, newsroom, words
from watcher.model import AlertState, Item
from watcher.store import Store, Tx
from watcher.store.nearby import COMMON
from watcher.store.tables import shingle

RULES = "{all: {query: harbour}, wide: {query: Goïta, min_outlets: 3}}"


def mixed(rng: random.Random) -> list[Item]:
    """Copies of some stories, own reports of an event and copies of these, two items at one address, in any order."""
    items = [copy_of(number, copy) for number in range(6) for copy in range(5)]
    items += [
        *map(report, COUP),
        reprint("herald.example", "mirror.example"),
        reprint("courier.example", "echo.example"),
    ]
    for name in ("a", "b"):
        text, outlet = " ".join(words(500 + ord(name), 40)), f"{name}.example"
        items.append(Item(f"same-{name}", name, f"Same {name}", body=text, url="https://s.example/1", outlet=outlet))
    rng.shuffle(items)
    return items


async def outcome(store: Store) -> tuple[object, ...]:
    async with store.read() as tx:
        stories = await tx.stories.list(1000)
        alerts = await tx.alerts.list(1000)
        items = await tx.items.list(1000)
    return (
        sorted((one.story.id, one.story.event, one.story.outlets, sorted(i.id for i in one.items)) for one in stories),
        sorted((alert.id, alert.state) for alert in alerts),
        sorted((one.item.id, one.story, one.judged_on) for one in items),
    )


async def test_a_batch_is_as_one_by_one(store: Store, clock: FakeClock, tmp_path: Path, twin: Store) -> None:
    items = mixed(random.Random(5))
    for opened, batches in ((store, [items]), (twin, [[one] for one in items])):
        services = newsroom(configured(tmp_path, RULES), opened, clock)
        for batch in batches:
            await ingest(services, *batch)
    assert await outcome(store) == await outcome(twin)
    stories, alerts, _ = await outcome(store)
    assert len(stories) == 6 + 3 + 1  # type: ignore[arg-type]
    assert {state for _, state in alerts} == {AlertState.WAITING}  # type: ignore[attr-defined]


async def test_doing_a_batch_again_changes_nothing(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    services = newsroom(configured(tmp_path, RULES), store, clock)
    items = mixed(random.Random(6))
    first = await ingest(services, *items)
    before = await outcome(store)
    again = await ingest(services, *items, *items)
    assert (first.new_items, again.new_items, again.alerts) == (len(items), 0, 0)
    assert await outcome(store) == before


async def test_what_many_stories_say_is_kept_for_no_more_of_them(
    store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    """So that a look-up reads no more rows of a hash than COMMON, however many stories share it."""
    services = newsroom(configured(tmp_path, RULES), store, clock)
    footer = " ".join(words(9, 60))
    texts = [f"{' '.join(words(n + 40, 60))} {footer}" for n in range(3 * COMMON)]
    items = [Item(f"{n}", f"s{n}", f"Head {n}", body=text, outlet=f"o{n}.example") for n, text in enumerate(texts)]
    for start in range(0, len(items), 15):
        await ingest(services, *items[start : start + 15])

    async def most(tx: Tx) -> int:
        counted = select(shingle.c.hash, func.count().label("stories")).group_by(shingle.c.hash)
        return max(int(row.stories) for row in await tx.stories._rows(counted))

    assert await store.write(most) == COMMON
