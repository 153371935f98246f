import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clock import START, FakeClock
from tests.contract.store.make import put_source, put_work
from tests.paths import ROOT
from watcher.errors import LeaseLost
from watcher.model import Claim, Queue, Reason
from watcher.store import Polled, Store, Tx, Unchanged, open_store
from watcher.store.statements import lease_lost

QUEUES = list(Queue)
POLLED = {
    "etag": "new",
    "last_modified": None,
    "body_hash": None,
    "redirect_to": None,
    "redirects": 0,
    "cache": {},
    "items": 1,
    "new_items": 1,
    "latency": 0.1,
}


async def polled(tx: Tx, claim: Claim) -> None:  # type: ignore[type-arg]
    """As the pipeline does, which writes the polls that are still ours."""
    if await tx.sources.polled([Polled(claim, next_due=START + 99, **POLLED)]) != [True]:  # type: ignore[arg-type]
        raise lease_lost(claim)


async def unchanged(tx: Tx, claim: Claim) -> None:  # type: ignore[type-arg]
    if await tx.sources.unchanged([Unchanged(claim, START + 99, "new", None, 0.1)]) != [True]:
        raise lease_lost(claim)


@pytest.mark.parametrize("queue", QUEUES)
async def test_what_is_due_is_claimed_longest_due_first(store: Store, queue: Queue) -> None:
    late = await put_work(store, queue, "late", due=START - 10)
    if queue is Queue.SOURCE:
        await store.write(
            lambda tx: tx.sources.sync(
                [("late", 0, "feed", "address"), ("now", START, "feed", "a"), ("future", START + 1, "feed", "a")], START
            )
        )
        now = ["now"]
    else:
        now = await put_work(store, queue, "now", due=START)
        await put_work(store, queue, "future", due=START + 1)
    claims = await store.claim(queue, 10, 60)
    assert [claim.id for claim in claims] == late + now
    assert all(claim.queue is queue and claim.token == 1 for claim in claims)
    assert await store.claim(queue, 10, 60) == []


@pytest.mark.parametrize("queue", QUEUES)
async def test_the_limit_holds_and_the_rest_is_left_for_others(store: Store, other: Store, queue: Queue) -> None:
    ids = await put_work(store, queue, *(f"row {n}" for n in range(5)))
    first = await store.claim(queue, 2, 60)
    second = await other.claim(queue, 10, 60)
    assert len(first) == 2
    assert sorted([*(c.id for c in first), *(c.id for c in second)]) == sorted(ids)


@pytest.mark.parametrize("queue", QUEUES)
async def test_a_lease_that_ended_gives_the_row_to_the_next_with_a_new_token(
    store: Store, other: Store, clock: FakeClock, queue: Queue
) -> None:
    await put_work(store, queue, "row")
    [stale] = await store.claim(queue, 1, 60)
    clock.advance(59)
    assert await other.claim(queue, 1, 60) == []
    clock.advance(1)
    [fresh] = await other.claim(queue, 1, 60)
    assert (fresh.id, fresh.token) == (stale.id, stale.token + 1)
    assert await store.renew([stale], 60) == set()
    await store.release([stale])  # changes nothing: it is not ours
    assert await other.renew([fresh], 60) == {fresh.id}


@pytest.mark.parametrize("queue", QUEUES)
async def test_a_renewed_lease_is_longer(store: Store, other: Store, clock: FakeClock, queue: Queue) -> None:
    await put_work(store, queue, "row")
    [claim] = await store.claim(queue, 1, 60)
    clock.advance(50)
    assert await store.renew([claim], 60) == {claim.id}
    clock.advance(50)
    assert await other.claim(queue, 1, 60) == []
    clock.advance(10)
    assert len(await other.claim(queue, 1, 60)) == 1


@pytest.mark.parametrize("queue", QUEUES)
async def test_what_is_released_can_be_claimed_at_once(store: Store, other: Store, queue: Queue) -> None:
    await put_work(store, queue, "row")
    claims = await store.claim(queue, 1, 60)
    await store.release(claims)
    [again] = await other.claim(queue, 1, 60)
    assert again.token == 2


def _endings(claim: Claim) -> dict[str, object]:  # type: ignore[type-arg]
    return {
        Queue.SOURCE: {
            "polled": lambda tx: polled(tx, claim),
            "unchanged": lambda tx: unchanged(tx, claim),
            "failed": lambda tx: tx.sources.failed(claim, START + 99, "no route", "network", None),
        },
        Queue.ITEM: {
            "read": lambda tx: tx.items.read(claim, claim.row.item),
            "postpone": lambda tx: tx.items.postpone(claim, START + 99, "no route"),
        },
        Queue.GROUP: {
            "flushed": lambda tx: tx.groups.flushed(claim, [], [], START),
            "postpone": lambda tx: tx.groups.postpone(claim, START + 99, Reason.LIMIT),
            "fold": lambda tx: tx.groups.fold(claim, kind="digest", key="limit", flush_at=START + 99, now=START),
            "dropped": lambda tx: tx.groups.dropped(claim, Reason.CHANNEL_REMOVED, START),
        },
        Queue.DELIVERY: {
            "begin": lambda tx: tx.deliveries.begin(claim, START),
            "sent": lambda tx: tx.deliveries.sent(claim, "ok", START),
            "retry": lambda tx: tx.deliveries.retry(claim, START + 99, "busy", ambiguous=False),
            "dead": lambda tx: tx.deliveries.dead(claim, Reason.REFUSED, "no"),
            "postpone": lambda tx: tx.deliveries.postpone(claim, START + 99, Reason.CHANNEL_HELD),
        },
        Queue.SUBSCRIPTION: {
            "begin": lambda tx: tx.subscriptions.ask(claim),
            "awaited": lambda tx: tx.subscriptions.awaited(claim, START + 99),
            "failed": lambda tx: tx.subscriptions.failed(claim, START + 99, "no route"),
            "put off": lambda tx: tx.subscriptions.put_off(claim, START + 99),
            "rest": lambda tx: tx.subscriptions.rest(claim, None),
        },
    }[claim.queue]


ENDINGS = [(queue, name) for queue in QUEUES for name in _endings(Claim(queue, "", 0, None))]


@pytest.mark.parametrize(("queue", "ending"), ENDINGS)
async def test_a_stale_claim_writes_nothing(
    store: Store, other: Store, clock: FakeClock, queue: Queue, ending: str
) -> None:
    await put_work(store, queue, "row")
    [stale] = await store.claim(queue, 1, 60)
    clock.advance(60)
    [fresh] = await other.claim(queue, 1, 60)
    before = await _everything(store)

    async def work(tx: Tx) -> None:
        await tx.workers.beat("half of the transaction", "1", START)
        await _endings(stale)[ending](tx)  # type: ignore[operator]

    with pytest.raises(LeaseLost):
        await store.write(work)
    assert await _everything(store) == before
    await other.write(_endings(fresh)[ending])  # type: ignore[arg-type]


@pytest.mark.parametrize(("queue", "ending"), [one for one in ENDINGS if one[1] != "begin"])
async def test_a_claim_is_ended_once(store: Store, queue: Queue, ending: str) -> None:
    await put_work(store, queue, "row")
    [claim] = await store.claim(queue, 1, 60)
    await store.write(_endings(claim)[ending])  # type: ignore[arg-type]
    with pytest.raises(LeaseLost):
        await store.write(_endings(claim)[ending])  # type: ignore[arg-type]


async def _everything(store: Store) -> object:
    async with store.read() as tx:
        return (
            await tx.sources.list(),
            await tx.items.list(),
            await tx.groups.list(),
            await tx.deliveries.list(),
            await tx.subscriptions.list(),
            await tx.workers.list(),
        )


async def test_unchanged_polls_that_end_together_are_told_apart(store: Store, clock: FakeClock, other: Store) -> None:
    await put_source(store, "a", "b", "c")
    claims = {claim.id: claim for claim in await store.claim(Queue.SOURCE, 3, 60)}
    clock.advance(60)
    await other.claim(Queue.SOURCE, 1, 60)  # one of them is another's now
    polls = [Unchanged(claim, START + 300, f"etag {claim.id}", None, 0.1) for claim in claims.values()]
    ended = await asyncio.gather(*(store.unchanged(poll) for poll in polls), return_exceptions=True)
    assert sorted(type(one) for one in ended if one is not None) == [LeaseLost]
    async with store.read() as tx:
        states = [status.state for status in await tx.sources.list()]
    assert sorted(state.etag or "" for state in states)[1:] == [f"etag {s.id}" for s in states if s.etag]
    assert sum(state.next_due == START + 300 for state in states) == 2


async def test_next_due_is_the_earliest_that_can_be_claimed(store: Store, clock: FakeClock) -> None:
    assert await store.next_due() is None
    await put_work(store, Queue.SOURCE, "row", due=START + 50)
    await put_work(store, Queue.DELIVERY, "row", due=START + 40)
    assert await store.next_due() == START + 40
    clock.advance(45)
    await store.claim(Queue.DELIVERY, 1, 60)
    assert await store.next_due() == START + 50
    clock.advance(5)
    await store.claim(Queue.SOURCE, 1, 600)
    assert await store.next_due() == START + 45 + 60  # the delivery, should its lease end


@pytest.mark.parametrize("queue", QUEUES)
async def test_the_only_process_reclaims_what_the_dead_held(store: Store, other: Store, queue: Queue) -> None:
    await put_work(store, queue, "row")
    [dead] = await other.claim(queue, 1, 60)
    await store.write(lambda tx: tx.claims.reclaim())
    [ours] = await store.claim(queue, 1, 60)
    assert ours.token > dead.token + 1
    assert await other.renew([dead], 60) == set()


async def test_the_backlog_is_what_is_due_and_nobody_works_on(store: Store, clock: FakeClock) -> None:
    await put_source(store, "a", "b", "c", due=START + 10)
    await put_work(store, Queue.DELIVERY, "future", due=START + 99)
    async with store.read() as tx:
        assert {backlog.due for backlog in (await tx.claims.backlog()).values()} == {0}
    clock.advance(15)
    await store.claim(Queue.SOURCE, 1, 60)
    async with store.read() as tx:
        found = await tx.claims.backlog()
    assert (found[Queue.SOURCE].due, found[Queue.SOURCE].late) == (2, 5.0)
    assert (found[Queue.DELIVERY].due, found[Queue.DELIVERY].late) == (0, 0.0)


async def test_eight_tasks_claim_nothing_twice(store: Store) -> None:
    await put_source(store, *(f"source {n}" for n in range(300)))

    async def claimer() -> list[str]:
        mine: list[str] = []
        while claims := await store.claim(Queue.SOURCE, 7, 60):
            mine += [claim.id for claim in claims]
        return mine

    claimed = [id_ for mine in await asyncio.gather(*(claimer() for _ in range(8))) for id_ in mine]
    assert len(claimed) == len(set(claimed)) == 300


def test_eight_processes_claim_nothing_twice(postgres_url: str) -> None:
    asyncio.run(_fill(postgres_url, 1000))
    command = [sys.executable, str(Path(__file__).with_name("claimer.py")), postgres_url]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(8)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    claimed = [json.loads(process.communicate()[0]) for process in processes]
    assert [process.returncode for process in processes] == [0] * 8
    every = [id_ for mine in claimed for id_ in mine]
    assert len(every) == len(set(every)) == 1000
    assert sum(bool(mine) for mine in claimed) >= 2


async def _fill(url: str, count: int) -> None:
    async with await open_store(url, FakeClock(), "filler", measure_skew=False) as store:
        await put_source(store, *(f"source {n:04}" for n in range(count)))
