"""How late the event loop is while hostile feeds and servers are polled beside good ones.

Run `python -m benchmarks.lag [--seconds 30] [--good 60] [--who]`. The servers are a process of their own. The daemon's
lanes run by themselves: every good feed changes with each poll (five new entries of forty, 250 words each; one has
2,000), 200 rules read them, and all that is hostile (tests/fakes/bad.py, and ../shared/corpora/hostile where it is
there) is polled again and again. Printed is the loop's own lag, by how much a sleep of 5 ms is longer. What else runs
on the machine is in that, so it is also printed how late a loop is that does nothing, in a process beside it, and for
how long the loop's own thread computed between two looks. With --who, what it was at when it held the loop for more
than 50 ms is shown.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from random import Random

from benchmarks.polling import share
from benchmarks.world import text
from tests.fakes.bad import FEEDS, SERVERS, XML, answer
from tests.paths import CORPORA
from tests.sites import ok
from watcher import garbage, log
from watcher.clock import SystemClock
from watcher.config import load
from watcher.daemon.start import GATHER, lanes, services
from watcher.model import Queue
from watcher.pipeline.pace import SWITCH, warm
from watcher.store import open_store

TICK = 0.005  # seconds between two looks at the loop
HELD = 0.05  # seconds
BIG = 2000  # entries of the one big feed
FILES = {path.stem: path for path in sorted((CORPORA / "hostile").glob("*.*")) if path.suffix != ".jsonl"}


def good(number: int, polls: int, entries: int) -> bytes:
    first = polls * 5
    date = formatdate(time.time() - 60)
    items = "".join(
        f"<item><guid isPermaLink='false'>{number}-{entry}</guid><title>Report {entry}: {text(number + entry, 6)}"
        f"</title><pubDate>{date}</pubDate><description>{text(number * 40 + entry, 250)}</description></item>"
        for entry in range(first + entries - 1, first - 1, -1)
    )
    head = f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>{number}</title>"
    return f"{head}{items}</channel></rss>".encode()


async def server() -> None:
    polls: Counter[str] = Counter()
    os.nice(10)  # it stands for other machines

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            name = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode().strip("/")
            if name.startswith("good"):
                number = int(name.removeprefix("good-"))
                writer.write(ok(good(number, polls[name], BIG if number == 0 else 40), XML))
                polls[name] += 1
            elif name.startswith("file-"):
                writer.write(ok(FILES[name.removeprefix("file-")].read_bytes(), XML))
            else:
                await answer(name, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(handle, "0.0.0.0", 0, backlog=1000)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


@contextmanager
def serving() -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.lag", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def configuration(folder: Path, port: int, count: int, hostile: bool) -> Path:
    bad = [*SERVERS, *FEEDS, *(f"file-{name}" for name in FILES)] if hostile else []
    names = [*(f"good-{number}" for number in range(count)), *bad]
    lines = [
        "settings: {store: 'sqlite:///bench.db', fetch: {timeout: 5s, host_gap: 100ms}}",
        "channels: {screen: {url: 'console://', digest: 24h}}",
        "rules:",
        *(f"  r{n}: {{query: 'ferry AND (harvest OR stone) AND traders{n}'}}" for n in range(200)),
        "  often: {query: 'ferry NEAR/9 harvest'}",
        "  always: {query: 'ferry OR harvest OR stone'}",
        "sources:",
    ]
    for number, name in enumerate(names):
        every = "2s" if name.startswith("good") else "3s"
        where = f"http://127.{1 + number // 250}.1.{1 + number % 250}:{port}/{name}"
        lines.append(f"  s{number}: {{feed: '{where}', every: {every}, full_text: never, first_poll: silent}}")
    path = folder / "watcher.yaml"
    path.write_text("\n".join(lines))
    return path


async def idle(seconds: float) -> None:
    """The control: a loop that does nothing but look at itself."""
    watch = Watch(who=False)
    looking = asyncio.create_task(watch.look())
    await asyncio.sleep(seconds)
    looking.cancel()
    show("idle", watch.lag)


def show(name: str, values: list[float]) -> None:
    figures = (share(values, 0.5), share(values, 0.99), max(values))
    print("  {}  p50 {:6.2f}  p99 {:6.2f}  max {:6.1f} ms".format(name, *(1000 * one for one in figures)), flush=True)


class Watch:
    """Looks at the loop from within, and at what it does from a thread beside it."""

    def __init__(self, who: bool) -> None:
        self.lag: list[float] = []
        self.held: list[float] = []
        self.culprits: Counter[str] = Counter()
        self._looked = time.monotonic()
        self._main = threading.get_ident()
        if who:
            threading.Thread(target=self._spy, daemon=True).start()

    async def look(self) -> None:
        while True:
            self._looked, used = time.monotonic(), time.thread_time()
            await asyncio.sleep(TICK)
            self.lag.append(time.monotonic() - self._looked - TICK)
            self.held.append(time.thread_time() - used)

    def _spy(self) -> None:
        while True:
            time.sleep(0.01)
            if time.monotonic() - self._looked > HELD:
                frame = sys._current_frames().get(self._main)
                ours = [one for one in traceback.extract_stack(frame) if "watcher" in one.filename][-3:]
                last = traceback.extract_stack(frame)[-1:]
                self.culprits[" > ".join(f"{Path(o.filename).name}:{o.lineno} {o.name}" for o in [*ours, *last])] += 1


async def run(folder: Path, port: int, seconds: float, count: int, *, hostile: bool, who: bool) -> None:
    config = load(configuration(folder, port, count, hostile), {"TZ": "UTC"})
    clock = SystemClock()
    async with (
        await open_store(config.settings.store, clock, "bench", exclusive=True) as store,
        services(config, store, clock, Random(1)) as built,
    ):
        sys.setswitchinterval(SWITCH)  # this and the next three, as the daemon does before it begins
        await asyncio.to_thread(warm, config)
        garbage.settle()
        store.gather = GATHER
        queues = lanes(built)
        watch = Watch(who)
        tasks = [asyncio.create_task(lane.pump()) for lane in queues.values()]
        looking = asyncio.create_task(watch.look())
        beside = subprocess.Popen(  # noqa: ASYNC220 - before the clock runs
            [sys.executable, "-m", "benchmarks.lag", "--idle", "--seconds", str(seconds)]
        )
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for lane in queues.values():
                lane.wake()
            await asyncio.sleep(0.5)
            await queues[Queue.SOURCE].renew()
        looking.cancel()
        await asyncio.to_thread(beside.wait)
        for task in tasks:
            task.cancel()
        for lane in queues.values():
            lane.cancel()
            await lane.drain(5)
        counts = queues[Queue.SOURCE].counts
    what = (
        f"{count} good feeds and {len(config.sources) - count} hostile ones" if hostile else f"{count} good feeds alone"
    )
    print(f"{what}, {seconds:g} s: {counts.polled} polls, {counts.failed} failed, {counts.new_items} new items")
    show("late", watch.lag)
    show("busy", watch.held)
    for where, times in watch.culprits.most_common(15):
        print(f"  {times:4}  {where}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=30.0)
    options.add_argument("--good", type=int, default=60)
    options.add_argument("--who", action="store_true")
    options.add_argument("--idle", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve or chosen.idle:
        asyncio.run(server() if chosen.serve else idle(chosen.seconds))
        return
    log.configure("critical" if "critical" in log.LEVELS else "error")
    for hostile in (False, True):
        with tempfile.TemporaryDirectory() as folder, serving() as port:
            asyncio.run(run(Path(folder), port, chosen.seconds, chosen.good, hostile=hostile, who=chosen.who))


if __name__ == "__main__":
    main()
