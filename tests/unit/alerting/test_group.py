from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.alerting.group import (
    Limit,
    Placement,
    after_spending,
    check_digest,
    parse_limits,
    parse_quiet,
    place,
)
from watcher.model import Reason

KYIV = "Europe/Kyiv"


@dataclass(frozen=True)
class Channel:
    digest: str = ""
    quiet: str = ""
    group_wait: float = 5.0
    timezone: str = KYIV


def at(text: str, zone: str = KYIV, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def placed(channel: Channel, when: str, *, kind: str = "alert", priority: str = "normal") -> Placement:
    return place(channel, kind=kind, event="e1", priority=priority, now=at(when))


NOON = "2026-03-10 12:00"
NIGHT = "2026-03-10 23:30"


def test_a_channel_that_tells_at_once_waits_for_copies() -> None:
    assert placed(Channel(), NOON) == Placement("event:e1", "alert", at(NOON) + 5, Reason.GROUP_WAIT)


def test_without_a_wait_it_tells_now() -> None:
    assert placed(Channel(group_wait=0), NOON) == Placement("event:e1", "alert", at(NOON), Reason.AT_ONCE)


def test_quiet_hours_gather_in_one_group_until_their_end() -> None:
    channel = Channel(quiet="23:00-07:00")
    expected = Placement("quiet", "digest", at("2026-03-11 07:00"), Reason.QUIET_HOURS)
    assert placed(channel, NIGHT) == expected
    assert placed(channel, "2026-03-11 06:59") == expected
    assert placed(channel, "2026-03-11 07:00").reason is Reason.GROUP_WAIT
    assert placed(channel, "2026-03-10 22:59").reason is Reason.GROUP_WAIT


def test_quiet_hours_are_the_channels_own() -> None:
    channel = Channel(quiet="23:00-07:00", timezone="America/Lima")
    assert placed(channel, NOON).flush_at == at("2026-03-10 07:00", "America/Lima")


def test_digest_by_cron_and_by_interval() -> None:
    placement = placed(Channel(digest="0 7 * * mon-fri"), "2026-03-13 12:00")  # a Friday
    assert placement == Placement("digest", "digest", at("2026-03-16 07:00"), Reason.DIGEST)
    assert placed(Channel(digest="2h"), "2026-03-10 12:30").flush_at == at("2026-03-10 14:00")
    assert placed(Channel(digest="1d"), NOON).flush_at == at("2026-03-11 00:00")
    assert placed(Channel(digest="1h", timezone="Asia/Kathmandu"), "2026-03-10 12:30").flush_at == at(
        "2026-03-10 17:00", "Asia/Kathmandu"
    )


def test_a_digest_that_falls_into_quiet_hours_waits_for_their_end() -> None:
    channel = Channel(digest="1h", quiet="23:00-07:00")
    assert placed(channel, NIGHT) == Placement("digest", "digest", at("2026-03-11 07:00"), Reason.DIGEST)


@pytest.mark.parametrize("channel", [Channel(), Channel(quiet="23:00-07:00"), Channel(digest="0 7 * * *")])
def test_high_passes_everything(channel: Channel) -> None:
    assert placed(channel, NIGHT, priority="high") == Placement("high:e1", "alert", at(NIGHT), Reason.AT_ONCE)


def test_a_first_poll_is_gathered_while_it_grows() -> None:
    now = at(NOON)
    expected = Placement("baseline", "baseline", now + 30, Reason.BASELINE, slide=True, latest=now + 300)
    assert placed(Channel(), NOON, kind="baseline") == expected
    assert placed(Channel(), NOON, kind="baseline", priority="high") == expected


def test_a_first_poll_waits_for_quiet_hours_and_digests() -> None:
    placement = placed(Channel(quiet="23:00-07:00"), NIGHT, kind="baseline")
    assert placement == Placement("baseline", "baseline", at("2026-03-11 07:00"), Reason.QUIET_HOURS)
    placement = placed(Channel(digest="0 7 * * *"), NOON, kind="baseline")
    assert (placement.key, placement.flush_at) == ("baseline", at("2026-03-11 07:00"))


# Summer time in Kyiv: 2026-03-29 03:00 becomes 04:00; 2026-10-25 04:00 becomes 03:00.


def test_quiet_hours_end_by_the_wall_clock_when_summer_time_begins() -> None:
    quiet = parse_quiet("23:00-07:00")
    before = at("2026-03-28 23:00")
    assert quiet.end(KYIV, before) == at("2026-03-29 07:00") == before + 7 * 3600


def test_quiet_hours_end_by_the_wall_clock_when_summer_time_ends() -> None:
    quiet = parse_quiet("23:00-07:00")
    before = at("2026-10-24 23:00")
    assert quiet.end(KYIV, before) == at("2026-10-25 07:00") == before + 9 * 3600


def test_an_end_that_the_clock_skips_comes_right_after_the_gap() -> None:
    assert parse_quiet("23:00-03:30").end(KYIV, at("2026-03-29 02:00")) == at("2026-03-29 04:30")


def test_an_end_that_the_clock_shows_twice() -> None:
    quiet = parse_quiet("23:00-03:30")
    first, second = at("2026-10-25 03:30"), at("2026-10-25 03:30", fold=1)
    assert second - first == 3600
    assert quiet.end(KYIV, first - 60) == first
    assert quiet.end(KYIV, second - 60) == second  # by the clock it is 03:29 again, which is quiet


@given(
    st.integers(0, 23), st.integers(0, 59), st.integers(0, 23), st.integers(0, 59),
    st.floats(1_700_000_000, 1_900_000_000), st.sampled_from([KYIV, "America/New_York", "Asia/Kathmandu", "UTC"]),
)  # fmt: skip
def test_quiet_hours_always_end_later_and_within_a_day(
    h1: int, m1: int, h2: int, m2: int, now: float, zone: str
) -> None:
    if (h1, m1) == (h2, m2):
        return
    end = parse_quiet(f"{h1}:{m1:02}-{h2}:{m2:02}").end(zone, now)
    if end is not None:
        assert now < end <= now + 25 * 3600


@pytest.mark.parametrize("text", ["23-7", "23:00", "24:00-07:00", "23:00-07:60", "07:00-07:00", "", "night"])
def test_quiet_hours_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="quiet hours"):
        parse_quiet(text)


@pytest.mark.parametrize("text", ["10s", "often", "* * *", ""])
def test_digests_that_are_none(text: str) -> None:
    with pytest.raises(ValueError):
        check_digest(text)


# Limits


def test_limits_as_users_write_them() -> None:
    assert parse_limits("20/h") == (Limit(20, 3600.0),)
    assert parse_limits("10/h, 100/d") == (Limit(10, 3600.0), Limit(100, 86400.0))
    assert [str(limit) for limit in parse_limits("5/m,1 / d")] == ["5/m", "1/d"]
    for text in ("", "20", "20/w", "0/h", "20/h;", "-1/h", "many"):
        with pytest.raises(ValueError, match="a limit is written as"):
            parse_limits(text)


def test_a_bucket_gives_a_burst_and_then_waits_for_refill() -> None:
    limits = parse_limits("4/h")
    tokens: dict[str, float] = {}
    for _ in range(4):
        spent = after_spending(limits, tokens, 1000.0)
        assert spent.wait_until is None
        tokens = spent.tokens
    refused = after_spending(limits, tokens, 1000.0)
    assert refused.wait_until == 1000.0 + 900
    assert refused.tokens == tokens
    assert after_spending(limits, tokens, 1899.0).wait_until == 1900.0
    assert after_spending(limits, tokens, 1900.0).wait_until is None


def test_every_limit_must_have_room_or_none_is_spent() -> None:
    limits = parse_limits("10/h, 2/d")
    tokens: dict[str, float] = {}
    for _ in range(2):
        tokens = after_spending(limits, tokens, 0.0).tokens
    refused = after_spending(limits, tokens, 7200.0)
    assert refused.wait_until == 43200.0
    assert refused.tokens == tokens


def test_what_costs_more_than_the_bucket_holds_goes_when_it_is_full() -> None:
    limits = parse_limits("2/h")
    spent = after_spending(limits, {}, 0.0, cost=3)
    assert spent.wait_until is None
    again = after_spending(limits, spent.tokens, 0.0)
    assert again.wait_until is not None and again.wait_until > 0


def test_a_clock_set_back_does_not_shut_a_channel_for_long() -> None:
    limits = parse_limits("2/h")
    tokens = after_spending(limits, {}, 10_000_000.0).tokens
    wait_until = after_spending(limits, tokens, 1000.0).wait_until
    assert wait_until is not None and wait_until <= 1000.0 + 3600


@given(st.lists(st.floats(0, 400), min_size=1, max_size=150), st.integers(1, 20))
def test_never_more_than_the_limit_allows(gaps: list[float], count: int) -> None:
    limits = (Limit(count, 3600.0),)
    tokens: dict[str, float] = {}
    now, sent = 0.0, []
    for gap in gaps:
        now += gap
        spent = after_spending(limits, tokens, now)
        tokens = spent.tokens
        if spent.wait_until is None:
            sent.append(now)
        else:
            assert now < spent.wait_until <= now + 3600.0 / count + 1e-6
    for start in sent:  # a bucket allows its burst and what is refilled meanwhile
        for window in (600.0, 3600.0):
            inside = sum(1 for moment in sent if start <= moment < start + window)
            assert inside <= count + window * count / 3600.0 + 1
