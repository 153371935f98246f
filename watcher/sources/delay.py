"""How long after its publication an item is likely to be seen: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from watcher.sources.base import Poll, Source
from watcher.sources.hours import in_words, quiet
from watcher.sources.hub import may_subscribe
from watcher.sources.schedule import interval
from watcher.text.cron import next_time
from watcher.text.duration import format_duration

PUSH = 1.0  # seconds from a hub to here
READ = 5.0  # that the article takes: a turn at its host, the fetch, its text
READ_LATE = 60.0  # and where the first try fails


@dataclass(frozen=True, slots=True)
class Delay:
    """From an item's publication until it is judged: for half of the items within `typical` seconds, at most `most`."""

    source: str
    typical: float
    most: float
    weight: float  # items a day, or 1 where that is not known
    why: str


def of_source(source: Source, got: Poll, now: float, *, hubs: bool) -> Delay:
    """The delay of what `source` publishes, by what one poll of it gave; `hubs`: hubs are subscribed to."""
    pushed = hubs and bool(got.cache.get("hub")) and may_subscribe(source)
    if pushed:
        typical, most, why = PUSH, 2 * PUSH, "its hub pushes"
    else:
        found = interval(source, got, now)
        seconds = found.seconds if source.cron is None else _between(source.cron, source.timezone, now)
        typical, most = seconds / 2, seconds
        why = f"polled every {format_duration(seconds)}: {found.why}"
        if source.every == "auto" and source.cron is None and not (got.etag or got.last_modified):
            why += "; the server sends no ETag and no Last-Modified"
    if source.full_text != "never":
        typical, most, why = typical + READ, most + READ_LATE, f"{why}; then the article is read"
    return Delay(source.name, typical, most, got.hints.per_day or 1.0, why)


def _between(cron: str, timezone: str, now: float) -> float:
    """From its next time to the one after that."""
    first = next_time(cron, timezone, now)
    return next_time(cron, timezone, first) - first


@dataclass(frozen=True, slots=True)
class Expected:
    """The delay of what a rule looks for, over its sources."""

    typical: float
    most: float
    slowest: Delay
    sources: int


def of_rule(delays: Iterable[Delay], wait: float = 0.0) -> Expected | None:
    """Of all items of these sources together, `wait` seconds of gathering added; None where there are none."""
    found = sorted(delays, key=lambda one: one.typical)
    if not found:
        return None
    half, seen = sum(one.weight for one in found) / 2, 0.0
    for one in found:
        seen += one.weight
        if seen >= half:
            break
    slowest = max(found, key=lambda other: other.most)
    return Expected(one.typical + wait, slowest.most + wait, slowest, len(found))


def explain(source: Source, got: Poll, now: float, relies_until: float | None) -> str:
    """How often a source is polled now, and why, in a line."""
    found = interval(source, got, now, relies_until=relies_until)
    line = f"polled every {format_duration(round(found.seconds / 60) * 60 or found.seconds)}: {found.why}"
    spans = quiet(got.cache.get("hours"), now) if source.every == "auto" and source.cron is None else []
    return f"{line}; less from {in_words(spans)}, when it publishes nothing" if spans else line
