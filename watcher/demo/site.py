"""News sites on loopback, each on a port of its own: a feed that answers conditional requests, and article pages.

The pages are as pages are: most of their words are menus, notices, teasers of other articles and a footer.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from types import TracebackType

from aiohttp import web

from watcher.clock import Clock, SystemClock
from watcher.demo import pages
from watcher.demo.content import OUTLETS, Outlet, Piece

FEED = "/feed.xml"
ENTRIES = 20  # a feed lists so many, newest first


@dataclass(frozen=True, slots=True)
class Publication:
    """A piece that went online: where, when, and under which address and GUID."""

    outlet: Outlet
    piece: Piece
    at: float
    link: str
    guid: str


class Site:
    """A small world of outlets. Publish by call; `published` is the list of all that went online.

    `async with Site() as site:` serves on free ports of 127.0.0.1 until the block ends.
    """

    def __init__(self, outlets: Iterable[Outlet] = OUTLETS, clock: Clock | None = None) -> None:
        self.outlets = tuple(outlets)
        self.published: list[Publication] = []
        self.answers: defaultdict[str, Counter[int]] = defaultdict(Counter)  # of the feeds: domain → status → how often
        self._clock = clock or SystemClock()
        self._addresses: dict[str, str] = {}
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Site:
        for outlet in self.outlets:
            runner = web.AppRunner(self._app(outlet), access_log=None)
            await runner.setup()
            self._running.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self._addresses[outlet.domain] = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.aclose()

    def address(self, outlet: Outlet, path: str = FEED) -> str:
        """The URL of a path of an outlet; of its feed where none is given."""
        return self._addresses[outlet.domain] + path

    def publish(self, outlet: Outlet, piece: Piece, at: float | None = None) -> Publication:
        """Put a piece online, dated `at` (now where it is not given)."""
        path = f"/{piece.slug}" + (f"?{piece.query}" if piece.query else "")
        guid = f"{outlet.domain}:{hashlib.blake2b(path.encode(), digest_size=6).hexdigest()}"
        when = self._clock.now() if at is None else at
        publication = Publication(outlet, piece, when, self.address(outlet, path), guid)
        self.published.append(publication)
        return publication

    def _app(self, outlet: Outlet) -> web.Application:
        async def feed(request: web.Request) -> web.Response:
            response = self._feed(outlet, request)
            self.answers[outlet.domain][response.status] += 1
            return response

        async def page(request: web.Request) -> web.Response:
            for one in self._of(outlet):
                if request.path == f"/{one.piece.slug}":
                    return web.Response(text=pages.article(one.outlet, one.piece, one.at), content_type="text/html")
            raise web.HTTPNotFound(text="There is no such page.")

        async def robots(request: web.Request) -> web.Response:
            return web.Response(text="User-agent: *\nAllow: /\n")

        app = web.Application()
        app.router.add_get(FEED, feed)
        app.router.add_get("/robots.txt", robots)
        app.router.add_get("/{path:.+}", page)
        return app

    def _of(self, outlet: Outlet) -> list[Publication]:
        mine = [one for one in self.published if one.outlet == outlet]
        return sorted(mine, key=lambda one: one.at, reverse=True)

    def _feed(self, outlet: Outlet, request: web.Request) -> web.Response:
        """The feed, or 304 where the reader has it (RFC 9110, 13.1: If-None-Match goes before If-Modified-Since)."""
        entries = self._of(outlet)[:ENTRIES]
        write = pages.rss if outlet.feed == "rss" else pages.atom
        body = write(outlet, self.address(outlet, "/"), [(one.piece, one.at, one.link, one.guid) for one in entries])
        etag = f'"{hashlib.blake2b(body.encode(), digest_size=8).hexdigest()}"'
        newest = datetime.fromtimestamp(int(max((one.at for one in entries), default=0.0)), UTC)
        headers = {"ETag": etag, "Last-Modified": format_datetime(newest, usegmt=True)}
        if _has(request, etag, newest):
            return web.Response(status=304, headers=headers)
        return web.Response(text=body, content_type=f"application/{outlet.feed}+xml", headers=headers)


def _has(request: web.Request, etag: str, newest: datetime) -> bool:
    if "If-None-Match" in request.headers:
        return etag in request.headers["If-None-Match"]
    try:
        return parsedate_to_datetime(request.headers["If-Modified-Since"]) >= newest
    except (KeyError, ValueError):
        return False


@contextmanager
def in_thread(site: Site) -> Iterator[Site]:
    """Serve `site` from a thread with an event loop of its own, for callers that have none."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with site:
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    try:
        if not ready.wait(10):
            raise OSError("the demo's sites do not start on 127.0.0.1")
        yield site
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
