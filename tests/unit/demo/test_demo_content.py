"""The demo's ground truth is true: by a reading of the texts that shares nothing with the query language."""

import re
from itertools import pairwise
from random import Random

import pytest

from watcher.demo import content, schedule
from watcher.demo.content import DONORS, SAHEL, Piece
from watcher.model import Item
from watcher.stories import group_file

PIECES = [
    content.WIRE,
    content.WIRE_TRACKED,
    content.WIRE_CUT,
    content.WIRE_AGAIN,
    content.GEOLOGY,
    content.HALVORSEN,
    *content.TRAPS,
    *content.OTHERS,
]


def has(words: str, piece: Piece) -> bool:
    return re.search(rf"\b{words}\b", "\n".join([piece.title, piece.summary, *piece.paragraphs])) is not None


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.slug)
def test_labels_say_what_the_text_says(piece: Piece) -> None:
    sahel = has("Russia", piece) and (has("Mali", piece) or has("Niger", piece) or has("Burkina Faso", piece))
    assert (SAHEL in piece.rules) is sahel
    assert (DONORS in piece.rules) is has("Halvorsen", piece)


def test_titles_are_told_apart_on_a_screen() -> None:
    by_story: dict[str, set[str]] = {}
    for piece in PIECES:
        by_story.setdefault(piece.story, set()).add(piece.title)
    for one, titles in by_story.items():
        for other, others in by_story.items():
            assert one == other or not any(a in b for a in titles for b in others)


def test_a_seed_gives_one_order_and_seeds_differ() -> None:
    assert schedule.live(Random(7)) == schedule.live(Random(7))
    assert schedule.before(Random(7)) == schedule.before(Random(7))
    assert len({tuple(release.piece.slug for release in schedule.live(Random(seed))) for seed in range(20)}) > 10


@pytest.mark.parametrize("seed", range(20))
def test_every_order_shows_what_the_demo_is_for(seed: int) -> None:
    live = schedule.live(Random(seed))
    assert all(one.at <= other.at for one, other in pairwise(live))
    copies = [release for release in live if release.piece.story == "wire"]
    assert len(copies) == 4
    assert len({release.outlet for release in copies}) == 3
    assert copies[2].at - copies[0].at <= 2.0
    assert copies[3].piece is content.WIRE_AGAIN
    assert {release.piece.slug for release in live} | {piece.slug for _, piece in schedule.before(Random(seed))} == {
        piece.slug for piece in PIECES
    }


@pytest.mark.parametrize("seed", range(20))
def test_the_texts_are_the_stories_that_their_labels_say(seed: int) -> None:
    shown = [*schedule.before(Random(seed)), *((one.outlet, one.piece) for one in schedule.live(Random(seed)))]
    items = [
        Item(
            str(place),
            outlet.domain,
            piece.title,
            piece.summary,
            "\n\n".join(piece.paragraphs),
            url=f"https://{outlet.domain}/{piece.slug}?{piece.query}",
            outlet=outlet.domain,
        )
        for place, (outlet, piece) in enumerate(shown)
    ]
    found = group_file(items)
    pairs = {(found[item.id], piece.story) for item, (_, piece) in zip(items, shown, strict=True)}
    assert len(pairs) == len({story for _, story in pairs}) == len(set(found.values()))
