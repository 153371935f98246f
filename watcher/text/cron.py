"""Cron expressions as crontab(5) has them; the arithmetic of times is APScheduler's CronTrigger.

Three things differ from `CronTrigger.from_crontab`: numbers of weekdays are crontab's (0 and 7 are Sunday, where
APScheduler has 0 as Monday), day of month and day of week are alternatives where both are given, and a time that the
end of daylight saving repeats comes once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

FIELDS = ("minute", "hour", "day of month", "month", "day of week")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def check(expression: str, timezone: str = "UTC") -> None:
    """Raise ValueError, saying what is wrong, where `expression` or `timezone` cannot be used."""
    next_time(expression, timezone, 0.0)


def next_time(expression: str, timezone: str, after: float) -> float:
    """The first time after `after` (both in seconds since the epoch) that `expression` names in `timezone`.

    A time that the start of daylight saving skips comes as much later as the clock was put forward. Raises ValueError
    where the expression or the time zone's name is wrong, or names a time that never comes.
    """
    triggers, fixed_hour = _triggers(expression, timezone)
    times = [_next(trigger, fixed_hour, after) for trigger in triggers]
    coming = [time for time in times if time is not None]
    if not coming:
        raise ValueError(f"{expression!r} names a time that never comes")
    return min(coming)


def _next(trigger: CronTrigger, fixed_hour: bool, after: float) -> float | None:
    # The triggers tick in whole seconds, so the next second is the first one after `after`.
    start = datetime.fromtimestamp(int(after // 1) + 1, UTC)
    found: datetime | None = trigger.get_next_fire_time(None, start)
    if found is not None and found.fold and fixed_hour:
        return _next(trigger, fixed_hour, found.timestamp())
    return found.timestamp() if found is not None else None


@lru_cache(maxsize=256)
def _triggers(expression: str, timezone: str) -> tuple[tuple[CronTrigger, ...], bool]:
    """The triggers that `expression` is made of, and whether it names hours rather than every hour."""
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415 - heavy: only where a cron time is used

    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone {timezone!r}; names are like Europe/Kyiv or UTC") from None
    values = expression.split()
    if len(values) != len(FIELDS):
        raise ValueError(f"a cron time has five fields ({', '.join(FIELDS)}), as in 0 7 * * mon-fri")
    minute, hour, day, month, weekday = values
    weekday = _weekdays(weekday.lower())
    both = day != "*" and weekday != "*"
    choices = [(day, "*"), ("*", weekday)] if both else [(day, weekday)]
    try:
        triggers = tuple(
            CronTrigger(minute=minute, hour=hour, day=d, month=month.lower(), day_of_week=w, timezone=zone)
            for d, w in choices
        )
    except (ValueError, TypeError) as error:
        raise ValueError(f"{expression!r} is no cron time: {error}") from None
    return triggers, not hour.startswith("*")


def _weekdays(field: str) -> str:
    """Crontab's day-of-week field in APScheduler's words: names, each day by itself."""
    if field == "*":
        return field
    days: set[int] = set()
    for part in field.split(","):
        span, _, step_text = part.partition("/")
        step = int(step_text) if step_text.isdigit() else 0 if step_text else 1
        if step < 1:
            raise ValueError(f"{part!r} in the day of week: a step is a number from 1 up")
        first, dash, last = ("0", "-", "6") if span == "*" else span.partition("-")
        start = _weekday(first)
        end = _weekday(last) if dash else (6 if step_text else start)
        if end < start:  # sat-mon; or 5-7, whose 7 is Sunday
            end += 7
        days.update(day % 7 for day in range(start, end + 1, step))
    if len(days) == len(WEEKDAYS):
        return "*"
    return ",".join(WEEKDAYS[day] for day in sorted(days))


def _weekday(text: str) -> int:
    if text.isdigit() and int(text) <= 7:
        return int(text) % 7
    if text[:3] in WEEKDAYS and text.isalpha():
        return WEEKDAYS.index(text[:3])
    raise ValueError(
        f"{text!r} is no day of the week: 0 to 7 (0 and 7 are Sunday), or mon, tue, wed, thu, fri, sat, sun"
    )
