from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from watcher.text.cron import check, next_time


def times(expression: str, zone: str, start: str, count: int) -> list[str]:
    """The next `count` times after the local time `start`, each as weekday and local time."""
    tz = ZoneInfo(zone)
    after = datetime.fromisoformat(start).replace(tzinfo=tz).timestamp()
    found = []
    for _ in range(count):
        after = next_time(expression, zone, after)
        found.append(datetime.fromtimestamp(after, tz).strftime("%a %d %H:%M %Z"))
    return found


@pytest.mark.parametrize(
    ("weekday", "expected"),
    [
        ("1-5", {"Mon", "Tue", "Wed", "Thu", "Fri"}),
        ("mon-fri", {"Mon", "Tue", "Wed", "Thu", "Fri"}),
        ("0", {"Sun"}),
        ("7", {"Sun"}),
        ("5-7", {"Fri", "Sat", "Sun"}),
        ("sat-mon", {"Sat", "Sun", "Mon"}),
        ("0,3", {"Sun", "Wed"}),
        ("1-5/2", {"Mon", "Wed", "Fri"}),
        ("*/2", {"Sun", "Tue", "Thu", "Sat"}),
        ("0-6", {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}),
        ("SUN", {"Sun"}),
    ],
)
def test_weekdays_are_crontabs(weekday: str, expected: set[str]) -> None:
    found = times(f"0 7 * * {weekday}", "Europe/Kyiv", "2026-02-01T12:00", 14)
    assert {day.split()[0] for day in found} == expected


def test_strictly_after() -> None:
    noon = datetime(2026, 2, 1, 12, tzinfo=ZoneInfo("UTC")).timestamp()
    assert next_time("0 12 * * *", "UTC", noon) == noon + 86400
    assert next_time("0 12 * * *", "UTC", noon - 0.5) == noon
    assert next_time("0 12 * * *", "UTC", noon + 0.5) == noon + 86400


def test_day_of_month_and_day_of_week_are_alternatives() -> None:
    assert times("0 0 13 * fri", "UTC", "2026-02-01T00:00", 4) == [
        "Fri 06 00:00 UTC", "Fri 13 00:00 UTC", "Fri 20 00:00 UTC", "Fri 27 00:00 UTC",
    ]  # fmt: skip


def test_a_skipped_hour_is_made_up_for() -> None:
    found = times("30 2 * * *", "America/New_York", "2026-03-07T12:00", 2)
    assert found == ["Sun 08 03:30 EDT", "Mon 09 02:30 EDT"]


def test_a_repeated_hour_comes_once() -> None:
    found = times("30 1 * * *", "America/New_York", "2026-10-31T12:00", 2)
    assert found == ["Sun 01 01:30 EDT", "Mon 02 01:30 EST"]


def test_every_so_many_minutes_goes_through_the_repeated_hour() -> None:
    found = times("*/30 * * * *", "America/New_York", "2026-11-01T00:45", 5)
    assert found == ["Sun 01 01:00 EDT", "Sun 01 01:30 EDT", "Sun 01 01:00 EST", "Sun 01 01:30 EST", "Sun 01 02:00 EST"]


def test_seven_in_the_morning_stays_seven() -> None:
    assert times("0 7 * * *", "Europe/Kyiv", "2026-03-28T12:00", 2) == ["Sun 29 07:00 EEST", "Mon 30 07:00 EEST"]


@pytest.mark.parametrize(
    ("expression", "zone", "says"),
    [
        ("0 7 * *", "UTC", "five fields"),
        ("0 7 * * 8", "UTC", "day of the week"),
        ("0 7 * * mon-fri/0", "UTC", "step"),
        ("61 7 * * *", "UTC", "no cron time"),
        ("x 7 * * *", "UTC", "no cron time"),
        ("0 0 31 2 *", "UTC", "never comes"),
        ("0 7 * * *", "Europe/Kiyv", "time zone"),
        ("0 7 * * *", "../etc/passwd", "time zone"),
    ],
)
def test_says_what_is_wrong(expression: str, zone: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check(expression, zone)
