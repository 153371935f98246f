import pytest

from watcher.model import SourceState
from watcher.sources.health import NETWORK, State, changes, health, outage
from watcher.store import SourceStatus

NOW = 1_800_000_000.0
HOUR, DAY = 3600.0, 86400.0


def status(id_: str = "s", kind: str | None = None, per_day: float | None = None, **keys) -> SourceStatus:
    known = {"last_success": NOW, "last_new": NOW, "failures": 1 if kind else 0, "error": "it broke" if kind else None}
    return SourceStatus(
        state=SourceState(id_, NOW, cache={} if per_day is None else {"per_day": per_day}, **(known | keys)),
        kind="feed",
        active=True,
        added_at=NOW - 30 * DAY,
        polled_at=NOW,
        latency=0.1,
        listed=20,
        new_items=99,
        error_kind=kind,
        worker=None,
    )


@pytest.mark.parametrize(
    ("keys", "state"),
    [
        ({}, State.OK),
        ({"kind": "gone"}, State.GONE),
        ({"kind": "blocked"}, State.OK),  # once is no block
        ({"kind": "blocked", "failures": 2}, State.BLOCKED),
        ({"kind": "http 5xx", "last_success": NOW - 5 * HOUR}, State.OK),
        ({"kind": "http 5xx", "last_success": NOW - 7 * HOUR}, State.FAILING),
        ({"kind": "http 4xx", "last_success": NOW - 7 * HOUR, "per_day": 4.0}, State.OK),  # a gap of 6 hours, thrice
        ({"kind": "http 4xx", "last_success": NOW - 19 * HOUR, "per_day": 4.0}, State.FAILING),
        ({"kind": "parse", "last_success": None}, State.FAILING),  # never once
        ({"per_day": 40.0, "last_new": NOW - 2 * DAY}, State.OK),
        ({"per_day": 40.0, "last_new": NOW - 4 * DAY}, State.QUIET),
        ({"per_day": 1.0, "last_new": NOW - 4 * DAY}, State.OK),
        ({"per_day": 1.0, "last_new": NOW - 15 * DAY}, State.QUIET),
        ({"per_day": 0.0, "last_new": NOW - 90 * DAY}, State.OK),
        ({"last_new": NOW - 90 * DAY}, State.OK),  # undated: it has no week to measure it by
    ],
)
def test_states(keys, state) -> None:
    found = health(status(**keys), NOW)
    assert found.state is state
    assert bool(found.why) is (state is not State.OK or "kind" in keys)


def told(found) -> list[tuple[str, str | None, bool]]:
    return [(change.subject, change.state, change.urgent) for change in found]


def test_a_change_is_said_once_and_so_is_recovery() -> None:
    dead = status("a", "gone")
    first = changes([dead, status("b")], {"a": "Alpha"}, {}, NOW)
    assert told(first) == [("source:a", "gone", True)] and first[0].text.startswith("Alpha: gone")
    known = {"source:a": "gone"}
    assert changes([dead, status("b")], {}, known, NOW) == []
    assert told(changes([status("a")], {}, known, NOW)) == [("source:a", None, True)]


def test_what_is_quiet_is_not_urgent() -> None:
    quiet = status(per_day=40.0, last_new=NOW - 4 * DAY)
    assert told(changes([quiet], {}, {}, NOW)) == [("source:s", "quiet", False)]
    assert told(changes([status()], {}, {"source:s": "quiet"}, NOW)) == [("source:s", None, False)]
    assert told(changes([status()], {}, {"source:s": "failing"}, NOW)) == [("source:s", None, True)]


def test_a_removed_source_is_forgotten_without_a_word() -> None:
    [change] = changes([], {}, {"source:a": "gone", "notes": "notes"}, NOW)
    assert (change.subject, change.state, change.text, change.urgent) == ("source:a", None, "", False)


def test_a_dead_name_server_is_one_fault() -> None:
    dead = [status(f"s{n}", "dns", last_success=NOW - 9 * HOUR) for n in range(50)]
    gone = status("x", "gone")
    assert outage(dead, NOW) and not outage(dead[:2], NOW) and not outage([*dead, *(status() for _ in range(20))], NOW)
    assert told(changes([*dead, gone], {}, {}, NOW)) == [(NETWORK, NETWORK, True), ("source:x", "gone", True)]
    assert changes(dead, {}, {NETWORK: NETWORK}, NOW) == []
    well = [status(f"s{n}") for n in range(50)]
    assert told(changes(well, {}, {NETWORK: NETWORK}, NOW)) == [(NETWORK, None, True)]
