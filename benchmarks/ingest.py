"""What it costs to give an item its story and its event, among many stored ones, on SQLite and on a real PostgreSQL.

`python -m benchmarks.ingest [--stored 10000 100000] [--engine sqlite postgresql]`; 1000000 takes 8 GB and an hour.

Stored stories have 60 hashes of their text (500 words) and 6 words of their title; one in 20 was opened within the
event window. Items come in one a transaction, as `poll` writes them: a fifth are copies. Times are wall clock.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import text

from benchmarks.store import bytes_of, postgres
from watcher.clock import SystemClock
from watcher.config import load
from watcher.fetch import Client
from watcher.model import Item
from watcher.pipeline import Services
from watcher.pipeline.judge import Judged, judge, record
from watcher.store import Store, Tx, open_store, tables
from watcher.store.events import COMMON
from watcher.store.events import WINDOW as EVENT_WINDOW
from watcher.store.packing import pack
from watcher.stories import SHARED, outline
from watcher.workers import Workers

ITEMS = 1000
VOCABULARY = 60_000
CONFIG = """\
channels: {screen: {url: "console://"}}
sources: {wire: {feed: "https://wire.example/feed", lang: en}}
rules: {some: {query: harbour}}
"""


def vocabulary() -> list[str]:
    rng = random.Random(0)
    return ["".join(rng.choices("abcdefghijklmnoprstuvwz", k=rng.randint(3, 11))) for _ in range(VOCABULARY)]


WORDS = vocabulary()


def said(rng: random.Random, count: int) -> list[str]:
    """Words as often as their rank in the vocabulary has it (Zipf)."""
    return [WORDS[int(VOCABULARY ** rng.random()) - 1] for _ in range(count)]


def item(number: int, outlet: int = 0) -> Item:
    rng = random.Random(number)
    title = " ".join(word.capitalize() for word in said(rng, 8))
    body = " ".join(said(rng, 500))
    if rng.random() < 0.02:
        body += " harbour"
    site = f"outlet{outlet}.example"
    return Item(f"{number}-{outlet}", site, title, body=body, url=f"https://{site}/{number}", outlet=site)


async def fill(store: Store, first: int, end: int) -> None:
    """Stored stories `first` to `end`, each with its item and its rows; the last twentieth is in the event window."""
    now = store.now()
    held: Counter[int] = Counter()
    for start in range(first, end, 2000):
        numbers = range(start, min(start + 2000, end))

        async def work(tx: Tx, numbers: range = numbers) -> None:
            rng = random.Random(numbers[0])
            items, stories, shingles, words = [], [], [], []
            for number in numbers:
                recent = number >= end - (end - first) // 20
                hashes = {rng.getrandbits(63) & ~7 for _ in range(60)}
                title = sorted(outline(Item("", "", " ".join(said(rng, 8)))).title)
                items.append(
                    Item(f"s{number}", "wire", f"Title {number}", body="word " * 500, url=f"https://x.example/{number}")
                )
                values = {
                    "no": number + 1,
                    "id": f"story {number}",
                    "first_item": f"s{number}",
                    "title": f"Title {number}",
                }
                times = {
                    "opened_at": now - (0 if recent else 2 * EVENT_WINDOW),
                    "seen_at": now,
                    "expires_at": now + 1e6,
                }
                packed = {"hashes": pack(hashes), "words": pack(h | 1 for h in title) if recent else None}
                stories.append({**values, **times, **packed, "event": f"story {number}", "outlets": ["x.example"]})
                shingles += [{"hash": h, "story": number + 1} for h in hashes]
                rare = [h for h in title if recent and held[h] < COMMON]
                held.update(rare)
                words += [{"hash": h, "story": number + 1, "event": number} for h in rare]
            await tx.items.add(items, now=now, baseline=False, read_at=None)
            await tx.stories._run(tables.story.insert(), stories)
            await tx.stories._run(tables.shingle.insert(), sorted(shingles, key=lambda row: row["hash"]))
            if words:
                await tx.stories._run(tables.event_word.insert(), words)

        await store.write(work)
    if store.engine == "postgresql":
        counter = text(f"SELECT setval(pg_get_serial_sequence('story', 'no'), {end})")
        await store.write(lambda tx: tx.stories._run(counter))


async def measure(store: Store, services: Services, stored: int) -> None:
    now = services.store.now()
    fresh = [item(stored + n) for n in range(ITEMS)]
    copies = [replace(item(stored + n, 1), title=f"Update {n}") for n in range(0, ITEMS, 5)]
    source = services.sources["wire"]
    judging = time.perf_counter()
    judged = [judge(services, source, one, baseline=False, oldest=0.0, article=False) for one in fresh + copies]
    judging = time.perf_counter() - judging
    known = random.Random(stored).sample(judged[:ITEMS], 500)

    async def look_ups(tx: Tx) -> list[float]:
        taken = []
        for one in known:
            started = time.perf_counter()
            await tx.stories.look_up(f"{one.item.url}?", one.hashes, now - 1e6, least=SHARED)
            taken.append(time.perf_counter() - started)
        return taken

    async def event_look_ups(tx: Tx) -> list[float]:
        taken = []
        for one in known:
            started = time.perf_counter()
            await tx.events.heard(one.outline.words.keys(), one.outline.title, now - EVENT_WINDOW)
            taken.append(time.perf_counter() - started)
        return taken

    report(store, stored, "look-ups of copies", await store.write(look_ups))
    report(store, stored, "look-ups of events", await store.write(event_look_ups))

    before = await bytes_of(store)
    await store.write(lambda tx: tx.items.add([one.item for one in judged], now=now, baseline=False, read_at=None))
    with_items = await bytes_of(store)
    recorded: list[float] = []
    cpus: list[float] = []

    def recording(one: Judged) -> Callable[[Tx], Awaitable[None]]:
        async def work(tx: Tx) -> None:
            started, cpu = time.perf_counter(), time.thread_time()
            await record(tx, services, [one], now)
            recorded.append(time.perf_counter() - started)
            cpus.append(time.thread_time() - cpu)

        return work

    started = time.perf_counter()
    for start in range(0, len(judged), 8):  # eight workers
        await asyncio.gather(*(store.write(recording(one), ingest=True) for one in judged[start : start + 8]))
    took = time.perf_counter() - started
    after = await bytes_of(store)
    report(store, stored, "items recorded (`record` alone)", recorded)
    if store.engine == "sqlite":  # where nothing else runs on the writer's thread
        report(store, stored, "  the same, CPU", cpus)
    print(f"{'':11} {'':>9}  with their transactions, eight at a time: {len(judged) / took:,.0f} /s")
    print(f"{'':11} {'':>9}  judged before that, outside the store: {judging / len(judged) * 1e3:.2f} ms an item")
    print(
        f"{'':11} {'':>9}  bytes an item: {(with_items - before) / len(judged):,.0f} itself, "
        f"{(after - with_items) / len(judged):,.0f} for its story, hashes and words"
    )


def report(store: Store, stored: int, label: str, taken: list[float]) -> None:
    median, mean = statistics.median(taken) * 1e3, statistics.fmean(taken) * 1e3
    print(
        f"{store.engine:11} {stored:>9,}  {label:32} median {median:.2f} ms, mean {mean:.2f} ms, {1e3 / mean:,.0f} /s"
    )


async def run(store: Store, sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "watcher.yaml").write_text(CONFIG)
        config = load(Path(folder) / "watcher.yaml", {})
    rng = random.Random(0)
    fetch = Client(config.settings.fetch.client(), config.private_hosts, SystemClock(), rng)
    services = Services(config, store, fetch, Workers(), SystemClock(), rng)
    have = 0
    for size in sizes:
        await fill(store, have, size)
        await measure(store, services, size)
        have = size + 2 * ITEMS  # room for what was measured


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--engine", nargs="*", default=["sqlite", "postgresql"])
    given = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="watcher-bench-"))
    try:
        if "sqlite" in given.engine:
            url = f"sqlite:///{directory}/watcher.db"
            async with await open_store(url, SystemClock(), "bench", exclusive=True) as store:
                await run(store, sorted(given.stored))
        if "postgresql" in given.engine:
            with postgres() as url:
                async with await open_store(url, SystemClock(), "bench") as store:
                    await run(store, sorted(given.stored))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main())
