"""Stories over real feeds and pairs: the floors that must hold on any news text, read where the corpora are present."""

import html
import json
import random
import re
import warnings
from collections import defaultdict

import feedparser
import pytest

from benchmarks.stories import merges, pair_items, read, syndicated
from tests.paths import CORPORA
from watcher.model import Item
from watcher.stories import group_file

NEWS = CORPORA / "newstext"
pytestmark = pytest.mark.skipif(not CORPORA.exists(), reason="the corpora are not here")

TAG = re.compile(r"<[^>]+>")


def plain(markup: str | None) -> str:
    return " ".join(html.unescape(TAG.sub(" ", markup or "")).split())


def entries(file: str) -> list[Item]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = feedparser.parse((CORPORA / "feeds" / file).read_bytes(), sanitize_html=False)
    return [
        Item(
            str(place),
            "feed",
            plain(entry.get("title")),
            plain(entry.get("summary")),
            plain((entry.get("content") or [{}])[0].get("value")),
            url=entry.get("link", ""),
        )
        for place, entry in enumerate(parsed.entries)
    ]


def test_entries_of_one_feed_merge_only_when_they_are_reposts() -> None:
    wrong = []
    for feed in json.loads((CORPORA / "feeds" / "manifest.json").read_text()):
        items = entries(feed["file"])
        groups = defaultdict(list)
        for item, story in zip(items, group_file(items).values(), strict=True):
            groups[story].append(item)
        for first, *rest in groups.values():
            wrong += [f"{feed['file']}: {first.title!r} = {item.title!r}" for item in rest if not reposts(first, item)]
    assert not wrong


def reposts(one: Item, other: Item) -> bool:
    """Nothing but the address, the agency head or a few characters differ."""
    words = [set(re.findall(r"\w+", f"{item.title} {item.summary} {item.body}".lower())) for item in (one, other)]
    return len(words[0] & words[1]) >= 0.9 * len(words[0] | words[1])


def test_synthetic_syndication() -> None:

    items, truth = syndicated(read(NEWS / "articles_1000.jsonl")[500:600], random.Random(7))
    story = group_file(items)
    first = {number: story[f"{number}-original"] for number in set(truth.values())}
    found = sum(story[name] == first[number] for name, number in truth.items())
    assert found / len(truth) >= 0.99
    assert len(set(first.values())) == len(first)
    assert sum(len({truth[name] for name in names}) > 1 for names in by_story(story).values()) == 0


def by_story(story: dict[str, str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name, one in story.items():
        groups[one].append(name)
    return groups


def test_mined_wire_copies() -> None:
    pairs = [
        pair
        for pair in read(NEWS / "mined_near_duplicates.jsonl")
        if not pair["same_source"] and pair["containment5"] >= 0.5
    ]
    found = sum(merges(group_file, pair_items(pair["a"], pair["b"], False)) for pair in pairs)
    assert found / len(pairs) >= 0.95


def test_labelled_pairs() -> None:
    bad = [pair for pair in read(NEWS / "tgcontest_pairs.jsonl") if pair["label"] == "BAD"]
    halves = [
        [
            {"title": pair[f"{one}_title"], "text": pair[f"{one}_text"], "url": pair[f"{one}_url"]}
            for one in ("first", "second")
        ]
        for pair in bad
    ]
    assert sum(merges(group_file, pair_items(*pair, False)) for pair in halves) <= 2
