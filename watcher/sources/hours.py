"""At which hours of the day a source publishes, learnt from its items' dates. Pure.

What is kept is a decaying count for each hour of the day (UTC). Several hours on end count as quiet where so many items
would have come in them, were they spread evenly, that it is no accident that none did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

HOUR, DAY = 3600.0, 86400.0

HALF_LIFE = 14 * DAY  # of what is remembered: habits change
HISTORY = 14 * DAY  # how far back the dates of a first poll are taken
DAYS = 5 * DAY  # that must have been looked at before hours are told from a lucky day
EXPECTED = 8.0  # items that quiet hours would have held; by chance none come in one of 3,000 such spans
SHORTEST = 4  # hours on end; a gap in the day is too short to gain by
FEW = 0.01  # of all items may come in quiet hours

Learnt = Mapping[str, Any]  # {"counts": 24 numbers, "since": seconds, "at": seconds}: JSON, in a source's cache


def learn(known: Learnt | None, dates: Iterable[float | None], last: float | None, now: float) -> dict[str, Any]:
    """What is known after new items with these dates were found; `last` is when the source was polled before.

    A date that is none, that lies before the last poll, or that is a day without an hour says nothing of when the item
    came: it came between the two polls, and counts for now. At a first poll the dates alone count.
    """
    faded = 0.5 ** (max(now - known["at"], 0.0) / HALF_LIFE) if known else 0.0
    counts = [count * faded for count in known["counts"]] if known else [0.0] * 24
    since = known["since"] if known else now
    for date in dates:
        told = date is not None and date % DAY != 0.0 and date <= now
        if last is None:
            if not told or date is None or date < now - HISTORY:
                continue
            when = date
        else:
            when = date if told and date is not None and date > last - HOUR else now
        counts[hour_of(when)] += 1.0
        since = min(since, when)
    return {"counts": [round(count, 2) for count in counts], "since": since, "at": now}


def hour_of(moment: float) -> int:
    """The hour of the day, 0 to 23, in UTC."""
    return int(moment % DAY // HOUR)


def quiet(known: Learnt | None, now: float) -> list[tuple[int, int]]:
    """The spans of quiet hours, each from its first hour to the one in which it has ended; of 0 to 23, UTC."""
    if known is None or now - known["since"] < DAYS:
        return []
    counts: Sequence[float] = known["counts"]
    total = sum(counts)
    spans: list[tuple[int, int]] = []
    start = next((hour for hour in range(24) if counts[hour] > FEW * total), None)
    if start is None:
        return []
    run, held = 0, 0.0
    for step in range(1, 25):  # once around the day, from an hour that is not quiet back to it
        hour = (start + step) % 24
        if step < 24 and held + counts[hour] <= FEW * total:
            run, held = run + 1, held + counts[hour]
            continue
        if run >= SHORTEST and run * total / 24.0 >= EXPECTED:
            spans.append(((hour - run) % 24, hour))
        run, held = 0, 0.0
    return spans


def quiet_until(known: Learnt | None, now: float) -> float | None:
    """When the quiet hours end in which `now` is; None where it is in none."""
    for first, end in quiet(known, now):
        into = (now - first * HOUR) % DAY
        length = (end - first) % 24 * HOUR
        if into < length:
            return now - into + length
    return None


def in_words(spans: Iterable[tuple[int, int]]) -> str:
    """Spans of hours as they are shown."""
    return " and ".join(f"{first:02d}:00-{end:02d}:00 UTC" for first, end in spans)
