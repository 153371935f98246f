"""The demo played: sites and the real daemon are started, the schedule runs, and what was told is checked."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from watcher.clock import SystemClock
from watcher.demo import checker, schedule
from watcher.demo.checker import Told
from watcher.demo.config import watch_list
from watcher.demo.content import RULES
from watcher.demo.site import Publication, Site
from watcher.model import AlertState, DeliveryState
from watcher.store import Store, StoredItem, open_store

START = 30.0  # seconds in which the daemon must have seen every feed
END = 55.0  # seconds after which the demo ends, whatever is still due
LOOK = 0.5  # seconds between looks into the store

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the store and the screen say in the end."""

    items: tuple[StoredItem, ...]
    told: tuple[Told, ...]
    screen: str
    settled: bool  # everything published was judged and everything to be told was told


async def play(seed: int, *, stay: bool, say: Say) -> int:
    """Play the demo once, in an order drawn from `seed`, and report through `say`.

    Returns 0 where exactly the expected alerts came, else 1. With `stay`, sites and daemon then run on until the
    daemon is stopped or the caller is cancelled.
    """
    say(f"Four news sites start on this machine, and the daemon watches their feeds. Seed: {seed}.")
    for name, query in RULES.items():
        say(f"  rule {name}: {query}")
    with TemporaryDirectory(prefix="watcher-demo-") as folder:
        async with Site() as site:
            return await _play(Path(folder), site, seed, stay, say)


async def _play(folder: Path, site: Site, seed: int, stay: bool, say: Say) -> int:
    rng = Random(seed)
    clock = SystemClock()
    for hours, (outlet, piece) in enumerate(schedule.before(rng), 1):
        site.publish(outlet, piece, clock.now() - hours * 3600)
    config = folder / "watcher.yaml"
    config.write_text(watch_list((outlet, site.address(outlet)) for outlet in site.outlets), encoding="utf-8")
    async with _daemon(config, say) as daemon:
        began = asyncio.get_running_loop().time()
        if not await _until(lambda: all(site.answers[one.domain][200] for one in site.outlets), daemon, START):
            say(f"The daemon did not come to read the feeds. Its log:\n{_log(folder)}")
            return 1
        say("The daemon has seen every feed once; from now on what is new makes alerts.\n")
        store = await open_store(f"sqlite:///{folder / 'watcher.db'}", clock, "demo")
        async with store:
            publishing = asyncio.create_task(_publish(site, schedule.live(rng), say))
            try:
                outcome = await _watch(store, site, publishing, daemon, began + END)
            finally:
                publishing.cancel()
        status = _report(site, outcome, seed, say)
        if status:
            say(f"The daemon's log:\n{_log(folder)}")
        if stay:
            places = "\n".join(f"  {outlet.name}: {site.address(outlet)}" for outlet in site.outlets)
            say(f"\nStill running; Ctrl-C ends it.\n{places}\n  watcher alerts --config {config}")
            await daemon.process.wait()
        return status


@dataclass(frozen=True, slots=True)
class _Daemon:
    """The daemon's process, and the lines that it has printed."""

    process: asyncio.subprocess.Process
    screen: list[str]

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    async def relay(self, say: Say) -> None:
        """Say each line that the daemon prints, until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            text = line.decode("utf-8", "replace").rstrip("\n")
            self.screen.append(text)
            say(f"  │ {text}")

    async def stop(self) -> None:
        """End it in order; by force where that takes longer than 15 seconds."""
        if self.running:
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), 15)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


@asynccontextmanager
async def _daemon(config: Path, say: Say) -> AsyncIterator[_Daemon]:
    """`watcher run` as a process of its own; its log goes to a file beside the configuration."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("WATCHER_")}
    with (config.parent / "daemon.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "watcher", "run", "--config", str(config)),
            env=env | {"PYTHONUNBUFFERED": "1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    daemon = _Daemon(process, [])
    relaying = asyncio.create_task(daemon.relay(say))
    try:
        yield daemon
    finally:
        await daemon.stop()
        await relaying


async def _until(condition: Callable[[], bool], daemon: _Daemon, seconds: float) -> bool:
    """Whether `condition` came true in time, and while the daemon was running."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        if not daemon.running or asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.1)
    return True


async def _publish(site: Site, releases: list[schedule.Release], say: Say) -> None:
    start = asyncio.get_running_loop().time()
    for release in releases:
        await asyncio.sleep(start + release.at - asyncio.get_running_loop().time())
        site.publish(release.outlet, release.piece)
        say(f"  + {release.outlet.name}: {release.piece.title}")


async def _watch(store: Store, site: Site, publishing: asyncio.Task[None], daemon: _Daemon, deadline: float) -> Outcome:
    """Look into the store until all is published, judged and told, or the time is up."""
    while True:
        await asyncio.sleep(LOOK)
        done = publishing.done()
        outcome = await _outcome(store, site.published, daemon.screen)
        if (done and outcome.settled) or not daemon.running or asyncio.get_running_loop().time() > deadline:
            return outcome


async def _outcome(store: Store, published: list[Publication], screen: list[str]) -> Outcome:
    async with store.read() as tx:
        items = await tx.items.list(limit=500)
        alerts = await tx.alerts.list(limit=500)
        deliveries = await tx.deliveries.counts()
        stories = await tx.stories.get([alert.story for alert in alerts])
    by_id = {one.item.id: one.item for one in items}
    told = [
        Told(alert.rule, item.url, item.outlet, frozenset(stories[alert.story].outlets) - {item.outlet})
        for alert in alerts
        if alert.state is AlertState.TOLD and (item := by_id.get(alert.item)) is not None
    ]
    judged = {one.item.url for one in items if one.reason is not None}
    waiting = any(alert.state is AlertState.WAITING for alert in alerts)
    unsent = deliveries[DeliveryState.PENDING] + deliveries[DeliveryState.RETRYING]
    settled = not waiting and not unsent and judged >= {one.link for one in published}
    return Outcome(tuple(items), tuple(told), "\n".join(screen), settled)


def _report(site: Site, outcome: Outcome, seed: int, say: Say) -> int:
    """Say what was told, what was not and why, and whether that is right; 0 where it is."""
    published = {one.link: one for one in site.published}
    say("\nTold:")
    for alert in sorted(outcome.told, key=lambda one: (one.rule, one.url)):
        one = published.get(alert.url)
        also = f", also in {len(alert.others)} other outlets: {', '.join(sorted(alert.others))}" if alert.others else ""
        say(f"  {alert.rule}: {alert.outlet}{also}\n      {_described(one) if one else alert.url}")
    say("\nNot told, and why:")
    for reason, silent in _silent(outcome, published).items():
        say(f"  {reason}")
        for one in silent:
            say(f"      {one.outlet.domain}: {_described(one)}")
    answers = [sum(counts[status] for counts in site.answers.values()) for status in (200, 304)]
    say(
        f"\n{len(published)} articles at {len(site.outlets)} outlets; {sum(answers)} polls, of which {answers[1]} were "
        f"answered 304 (not modified). Seed {seed}."
    )
    wrong = checker.differences(site.published, outcome.told, outcome.screen)
    if not outcome.settled:
        wrong.append("the time was up before everything was read and told")
    say("\n".join([f"NOT as expected: {line}" for line in wrong]) or f"As expected: {_expected(site)}.")
    return 1 if wrong else 0


def _described(one: Publication) -> str:
    return f"{one.piece.title} ({one.piece.shows})" if one.piece.shows else one.piece.title


def _expected(site: Site) -> str:
    number = len(checker.expect(site.published))
    return f"the sites' own list of what they published asks for {number} alerts, and exactly these came"


def _silent(outcome: Outcome, published: dict[str, Publication]) -> dict[str, list[Publication]]:
    """What was published and not told, by reason; what the daemon has not seen says so."""
    reasons = {one.item.url: one.reason.value for one in outcome.items if one.reason is not None}
    told = {one.url for one in outcome.told}
    found: defaultdict[str, list[Publication]] = defaultdict(list)
    for link, one in published.items():
        if link not in told:
            found[reasons.get(link, "not judged yet")].append(one)
    return found


def _log(folder: Path) -> str:
    return (folder / "daemon.log").read_text(encoding="utf-8", errors="replace")[-4000:]
