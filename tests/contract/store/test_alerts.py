import asyncio

from tests.clock import START
from tests.contract.store.make import alert, group_id, put_alert
from watcher.model import AlertState, Reason, Span
from watcher.store import Store


async def test_an_alert_comes_back_as_it_went_in(store: Store) -> None:
    why = {"query": "all of", "holds": True, "children": [{"query": "Россия", "holds": True, "note": "1 in title"}]}
    spans = (Span("title", 0, 5), Span("body", 17, 23))
    one = alert("a", spans=spans, note="judged on the feed's text", explanation=why)
    assert await store.write(lambda tx: tx.alerts.add(one))
    await store.write(lambda tx: tx.alerts.add(alert("b")))
    async with store.read() as tx:
        assert [found.explanation for found in await tx.alerts.get(["a", "b"])] == [why, None]
        assert await tx.alerts.get(["absent", "a"]) == [one]
        assert await tx.alerts.get([]) == []


async def test_an_alert_is_recorded_once(store: Store, other: Store) -> None:
    adds = [one.write(lambda tx: tx.alerts.add(alert("a"))) for _ in range(8) for one in (store, other)]
    assert sorted(await asyncio.gather(*adds)) == [False] * 15 + [True]


async def test_a_state_changes_only_from_what_it_was(store: Store, other: Store) -> None:
    await store.write(lambda tx: tx.alerts.add(alert("a", state=AlertState.HELD, reason=Reason.SILENCED)))
    moves = [
        one.write(lambda tx: tx.alerts.move("a", AlertState.HELD, AlertState.WAITING, Reason.FIRST_SIGHT))
        for _ in range(4)
        for one in (store, other)
    ]
    assert sorted(await asyncio.gather(*moves)) == [False] * 7 + [True]
    assert not await store.write(lambda tx: tx.alerts.move("absent", AlertState.HELD, AlertState.TOLD, Reason.COPY))
    async with store.read() as tx:
        [after] = await tx.alerts.get(["a"])
    assert (after.state, after.reason) == (AlertState.WAITING, Reason.FIRST_SIGHT)


async def test_what_is_held_is_found_by_story_rule_and_reason(store: Store) -> None:
    for name, rule, story, state, reason in (
        ("a", "r1", "s1", AlertState.HELD, Reason.SILENCED),
        ("b", "r2", "s1", AlertState.HELD, Reason.SILENCED),
        ("c", "r1", "s2", AlertState.HELD, Reason.FIRST_SIGHT),
        ("d", "r3", "s1", AlertState.WAITING, Reason.FIRST_SIGHT),
    ):
        one = alert(name, rule=rule, story=story, state=state, reason=reason)
        await store.write(lambda tx: tx.alerts.add(one))  # noqa: B023
    async with store.read() as tx:
        assert [one.id for one in await tx.alerts.held("s1")] == ["a", "b"]
        assert [one.id for one in await tx.alerts.held(rule="r1")] == ["a", "c"]
        assert [one.id for one in await tx.alerts.held(reason=Reason.SILENCED, rule="r2")] == ["b"]
        assert len(await tx.alerts.held()) == 3


async def test_alerts_are_listed_newest_first(store: Store) -> None:
    for n in range(4):
        one = alert(f"a{n}", rule="odd" if n % 2 else "even", story=f"s{n}", created_at=START + n)
        await store.write(lambda tx: tx.alerts.add(one))  # noqa: B023
    await store.write(lambda tx: tx.alerts.move("a0", AlertState.WAITING, AlertState.TOLD, Reason.FIRST_SIGHT))
    async with store.read() as tx:
        assert [one.id for one in await tx.alerts.list()] == ["a3", "a2", "a1", "a0"]
        assert [one.id for one in await tx.alerts.list(2, rule="even")] == ["a2", "a0"]
        assert [one.id for one in await tx.alerts.list(since=START + 1, before=START + 3)] == ["a2", "a1"]
        assert [one.id for one in await tx.alerts.list(states=[AlertState.TOLD])] == ["a0"]
        assert [one.id for one in await tx.alerts.list(story="s2")] == ["a2"]
        counts = await tx.alerts.counts(START + 0.5)
    assert counts == {AlertState.WAITING: 3, AlertState.HELD: 0, AlertState.TOLD: 0, AlertState.DROPPED: 0}


async def test_a_group_s_alerts(store: Store) -> None:
    await put_alert(store, "a")
    await put_alert(store, "b")
    async with store.read() as tx:
        assert [one.id for one in await tx.alerts.for_group(group_id("desk", "alert", "event"))] == ["a", "b"]
        assert await tx.alerts.for_group(group_id("desk", "alert", "event"), flush_no=0) == []
