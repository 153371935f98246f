"""A newsroom on a clock that the test drives: alerts go into a real store, and out to services on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.clock import START, FakeClock
from tests.stories import join_story, open_story
from watcher.alerting import group
from watcher.config import load
from watcher.daemon.lane import Lane
from watcher.daemon.start import lanes, services
from watcher.model import Alert, AlertState, Delivery, Item, Queue, Reason, Span, Story, derive_id
from watcher.pipeline import Services
from watcher.store import Store, Tx, open_store
from watcher.store.groups import Entry

WATCH_LIST = """\
settings: {{timezone: UTC}}
channels:
{channels}
sources:
  wire: {{feed: "https://wire.example/feed"}}
  local: {{feed: "https://local.example/feed"}}
rules:
  coup: {{query: coup, notify: [{names}]}}
  army: {{query: army, notify: [{names}], mention: "<!here>"}}
  urgent: {{query: palace, notify: [{names}], priority: high}}
"""


class DrivenClock(FakeClock):
    """Moves on to the next sleeper's time once everybody sleeps."""

    @property
    def sleepers(self) -> int:
        return len(self._sleepers)

    def wake_next(self) -> None:
        self.advance(max(self._sleepers[0][0] - self.now(), 0.0))


@dataclass
class Desk:
    """What a test does at the desk: news comes in, time passes."""

    services: Services
    store: Store
    clock: DrivenClock

    async def report(
        self, name: str, *, event: str = "", outlet: str = "", rules: Iterable[str] = ("coup",), source: str = "wire"
    ) -> str:
        """An own report of an event, which `rules` match; its story's id."""
        [story_id] = await self.reports([name], event=event, outlet=outlet, rules=rules, source=source)
        return story_id

    async def reports(
        self,
        names: Sequence[str],
        *,
        event: str = "",
        outlet: str = "",
        rules: Iterable[str] = ("coup",),
        source: str = "wire",
    ) -> list[str]:
        """Many at once."""
        made = [self._written(name, event, outlet, source) for name in names]

        async def work(tx: Tx) -> None:
            await tx.items.add([item for item, _ in made], now=self.now, baseline=False, read_at=None)
            for _, story in made:
                await open_story(tx, story, ())
            await self._alerts(tx, made, rules)

        await self.store.write(work)
        return [story.id for _, story in made]

    def _written(self, name: str, event: str, outlet: str, source: str) -> tuple[Item, Story]:
        title = f"The army's coup: report {name}"
        item = Item(name, source, title, url=f"https://{outlet or name}/{name}", outlet=outlet, published=self.now)
        story = Story(
            f"story-{name}", name, title, self.now, self.now, event or f"event-{name}", (outlet,) * bool(outlet)
        )
        return item, story

    async def further_rule(self, story_id: str, item_id: str, rule: str) -> None:
        """One more rule matches a known story."""

        async def work(tx: Tx) -> None:
            story, item = (await tx.stories.get([story_id]))[story_id], (await tx.items.get([item_id]))[item_id]
            await self._alerts(tx, [(item, story)], [rule])

        await self.store.write(work)

    async def _alerts(self, tx: Tx, made: Sequence[tuple[Item, Story]], rules: Iterable[str]) -> None:
        alerts, entries = [], []
        for item, story in made:
            for name in rules:
                rule = self.services.config.rules[name]
                alert = Alert(
                    derive_id("alert", name, story.id), name, story.id, item.id, AlertState.WAITING,
                    Reason.FIRST_SIGHT, self.now, (Span("title", 4, 8),),
                )  # fmt: skip
                alerts.append(alert)
                for channel in rule.notify:
                    configured = self.services.config.channels[channel]
                    at = group.place(configured, kind="alert", event=story.event, priority=rule.priority, now=self.now)
                    entries.append(Entry(channel, at.kind, at.key, at.flush_at, alert.id))
        await tx.alerts.add_all(alerts)
        await tx.groups.put_all(entries, self.now)

    async def copy(self, name: str, story_id: str, outlet: str) -> None:
        """One more outlet carries a story."""

        async def work(tx: Tx) -> None:
            await tx.items.add(
                [Item(name, "wire", f"copy {name}", outlet=outlet)], now=self.now, baseline=False, read_at=None
            )
            story = await join_story(tx, story_id, name, outlet, self.now)
            keys = (f"event:{story.event}", f"high:{story.event}")
            await tx.groups.grown(self.services.config.channels, keys)

        await self.store.write(work)

    @property
    def now(self) -> float:
        return self.clock.now()

    @property
    def elapsed(self) -> float:
        return self.now - START

    async def pass_time(self, seconds: float, most: int = 100_000) -> None:
        """Let time pass, doing at each moment what is due at it."""
        end = self.now + seconds
        queues = lanes(self.services)
        for _ in range(most):
            await self._work(queues)
            due = await self.next_due()
            if due is None or due > end:
                break
            self.clock.advance(max(due - self.now, 0.0))
        self.clock.advance(max(end - self.now, 0.0))

    async def next_due(self) -> float | None:
        """When something is to be told next."""
        return await self.store.next_due()

    async def _work(self, queues: dict[Queue, Lane]) -> None:
        for queue in (Queue.GROUP, Queue.DELIVERY):
            lane = queues[queue]
            running = asyncio.create_task(lane.run_dry())
            while not running.done():
                await asyncio.wait([running], timeout=0.01)
                if self.clock.sleepers and len(lane._tasks) == self.clock.sleepers:
                    self.clock.wake_next()
                    await lane.renew()
            running.result()

    async def deliveries(self) -> list[Delivery]:
        async with self.store.read() as tx:
            return (await tx.deliveries.list(100_000))[::-1]

    async def alerts(self) -> list[Alert]:
        async with self.store.read() as tx:
            return await tx.alerts.list(100_000)


@asynccontextmanager
async def desk(
    directory: Path, channels: dict[str, str], store_url: str = "", clock: DrivenClock | None = None
) -> AsyncIterator[Desk]:
    """A desk whose channels are given as YAML mappings, by name."""
    lines = "\n".join(f"  {name}: {written}" for name, written in channels.items())
    (directory / "watcher.yaml").write_text(WATCH_LIST.format(channels=lines, names=", ".join(channels)))
    config = load(directory / "watcher.yaml", {"TZ": "UTC"})
    clock = clock or DrivenClock()
    url = store_url or f"sqlite:///{directory}/watcher.db"
    async with (
        await open_store(url, clock, "desk", exclusive=True, measure_skew=False) as store,
        services(config, store, clock, Random(7)) as built,
    ):
        for queue in (Queue.SOURCE,):  # nothing is polled here
            for claim in await store.claim(queue, 100, 10.0**9, due=clock.now()):
                assert claim.id
        yield Desk(built, store, clock)
