"""What a query would have caught, in items that are there already: pure, but for where the items come from."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from heapq import nlargest
from operator import attrgetter
from zoneinfo import ZoneInfo

from watcher.config import Config
from watcher.errors import FetchError, ParseError
from watcher.model import Item, Match, SourceState, Span
from watcher.pipeline.poll import complete
from watcher.query import Document, Node, RuleSet, Verdict, explain
from watcher.sources import Outcome, Source, Tools

SAMPLES = 5  # shown of hits, gains and losses
MOST_EXPLAINED = 2000  # items among which the nearest misses are looked for, the newest
MISSES = 3
TOGETHER = 64  # items that are judged at once


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that the query holds for, when it came, and the words that decided it."""

    item: Item
    at: float
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Miss:
    """An item that the query does not hold for, and what came nearest: failed branches with their notes."""

    item: Item
    at: float
    notes: tuple[str, ...]


@dataclass
class Found:
    """What a backtest found. `gained` and `lost` are against the rule in force, where there is one."""

    items: int = 0
    hits: int = 0
    days: dict[str, int] = field(default_factory=dict)  # every day of the span, ISO, in the configured time zone
    outlets: Counter[str] = field(default_factory=Counter)
    samples: list[Hit] = field(default_factory=list)  # the latest, in order
    before: int | None = None  # hits of the rule in force
    gained: int = 0
    lost: int = 0
    gains: list[Hit] = field(default_factory=list)
    losses: list[Hit] = field(default_factory=list)
    misses: list[Miss] = field(default_factory=list)


class Backtest:
    """Judges items by `node`, and by `before`, the query in force, one after the other.

    `since` and `now` are seconds since the epoch; days are those of `timezone`.
    """

    def __init__(self, node: Node, before: Node | None, since: float, now: float, timezone: str) -> None:
        self._node = node
        self._ruleset = RuleSet({"new": node} if before is None else {"new": node, "before": before})
        self._since, self._now = since, now
        self._zone = ZoneInfo(timezone)
        self._waiting: list[tuple[Item, Document, float]] = []
        self._last: deque[tuple[Item, Document, float]] = deque(maxlen=MOST_EXPLAINED)
        self.found = Found(days=dict.fromkeys(self._days(), 0), before=None if before is None else 0)

    def _days(self) -> Iterator[str]:
        day, last = self._day(self._since), self._day(self._now)
        while day <= last:
            yield day.isoformat()
            day += timedelta(days=1)

    def _day(self, when: float) -> date:
        return datetime.fromtimestamp(when, self._zone).date()

    def look(self, item: Item, tags: tuple[str, ...], seen: float) -> None:
        """Judge one item that was first seen at `seen`, of a source with `tags`, together with the next ones."""
        published = item.published
        at = published if published is not None and self._since <= published <= self._now else seen
        self._waiting.append((item, Document.of(item, tags), at))
        if len(self._waiting) == TOGETHER:
            self._judge()

    def _judge(self) -> None:
        matches = self._ruleset.match_all(document for _, document, _ in self._waiting)
        for (item, document, at), found in zip(self._waiting, matches, strict=True):
            self._count(item, document, at, found)
        self._waiting.clear()

    def _count(self, item: Item, document: Document, at: float, matches: list[Match]) -> None:
        found = self.found
        found.items += 1
        matched = {match.rule: Hit(item, at, match.spans) for match in matches}
        new, before = matched.get("new"), matched.get("before")
        if new is not None:
            found.hits += 1
            day = self._day(at).isoformat()
            found.days[day] = found.days.get(day, 0) + 1
            found.outlets[item.outlet or item.source] += 1
            _keep_latest(found.samples, new)
        if found.before is not None:
            found.before += before is not None
            if new is not None and before is None:
                found.gained += 1
                _keep_latest(found.gains, new)
            elif before is not None and new is None:
                found.lost += 1
                _keep_latest(found.losses, before)
        if not found.hits:
            self._last.append((item, document, at))

    def finish(self) -> Found:
        """What was found; where there are no hits, with the nearest misses."""
        self._judge()
        if not self.found.hits:
            scored = []
            for number, (item, document, at) in enumerate(self._last):
                tree = explain(self._node, document).tree
                score = nearness(tree)
                if score > 0:
                    scored.append((score, number, Miss(item, at, tuple(_notes(tree)))))
            self.found.misses = [miss for _, _, miss in nlargest(MISSES, scored)]
        return self.found


def _keep_latest(hits: list[Hit], hit: Hit) -> None:
    """A feed gives its newest entry first, a store its oldest: what is shown is in the order of the dates."""
    insort(hits, hit, key=attrgetter("at"))
    del hits[:-SAMPLES]


def nearness(tree: Verdict) -> float:
    """How much of a query holds: 0 nothing, 1 all; a branch that nearly holds counts half."""
    if not tree.children or tree.holds or tree.query == "NOT":
        near = ("closest pair", "its words", "first as", "not found;")
        return 1.0 if tree.holds else 0.5 if tree.note.startswith(near) or tree.note.endswith(" only") else 0.0
    scores = [nearness(child) for child in tree.children if child.query != "NOT" or not child.holds]
    if not scores:
        return 0.0
    return sum(scores) / len(scores) if tree.query == "all of" else max(scores)


def _notes(tree: Verdict) -> Iterator[str]:
    """The branches that failed, lowest first, three at most of one OR."""
    if tree.holds:
        return
    if not tree.children or tree.query == "NOT":
        below = tree.children[0].query if tree.children else ""
        yield (
            f"NOT {below} failed: it is there"
            if below
            else f"{tree.query} failed" + (f": {tree.note}" if tree.note else "")
        )
        return
    nearest = sorted(tree.children, key=nearness, reverse=True)
    for child in nearest if tree.query == "all of" else nearest[:1]:
        yield from _notes(child)


async def present(config: Config, tools: Tools, failed: list[str]) -> AsyncIterator[tuple[Source, Item]]:
    """What the sources list now, without writing anything; sources that cannot be read are named in `failed`."""

    async def ask(source: Source) -> list[tuple[Source, Item]]:
        try:
            got = await source.poll(SourceState(source.id, 0.0), tools)
        except (FetchError, ParseError) as error:
            failed.append(f"{source.name}: {error}")
            return []
        return [(source, complete(item, source)) for item in got.items] if got.outcome is Outcome.PARSED else []

    asked = [ask(source) for name, source in config.sources.items() if name not in config.withheld]
    for done in asyncio.as_completed(asked):
        for pair in await done:
            yield pair
