"""When a channel tells an alert, and together with which others. Pure: every delay is a time in the future.

A group is one per channel and window. Channels that tell at once have one per event, so that copies and further rules
on the same event are one message; digests, quiet hours and first polls have one per channel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from watcher.model import Reason
from watcher.text.cron import check as check_cron
from watcher.text.cron import next_time
from watcher.text.duration import parse_duration

BASELINE_GAP = 30.0  # a first poll's message waits until nothing was added for so long,
BASELINE_LONGEST = 300.0  # but not longer than this
PERIODS = {"m": 60.0, "h": 3600.0, "d": 86400.0}

_LIMIT = re.compile(r"([0-9]{1,6})\s*/\s*([mhd])")
_QUIET = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")


class Channel(Protocol):
    """What of a channel's configuration decides when it tells."""

    @property
    def digest(self) -> str:
        """A cron expression or a duration; "" for a channel that tells at once."""

    @property
    def quiet(self) -> str:
        """As "23:00-07:00"; "" for none."""

    @property
    def group_wait(self) -> float:
        """For how many seconds the first alert of an event waits for others."""

    @property
    def timezone(self) -> str:
        """An IANA name."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The group that an alert goes into.

    `flush_at` is when the group is told. Where `slide` is set, every further alert moves that time on, up to `latest`.
    """

    key: str
    kind: str  # "alert", "digest" or "baseline"
    flush_at: float
    reason: Reason
    slide: bool = False
    latest: float | None = None


def place(channel: Channel, *, kind: str, event: str, priority: str, now: float) -> Placement:
    """Choose the group for an alert of `kind` ("alert" or "baseline") about `event`.

    `priority` "high" passes quiet hours, digests and group_wait. A first poll is told apart from news whatever the
    rule's priority: it is no news.
    """
    high = priority == "high"
    due, reason = _window(channel, now) if not high else (None, Reason.AT_ONCE)
    if kind == "baseline":
        if due is not None:
            return Placement("baseline", "baseline", due, reason)
        latest = now + BASELINE_LONGEST
        return Placement("baseline", "baseline", now + BASELINE_GAP, Reason.BASELINE, slide=True, latest=latest)
    if due is not None:
        return Placement("quiet" if reason is Reason.QUIET_HOURS else "digest", "digest", due, reason)
    wait = 0.0 if high else channel.group_wait
    # An urgent alert has a group of its own, so that it does not wait for what gathers in the other.
    key = f"high:{event}" if high else f"event:{event}"
    return Placement(key, "alert", now + wait, Reason.GROUP_WAIT if wait else Reason.AT_ONCE)


def _window(channel: Channel, now: float) -> tuple[float | None, Reason]:
    """When the channel's digest or quiet hours let something through; None if neither holds it back."""
    due, reason = now, Reason.AT_ONCE
    if channel.digest:
        due, reason = _next_digest(channel.digest, channel.timezone, now), Reason.DIGEST
    if channel.quiet:
        quiet_end = parse_quiet(channel.quiet).end(channel.timezone, due)
        if quiet_end is not None:
            due = quiet_end
            reason = reason if channel.digest else Reason.QUIET_HOURS
    return (due, reason) if due > now else (None, Reason.AT_ONCE)


def _next_digest(digest: str, timezone: str, now: float) -> float:
    if " " in digest.strip():
        return next_time(digest.strip(), timezone, now)
    # Intervals are counted from local midnight, so that "2h" means even hours and needs no memory.
    interval = parse_duration(digest)
    offset = (datetime.fromtimestamp(now, ZoneInfo(timezone)).utcoffset() or timedelta()).total_seconds()
    return ((now + offset) // interval + 1) * interval - offset


def check_digest(digest: str, timezone: str = "UTC") -> None:
    """Raise ValueError, saying what is wrong, where `digest` is neither a cron expression nor a duration."""
    if " " in digest.strip():
        check_cron(digest.strip(), timezone)
    elif parse_duration(digest) < 60:
        raise ValueError("a digest's interval is at least 1m")


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day, by the wall clock, in which a channel is told nothing; they may pass midnight."""

    start: time
    until: time

    def end(self, timezone: str, now: float) -> float | None:
        """When the quiet hours that hold at `now` end; None if none hold."""
        zone = ZoneInfo(timezone)
        local = datetime.fromtimestamp(now, zone)
        wall = local.time()
        started, ended = wall >= self.start, wall >= self.until
        if not (started and not ended if self.start < self.until else started or not ended):
            return None
        return _moment(local.date() + timedelta(days=ended), self.until, zone, now)


def _moment(day: date, wall: time, zone: ZoneInfo, after: float) -> float:
    """When the clock shows `wall` on `day`: the first time after `after`, where the end of summer time repeats it."""
    first, second = (datetime.combine(day, wall, zone).replace(fold=fold).timestamp() for fold in (0, 1))
    return first if first > after else max(second, after)


def parse_quiet(text: str) -> Quiet:
    """Read quiet hours as users write them. Raises ValueError that says what was expected."""
    found = _QUIET.fullmatch(text.strip())
    if found is None:
        raise ValueError("quiet hours are written as 23:00-07:00")
    hours = [int(group) for group in found.groups()]
    if hours[0] > 23 or hours[2] > 23 or hours[1] > 59 or hours[3] > 59:
        raise ValueError("quiet hours are times from 00:00 to 23:59")
    quiet = Quiet(time(hours[0], hours[1]), time(hours[2], hours[3]))
    if quiet.start == quiet.until:
        raise ValueError("quiet hours that end when they begin would never end; leave `quiet` out or give two times")
    return quiet


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` messages in `period` seconds, as a token bucket: bursts of up to `count`, refilled evenly."""

    count: int
    period: float

    def __str__(self) -> str:
        unit = next((unit for unit, seconds in PERIODS.items() if seconds == self.period), f"{self.period:g}s")
        return f"{self.count}/{unit}"


def parse_limits(text: str) -> tuple[Limit, ...]:
    """Read limits as users write them: "20/h", "10/h, 100/d". Raises ValueError that says what was expected."""
    limits = []
    for part in text.split(","):
        found = _LIMIT.fullmatch(part.strip())
        if found is None or int(found[1]) == 0:
            raise ValueError("a limit is written as 20/h, or several as 10/h, 100/d (m, h or d; at least 1)")
        limits.append(Limit(int(found[1]), PERIODS[found[2]]))
    return tuple(limits)


@dataclass(frozen=True, slots=True)
class Spent:
    """The limits' state after an attempt to spend, and when to try again where nothing was spent (else None)."""

    tokens: dict[str, float]
    wait_until: float | None = None


def after_spending(
    limits: Sequence[Limit], tokens: Mapping[str, float], now: float, cost: int = 1, ahead: float = 0.0
) -> Spent:
    """Take `cost` messages from every one of `limits`, or from none of them.

    A bucket is known by the one time at which it is full again (the generic cell rate algorithm, ITU-T I.371, in its
    virtual scheduling form), so that its state needs no counter and no time of its last use. `tokens` maps each
    limit's text to that time; what is missing is full. What costs more than a bucket holds goes when it is full.
    Who spends up to `ahead` seconds before the time says so, here as where it is spent.
    """
    after: dict[str, float] = {}
    wait_until = now
    for limit in limits:
        each = limit.period / limit.count
        # A clock that was set back must not shut a channel for longer than its whole period.
        full_at = min(max(tokens.get(str(limit), now), now), now + limit.period + ahead)
        room_from = full_at + min(cost, limit.count) * each - limit.period
        wait_until = max(wait_until, room_from)
        after[str(limit)] = full_at + cost * each
    if wait_until > now:
        return Spent(dict(tokens), wait_until)
    return Spent(after)
