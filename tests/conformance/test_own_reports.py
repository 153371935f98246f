"""Invented reports: two outlets' own ones of one event are two stories, however much they quote; wire copies are one.

`stories/own_reports.jsonl` holds pairs that share quotes, names and figures, in nine languages. Each text is also
copied as agencies' texts are. What they taught is that short texts need short passages (shingles.PASSAGES); no
threshold was chosen on them.
"""

import json
import random
from pathlib import Path

import pytest

from watcher.model import Item
from watcher.stories import group_items

PAIRS = [
    json.loads(line)
    for line in (Path(__file__).parent / "stories" / "own_reports.jsonl").read_text(encoding="utf-8").splitlines()
]
REPORTS = [pair[half] for pair in PAIRS for half in ("one", "other")]
NAMES = [f"{pair['lang']}: {pair['one']['title']}" for pair in PAIRS]

DATELINES = {"en": "PORT CITY, May 4 (Agency) — ", "ru": "ПОРТ-СИТИ, 4 мая. /Агентство/ ", "zh": "通讯社五月四日电 "}
FRAMES = {
    "en": ("Read this free for ten days, and then decide.", "Send us what you know: the desk answers every letter."),
    "ru": ("Читайте нас без рекламы десять дней подряд.", "Пишите в редакцию: мы отвечаем на каждое письмо."),
    "zh": ("订阅本报十天免费阅读。", "请将线索寄给编辑部。"),
}
STOCK = ("Morning", "Utro", "Matin", "Abend", "Correo", "Jornal")


def item(name: str, title: str, text: str) -> Item:
    return Item(name, name, title, body=text, outlet=f"{name}.example")


def kin(*items: Item) -> str:
    one, other = group_items(items).values()
    if one.story.id == other.story.id:
        return "copy"
    return "related" if one.story.event == other.story.event else "other"


def cut(text: str, share: float) -> str:
    if " " in text:
        words = text.split()
        return " ".join(words[: int(len(words) * share)])
    return text[: int(len(text) * share)]


def edited(text: str, share: float, rng: random.Random) -> str:
    if " " not in text:
        return "".join(rng.choice("的一是在有") if rng.random() < share / 2 else char for char in text)
    words = text.split()
    return " ".join(rng.choice(words) if rng.random() < share else word for word in words)


@pytest.mark.parametrize("pair", PAIRS, ids=NAMES)
def test_own_reports_are_two_stories(pair: dict[str, dict[str, str]]) -> None:
    one, other = (item(half, pair[half]["title"], pair[half]["text"]) for half in ("one", "other"))
    assert kin(one, other) != "copy"
    assert kin(other, one) != "copy"


@pytest.mark.parametrize("pair", PAIRS, ids=NAMES)
@pytest.mark.parametrize("half", ["one", "other"])
def test_wire_copies_are_one_story(pair: dict[str, dict[str, str]], half: str) -> None:
    title, text, lang = pair[half]["title"], pair[half]["text"], str(pair["lang"])
    first, rng = item("first", title, text), random.Random(title)
    top, foot = FRAMES.get(lang, FRAMES["en"])
    copies = {
        "whole, under another head": (rng.choice(STOCK), text),
        "cut": (title, cut(text, 0.6)),
        "cut to a brief": (title, cut(text, 0.35)),
        "cut, under another head": (rng.choice(STOCK), cut(text, 0.6)),
        "datelined": (f"UPDATE 1-{title}", DATELINES.get(lang, DATELINES["en"]) + text),
        "wrapped": (title, f"{top}\n\n{text}\n\n{foot}"),
        "edited": (title, edited(text, 0.1, rng)),
    }
    missed = [kind for kind, (head, body) in copies.items() if kin(first, item("copy", head, body)) != "copy"]
    assert not missed


def test_an_own_report_and_a_copy_of_the_other_side_by_side() -> None:
    wrong = []
    for pair in PAIRS:
        one, other = (item(half, pair[half]["title"], pair[half]["text"]) for half in ("one", "other"))
        copy = item("copy", pair["other"]["title"], cut(pair["other"]["text"], 0.7))
        told = group_items([one, other, copy])
        if told["copy"].story.id != told["other"].story.id or told["one"].story.id == told["other"].story.id:
            wrong.append(pair["one"]["title"])
    assert not wrong


def test_most_own_reports_are_of_one_event() -> None:
    told = [kin(item("one", **pair["one"]), item("other", **pair["other"])) for pair in PAIRS]
    assert told.count("related") >= 0.5 * len(told)


def test_reports_of_other_events_are_neither() -> None:
    items = [item(f"n{place}", report["title"], report["text"]) for place, report in enumerate(REPORTS)]
    story = group_items(items)
    events: dict[str, set[int]] = {}
    for place, one in enumerate(items):
        events.setdefault(story[one.id].story.event, set()).add(place)
    english = set(range(12))
    mixed = [sorted(places) for places in events.values() if len({place // 2 for place in places & english}) > 1]
    assert not mixed
    assert len({one.story.id for one in story.values()}) == len(items)
