import json
from collections.abc import Iterator

import pytest

from watcher.query import Document, Verdict, explain, parse

ITEM = Document(
    title="Wagner leaves Mali",
    body="The army of Mali said, after a very long and weary day, that Wagner left. Senegal waits."
    " Wagner has left Mali.",
    lang="en",
    url="https://news.example.org/1",
)


def verdicts(one: Verdict) -> Iterator[Verdict]:
    yield one
    for child in one.children:
        yield from verdicts(child)


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("Mali NEAR/0 Wagner", "closest pair 1 word apart in title"),
        ("Mali ONEAR/1 Wagner", "in the other order"),
        ("Mali NEAR/5 coup", "coup not found"),
        ("Senegal NEAR/s army", "in different sentences"),
        ("ATLEAST/3(Mali)", "2 of 3 times in body"),
        ("FIRST/2(Senegal)", "first as word 16"),
        ("title:Senegal", "1 in body only"),
        ("lang:fr", "the item's lang is en"),
        ("site:example.net", "the item has no site"),
        ('"army Mali"', "not side by side"),
        ('"army coup"', "coup not found"),
        ("Senega*l"[:6], "not found; body has senegal"),
    ],
)
def test_nearest_miss(query: str, note: str) -> None:
    found = explain(parse(query), ITEM)
    assert not found.holds
    assert found.spans == ()
    assert any(note in one.note for one in verdicts(found.tree)), found.to_json()


def test_the_tree_says_which_branch_held() -> None:
    found = explain(parse("(Mali AND (coup OR Wagner)) NOT lang:fr"), ITEM)
    assert found.holds
    assert [ITEM.text(span.field)[span.start : span.end] for span in found.spans][:2] == ["Wagner", "Mali"]
    lines = list(found.lines())
    assert lines[0].startswith("✓ all of")
    assert any("✗ coup" in line for line in lines)
    assert any("✓ Wagner  (1 in title, 2 in body)" in line for line in lines)
    assert json.loads(json.dumps(found.to_json()))["tree"]["children"]
