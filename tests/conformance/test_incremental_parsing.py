"""Parsing only what is new gives what parsing the whole gives: every real feed, entry by entry, for every prefix."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.paths import CORPORA
from watcher.errors import ParseError
from watcher.sources.cut import cut
from watcher.sources.feed_parser import parse_bytes

pytestmark = pytest.mark.skipif(not CORPORA.exists(), reason="the corpora are not here")

NOW = 1_800_000_000.0
STRIDE = 30  # so many prefixes lie between two that are parsed whole too; with every one it takes two minutes


def parse(body: bytes, seen: str = "") -> dict[str, Any]:
    return parse_bytes(body, "application/xml", "https://news.example/feed", "s", NOW, seen)


def same(found: dict[str, Any], whole: dict[str, Any], known: set[str]) -> bool:
    """Whether the two tell a store that knows `known` the same."""

    def new(parsed: dict[str, Any]) -> list[Any]:
        return [values for values in parsed["items"] if values[0] not in known]

    return new(found) == new(whole) and all(
        found[key] == whole[key] for key in ("title", "ttl", "per_day", "entries", "listed", "seen")
    )


def prefixes(body: bytes) -> str:
    """Grow the feed entry by entry from its end, as feeds grow, parsing what is new; whether it was cut."""
    pieces = cut(body, "application/xml")
    whole = parse(body)
    if pieces is None or not whole["seen"]:
        assert parse(body, whole["seen"]) == whole
        return "refused" if pieces is None else "ids hang together"
    count = len(pieces.entries)
    last = parse(pieces.only([count - 1]))
    known = set(last["listed"])
    for first in range(count - 2, -1, -1):
        grown = pieces.only(range(first, count))
        found = parse(grown, last["seen"])
        assert found["items"] == [whole["items"][first]]  # what is new, as the whole has it, and nothing else
        assert found["listed"] == whole["listed"][first:]
        if first % STRIDE == 0:
            assert same(found, parse(grown), known)
            assert same(parse(body, found["seen"]), whole, set(found["listed"]))
        last = found
        known.update(found["listed"])
    assert last["seen"] == whole["seen"]
    return "cut"


def test_every_prefix_of_every_real_feed() -> None:
    manifest = json.loads((CORPORA / "feeds/manifest.json").read_text())
    counts: Counter[str] = Counter()
    for row in manifest:
        body = (CORPORA / "feeds" / row["file"]).read_bytes()
        try:
            how = prefixes(body)
        except ParseError:
            how = "no feed"
        counts["json" if row["file"].endswith(".json") else how] += 1
    print(f"incremental parse: {dict(counts)} of {len(manifest)} feeds")
    assert counts.total() == len(manifest)
    # What is refused is parsed whole: dear, never wrong. It must stay the exception.
    assert counts["cut"] >= 0.8 * len(manifest)
