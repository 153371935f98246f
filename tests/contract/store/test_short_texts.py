"""Texts under 150 words, which keep all their hashes and are filed under some: copies are found on both engines."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.clock import FakeClock
from tests.newsroom import configured, ingest, newsroom, words
from watcher.model import Item
from watcher.store import Store
from watcher.store.nearby import COMMON, FILED, filed, telling
from watcher.store.tables import shingle
from watcher.stories.shingles import at_one_level, signature


def text(number: int) -> list[str]:
    """50 to 149 words."""
    return words(number, 50 + number * 7 % 100)


def item(id_: str, outlet: str, said: list[str], title: str = "") -> Item:
    site = f"{outlet}.example"
    title = title or f"{id_} {' '.join(said[3:6])}"  # no two share one
    return Item(id_, site, title, body=f"{' '.join(said)}.", outlet=site, url=f"https://{site}/{id_}")


def edited(said: list[str], share: float, rng: random.Random) -> list[str]:
    return [word if rng.random() > share else word[::-1] + "x" for word in said]


async def of_item(store: Store) -> dict[str, str]:
    async with store.read() as tx:
        return {one.id: each.story.id for each in await tx.stories.list(5000) for one in each.items}


@pytest.mark.parametrize("backwards", [False, True], ids=["whole first", "cut first"])
async def test_copies_of_short_texts_are_found(store: Store, clock: FakeClock, tmp_path: Path, backwards: bool) -> None:
    services, rng = newsroom(configured(tmp_path), store, clock), random.Random(3)
    originals = [item(f"{number} whole", "agency", text(number)) for number in range(60)]
    copies = [item(f"{number} cut", "herald", text(number)[: len(text(number)) * 6 // 10]) for number in range(60)]
    if not backwards:  # the cut and the edited one alone would be too unlike
        for number in range(60):
            title = f"{number} as it was {' '.join(text(number)[3:6])}"
            copies.append(item(f"{number} edited", "courier", edited(text(number), 0.1, rng), title))
    first, second = (copies, originals) if backwards else (originals, copies)
    for at in range(0, len(first), 5):
        await ingest(services, *first[at : at + 5])
    await ingest(services, *second)
    found = await of_item(store)
    assert not [id_ for id_ in found if found[id_] != found[f"{id_.split()[0]} whole"]]
    assert len(set(found.values())) == 60


@pytest.mark.parametrize("size", [145, 220])
async def test_what_many_texts_begin_with_makes_no_copies(
    store: Store, clock: FakeClock, tmp_path: Path, size: int
) -> None:
    """A hash of it is known to be shared only where it is filed; the others must not make up for the text's own."""
    services, intro = newsroom(configured(tmp_path), store, clock), words(999, 60)
    for number in range(COMMON + 5):
        await ingest(services, item(f"ad {number}", f"outlet{number}", [*intro, *words(number, size - 60)]))
    for number, outlet in enumerate(("north", "south")):  # each finds the other by its title
        report = item(outlet, outlet, [*intro, *words(1000 + number, 20)])
        await ingest(services, replace(report, title="What the market said today about wheat"))
    found = await of_item(store)
    assert found["north"] != found["south"]


async def test_a_short_text_has_no_more_rows_than_a_long_one(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    await ingest(newsroom(configured(tmp_path), store, clock), item("one", "north", words(1, 149)))
    async with store.read() as tx:
        [row] = await tx.stories._rows(select(func.count().label("rows")).select_from(shingle))
    assert FILED <= row.rows < 2 * FILED


def test_few_hashes_are_filed_under_all() -> None:
    few = frozenset(range(-15, 16))
    assert filed(few) == few
    assert filed(range(1000)) == frozenset(range(0, 1000, 8))


def test_where_much_is_common_only_what_can_be_known_to_be_so_is_compared() -> None:
    whole = frozenset(range(-80, 80))
    assert telling(whole, {1000}) == whole
    assert telling(whole, {0, 8}) == whole - {0, 8}
    assert telling(whole, frozenset(range(0, 80, 8))) == frozenset(range(-80, 0, 8))
    assert telling(whole, frozenset(range(0, 80, 2))) == frozenset(range(-80, 0, 2))
    assert telling(whole, frozenset(range(80))) == frozenset(range(-80, 0))


@pytest.mark.parametrize("step", [1, 2, 4, 8])
def test_signatures_are_compared_at_the_coarser_level(step: int) -> None:
    whole = signature(" ".join(words(1, 140)))
    part = frozenset(value for value in whole if value % step == 0)
    for mine, theirs in (at_one_level(whole, part), reversed(at_one_level(part, whole))):
        assert mine == theirs == part
