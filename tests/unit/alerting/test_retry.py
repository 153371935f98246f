from __future__ import annotations

from random import Random

import pytest

from watcher.alerting.retry import Dead, next_try
from watcher.errors import Failure
from watcher.model import Reason

NOW = 1_700_000_000.0


def test_a_refusal_for_good_is_the_end() -> None:
    assert next_try(Failure.PERMANENT, 1, NOW, NOW, None, Random(1)) == Dead(Reason.REFUSED)


@pytest.mark.parametrize("failure", [Failure.TRANSIENT, Failure.AMBIGUOUS])
def test_waits_grow_from_ten_seconds_to_an_hour_and_differ(failure: Failure) -> None:
    for attempts, longest in ((1, 20), (2, 40), (5, 320), (9, 3600), (500, 3600)):
        again = [next_try(failure, attempts, NOW, NOW, None, Random(seed)) for seed in range(200)]
        waits = [one - NOW for one in again if not isinstance(one, Dead)]
        assert len(waits) == 200
        assert min(waits) >= 10
        assert longest * 0.9 <= max(waits) <= longest
        assert len(set(waits)) > 100


def test_a_service_is_not_asked_sooner_than_it_said() -> None:
    for seed in range(50):
        again = next_try(Failure.TRANSIENT, 1, NOW, NOW, 43_837, Random(seed))
        assert not isinstance(again, Dead)
        assert 43_837 < again - NOW < 43_837 * 1.06
        short = next_try(Failure.TRANSIENT, 1, NOW, NOW, 0, Random(seed))
        assert not isinstance(short, Dead) and short - NOW >= 10


def test_an_absurd_wish_is_cut_to_a_week() -> None:
    again = next_try(Failure.TRANSIENT, 1, NOW, NOW, 1e12, Random(1))
    assert not isinstance(again, Dead) and again - NOW < 8 * 86400


def test_what_may_have_arrived_is_kept_for_a_day_and_what_did_not_for_three() -> None:
    day = 86400.0
    assert not isinstance(next_try(Failure.AMBIGUOUS, 50, NOW - day + 1, NOW, None, Random(1)), Dead)
    assert next_try(Failure.AMBIGUOUS, 50, NOW - day, NOW, None, Random(1)) == Dead(Reason.GAVE_UP)
    assert not isinstance(next_try(Failure.TRANSIENT, 50, NOW - 3 * day + 1, NOW, None, Random(1)), Dead)
    assert next_try(Failure.TRANSIENT, 50, NOW - 3 * day, NOW, None, Random(1)) == Dead(Reason.GAVE_UP)
