import pytest

from watcher.model import Item, SourceState
from watcher.sources import Outcome, Poll
from watcher.sources.reading import DAY, PAUSE, Reading, reading

NOW = 1_800_000_000.0
HOUR = 3600.0


def state(**keys) -> SourceState:
    known = {"first_polled_at": NOW - 30 * DAY, "last_success": NOW - HOUR}
    return SourceState("s", **({"next_due": NOW} | known | keys))


def items(count: int, age: float | None = HOUR / 2) -> list[Item]:
    return [Item(str(n), "s", published=None if age is None else NOW - age) for n in range(count)]


def read(fresh: list[Item], known: int, **keys) -> Reading:
    listed = tuple(item.id for item in fresh) + tuple(f"known {n}" for n in range(known))
    return reading(state(**keys), Poll(Outcome.PARSED, items=tuple(fresh), listed=listed), fresh, NOW)


@pytest.mark.parametrize(
    ("fresh", "known", "keys", "expected"),
    [
        (items(3), 20, {}, Reading.NEWS),
        ([], 0, {}, Reading.NEWS),
        (items(20), 1, {}, Reading.NEWS),  # busy
        (items(20), 0, {}, Reading.GAP),
        (items(20, None), 0, {}, Reading.GAP),  # undated: it cannot be told that they are old
        (items(20), 0, {"first_polled_at": None}, Reading.FIRST),
        (items(20, 5 * DAY), 0, {}, Reading.REISSUED),
        (items(20, 5 * DAY), 5, {}, Reading.REISSUED),
        (items(20, 5 * DAY), 20, {}, Reading.NEWS),  # half of it is as it was
        (items(4, 5 * DAY), 0, {}, Reading.GAP),  # few
        (items(20, 5 * DAY), 0, {"last_success": NOW - 9 * DAY}, Reading.GAP),  # it failed for long: catch up
        (items(3), 20, {"next_due": NOW - PAUSE - 1}, Reading.PAUSE),
        (items(3), 20, {"next_due": NOW - HOUR, "last_success": NOW - 8 * DAY}, Reading.NEWS),  # polled weekly
    ],
)
def test_how_a_poll_is_read(fresh, known, keys, expected) -> None:
    assert read(fresh, known, **keys) is expected


def test_what_begins_anew_is_no_news() -> None:
    assert {how for how in Reading if how.baseline} == {Reading.FIRST, Reading.PAUSE, Reading.REISSUED}
