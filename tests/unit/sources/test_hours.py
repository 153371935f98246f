import json
from random import Random

import pytest

from watcher.sources import Hints, Outcome, Poll, kinds
from watcher.sources.hours import DAY, HOUR, hour_of, in_words, learn, quiet, quiet_until
from watcher.sources.schedule import next_due

MIDNIGHT = 1_800_057_600.0  # 00:00 UTC
assert MIDNIGHT % DAY == 0


def days(hours: list[float], count: int = 14, end: float = MIDNIGHT) -> list[float]:
    """Dates at these hours of each of the last days."""
    return [end - day * DAY + hour * HOUR + 60.0 for day in range(1, count + 1) for hour in hours]


BY_DAY = days([6.5, 8, 9, 11, 13, 15, 18, 20.5])
AROUND = days([float(hour) for hour in range(24)])


def learnt(dates: list[float], now: float = MIDNIGHT):
    return learn(None, dates, None, now)


def test_hours_in_which_nothing_comes_are_quiet() -> None:
    known = learnt(BY_DAY)
    assert quiet(known, MIDNIGHT) == [(21, 6)]
    assert in_words(quiet(known, MIDNIGHT)) == "21:00-06:00 UTC"
    assert json.loads(json.dumps(known)) == known
    assert quiet(learnt(days([12, 13, 14, 15, 22, 23, 0, 1])), MIDNIGHT) == [(2, 12), (16, 22)]


@pytest.mark.parametrize(
    "dates",
    [
        AROUND,
        [],
        BY_DAY[:20],
        days([12.0] * 8, count=3),
        days([9.0, 16.0], count=5),
        days([6, 10, 13.9, 17, 20, 23, 2.9]),
    ],
)
def test_no_hour_is_quiet_without_enough_to_tell_it_by(dates: list[float]) -> None:
    assert quiet(learnt(dates), MIDNIGHT) == []
    assert quiet(None, MIDNIGHT) == []


def test_chance_makes_no_quiet_hours() -> None:
    wrong = 0
    for seed in range(200):
        rng = Random(seed)
        dates = [MIDNIGHT - rng.uniform(0, 14 * DAY) for _ in range(rng.choice([20, 50, 100, 300]))]
        wrong += bool(quiet(learnt(dates), MIDNIGHT))
    assert wrong <= 4


def test_a_few_night_shifts_do_not_matter_and_a_new_habit_does() -> None:
    many = days([6 + n / 8 for n in range(120)], count=10)
    assert quiet(learnt([*many, MIDNIGHT - DAY + 2 * HOUR]), MIDNIGHT) == [(21, 6)]
    known, now = learnt(BY_DAY), MIDNIGHT
    for _ in range(5):
        now += DAY
        known = learn(known, [now + 2 * HOUR], now, now + 3 * HOUR)
    assert all(end <= 2 or first > 2 for first, end in quiet(known, now) if first < end)
    assert quiet_until(known, now + 2.5 * HOUR) is None


def test_what_is_remembered_fades() -> None:
    known, now = learnt(BY_DAY), MIDNIGHT
    for day in range(120):
        now = MIDNIGHT + day * DAY + 23 * HOUR
        dates = [MIDNIGHT + day * DAY + hour * HOUR + 60 for hour in (0, 1, 2, 3, 4, 21, 22)]
        known = learn(known, dates, now - DAY, now)
    assert quiet(known, now) == [(5, 21)]


def test_a_date_that_says_nothing_of_when_it_came_counts_for_now() -> None:
    now = MIDNIGHT + 14 * HOUR
    for date in (None, MIDNIGHT, now + 9 * HOUR, now - 3 * DAY):
        known = learn(None, [date], now - HOUR, now)
        assert known["counts"][14] == 1.0 and sum(known["counts"]) == 1.0
    assert learn(None, [now - 100], now - HOUR, now)["counts"][13] == 1.0
    assert sum(learn(None, [None, MIDNIGHT, now + HOUR, now - 30 * DAY], None, now)["counts"]) == 0.0


def test_quiet_hours_end_when_they_end() -> None:
    known = learnt(BY_DAY)
    for hour, end in ((22.5, MIDNIGHT + 30 * HOUR), (0.0, MIDNIGHT + 6 * HOUR), (5.99, MIDNIGHT + 6 * HOUR)):
        assert quiet_until(known, MIDNIGHT + hour * HOUR) == pytest.approx(end)
    assert quiet_until(known, MIDNIGHT + 6 * HOUR) is None
    assert quiet_until(known, MIDNIGHT + 12 * HOUR) is None
    assert hour_of(MIDNIGHT + 5.5 * HOUR) == 5


def source(**keys):
    return kinds()["feed"].model_validate({"feed": "https://news.example/feed"} | keys)


def polls(known, per_day: float, etag: str | None = '"e"', **keys) -> list[int]:
    """How often a source is polled in each hour of a day."""
    got = Poll(Outcome.NOT_MODIFIED, etag=etag, hints=Hints(per_day=per_day), cache={"hours": known} if known else {})
    rng, now, counts = Random(3), MIDNIGHT - DAY, [0] * 24
    while now < MIDNIGHT + DAY:
        now = next_due(source(**keys), got, now, rng)
        if MIDNIGHT <= now < MIDNIGHT + DAY:
            counts[hour_of(now)] += 1
    return counts


def test_a_source_that_publishes_nothing_at_night_is_polled_less_then() -> None:
    by_night = [*range(22, 24), *range(6)]
    even, told = polls(None, 100), polls(learnt(BY_DAY), 100)
    assert sum(told[hour] for hour in by_night) <= 10 < 60 < sum(even[hour] for hour in by_night)
    assert all(abs(told[hour] - even[hour]) <= 3 for hour in range(7, 20))
    assert told[6] >= 10, "awake with the source"
    assert sum(polls(learnt(BY_DAY), 100, None)[hour] for hour in by_night) <= 4


def test_bounds_and_explicit_intervals_are_kept_to_at_night() -> None:
    assert min(polls(learnt(BY_DAY), 100, every="10m")) >= 5
    assert min(polls(learnt(BY_DAY), 100, max="10m")) >= 5


def test_a_source_is_asked_in_its_first_hour_even_where_it_is_asked_seldom() -> None:
    known = learnt(BY_DAY)
    assert all(polls(known, per_day)[6] >= 1 for per_day in (24, 40, 100))
