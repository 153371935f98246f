"""Whether two reports tell of one event."""

from dataclasses import replace

import pytest

from watcher.model import Item, Report, Story
from watcher.stories import Outline, coverage, group_items, outline, relate
from watcher.stories.event import COMMON, Relation, spelled, stems, weight

HERALD = Item(
    "1",
    "herald",
    "Goïta ousted as soldiers seize Bamako",
    body="Soldiers loyal to General Dembélé entered the palace in Bamako on Tuesday and declared that President Assimi "
    "Goïta had been removed. The mutiny began at the Kati garrison before dawn, two officers said.",
    outlet="herald.example",
)
COURIER = Item(
    "2",
    "courier",
    "Mutiny in Mali: Goïta held at Kati garrison",
    body="President Assimi Goïta is being held by mutinous troops at Kati, outside Bamako, diplomats told the Courier. "
    "General Dembélé is expected to speak in the evening.",
    outlet="courier.example",
)
RUSSIAN = (
    Item(
        "3",
        "a",
        "В Портвилле затонул паром «Орлан»",
        body="Паром «Орлан» затонул у Портвилля в воскресенье. Погибли четыре человека, сообщил капитан порта Мартов.",
        outlet="a.example",
    ),
    Item(
        "4",
        "b",
        "Четыре человека погибли при крушении парома у Портвилля",
        body="При крушении парома «Орлан» у берегов Портвилля погибли четыре человека. Капитан порта Мартов "
        "начал проверку.",
        outlet="b.example",
    ),
)
CHINESE = (
    Item(
        "5",
        "c",
        "朴海港渡轮沉没四人遇难",
        outlet="c.example",
        body="渡轮白鹭号周日在朴海港附近沉没，四人遇难，十二人失踪。",
    ),
    Item(
        "6",
        "d",
        "渡轮白鹭号沉没",
        outlet="d.example",
        body="周日，渡轮白鹭号在朴海港外沉没，至少四人遇难，搜救仍在继续。",
    ),
)


def report(item: Item) -> Report:
    story = Story(f"story {item.id}", item.id, item.title, 0.0, 0.0, f"story {item.id}", (item.outlet,))
    return Report(story, outline(item).marked)


def related(new: Item, *known: Item, held: dict[int, int] | None = None) -> Relation | None:
    return relate(new, outline(new), held or {}, [report(item) for item in known])


@pytest.mark.parametrize(("one", "other"), [(HERALD, COURIER), RUSSIAN, CHINESE])
def test_own_reports_of_one_event_are_related_either_way(one: Item, other: Item) -> None:
    assert related(one, other) is not None
    assert related(other, one) is not None


def test_it_says_why_in_words_that_both_have() -> None:
    found = related(COURIER, HERALD)
    assert found is not None
    assert found.detail == "same event: Goïta, Kati, Mutiny"
    assert found.story.id == "story 1"


def test_other_news_of_one_place_is_not_related() -> None:
    other = Item(
        "9",
        "tribune",
        "Bamako opens its first solar power station",
        body="Engineers switched on a solar power station on the edge of Bamako on Tuesday. Officials said "
        "that it will light 40,000 homes in Mali.",
        outlet="tribune.example",
    )
    assert related(other, HERALD) is None
    assert related(other, COURIER) is None


def test_one_subject_is_not_one_event() -> None:
    strikes = [
        Item(
            place,
            place,
            f"Workers at the port of {place} walk out over pay",
            body=f"Dockers walked out at the port of {place} on Monday after talks on pay broke down, said {name}, who "
            f"leads the union. Ships were told to wait off {place}.",
            outlet=f"{place.lower()}.example",
        )
        for place, name in (("Arlen", "Ivo Brandt"), ("Holmvik", "Elena Marsh"))
    ]
    held = dict.fromkeys(stems("Workers port walk dockers talks union ships monday after broke"), 9)
    assert related(strikes[0], strikes[1], held=held) is None


def test_reports_of_one_outlet_are_never_related_for_they_share_its_templates() -> None:
    assert related(replace(COURIER, outlet="herald.example"), HERALD) is None


def test_titles_with_other_dates_are_other_events() -> None:
    first, second = (replace(item, title=f"{item.title} on 3 May") for item in (HERALD, COURIER))
    assert related(second, first) is not None
    assert related(replace(second, title=f"{COURIER.title} on 4 May"), first) is None


def test_words_that_many_events_have_relate_nothing() -> None:
    assert related(COURIER, HERALD, held=dict.fromkeys(outline(COURIER).words, COMMON)) is None
    assert (weight(0), weight(1), weight(COMMON), weight(COMMON * 2)) == (1.0, 1.0, 0.0, 0.0)


def test_the_likest_report_is_taken() -> None:
    poorer = replace(HERALD, id="8", body="Soldiers were seen at Kati.", outlet="echo.example")
    found = related(COURIER, poorer, HERALD)
    assert found is not None
    assert found.story.id == "story 1"


def test_an_outline_tells_names_from_words_and_the_title_from_the_rest() -> None:
    said, spelling = outline(HERALD), spelled(HERALD)
    words = {spelling[hashed] for hashed in said.words}
    names = {spelling[hashed] for hashed in said.names}
    assert {"Goïta", "Bamako", "Dembélé", "Assimi", "Kati"} <= names
    assert {"soldiers", "mutiny", "garrison"} <= words - names
    assert {spelling[hashed] for hashed in said.title} == {"Goïta", "ousted", "soldiers", "seize", "Bamako"}
    assert "The" not in words


def test_a_title_in_which_every_word_has_a_capital_names_nothing_by_that() -> None:
    said = outline(Item("1", "a", "Soldiers Seize Palace In Overnight Mutiny", body="The soldiers seized the palace."))
    assert said.names == frozenset()


def test_nothing_at_all_relates_to_nothing() -> None:
    empty = Item("1", "a")
    assert outline(empty) == Outline()
    assert related(empty, HERALD) is None
    assert related(HERALD, replace(empty, outlet="b.example")) is None


def test_copies_and_own_reports_are_told_apart() -> None:
    assert str(coverage([("a", "b", "c"), ("d", "b")])) == "4 outlets: 2 copies, 2 own reports"
    assert str(coverage([("a", "b"), ("b",)])) == "2 outlets: 0 copies, 2 own reports"
    assert str(coverage([("a",)])) == "1 outlet: 0 copies, 1 own report"
    assert str(coverage([(), ("a", "b")])) == "2 outlets: 1 copy, 1 own report"


def test_items_of_a_file_have_events_where_their_dates_allow() -> None:
    grouped = group_items([HERALD, COURIER])
    assert grouped["1"].story.id != grouped["2"].story.id
    assert grouped["1"].story.event == grouped["2"].story.event
    assert grouped["2"].relation is not None
    late = group_items([replace(HERALD, published=1e9), replace(COURIER, published=1e9 + 7 * 3600)])
    assert late["1"].story.event != late["2"].story.event
