"""What it costs to give items their stories and events, among many stored ones, on SQLite and on a real PostgreSQL.

`python -m benchmarks.ingest [--stored 10000 100000 1000000] [--engine sqlite postgresql] [--batch 10]`

The tables are loaded in bulk (a million takes 3 GB and some minutes). Stored stories have 60 hashes of their text (500
words) and 8 words of their title; one in 20 was opened within the event window, and all can still have copies. New
items come in by `--batch` to a transaction, as a poll writes them: a fifth are copies. Each figure is the median of its
measurements, wall clock and CPU of this process: on a machine that does other work the second is the one to trust.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
from sqlalchemy import select

from benchmarks.store import bytes_of, postgres
from tests.stories import heard, look_up
from watcher.clock import SystemClock
from watcher.config import load
from watcher.fetch import Client
from watcher.model import Item
from watcher.pipeline import Services
from watcher.pipeline.judge import Judged, judge, record_new
from watcher.store import Store, Tx, open_store, tables
from watcher.store.events import WINDOW as EVENT_WINDOW
from watcher.store.nearby import COMMON_WORD
from watcher.store.packing import pack, unpack
from watcher.stories import SHARED, outline
from watcher.workers import Workers

Taken = tuple[float, float]  # seconds: by the clock, of CPU
HASHES = 60
BODY = "word " * 100  # of a stored item
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


def stored_id(number: int) -> str:
    return hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()


class Load:
    """Rows of stored stories `first` to `end`, each table's in the order of its key; made once for both engines."""

    def __init__(self, first: int, end: int, now: float, held: Counter[int]) -> None:
        rng = np.random.default_rng(first)
        self.numbers = range(first, end)
        self.hashes = rng.integers(-(2**63), 2**63 - 1, (end - first, HASHES), dtype=np.int64) & ~7
        self.recent = end - (end - first) // 20  # the last twentieth is in the event window
        self.now = now
        self.titles: dict[int, list[int]] = {}
        zipf = random.Random(first)
        for number in range(self.recent, end):
            self.titles[number] = sorted(outline(Item("", "", " ".join(said(zipf, 8)))).title)
        self.words: list[tuple[int, int, int]] = []
        for number, title in self.titles.items():
            rare = [word for word in title if held[word] < COMMON_WORD]
            held.update(rare)
            self.words += [(word, number + 1, number) for word in rare]

    def items(self) -> Iterator[dict[str, Any]]:
        for id_, number in sorted((stored_id(number), number) for number in self.numbers):
            known = {"id": id_, "token": 0, "source": "wire", "key": str(number), "title": f"Title {number}"}
            texts = {"summary": "", "body": BODY, "author": "", "url": f"https://x.example/{number}", "lang": "en"}
            place = {"canonical": f"https://x.example/{number}", "outlet": "x.example", "site": "", "tags": "[]"}
            times = {"first_seen": self.now, "last_listed": self.now, "attempts": 0}
            flags = {"baseline": False, "settled": False, "story": f"story {number}"}
            yield {**known, **texts, **place, **times, **flags}

    def stories(self) -> Iterator[dict[str, Any]]:
        for number, hashes in zip(self.numbers, self.hashes, strict=True):
            opened = self.now - (0 if number >= self.recent else 2 * EVENT_WINDOW)
            title = self.titles.get(number)
            yield {
                "no": number + 1,
                "id": f"story {number}",
                "first_item": stored_id(number),
                "title": f"Title {number}",
                "opened_at": opened,
                "seen_at": self.now,
                "expires_at": self.now + 1e6,
                "event": f"story {number}",
                "outlets": '["x.example"]',
                "hashes": np.sort(hashes).tobytes(),
                "words": None if title is None else pack(word | 1 for word in title),
            }

    def shingles(self) -> Iterator[tuple[int, int]]:
        flat = self.hashes.ravel()
        order = np.argsort(flat)
        for some in np.array_split(order, max(len(order) // 500_000, 1)):
            yield from zip(flat[some].tolist(), (some // HASHES + self.numbers.start + 1).tolist(), strict=True)


def fill_sqlite(path: Path, load: Load) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute("PRAGMA cache_size=-400000")
        for table, rows in (("item", load.items()), ("story", load.stories())):
            first = next(rows)
            into = f"INSERT INTO {table} ({', '.join(map(quoted, first))}) VALUES ({', '.join('?' * len(first))})"
            db.executemany(into, (tuple(row.values()) for row in itertools.chain([first], rows)))
        db.executemany("INSERT INTO shingle VALUES (?, ?)", load.shingles())
        db.executemany("INSERT OR IGNORE INTO event_word VALUES (?, ?, ?)", sorted(load.words))
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


async def fill_postgres(url: str, load: Load) -> None:
    connection = await asyncpg.connect(url)
    try:
        for table, rows in (("item", load.items()), ("story", load.stories())):
            first = next(rows)
            records = (tuple(row.values()) for row in itertools.chain([first], rows))
            await connection.copy_records_to_table(table, records=records, columns=list(first), timeout=3600)
        columns = ["hash", "story"]
        await connection.copy_records_to_table("shingle", records=load.shingles(), columns=columns, timeout=3600)
        columns.append("event")
        await connection.copy_records_to_table("event_word", records=sorted(set(load.words)), columns=columns)
        await connection.execute(f"SELECT setval(pg_get_serial_sequence('story', 'no'), {load.numbers.stop + 1})")
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def quoted(column: str) -> str:
    return f'"{column}"'


async def measure(store: Store, services: Services, stored: int, batch: int) -> None:
    now = services.store.now()
    fresh = [item(stored + n) for n in range(ITEMS)]
    copies = [replace(item(stored + n, 1), title=f"Update {n}") for n in range(0, ITEMS, 5)]
    source = services.sources["wire"]
    judged = [judge(services, source, one, baseline=False, oldest=0.0, article=False) for one in fresh + copies]
    known = random.Random(stored).sample(judged[:ITEMS], 500)
    held = random.Random(stored).sample(range(stored), 500)

    async def fresh_text(tx: Tx, one: Judged) -> None:
        await look_up(tx, f"{one.item.url}?", one.hashes, now - 1e6, least=SHARED)

    async def hear(tx: Tx, one: Judged) -> None:
        await heard(tx, one.outline.words, one.outline.title, now - EVENT_WINDOW)

    async def copy(tx: Tx, hashes: Collection[int]) -> None:
        found = await look_up(tx, "", hashes, now - 1e6, least=SHARED)
        assert len(found.candidates) == 1

    async def hashes_of(tx: Tx) -> list[frozenset[int]]:
        ids = [f"story {number}" for number in held]
        rows = await tx.stories._rows(select(tables.story.c.hashes).where(tx.stories._among(tables.story.c.id, ids)))
        return [unpack(row.hashes) for row in rows]

    sets = await store.write(hashes_of)
    for label, ask, of in (
        ("look-ups that find nothing", fresh_text, known),
        ("look-ups that find a story", copy, sets),
        ("look-ups of events", hear, known),
    ):
        for _ in range(2):  # the second time what is needed of the file is in memory
            taken = await store.write(timed(ask, of))  # type: ignore[arg-type]
        report(store, stored, label, taken)

    before = await bytes_of(store)
    recorded: list[tuple[float, float]] = []
    started, cpu = time.perf_counter(), time.process_time()
    for start in range(0, len(judged), batch):
        some = judged[start : start + batch]
        await store.write(lambda tx, some=some: recording(tx, services, some, now, recorded), ingest=True)  # type: ignore[misc]
    took, cpu = time.perf_counter() - started, time.process_time() - cpu
    each = len(judged)
    report(
        store, stored, f"recorded, {batch} together, an item", [(wall / batch, cpu / batch) for wall, cpu in recorded]
    )
    print(f"{'':11} {'':>9}  with their transactions: {took / each * 1e3:.2f} ms, {cpu / each * 1e3:.2f} CPU an item")
    size = await bytes_of(store)
    print(f"{'':11} {'':>9}  bytes: {(size - before) / each:,.0f} a recorded item, {before / stored:,.0f} a loaded one")


def timed(ask: Callable[[Tx, Any], Awaitable[None]], of: Sequence[Any]) -> Callable[[Tx], Awaitable[list[Taken]]]:
    async def work(tx: Tx) -> list[Taken]:
        taken = []
        for one in of:
            started, cpu = time.perf_counter(), time.thread_time()
            await ask(tx, one)
            taken.append((time.perf_counter() - started, time.thread_time() - cpu))
        return taken

    return work


async def recording(tx: Tx, services: Services, some: Sequence[Judged], now: float, recorded: list[Taken]) -> None:
    started, cpu = time.perf_counter(), time.thread_time()
    await record_new(tx, services, some, now)
    recorded.append((time.perf_counter() - started, time.thread_time() - cpu))


def report(store: Store, stored: int, label: str, taken: Sequence[Taken]) -> None:
    wall, cpu = (statistics.median(times) * 1e3 for times in zip(*taken, strict=True))
    rate = 1e3 / (cpu if store.engine == "sqlite" else wall)
    print(f"{store.engine:11} {stored:>9,}  {label:36} {wall:.3f} ms, {cpu:.3f} CPU, {rate:,.0f} /s", flush=True)


async def run(url: str, sizes: list[int], batch: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "watcher.yaml").write_text(CONFIG)
        config = load(Path(folder) / "watcher.yaml", {})
    rng = random.Random(0)
    fetch = Client(config.settings.fetch.client(), config.private_hosts, SystemClock(), rng)
    async with await open_store(url, SystemClock(), "bench"):
        pass
    have, held = 0, Counter[int]()
    for size in sizes:
        started = time.perf_counter()
        rows = Load(have, size, time.time(), held)
        if url.startswith("sqlite"):
            fill_sqlite(Path(url.removeprefix("sqlite:///")), rows)
        else:
            await fill_postgres(url, rows)
        del rows
        print(f"{'':11} {size:>9,}  loaded in {time.perf_counter() - started:.0f} s", flush=True)
        async with await open_store(url, SystemClock(), "bench") as store:
            services = Services(config, store, fetch, Workers(), SystemClock(), rng)
            await measure(store, services, size, batch)
        have = size + 2 * ITEMS  # room for what was measured


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--engine", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--batch", type=int, default=10)
    given = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="watcher-bench-"))
    try:
        if "sqlite" in given.engine:
            await run(f"sqlite:///{directory}/watcher.db", sorted(given.stored), given.batch)
        if "postgresql" in given.engine:
            with postgres() as url:
                await run(url, sorted(given.stored), given.batch)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main())
