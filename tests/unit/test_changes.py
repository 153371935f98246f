"""Differences between versions of a text, and which of them matter."""

from dataclasses import replace

import pytest

from watcher.model import Item
from watcher.stories.change import change
from watcher.stories.difference import difference

TEXT = (
    "A ferry capsized off Portville on Sunday, the coast guard said. Four people were killed and 12 are missing.\n\n"
    "Captain Elena Marsh told reporters that the vessel was overloaded. The harbour has been closed since noon.\n\n"
    "Follow us for more stories like this one every day."
)
BEFORE = Item("1", "wire", "Ferry capsizes off Portville, 4 dead", body=TEXT, outlet="wire.example")


def edited(old: str, new: str) -> Item:
    assert old in TEXT
    return replace(BEFORE, body=TEXT.replace(old, new))


@pytest.mark.parametrize(
    "after",
    [
        BEFORE,
        edited("Sunday, the", "Sunday the"),
        edited("Four people", "FOUR people"),
        edited("capsized", "capsised"),
        edited("was overloaded", "had been overloaded"),
        edited("Follow us for more stories like this one every day.", ""),
        edited("Follow us for more stories like this one every day.", "Updated 14:05 GMT"),
        edited("Follow us for more stories like this one every day.", "37 comments"),
        edited("Follow us for more", "Win a holiday in Bermuda in our great spring lottery. Follow us for more"),
        replace(BEFORE, body="Follow us for more stories like this one every day.\n\n" + TEXT.rpartition("\n\n")[0]),
        replace(BEFORE, title="UPDATE 2-Ferry capsizes off Portville, 4 dead"),
        replace(BEFORE, title="Ferry off Portville capsizes: 4 dead"),
        replace(BEFORE, body="", summary=""),
    ],
)
def test_what_changes_nothing_of_substance(after: Item) -> None:
    assert change(BEFORE, after) is None


@pytest.mark.parametrize(
    ("after", "detail"),
    [
        (edited("12 are missing", "9 are missing"), "12 → 9"),
        (replace(BEFORE, title="Ferry capsizes off Portville, 11 dead"), "4 → 11"),
        (edited("Captain Elena Marsh", "Captain Ivo Brandt"), "elena marsh → ivo brandt"),
        (edited("was overloaded", "was not overloaded"), "… → not"),
        (
            edited("The harbour has", "Portville's mayor blamed the ferry company for the deaths. The harbour has"),
            "Portville's mayor blamed the ferry company for the deaths.",
        ),
    ],
)
def test_what_matters_is_said(after: Item, detail: str) -> None:
    found = change(BEFORE, after)
    assert found is not None
    assert found.detail == detail


def test_an_item_without_a_text_is_compared_by_its_title() -> None:
    bare = replace(BEFORE, body="")
    assert change(bare, replace(bare, title="Ferry capsizes off Portville, 6 dead")) is not None
    assert change(bare, replace(bare, title="Ferry capsizes off Portville: 4 dead!")) is None
    assert change(bare, BEFORE) is None  # the text came; it says nothing new that could be told from it


def test_a_passage_that_moved_differs_in_nothing() -> None:
    first, second, third = TEXT.split("\n\n")
    assert not difference(TEXT, "\n\n".join([third, first, second]))


def test_differences_are_told_apart() -> None:
    found = difference(
        TEXT, TEXT.replace("12 are", "9 are").replace("The harbour has been closed since noon.", "Rain.")
    )
    assert [(old.written, new.written) for old, new in found.edited] == [
        ("Four people were killed and 12 are missing.", "Four people were killed and 9 are missing.")
    ]
    assert [sentence.written for sentence in found.dropped] == ["The harbour has been closed since noon."]
    assert [sentence.written for sentence in found.added] == ["Rain."]
    assert found.kept == 3
