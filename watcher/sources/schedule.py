"""When a source is polled next: pure decisions, with time and randomness as arguments."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from watcher.errors import FetchError, FetchKind, ParseError
from watcher.model import SourceState
from watcher.sources.base import Poll, Source
from watcher.sources.hours import quiet_until
from watcher.text.cron import next_time

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

SHORTEST = 5 * MINUTE  # of `every: auto`
LONGEST = HOUR  # of `every: auto`, where a poll without news costs the server next to nothing
LONGEST_UNVALIDATED = 4 * HOUR  # where each poll fetches the whole
PUSHED = 12 * HOUR  # where a hub pushes what is new, and a poll only finds out whether it does
UNKNOWN = 30 * MINUTE  # where nothing is known of how often the source publishes
HINT_CAP = 4 * HOUR  # servers that ask for more are mostly misconfigured
FAR = 365 * DAY  # 410: it says that it is gone for good

# How long to wait after the first failure in a row, and at most; each further one doubles the wait.
_BACKOFF = {
    FetchKind.NETWORK: (2 * MINUTE, HOUR),
    FetchKind.DNS: (2 * MINUTE, HOUR),
    FetchKind.TIMEOUT: (5 * MINUTE, 2 * HOUR),
    FetchKind.SERVER: (5 * MINUTE, 4 * HOUR),
    FetchKind.RATE_LIMITED: (15 * MINUTE, 12 * HOUR),
    FetchKind.CLIENT: (15 * MINUTE, 12 * HOUR),  # a 404 comes back surprisingly often
    FetchKind.BLOCKED: (HOUR, DAY),
    FetchKind.ROBOTS: (DAY, DAY),
    FetchKind.FORBIDDEN_ADDRESS: (HOUR, DAY),
    FetchKind.FORBIDDEN_URL: (HOUR, DAY),
}
_OTHERWISE = (15 * MINUTE, 6 * HOUR)


class Interval(NamedTuple):
    """How long until the next poll, in seconds, and why so long."""

    seconds: float
    why: str


def interval(
    source: Source, got: Poll, now: float, *, gap: bool = False, relies_until: float | None = None
) -> Interval:
    """How often a source is polled after a poll that gave `got`, but for its quiet hours.

    An explicit `every` holds whatever the server says. `auto` polls four times as often as the source publishes, twice
    that after a `gap` (no entry of this poll stood in the last one), within its bounds; but never before the server's
    own hints allow, capped. While a hub pushes what is new, which it does until `relies_until`, twice a day is enough.
    The source's `min` and `max` go before all of that.
    """
    if source.cron is not None:
        return Interval(next_time(source.cron, source.timezone, now) - now, "its cron time")
    if source.every != "auto":
        return Interval(source.every, "as configured")
    longest, per_day = _longest(got), got.hints.per_day
    seconds = UNKNOWN if per_day is None else DAY / per_day / 4 if per_day > 0 else longest
    seconds = min(max(seconds, SHORTEST), longest)
    why = "how often it publishes is not known" if per_day is None else f"it publishes {per_day:.3g} items a day"
    if gap:
        seconds, why = max(seconds / 2, SHORTEST), f"{why}, and some may have been missed"
    found = Interval(seconds, why)
    hinted = min(max(got.hints.max_age or 0.0, got.hints.ttl or 0.0), HINT_CAP)
    found = max(found, Interval(hinted, "its server asks for it"), key=_seconds)
    if relies_until is not None and relies_until > now:
        found = max(found, Interval(min(PUSHED, (relies_until - now) / 1.1), "its hub pushes"), key=_seconds)
    if source.min is not None:
        found = max(found, Interval(source.min, "its `min`"), key=_seconds)
    return found if source.max is None else min(found, Interval(source.max, "its `max`"), key=_seconds)


def longest(source: Source) -> float | None:
    """How many seconds its configuration asks for between two polls at most; None where it says nothing of that."""
    if source.cron is not None:
        return None
    return source.max if source.every == "auto" else source.every


def cron_times(sources: Iterable[Source], now: float) -> dict[str, float]:
    """When each of those that are polled by `cron` is polled next, by their ids; seconds since the epoch."""
    by_cron = [(source.id, source.cron, source.timezone) for source in sources if source.cron is not None]
    times = {(cron, zone): next_time(cron, zone, now) for cron, zone in {one[1:] for one in by_cron}}
    return {id_: times[cron, zone] for id_, cron, zone in by_cron}


def next_due(
    source: Source, got: Poll, now: float, rng: Random, *, gap: bool = False, relies_until: float | None = None
) -> float:
    """When to poll again after a poll that gave `got`; seconds since the epoch.

    That is in an `interval`; with `every: auto`, in the hours in which the source never publishes, at the end of those,
    or as late as such a source is polled at all. All but `cron` come with a jitter of a tenth.
    """
    seconds = interval(source, got, now, gap=gap, relies_until=relies_until).seconds
    if source.cron is not None:
        return now + seconds
    due = now + _jitter(seconds, rng)
    if source.every != "auto":
        return due
    quiet_end = quiet_until(got.cache.get("hours"), now)
    if quiet_end is None or due > quiet_end:
        return due
    latest = _longest(got) if source.max is None else min(_longest(got), source.max)
    return max(due, min(now + _jitter(latest, rng), quiet_end + rng.uniform(0.0, seconds / 2)))


def _longest(got: Poll) -> float:
    return LONGEST if got.etag or got.last_modified else LONGEST_UNVALIDATED


def _seconds(found: Interval) -> float:
    return found.seconds


def after_failure(source: Source, state: SourceState, error: FetchError | ParseError, now: float, rng: Random) -> float:
    """When to poll again after a poll that failed; `state` counts the failures before this one.

    Backs off exponentially by the kind of failure, never beyond the kind's cap unless the source is polled more seldom
    anyway; Retry-After is always waited for. A 410 is put off for a year: only the user can know better.
    """
    if isinstance(error, FetchError) and error.kind is FetchKind.GONE:
        return now + FAR
    first, cap = _BACKOFF.get(error.kind, _OTHERWISE) if isinstance(error, FetchError) else _OTHERWISE
    if source.every != "auto":
        cap = max(cap, source.every)
    wait = _jitter(min(first * 2.0 ** min(state.failures, 16), cap), rng)
    asked = error.retry_after if isinstance(error, FetchError) else None
    if asked is not None:
        # Spread out those that were told the same time.
        wait = max(wait, asked * rng.uniform(1.0, 1.1) + rng.uniform(0.0, 5.0))
    if source.cron is not None:
        return min(now + wait, max(next_time(source.cron, source.timezone, now), now + (asked or 0.0)))
    return now + wait


def _jitter(seconds: float, rng: Random) -> float:
    return seconds * rng.uniform(0.9, 1.1)
