"""What polling costs in a whole world of feeds: 10,000 on 1,000 hosts of loopback, good, slow, dead and hostile ones.

Run `python -m benchmarks.polling [--feeds 10000] [--seconds 60] [--peers 400]`. The world (benchmarks/world.py) is a
process of its own, whose CPU does not count. First every feed is polled for the first time. Then the plain feeds alone
without a change, and those alone that have changed, five new entries of forty: so that what such a poll costs is
measured and not worked out from a mixture. The steps of a changed poll are timed where they run, by the CPU of their
thread. Then the lanes run by themselves for --seconds, each feed due every --every, and 5% of the feeds change. What
memory it took is seen from outside (benchmarks/memory.py).

With --peers N, the first N plain feeds of the same world are read in the same run by `reader`, `urlwatch` and, where
it is found, `changedetection.io` (see benchmarks/peers.py).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from random import Random
from typing import TypeVar

from sqlalchemy import bindparam, update

from benchmarks import memory, peers, world
from benchmarks.steps import Steps
from watcher import garbage, log
from watcher.clock import SystemClock
from watcher.config import load
from watcher.daemon.lane import Lane
from watcher.daemon.start import GATHER, lanes, services
from watcher.model import Claim, Queue, SourceState
from watcher.pipeline import Counts, Services, poll
from watcher.store import open_store
from watcher.store.tables import source

T = TypeVar("T")

RULES = 1000
TICKS = os.sysconf("SC_CLK_TCK")
spent: dict[int, float] = {}  # CPU seconds of each worker, also of those that are gone


@contextmanager
def serving() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-m", "benchmarks.world"], stdout=subprocess.PIPE) as server:
        assert server.stdout
        try:
            port, began = server.stdout.readline().split()
            world.state["began"] = int(began)
            yield int(port)
        finally:
            server.kill()


def ask(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        return bytes(answer.read())


def configuration(folder: Path, feeds: int, port: int, every: float) -> Path:
    """One item of eight matches a rule."""
    rng = Random(7)
    words = [(rng.choice(world.WORDS), *rng.sample(world.USUAL, 2)) for _ in range(RULES)]
    lines = [
        "settings: {store: 'sqlite:///bench.db', fetch: {timeout: 10s, host_gap: 100ms}}",
        "channels: {screen: {url: 'console://', digest: 24h}}",
        "rules:",
        *(
            f"  r{n}: {{query: '{one} AND {two} AND {three}', notify: [screen]}}"
            for n, (one, two, three) in enumerate(words)
        ),
        "sources:",
    ]
    keys = f"every: {every:g}s, full_text: never, first_poll: silent"
    lines += [f"  f{number}: {{feed: '{world.url(number, port)}', {keys}}}" for number in range(feeds)]
    path = folder / "watcher.yaml"
    path.write_text("\n".join(lines))
    return path


def worker_cpu(built: Services) -> float:
    """CPU seconds of the workers so far."""
    for worker in built.tools.workers._all:
        fields = Path(f"/proc/{worker._process.pid}/stat").read_text().rpartition(")")[2].split()
        spent[worker._process.pid] = (int(fields[11]) + int(fields[12])) / TICKS
    return sum(spent.values())


async def make_due(built: Services, at: dict[str, float]) -> None:
    """Have these sources be due at these times; a few at a time, for what is made here counts as memory."""
    statement = update(source).where(source.c.id == bindparam("of")).values(due=bindparam("at"), failures=0)
    for some in batched(at.items(), 500):
        rows = [{"of": id_, "at": when} for id_, when in some]
        await built.store.write(lambda tx, rows=rows: tx.sources._run(statement, rows))  # type: ignore[misc]


def batched(values: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some


async def one_round(built: Services, name: str, numbers: Collection[int]) -> Counts:
    """Poll these feeds once, and say what a poll of them cost."""
    now = built.store.now()
    await built.store.write(lambda tx: tx.sources._run(update(source).values(due=now + 1e6)))
    await make_due(built, {f"f{number}": now - 1 for number in numbers})
    lane = Lane(Queue.SOURCE, poll, built, room=built.config.settings.fetch.concurrency, lease=120.0)
    built.tools.fetch.patient = True
    here, there, started = time.process_time(), worker_cpu(built), time.monotonic()
    await lane.run_dry(due=now)
    here, there = time.process_time() - here, worker_cpu(built) - there
    counts, polls = lane.counts, len(numbers)
    print(
        f"  {name:12} {polls:6} polls in {time.monotonic() - started:5.1f} s; {(here + there) / polls * 1000:7.3f} "
        f"({here / polls * 1000:.3f} here + {there / polls * 1000:.3f} in workers); {counts.not_modified} unchanged, "
        f"{counts.failed} failed, {counts.new_items} new items, {counts.alerts} alerts",
        flush=True,
    )
    return counts


async def rounds(built: Services, port: int, feeds: int) -> None:
    plain = [number for number in range(feeds) if world.kind(number) == "plain"]
    print(f"{feeds} feeds on {feeds // world.PER_HOST} hosts, {RULES} rules; ms of CPU a poll:")
    await one_round(built, "first sight", range(feeds))
    for _ in range(2):
        counts = await one_round(built, "unchanged", plain)
        assert counts.not_modified == len(plain), counts
    for _ in range(2):
        now_at = int(ask(port, "/change"))
        changed = [number for number in plain if world.changes(number, now_at)]
        with Steps(built) as steps:
            before = worker_cpu(built)
            counts = await one_round(built, "changed", changed)
            workers = worker_cpu(built) - before
        assert counts.new_items == len(changed) * world.NEW, counts
    print("  of which, a changed poll:", steps.told(workers, len(changed)))


async def steady(built: Services, port: int, seconds: float) -> tuple[list[float], list[float]]:
    """Let the lanes run: how late each poll began after it was due, how late the event loop was; in seconds."""
    late: list[float] = []
    lag: list[float] = []

    async def noting(built: Services, claim: Claim[SourceState]) -> Counts:
        late.append(built.store.now() - claim.row.next_due)
        return await poll(built, claim)

    async def ticker() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            lag.append(time.monotonic() - before - 0.01)

    now, spread, rng = built.store.now(), built.config.sources["f0"].every, Random(5)
    assert isinstance(spread, float)
    await make_due(built, {id_: now + rng.uniform(0, spread) for id_ in built.sources})
    ask(port, "/change")
    built.tools.fetch.patient = False
    lane = lanes(built)[Queue.SOURCE]
    lane.step = noting
    tasks = [asyncio.create_task(lane.pump()), asyncio.create_task(ticker())]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        lane.wake()
        await asyncio.sleep(1.0)
    for task in tasks:
        task.cancel()
    await lane.drain(15)
    return late, lag


def share(values: list[float], part: float) -> float:
    return sorted(values)[int(len(values) * part)] if values else 0.0


async def watcher(folder: Path, port: int, feeds: int, seconds: float, every: float) -> None:
    config = load(configuration(folder, feeds, port, every), {"TZ": "UTC"})
    clock = SystemClock()
    async with (
        await open_store(config.settings.store, clock, "bench", exclusive=True) as store,
        services(config, store, clock, Random(1)) as built,
    ):
        garbage.settle()
        store.gather = GATHER
        await rounds(built, port, feeds)
        before = {name: len(times) for name, times in json.loads(ask(port, "/log")).items()}
        late, lag = await steady(built, port, seconds)
        after = json.loads(ask(port, "/log"))
        rates = [(len(times) - before.get(name, 0)) / seconds * 60 for name, times in after.items()]
        print(f"\nby itself for {seconds:g} s, each feed every {every:g} s, the bad ones among them: {len(late)} polls")
        print(f"  behind due    median {share(late, 0.5):.2f} s, p99 {share(late, 0.99):.2f} s (it looks each second)")
        print(f"  event loop    p99 {share(lag, 0.99) * 1000:.1f} ms, most {max(lag) * 1000:.0f} ms late")
        print(f"  a host, a minute: median {share(rates, 0.5):.0f} requests, most {max(rates):.0f}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--feeds", type=int, default=10_000)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--every", type=float, default=300.0)
    options.add_argument("--peers", type=int, default=0)
    chosen = options.parse_args()
    log.configure("error")
    with tempfile.TemporaryDirectory() as folder, serving() as port:
        with memory.watching() as found:
            asyncio.run(watcher(Path(folder), port, chosen.feeds, chosen.seconds, chosen.every))
        print("  memory       ", memory.told(found), flush=True)
        if chosen.peers:
            plain = [number for number in range(chosen.feeds) if world.kind(number) == "plain"]
            peers.read(Path(folder), port, plain[: chosen.peers])


if __name__ == "__main__":
    main()
