"""What polling costs, in all: fetch, parse, match, story and store, over a world of feeds on loopback.

Run `python -m benchmarks.polling [--feeds 1000] [--seconds 30] [--peers]`. The world (benchmarks/world.py) is a process
of its own, whose CPU does not count. Four rounds poll every feed: the first sight of all, one without a change, two
with 5% of the feeds changed (five new entries of forty). Then the lanes run by themselves for --seconds, each feed
being due every --every. With --peers, `reader` and `urlwatch` read a part of the same world in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import bindparam, update

from benchmarks import world
from watcher import log
from watcher.clock import SystemClock
from watcher.config import load
from watcher.daemon.lane import Lane
from watcher.daemon.start import lanes, services
from watcher.model import Claim, Item, Queue, SourceState
from watcher.pipeline import Counts, Services, poll
from watcher.query import Document
from watcher.sources.feed_parser import parse_bytes
from watcher.store import open_store
from watcher.store.tables import source
from watcher.stories import signature_of

KEYS = "full_text: never, first_poll: silent"
PER_HOST = 10  # feeds of one host
TICKS = os.sysconf("SC_CLK_TCK")
spent: dict[int, float] = {}  # CPU seconds of each worker, also of those that are gone


def host(number: int) -> str:
    group = number // PER_HOST
    return f"127.{1 + group // 62500}.{group // 250 % 250}.{1 + group % 250}"


@contextmanager
def serving() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-m", "benchmarks.world"], stdout=subprocess.PIPE) as server:
        assert server.stdout
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def ask(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        return bytes(answer.read())


def configuration(folder: Path, feeds: int, port: int, every: float) -> Path:
    lines = [
        "settings: {store: 'sqlite:///bench.db', max_age: 3650d, fetch: {timeout: 10s, host_gap: 100ms}}",
        "channels: {screen: {url: 'console://', digest: 24h}}",
        "rules:",
        *(f"  r{n}: {{query: 'ferry AND (harvest OR stone) AND traders{n}', notify: [screen]}}" for n in range(200)),
        "  some: {query: 'ferry NEAR/9 harvest AND 77', notify: [screen]}",
        "sources:",
    ]
    for number in range(feeds):
        dead = number % 100 == 83
        where = f"{host(number)}:{9 if dead else port}"
        lines.append(f"  f{number}: {{feed: 'http://{where}/{number}/feed', every: {every:g}s, {KEYS}}}")
    path = folder / "watcher.yaml"
    path.write_text("\n".join(lines))
    return path


def cpu(built: Services) -> tuple[float, float]:
    """CPU seconds so far: of this process, of its workers."""
    for worker in built.tools.workers._all:
        fields = Path(f"/proc/{worker._process.pid}/stat").read_text().rpartition(")")[2].split()
        spent[worker._process.pid] = (int(fields[11]) + int(fields[12])) / TICKS
    return time.process_time(), sum(spent.values())


def memory(built: Services) -> tuple[float, float]:
    """Peak resident megabytes: of this process, of its workers."""
    peak = 0
    for worker in built.tools.workers._all:
        status = Path(f"/proc/{worker._process.pid}/status").read_text()
        peak += int(status.partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, peak / 1000


async def one_round(built: Services) -> tuple[Counts, float, float, float]:
    """Poll every feed once: counts, wall seconds, CPU seconds here and in the workers."""
    now = built.store.now()
    await built.store.write(lambda tx: tx.sources._run(update(source).values(due=now - 1)))
    lane = Lane(Queue.SOURCE, poll, built, room=built.config.settings.fetch.concurrency, lease=120.0)
    built.tools.fetch.patient = True
    (here, there), started = cpu(built), time.monotonic()
    await lane.run_dry(due=now)
    here_now, there_now = cpu(built)
    return lane.counts, time.monotonic() - started, here_now - here, there_now - there


async def steady(built: Services, seconds: float) -> tuple[list[float], list[float]]:
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
    async with built.store.read() as tx:
        rows = [{"of": one.state.id, "at": now + rng.uniform(0, spread)} for one in await tx.sources.list()]
    statement = update(source).where(source.c.id == bindparam("of")).values(due=bindparam("at"))
    await built.store.write(lambda tx: tx.sources._run(statement, rows))
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


def timed(work: Callable[[], Any], times: int) -> float:
    """CPU milliseconds of one call."""
    work()
    started = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - started) / times * 1000


def parts(built: Services) -> None:
    """What a changed feed of 40 entries, 5 of them new, costs step by step, without what lies between the steps."""
    world.state["round"] = 0
    first = world.body(40, 0)
    world.state["round"] = world.EVERY
    second = world.body(40, 0)
    arguments = ("application/rss+xml", "http://h.example/feed", "s", time.time())
    seen = parse_bytes(first, *arguments)["seen"]
    new = parse_bytes(second, *arguments, seen)
    assert len(new["items"]) == world.NEW
    items = [Item(*values) for values in new["items"]]
    rules = built.config.ruleset
    print(f"\na changed feed of {len(second) // 1000} kB, {world.ENTRIES} entries, {world.NEW} new; ms of CPU:")
    print(f"  parsed whole                 {timed(lambda: parse_bytes(second, *arguments), 20):6.2f}")
    print(f"  parsed, new entries only     {timed(lambda: parse_bytes(second, *arguments, seen), 50):6.2f}")
    print(f"  matched, 201 rules           {timed(lambda: [rules.match(Document.of(one)) for one in items], 50):6.2f}")
    print(f"  signature for its story      {timed(lambda: [signature_of(one) for one in items], 50):6.2f}")


async def watcher(folder: Path, port: int, feeds: int, seconds: float, every: float) -> None:
    config = load(configuration(folder, feeds, port, every), {"TZ": "UTC"})
    clock = SystemClock()
    async with (
        await open_store(config.settings.store, clock, "bench", exclusive=True) as store,
        services(config, store, clock, Random(1)) as built,
    ):
        print(f"{feeds} feeds on {feeds // PER_HOST} hosts; ms of CPU a poll, this process + workers:")
        unchanged = 0.0
        for name, change in (("first sight", 0), ("no change", 0), ("5% changed", 1), ("5% changed", 1)):
            for _ in range(change):
                ask(port, "/change")
            counts, wall, here, there = await one_round(built)
            asked = counts.polled
            changed = asked - counts.not_modified - counts.failed
            each = (here + there) / asked * 1000
            line = f"  {name:12} {wall:6.1f} s {each:7.3f} ({here / asked * 1000:.3f} + {there / asked * 1000:.3f})"
            if name == "no change":
                unchanged = each
            if change and changed:
                of_changed = ((here + there) * 1000 - unchanged * (asked - changed)) / changed
                line += f"; a changed one {of_changed:.2f}"
            print(f"{line}; {counts.not_modified} unchanged, {counts.failed} failed, {counts.new_items} new items")
        parts(built)
        before = {name: len(times) for name, times in json.loads(ask(port, "/log")).items()}
        late, lag = await steady(built, seconds)
        after = json.loads(ask(port, "/log"))
        rates = [(len(times) - before.get(name, 0)) / seconds * 60 for name, times in after.items()]
        print(f"\nby itself for {seconds:g} s, each feed every {every:g} s, hostile ones among them: {len(late)} polls")
        print(f"  behind due    median {share(late, 0.5):.2f} s, p99 {share(late, 0.99):.2f} s")
        print(f"  event loop    p99 {share(lag, 0.99) * 1000:.1f} ms, most {max(lag) * 1000:.0f} ms late")
        print(f"  a host, a minute: median {share(rates, 0.5):.0f} requests, most {max(rates):.0f}")
        own, theirs = memory(built)
        print(f"  peak memory   {own:.0f} MB + {theirs:.0f} MB in workers")


READER = """
import resource, sys, time, urllib.request
from reader import make_reader
port, feeds = int(sys.argv[1]), sys.argv[2:]
reader = make_reader("reader.db", feed_root=None)
for feed in feeds:
    reader.add_feed(feed)
for name in ("first sight", "no change", "5% changed"):
    if name == "5% changed":
        urllib.request.urlopen(f"http://127.0.0.1:{port}/change").read()
    used = time.process_time()
    changed = sum(1 for one in reader.update_feeds_iter(scheduled=False) if one.value and getattr(one.value, "new", 0))
    print(f"  reader    {name:12} {(time.process_time() - used) / len(feeds) * 1000:7.2f}; {changed} changed")
"""


def peers(folder: Path, port: int, count: int) -> None:
    """The same plain feeds read by others: CPU milliseconds a poll."""
    plain = [
        f"http://{host(n)}:{port}/{n}/feed" for n in range(count * 2) if world.kind(n) == "plain" and n % 100 != 83
    ]
    plain = plain[:count]
    print(f"\n{len(plain)} plain feeds of the same world; ms of CPU a poll:", flush=True)
    subprocess.run([sys.executable, "-W", "ignore", "-c", READER, str(port), *plain], cwd=folder, check=False)
    (folder / "urls.yaml").write_text("---\n".join(f"url: {url}\n" for url in plain))
    (folder / "urlwatch.yaml").write_text("report: {stdout: {enabled: false}}\n")
    command = ["urlwatch", "--urls", "urls.yaml", "--config", "urlwatch.yaml", "--cache", "cache.db"]
    for name in ("first sight", "no change", "5% changed"):
        if name == "5% changed":
            ask(port, "/change")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        program = Path(sys.executable).with_name("urlwatch")
        subprocess.run([str(program), *command[1:]], cwd=folder, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"  urlwatch  {name:12} {used / len(plain) * 1000:7.2f} (its start included)")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--feeds", type=int, default=1000)
    options.add_argument("--seconds", type=float, default=30.0)
    options.add_argument("--every", type=float, default=60.0)
    options.add_argument("--peers", action="store_true")
    chosen = options.parse_args()
    log.configure("error")
    with tempfile.TemporaryDirectory() as folder, serving() as port:
        asyncio.run(watcher(Path(folder), port, chosen.feeds, chosen.seconds, chosen.every))
        if chosen.peers:
            peers(Path(folder), port, min(200, chosen.feeds // 2))


if __name__ == "__main__":
    main()
