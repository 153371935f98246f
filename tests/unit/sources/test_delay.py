import pytest

from tests.unit.sources.test_hours import BY_DAY, MIDNIGHT, learnt
from watcher.sources import Hints, Outcome, Poll, kinds
from watcher.sources.delay import explain, of_rule, of_source

MINUTE, HOUR = 60.0, 3600.0
HUB = {"hub": ["https://hub.example/", "https://news.example/feed"]}


def source(name: str = "wire", **keys):
    return (
        kinds()["feed"].model_validate({"feed": "https://news.example/feed", "full_text": "never"} | keys).named(name)
    )


def polled(per_day: float | None = None, etag: str | None = '"e"', cache=None, **hints) -> Poll:
    return Poll(Outcome.PARSED, etag=etag, hints=Hints(per_day=per_day, **hints), cache=cache or {})


@pytest.mark.parametrize(
    ("keys", "got", "hubs", "most", "why"),
    [
        ({"every": "10m"}, polled(), False, 10 * MINUTE, "polled every 10m: as configured"),
        ({"cron": "0 * * * *"}, polled(), False, HOUR, "its cron time"),
        ({}, polled(10), False, 36 * MINUTE, "polled every 36m: it publishes 10 items a day"),
        ({}, polled(), False, 30 * MINUTE, "how often it publishes is not known"),
        ({}, polled(1, None), False, 4 * HOUR, "no ETag and no Last-Modified"),
        ({}, polled(1000, max_age=1200.0), False, 20 * MINUTE, "its server asks for it"),
        ({"max": "15m"}, polled(1), False, 15 * MINUTE, "its `max`"),
        ({"min": "2h"}, polled(1000), False, 2 * HOUR, "its `min`"),
        ({"every": "10m"}, polled(cache=HUB), True, 2.0, "its hub pushes"),
        ({"every": "10m"}, polled(cache=HUB), False, 10 * MINUTE, "as configured"),
        ({"every": "10m", "auth": {"bearer": "x"}}, polled(cache=HUB), True, 10 * MINUTE, "as configured"),
        ({"every": "10m", "full_text": "auto"}, polled(), False, 11 * MINUTE, "then the article is read"),
    ],
)
def test_the_delay_of_a_source_is_told_with_its_reason(keys, got: Poll, hubs: bool, most: float, why: str) -> None:
    found = of_source(source(**keys), got, MIDNIGHT + 1.0, hubs=hubs)
    assert found.most == pytest.approx(most, rel=0.01)
    assert why in found.why and found.typical < found.most


def test_the_delay_of_a_rule_is_that_of_half_of_all_items() -> None:
    quick = of_source(source("quick", every="2m"), polled(per_day=10), MIDNIGHT, hubs=False)
    slow = of_source(source("slow", every="2h"), polled(per_day=1), MIDNIGHT, hubs=False)
    busy = of_source(source("busy", every="2h"), polled(per_day=100), MIDNIGHT, hubs=False)
    found = of_rule([slow, quick], wait=5.0)
    assert found is not None
    assert (found.typical, found.most, found.slowest.source, found.sources) == (65.0, 7205.0, "slow", 2)
    assert (of_rule([quick, busy]) or found).typical == HOUR
    assert of_rule([]) is None


def test_the_interval_is_explained() -> None:
    got = polled(10, cache={"hours": learnt(BY_DAY)})
    assert explain(source(), got, MIDNIGHT, None) == (
        "polled every 36m: it publishes 10 items a day; less from 21:00-06:00 UTC, when it publishes nothing"
    )
    assert explain(source(), polled(10), MIDNIGHT, MIDNIGHT + 1e6) == "polled every 12h: its hub pushes"
    assert explain(source(every="30s"), got, MIDNIGHT, None) == "polled every 30s: as configured"


def test_a_cron_time_is_as_far_as_the_next_one_whatever_the_hour() -> None:
    for hour in (1, 6, 8, 23):
        found = of_source(source(cron="0 7 * * *"), polled(), hour * HOUR, hubs=False)
        assert (found.typical, found.most) == (12 * HOUR, 24 * HOUR)
