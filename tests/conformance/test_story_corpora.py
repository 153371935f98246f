"""Stories over real feeds and pairs: the floors that must hold on any news text, read where the corpora are present."""

import html
import json
import random
import re
import warnings
from collections import defaultdict
from dataclasses import replace
from functools import cache

import feedparser
import pytest

from benchmarks.stories import halves, kin, merges, overlap, pair_items, read, syndicated
from tests.paths import CORPORA
from watcher.model import Item
from watcher.stories import group_file, group_items
from watcher.text.urls import outlet

NEWS = CORPORA / "newstext"
pytestmark = pytest.mark.skipif(not CORPORA.exists(), reason="the corpora are not here")

TAG = re.compile(r"<[^>]+>")


def plain(markup: str | None) -> str:
    return " ".join(html.unescape(TAG.sub(" ", markup or "")).split())


@cache
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


def test_entries_of_two_outlets_merge_only_when_they_say_the_same_in_the_same_words() -> None:
    items = []
    for feed in json.loads((CORPORA / "feeds" / "manifest.json").read_text()):
        for item in entries(feed["file"]):
            known = {"source": feed["file"], "outlet": (outlet(item.url) if item.url else "") or feed["file"]}
            items.append(replace(item, id=f"{feed['file']} {item.id}", **known))
    groups = defaultdict(list)
    for item, grouped in zip(items, group_items(items).values(), strict=True):
        groups[grouped.story.id].append(item)
    merged = [(first, item) for first, *rest in groups.values() for item in rest if item.outlet != first.outlet]
    wrong = [f"{one.title!r} = {other.title!r}" for one, other in merged if not reprints(one, other)]
    assert len(merged) > 40
    assert len(wrong) <= 0.02 * len(merged), wrong


def reprints(one: Item, other: Item) -> bool:
    """Half of the shorter text stands in the other in runs of five words, or there is a title and little else."""
    texts = [max(item.body, item.summary, key=len) for item in (one, other)]
    titles = [set(re.findall(r"\w+", item.title.lower())) for item in (one, other)]
    alike = len(titles[0] & titles[1]) >= 0.8 * min(map(len, titles))
    return overlap(*texts)[1] >= 0.5 or (alike and min(len(text.split()) for text in texts) < 10)


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
    assert sum(merges(group_file, pair_items(*halves(pair), False)) for pair in bad) <= 2


def test_most_labelled_pairs_of_one_event_are_copies_or_related_and_few_of_two_events_are() -> None:
    told = [(pair["label"], kin(pair_items(*halves(pair), False))) for pair in read(NEWS / "tgcontest_pairs.jsonl")]
    of_one = [kind for label, kind in told if label == "OK"]
    of_two = [kind for label, kind in told if label == "BAD"]
    assert sum(kind != "other" for kind in of_one) >= 0.8 * len(of_one)
    assert sum(kind != "other" for kind in of_two) <= 0.1 * len(of_two)


def test_articles_on_the_same_matters_of_many_years_are_not_related() -> None:
    items = [
        Item(str(place), article["source"], article["title"], body=article["text"], outlet=article["source"])
        for place, article in enumerate(read(NEWS / "articles_1000.jsonl"))
    ]
    related = [one for one in group_items(items).values() if one.relation is not None]
    assert len(related) <= 3  # of half a million pairs
