"""When a source is polled next: pure decisions, with time and randomness as arguments."""

from __future__ import annotations

from random import Random

from watcher.errors import FetchError, FetchKind, ParseError
from watcher.model import SourceState
from watcher.sources.base import Poll, Source
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


def next_due(
    source: Source, got: Poll, now: float, rng: Random, *, gap: bool = False, relies_until: float | None = None
) -> float:
    """When to poll again after a poll that gave `got`; seconds since the epoch.

    An explicit `every` holds whatever the server says. `auto` polls four times as often as the source publishes, twice
    that after a `gap` (no entry of this poll stood in the last one), within its bounds; but never before the server's
    own hints allow, capped. While a hub pushes what is new, which it does until `relies_until`, twice a day is enough.
    The source's `min` and `max` go before all of that. All but `cron` come with a jitter of a tenth.
    """
    if source.cron is not None:
        return next_time(source.cron, source.timezone, now)
    if source.every != "auto":
        return now + _jitter(source.every, rng)
    longest = LONGEST if got.etag or got.last_modified else LONGEST_UNVALIDATED
    per_day = got.hints.per_day
    interval = UNKNOWN if per_day is None else DAY / per_day / 4 if per_day > 0 else longest
    interval = min(max(interval, SHORTEST), longest)
    if gap:
        interval = max(interval / 2, SHORTEST)
    hinted = max(got.hints.max_age or 0.0, got.hints.ttl or 0.0)
    interval = max(interval, min(hinted, HINT_CAP), source.min or 0.0)
    if relies_until is not None and relies_until > now:
        interval = max(interval, min(PUSHED, (relies_until - now) / 1.1))
    return now + _jitter(interval if source.max is None else min(interval, source.max), rng)


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
