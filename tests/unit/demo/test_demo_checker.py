"""The demo's checker notices everything that can go wrong with what was told."""

from dataclasses import replace

import pytest

from watcher.demo import content
from watcher.demo.checker import Told, differences
from watcher.demo.content import COURIER, DONORS, HARBOUR, LEDGER, MERIDIAN, SAHEL
from watcher.demo.site import Publication, Site

SCREEN = f"{content.WIRE.title} also in 2 other outlets\n{content.HALVORSEN.title}"


@pytest.fixture
async def published() -> list[Publication]:
    async with Site() as site:
        site.publish(COURIER, content.WIRE)
        site.publish(LEDGER, content.WIRE_TRACKED)
        site.publish(MERIDIAN, content.WIRE_CUT)
        site.publish(HARBOUR, content.HALVORSEN)
        site.publish(HARBOUR, content.TRAPS[0])
        site.publish(COURIER, content.WIRE_AGAIN)
        return site.published


def right(published: list[Publication]) -> list[Told]:
    others = frozenset({LEDGER.domain, MERIDIAN.domain})
    return [
        Told(SAHEL, published[0].link, COURIER.domain, others),
        Told(DONORS, published[3].link, HARBOUR.domain),
    ]


def test_what_had_to_be_told_is_right(published: list[Publication]) -> None:
    assert differences(published, right(published), SCREEN) == []


def test_it_does_not_matter_which_copy_was_first(published: list[Publication]) -> None:
    others = frozenset({COURIER.domain, MERIDIAN.domain})
    told = [Told(SAHEL, published[1].link, LEDGER.domain, others), right(published)[1]]
    assert differences(published, told, SCREEN) == []


def test_every_kind_of_mistake_is_noticed(published: list[Publication]) -> None:
    first, second = right(published)
    trap = published[4]
    mistakes = [
        ([first], SCREEN, "0 times"),
        ([first, second, second], SCREEN, "2 times"),
        ([first, second, replace(first, url=published[5].link)], SCREEN, "2 times"),
        ([first, second, Told(SAHEL, trap.link, HARBOUR.domain)], SCREEN, "must not match"),
        ([first, second, Told(DONORS, first.url, COURIER.domain)], SCREEN, "must not match"),
        ([replace(first, others=frozenset({LEDGER.domain})), second], SCREEN, MERIDIAN.domain),
        ([first, second, Told(SAHEL, "http://127.0.0.1:1/other", "other.example")], SCREEN, "never published"),
        ([first, second], content.WIRE.title, "nothing on the screen"),
        ([first, second], f"{SCREEN}\n{trap.piece.title}", "nobody asked for"),
    ]
    for told, screen, word in mistakes:
        assert word in "\n".join(differences(published, told, screen))
