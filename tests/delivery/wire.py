"""A wire service on loopback that a test rewrites, read by the whole pipeline on a driven clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from random import Random
from xml.sax.saxutils import escape

from tests.clock import START
from tests.delivery.desk import Desk, DrivenClock
from tests.sites import Serve, Site, ok
from watcher.config import load
from watcher.daemon.start import adopt, services
from watcher.model import Alert, DeliveryState, Queue
from watcher.pipeline import Counts, poll, read
from watcher.store import open_store

SETTINGS = "settings: {timezone: UTC, fetch: {host_gap: 0s}}\n"
ENTRY = (
    "<item><guid>{guid}</guid><title>{title}</title><link>{link}</link>{date}<description>{text}</description></item>"
)


@dataclass
class Wire(Desk):
    """A desk that also reads: what the feed says is what a test says."""

    site: Site = field(default_factory=Site)
    pages: dict[str, bytes] = field(default_factory=dict)
    folder: Path = Path()
    entries: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # by guid: title, text, link

    def say(self, guid: str, title: str, text: str, link: str = "") -> None:
        """What the feed has under `guid` from now on."""
        self.entries[guid] = (title, text, link or f"/{guid}")
        items = "".join(
            ENTRY.format(
                guid=guid,
                title=escape(title),
                text=escape(text),
                link=self.site.url + link,
                date=f"<pubDate>{formatdate(START, usegmt=True)}</pubDate>",
            )
            for guid, (title, text, link) in self.entries.items()
        )
        body = f'<rss version="2.0"><channel><title>Wire</title>{items}</channel></rss>'
        self.pages["/feed"] = ok(body.encode(), "Content-Type: application/rss+xml")

    def write(self, link: str, text: str) -> None:
        """The article at `link`: paragraphs parted by a blank line."""
        paragraphs = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
        html = f"<html><head><title>Wire</title></head><body><article>{paragraphs}</article></body></html>"
        self.pages[link] = ok(html.encode(), "Content-Type: text/html; charset=utf-8")

    async def poll(self) -> Counts:
        """Poll the feed when it is due, and read what articles are to be read; nothing is told yet."""
        async with self.store.read() as tx:
            due = max(one.state.next_due for one in await tx.sources.list())
        self.clock.advance(max(due - self.now, 0.0))
        counts = Counts()
        for queue, step in ((Queue.SOURCE, poll), (Queue.ITEM, read)):
            for claim in await self.store.claim(queue, 100, 600.0):
                counts += await step(self.services, claim)
        return counts

    async def next_due(self) -> float | None:
        """When something is to be told next; polls are the test's own."""
        async with self.store.read() as tx:
            open_ = await tx.deliveries.list(states=(DeliveryState.PENDING, DeliveryState.RETRYING))
            due = [group.flush_at for group in await tx.groups.list()] + [one.next_try for one in open_]
        return min(due, default=None)

    async def polled(self, seconds: float = 30.0) -> Counts:
        """Poll, and let time pass, so that what follows is told."""
        counts = await self.poll()
        await self.pass_time(seconds)
        return counts

    async def reload(self, text: str) -> None:
        (self.folder / "watcher.yaml").write_text(SETTINGS + text.replace("SITE", self.site.url))
        await adopt(self.services, load(self.folder / "watcher.yaml", {"TZ": "UTC"}))

    async def updates(self) -> list[Alert]:
        """The alerts that tell a change, oldest first."""
        return [alert for alert in (await self.alerts())[::-1] if alert.update is not None]


@asynccontextmanager
async def wire(directory: Path, serve: Serve, text: str, store_url: str = "") -> AsyncIterator[Wire]:
    """A wire whose configuration is `text`, with SITE for the address of its site."""
    pages: dict[str, bytes] = {}
    site = await serve(pages)
    (directory / "watcher.yaml").write_text(SETTINGS + text.replace("SITE", site.url))
    config, clock = load(directory / "watcher.yaml", {"TZ": "UTC"}), DrivenClock()
    url = store_url or f"sqlite:///{directory}/watcher.db"
    async with (
        await open_store(url, clock, "wire", exclusive=True, measure_skew=False) as store,
        services(config, store, clock, Random(7)) as built,
    ):
        yield Wire(built, store, clock, site, pages, directory)
