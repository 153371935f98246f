"""From a judged item to its story, event and alerts, on both engines."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.clock import START, FakeClock
from tests.contract.store.ingester import COPIES, STORIES
from tests.newsroom import configured, copy_of, ingest, newsroom
from tests.stories import heard
from watcher.daemon.start import adopt
from watcher.model import Alert, AlertState, Item, Reason, Story
from watcher.pipeline import Services
from watcher.store import Store, Tx
from watcher.store.events import COUNTED_AGAIN
from watcher.store.nearby import COMMON_WORD, Opened
from watcher.store.tables import event_word
from watcher.stories import coverage, outline

HOUR = 3600.0
WORKERS = 8

COUP = {
    "herald.example": (
        "Goïta ousted as soldiers seize Bamako",
        "Soldiers loyal to General Dembélé entered the palace in Bamako on Tuesday and declared that President Assimi "
        "Goïta had been removed. The mutiny began at the Kati garrison before dawn, a harbour official said.",
    ),
    "courier.example": (
        "Mutiny in Mali: Goïta held at Kati garrison",
        "President Assimi Goïta is being held by mutinous troops at Kati, outside Bamako, two diplomats told us. "
        "General Dembélé is expected to speak. The harbour at Koulikoro is closed.",
    ),
    "tribune.example": (
        "Bamako under curfew after mutiny against Goïta",
        "A curfew was imposed in Bamako after a mutiny at the Kati garrison; General Dembélé said that Assimi Goïta "
        "was safe. Shops near the harbour stayed shut.",
    ),
}


def report(outlet: str) -> Item:
    title, body = COUP[outlet]
    return Item(outlet, outlet, title, body=body, outlet=outlet, url=f"https://{outlet}/mali", lang="en")


def reprint(of: str, outlet: str) -> Item:
    title, body = COUP[of]
    return Item(f"{outlet} reprints {of}", outlet, f"{title} - agency", body=body, outlet=outlet)


def room(tmp_path: Path, store: Store, clock: FakeClock, rules: str = "{all: {query: harbour}}") -> Services:
    return newsroom(configured(tmp_path, rules), store, clock)


async def stories(store: Store) -> list[Story]:
    async with store.read() as tx:
        return sorted((one.story for one in await tx.stories.list(1000)), key=lambda story: story.opened_at)


async def alerts(store: Store) -> list[Alert]:
    async with store.read() as tx:
        return await tx.alerts.list(1000)


async def test_own_reports_are_stories_of_one_event_and_each_is_an_alert(
    store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    services = room(tmp_path, store, clock)
    for outlet in COUP:
        await ingest(services, report(outlet))
        clock.advance(HOUR)
    found = await stories(store)
    assert len(found) == 3
    assert {story.event for story in found} == {found[0].id}
    assert [alert.state for alert in await alerts(store)] == [AlertState.WAITING] * 3


async def test_a_copy_that_a_rule_matches_first_says_so(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    services = room(tmp_path, store, clock, "{all: {query: harbour}, wire: {query: agency}}")
    await ingest(services, report("herald.example"))
    await ingest(services, reprint("herald.example", "mirror.example"))
    assert len(await stories(store)) == 1
    assert {(one.rule, one.reason) for one in await alerts(store)} == {
        ("all", Reason.FIRST_SIGHT),
        ("wire", Reason.MATCHING_COPY),
    }


async def test_an_event_is_over_after_six_hours(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    services = room(tmp_path, store, clock)
    await ingest(services, report("herald.example"))
    clock.advance(6 * HOUR + 1)
    await ingest(services, report("courier.example"))
    clock.advance(6 * HOUR - 1)
    await ingest(services, report("tribune.example"))
    first, second, third = await stories(store)
    assert (first.event, second.event, third.event) == (first.id, second.id, second.id)


async def test_a_story_s_event_stays_what_it_was_at_its_opening(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    services = room(tmp_path, store, clock)
    await ingest(services, report("herald.example"))
    before = await stories(store)
    await ingest(services, report("courier.example"), reprint("herald.example", "mirror.example"))
    after = {story.id: story.event for story in await stories(store)}
    assert after[before[0].id] == before[0].event


async def test_housekeeping_forgets_the_words_of_events_that_are_over(
    store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    services = room(tmp_path, store, clock)
    await ingest(services, report("herald.example"))
    async with store.read() as tx:
        found = await heard(tx, *_words(report("courier.example")), START)
    assert [one.story.title for one in found.reports] == ["Goïta ousted as soldiers seize Bamako"]
    clock.advance(6 * HOUR)
    kept = 1e9
    await store.write(lambda tx: tx.purge(tx.now, text=kept, items=kept, deliveries=kept))
    async with store.read() as tx:
        found = await heard(tx, *_words(report("courier.example")), START)
    assert (found.reports, found.held) == ((), {})


def _words(item: Item) -> tuple[frozenset[int], frozenset[int]]:
    said = outline(item)
    return said.words, said.title


async def test_min_outlets_counts_copies_and_own_reports_of_the_event(
    store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    services = room(tmp_path, store, clock, "{all: {query: harbour, min_outlets: 4}}")
    arrivals = [
        report("herald.example"),
        reprint("herald.example", "mirror.example"),
        reprint("herald.example", "mirror.example"),
        report("courier.example"),
    ]
    for item in arrivals:
        await ingest(services, item)
    assert {(alert.state, alert.reason) for alert in await alerts(store)} == {(AlertState.HELD, Reason.FEW_OUTLETS)}
    await ingest(services, reprint("courier.example", "echo.example"))
    released = await alerts(store)
    assert [(alert.state, alert.reason) for alert in released] == [(AlertState.WAITING, Reason.FIRST_SIGHT)] * 2
    async with store.read() as tx:
        reach = coverage(one.outlets for one in await tx.events.stories((await stories(store))[0].event))
    assert str(reach) == "4 outlets: 2 copies, 2 own reports"
    await ingest(services, report("tribune.example"))  # what comes later waits for nothing
    assert {alert.state for alert in await alerts(store)} == {AlertState.WAITING}
    assert len(await alerts(store)) == 3


async def test_min_copies_counts_one_text_only(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    services = room(tmp_path, store, clock, "{all: {query: harbour, min_copies: 2}}")
    await ingest(services, report("herald.example"), report("courier.example"))
    assert {(alert.state, alert.reason) for alert in await alerts(store)} == {(AlertState.HELD, Reason.FEW_COPIES)}
    await ingest(services, reprint("courier.example", "echo.example"))
    states = {alert.item: alert.state for alert in await alerts(store)}
    assert states == {"herald.example": AlertState.HELD, "courier.example": AlertState.WAITING}


@pytest.mark.parametrize("gap", [71 * HOUR, 73 * HOUR])
async def test_a_copy_is_one_within_72_hours_of_the_last_copy(
    store: Store, clock: FakeClock, tmp_path: Path, gap: float
) -> None:
    services = room(tmp_path, store, clock)
    await ingest(services, copy_of(1, 0))
    clock.advance(gap)
    await ingest(services, copy_of(1, 1))
    assert len(await stories(store)) == (1 if gap < 72 * HOUR else 2)


async def test_no_story_takes_copies_for_more_than_seven_days(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    services = room(tmp_path, store, clock)
    for copy in range(4):  # at hours 0, 60, 120 and 180
        await ingest(services, copy_of(1, copy))
        clock.advance(60 * HOUR)
    first, second = await stories(store)
    assert (first.outlets, second.outlets) == (
        ("outlet0.example", "outlet1.example", "outlet2.example"),
        ("outlet3.example",),
    )
    assert len(await alerts(store)) == 2


async def test_eight_workers_that_get_five_copies_of_200_stories_at_once(
    store: Store, url: str, clock: FakeClock, tmp_path: Path
) -> None:
    """Processes on PostgreSQL; on SQLite, where one process works on a file, eight tasks."""
    if store.engine == "postgresql":
        await _processes(url)
    else:
        await _tasks(store, clock, tmp_path)
    found = await stories(store)
    assert len(found) == STORIES
    assert all(len(story.outlets) == COPIES for story in found)
    made = await alerts(store)
    assert len(made) == STORIES == len({alert.story for alert in made})


async def _processes(url: str) -> None:
    script = Path(__file__).with_name("ingester.py")
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    started = [
        await asyncio.create_subprocess_exec(sys.executable, str(script), url, str(n), str(WORKERS), **pipes)
        for n in range(WORKERS)
    ]
    for process in started:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    ended = await asyncio.gather(*(process.communicate(b"go\n") for process in started))
    assert [process.returncode for process in started] == [0] * WORKERS, ended


async def _tasks(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    services = room(tmp_path, store, clock)
    arrivals = [copy_of(number, copy) for number in range(STORIES) for copy in range(COPIES)]

    async def worker(mine: list[Item]) -> None:
        for item in mine:
            await ingest(services, item)

    await asyncio.gather(*(worker(arrivals[n::WORKERS]) for n in range(WORKERS)))


async def test_what_is_held_is_decided_anew_when_the_rules_change(
    store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    services = room(
        tmp_path, store, clock, "{few: {query: harbour, min_outlets: 3}, same: {query: harbour, min_copies: 3}}"
    )
    for item in (report("herald.example"), reprint("herald.example", "mirror.example")):
        await ingest(services, item)
    assert {alert.state for alert in await alerts(store)} == {AlertState.HELD}

    async def reload(rules: str) -> dict[str, tuple[AlertState, Reason]]:
        await adopt(services, configured(tmp_path, rules))
        return {alert.rule: (alert.state, alert.reason) for alert in await alerts(store)}

    held = await reload("{few: {query: harbour, min_outlets: 4}, same: {query: harbour, min_copies: 3}}")
    assert {state for state, _ in held.values()} == {AlertState.HELD}
    lowered = await reload("{few: {query: harbour, min_outlets: 2}, same: {query: harbour, min_copies: 3}}")
    assert lowered["few"] == (AlertState.WAITING, Reason.FIRST_SIGHT)
    assert lowered["same"][0] is AlertState.HELD
    async with store.read() as tx:
        [group] = await tx.groups.list("screen")
    assert group.key.startswith("event:"), "told like all else"
    removed = await reload("{few: {query: harbour, min_outlets: 2}}")
    assert removed["same"] == (AlertState.DROPPED, Reason.RULE_REMOVED)
    assert removed["few"][0] is AlertState.WAITING


async def test_what_was_held_for_too_long_is_no_news_when_the_rules_change(
    store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    services = room(tmp_path, store, clock, "{all: {query: harbour, min_outlets: 3}}")
    await ingest(services, report("herald.example"))
    clock.advance(5 * 24 * HOUR)
    await adopt(services, configured(tmp_path, "{all: {query: harbour}}"))
    assert [(one.state, one.reason) for one in await alerts(store)] == [(AlertState.DROPPED, Reason.TOO_OLD)]


async def test_a_word_that_many_events_have_is_counted_again_after_a_while(store: Store, clock: FakeClock) -> None:
    """It says nothing of any at once, and something again when those events are over."""
    word = 4
    for number in range(COMMON_WORD):
        await store.write(lambda tx, n=number: _describe(tx, n, word))  # type: ignore[misc]
    async with store.read() as tx:
        assert (await heard(tx, {word}, {word}, START)).held == {word: COMMON_WORD}
    since = clock.now() + 1.0
    async with store.read() as tx:
        assert (await heard(tx, {word}, {word}, since)).held == {word: COMMON_WORD}
    clock.advance(COUNTED_AGAIN + 1.0)
    async with store.read() as tx:
        assert (await heard(tx, {word}, {word}, since)).held == {}


async def test_a_word_is_counted_once_and_what_is_filed_is_added(store: Store, clock: FakeClock) -> None:
    """Of a word of a text, which is in no title, how many events have it is remembered."""
    word, title = 4, 8
    async with store.read() as tx:
        assert (await heard(tx, {word}, {title}, START)).held == {}
    for number in range(3):
        await store.write(lambda tx, n=number: _describe(tx, n, word))  # type: ignore[misc]
    async with store.read() as tx:
        assert (await heard(tx, {word}, {title}, START)).held == {word: 3}
    await store.write(lambda tx: tx.events._file(event_word, [({word}, 4711, 4711)]))  # as another worker would
    async with store.read() as tx:
        assert (await heard(tx, {word}, {title}, START)).held == {word: 3}
    clock.advance(COUNTED_AGAIN + 1.0)
    async with store.read() as tx:
        assert (await heard(tx, {word}, {title}, START)).held == {word: 3 + 1}


async def _describe(tx: Tx, number: int, word: int) -> None:
    id_ = f"story {number}"
    story = Story(id_, f"item {number}", "A title", opened_at=tx.now, seen_at=tx.now, event=id_)
    numbers = await tx.stories.keep([Opened(story, frozenset(), frozenset(), frozenset({word}))], [])
    hearing = await tx.events.around([({word}, {word})], START)
    opened = Opened(story, frozenset(), frozenset(), frozenset({word}), frozenset({word}))
    hearing.describe(opened, number)
    await tx.events.describe([(numbers[id_], story, {word})], hearing)
