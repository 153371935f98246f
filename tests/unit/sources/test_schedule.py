from random import Random

import pytest

from watcher.errors import FetchError, FetchKind, ParseError
from watcher.model import Item, SourceState
from watcher.sources import Hints, Outcome, Poll, kinds
from watcher.sources.schedule import after_failure, longest, next_due

NOW = 1_800_000_000.0
MINUTE, HOUR = 60.0, 3600.0


def source(**keys):
    return kinds()["feed"].model_validate({"feed": "https://news.example/feed"} | keys)


def state(**keys) -> SourceState:
    return SourceState("s", NOW, **({"first_polled_at": NOW - 1e6} | keys))


def wait(got: Poll, gap: bool = False, **keys) -> float:
    """The middle of many draws, which are all within a tenth of it."""
    waits = [next_due(source(**keys), got, NOW, Random(n), gap=gap) - NOW for n in range(200)]
    middle = (min(waits) + max(waits)) / 2
    assert max(waits) <= middle * 1.11
    assert len(set(waits)) > 100
    return middle


def polled(outcome: Outcome = Outcome.NOT_MODIFIED, etag: str | None = '"e"', items: int = 0, **hints) -> Poll:
    made = tuple(Item(str(n), "s") for n in range(items))
    return Poll(outcome, items=made, etag=etag, hints=Hints(**hints))


@pytest.mark.parametrize(
    ("per_day", "etag", "minutes"),
    [
        (10_000, '"e"', 5),
        (40, '"e"', 9),
        (10, '"e"', 36),
        (1, '"e"', 60),
        (0, '"e"', 60),
        (None, '"e"', 30),
        (1, None, 240),
        (0, None, 240),
        (2, None, 180),
        (None, None, 30),
        (10_000, None, 5),
    ],
)
def test_auto_follows_the_source(per_day: float | None, etag: str | None, minutes: float) -> None:
    assert wait(polled(etag=etag, per_day=per_day)) == pytest.approx(minutes * MINUTE, rel=0.02)


@pytest.mark.parametrize(
    ("hints", "minutes"),
    [
        ({"max_age": 1200.0}, 20),
        ({"ttl": 3600.0}, 60),
        ({"ttl": 1200.0, "max_age": 2400.0}, 40),
        ({"max_age": 60.0}, 5),
        ({"ttl": 86400.0}, 240),
    ],
)
def test_auto_waits_as_the_server_asks_within_reason(hints: dict[str, float], minutes: float) -> None:
    assert wait(polled(per_day=10_000, **hints)) == pytest.approx(minutes * MINUTE, rel=0.02)


def test_an_explicit_interval_beats_what_the_server_says() -> None:
    assert wait(polled(per_day=1, max_age=86400.0, ttl=86400.0), every="2m") == pytest.approx(120, rel=0.02)


def test_a_gap_halves_the_interval() -> None:
    full = polled(Outcome.PARSED, items=10, per_day=10)
    assert wait(full, gap=True) == pytest.approx(18 * MINUTE, rel=0.02)
    assert wait(full) == pytest.approx(36 * MINUTE, rel=0.02)
    assert wait(polled(per_day=10_000), gap=True) == pytest.approx(5 * MINUTE, rel=0.02)


def test_min_and_max_bound_auto() -> None:
    assert wait(polled(per_day=10_000), min="20m") == pytest.approx(20 * MINUTE, rel=0.02)
    assert wait(polled(per_day=1), max="10m") == pytest.approx(10 * MINUTE, rel=0.02)
    assert wait(polled(per_day=1, max_age=7200.0), max="10m") == pytest.approx(10 * MINUTE, rel=0.02)
    assert wait(polled(per_day=10), min="1m", max="2h") == pytest.approx(36 * MINUTE, rel=0.02)
    for wrong in ({"every": "5m", "max": "10m"}, {"min": "10m", "max": "5m"}, {"cron": "0 7 * * *", "min": "5m"}):
        with pytest.raises(ValueError, match=r"min"):
            source(**wrong)


def test_cron() -> None:
    due = next_due(source(cron="0 7 * * *", timezone="Europe/Kyiv"), polled(), NOW, Random(1))
    assert due == 1_800_075_600.0  # 2027-01-16 05:00 UTC


def failed(kind: FetchKind | None, failures: int = 0, retry_after: float | None = None, **keys) -> float:
    error = ParseError("odd") if kind is None else FetchError(kind, "u", "m", retry_after=retry_after)
    return after_failure(source(**keys), state(failures=failures), error, NOW, Random(1)) - NOW


@pytest.mark.parametrize(
    "kind", [kind for kind in FetchKind if kind not in (FetchKind.GONE, FetchKind.ROBOTS)] + [None]
)
def test_failures_back_off_to_a_cap(kind: FetchKind | None) -> None:
    waits = [failed(kind, n) for n in range(20)]
    assert waits == sorted(waits)
    assert waits[1] == pytest.approx(2 * waits[0])
    assert waits[0] >= MINUTE
    assert waits[-1] == waits[-2] <= 27 * HOUR


def test_a_network_fault_is_tried_again_sooner_than_a_refusal() -> None:
    assert failed(FetchKind.DNS, 9) <= 1.1 * HOUR
    assert failed(FetchKind.NETWORK) < failed(FetchKind.SERVER) < failed(FetchKind.CLIENT) < failed(FetchKind.BLOCKED)


def test_gone_is_gone() -> None:
    assert failed(FetchKind.GONE) >= 300 * 24 * HOUR


def test_retry_after_is_waited_for() -> None:
    assert 3600 <= failed(FetchKind.SERVER, retry_after=3600) <= 3600 * 1.1 + 5
    assert failed(FetchKind.SERVER, 5, retry_after=1) > HOUR
    assert failed(FetchKind.RATE_LIMITED, retry_after=7200, every="1m") >= 7200


def test_a_source_that_is_polled_seldom_is_not_asked_more_often_while_it_fails() -> None:
    assert failed(FetchKind.NETWORK, 19, every="24h") >= 20 * HOUR


def test_a_failing_cron_source_is_tried_no_later_than_its_next_time() -> None:
    assert failed(FetchKind.BLOCKED, 5, cron="*/10 * * * *") <= 10 * MINUTE
    assert failed(FetchKind.RATE_LIMITED, retry_after=7200, cron="*/10 * * * *") >= 7200


@pytest.mark.parametrize(
    ("keys", "seconds"),
    [({}, None), ({"every": "5m"}, 300.0), ({"max": "10m"}, 600.0), ({"cron": "0 * * * *"}, None)],
)
def test_what_the_configuration_alone_says_of_the_time_between_two_polls(
    keys: dict[str, str], seconds: float | None
) -> None:
    assert longest(source(**keys)) == seconds
