import pytest

from watcher.alerting.noise import Rate, remark_on

WEEK, DAY = 7 * 86400.0, 86400.0


@pytest.mark.parametrize(
    ("rate", "noisy"),
    [
        (Rate(19, 0, 60.0), False),  # few
        (Rate(20, 0, 60.0), True),  # new, and at once
        (Rate(100, 168 * 10, WEEK), True),  # ten an hour before
        (Rate(49, 168 * 10, WEEK), False),
        (Rate(100, 24 * 30, DAY), False),  # thirty an hour, for a day
    ],
)
def test_a_rule_is_noisy_against_its_own_history(rate: Rate, noisy: bool) -> None:
    assert bool(remark_on("sahel", rate)) is noisy


def test_it_says_how_to_tune_it() -> None:
    said = remark_on("sahel", Rate(100, 168 * 10, WEEK))
    assert said == ("Rule sahel is noisy: 100 alerts in an hour, usually 10.0. To tune it: watcher backtest sahel")
