"""What polls without news cost the store: many are one write, and what a poll must know is one look."""

import asyncio

import pytest

from tests.clock import START
from tests.contract.store.make import put_source
from watcher.errors import StoreError
from watcher.model import Queue
from watcher.store import Store, Unchanged


async def test_what_comes_soon_after_a_write_waits_for_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"s{number}" for number in range(6)]
    await put_source(store, *names)
    claims = await store.claim(Queue.SOURCE, 10, 60)
    writes = []

    async def counted(work, ingest=False, write=store.write):
        writes.append(work)
        return await write(work, ingest)

    monkeypatch.setattr(store, "write", counted)
    store.gather = 0.3
    first, *others = [Unchanged(claim, START + 300, "etag", None, 0.1) for claim in claims]
    await asyncio.wait_for(store.unchanged(first), 30)
    assert len(writes) == 1  # alone, and at once
    ended = []
    for poll in others:
        ended.append(asyncio.create_task(store.unchanged(poll)))
        await asyncio.sleep(0)
    await asyncio.gather(*ended)
    assert len(writes) == 2
    async with store.read() as tx:
        assert {status.state.next_due for status in await tx.sources.list()} == {START + 300}


async def test_a_look_sees_what_was_written_and_writes_nothing(store: Store) -> None:
    await put_source(store, "a")
    state = await store.look(lambda tx: tx.sources.get("a"))
    assert state is not None
    assert state.id == "a"
    with pytest.raises(StoreError):
        await store.look(lambda tx: tx.sources.sync([("b", 0.0, "feed", "b")], START))
    assert await store.look(lambda tx: tx.sources.get("b")) is None
