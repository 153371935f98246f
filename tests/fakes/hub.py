"""A WebSub hub with one feed, as the standard has it: takes subscriptions, verifies them, and pushes what is published.

`async with Hub() as hub:` serves on a free port of 127.0.0.1; `hub.feed` is the feed's address.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from email.utils import formatdate
from types import TracebackType
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import aiohttp
from aiohttp import web

from watcher.clock import Clock, SystemClock


@dataclass
class Subscriber:
    """Who was verified: where to push, and what to sign with."""

    callback: str
    secret: str
    asked_lease: int


@dataclass
class Hub:
    """What it does differently is set by its fields."""

    lease: int = 864_000
    method: str = "sha256"
    takes: int = 202  # the status of its answers to subscriptions
    verifies: bool = True
    denies: str = ""  # the reason, where it does
    partial: bool = False  # only new entries are pushed
    in_header: bool = False  # the feed names the hub in Link headers
    json_feed: bool = False
    host: str = "127.0.0.1"  # by what name the feed has the hub
    clock: Clock = field(default_factory=SystemClock)
    asked: list[dict[str, str]] = field(default_factory=list)  # the forms that were posted
    verified: list[tuple[int, str]] = field(default_factory=list)  # what callbacks answered to challenges
    subscribers: dict[str, Subscriber] = field(default_factory=dict)
    polls: int = 0  # of the feed
    entries: list[tuple[str, str, float]] = field(default_factory=list)  # guid, title, date

    async def __aenter__(self) -> Hub:
        self._running = AsyncExitStack()
        app = web.Application()
        app.add_routes([web.get("/feed", self._feed), web.post("/hub", self._subscribe)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        self._running.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        self._session = await self._running.enter_async_context(aiohttp.ClientSession())
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._running.aclose()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/hub"

    @property
    def feed(self) -> str:
        return f"http://127.0.0.1:{self.port}/feed"

    def publish(self, title: str) -> None:
        """Put an entry at the head of the feed; nobody is told."""
        self.entries.insert(0, (f"entry-{len(self.entries)}", title, self.clock.now()))

    def body(self, newest: int | None = None) -> bytes:
        if self.json_feed:
            items = [{"id": guid, "title": title, "url": f"http://127.0.0.1/{guid}"} for guid, title, _ in self.entries]
            hubs = [{"type": "WebSub", "url": self.url}]
            made = {"version": "https://jsonfeed.org/version/1.1", "feed_url": self.feed, "hubs": hubs, "items": items}
            return web.json_response(made).body  # type: ignore[return-value]
        links = f"<atom:link rel='hub' href='{self.url}'/><atom:link rel='self' href='{self.feed}'/>"
        items = "".join(
            f"<item><guid isPermaLink='false'>{guid}</guid><title>{title}</title><pubDate>{formatdate(at)}</pubDate>"
            f"<description>{title}, it was said.</description></item>"
            for guid, title, at in self.entries[:newest]
        )
        return (
            "<?xml version='1.0' encoding='utf-8'?><rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'><channel>"
            f"<title>Pushed</title>{'' if self.in_header else links}{items}</channel></rss>"
        ).encode()

    async def push(self, body: bytes | None = None, *, signature: str | None = None, port: int = 0) -> list[int]:
        """Push the feed, or `body`, to everyone who is subscribed; the statuses that they answer."""
        body = self.body(1 if self.partial else None) if body is None else body
        statuses = []
        for one in self.subscribers.values():
            made = hmac.new(one.secret.encode(), body, getattr(hashlib, self.method)).hexdigest()
            headers = {"Content-Type": "application/rss+xml", "Link": f'<{self.url}>; rel="hub"'}
            if signature != "":
                headers["X-Hub-Signature"] = f"{self.method}={made}" if signature is None else signature
            url = one.callback
            if port:
                url = urlunsplit(urlsplit(url)._replace(netloc=f"127.0.0.1:{port}"))
            async with self._session.post(url, data=body, headers=headers) as response:
                statuses.append(response.status)
        return statuses

    def push_now(self, *arguments: Any, **keys: Any) -> list[int]:
        """`push`, for another thread than the hub's."""
        return asyncio.run_coroutine_threadsafe(self.push(*arguments, **keys), self._loop).result(30)

    async def call(self, callback: str, **query: str) -> tuple[int, str]:
        """GET a callback with hub.… parameters: its status and its answer."""
        asked = urlencode({f"hub.{name}": value for name, value in query.items()})
        async with self._session.get(f"{callback}?{asked}") as response:
            return response.status, await response.text()

    async def deny(self, reason: str) -> tuple[int, str]:
        """Tell who was subscribed last that it is no more."""
        return await self.call(self.asked[-1]["hub.callback"], mode="denied", topic=self.feed, reason=reason)

    async def settled(self) -> None:
        """Wait until all verifications that are under way have ended."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def _feed(self, request: web.Request) -> web.Response:
        self.polls += 1
        body = self.body()
        etag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
        headers = {"ETag": etag, "Content-Type": "application/feed+json" if self.json_feed else "application/rss+xml"}
        if self.in_header:
            headers["Link"] = f'<{self.url}>; rel="hub", <{self.feed}>; rel=self'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, headers=headers)

    async def _subscribe(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        if self.takes != 202:
            return web.Response(status=self.takes, text="not now")
        if form.get("hub.mode") != "subscribe" or form.get("hub.topic") != self.feed or len(form["hub.secret"]) >= 200:
            return web.Response(status=400, text="bad request")
        task = asyncio.create_task(self._verify(form))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return web.Response(status=202)

    async def _verify(self, form: dict[str, str]) -> None:
        if not self.verifies:
            return
        callback, topic = form["hub.callback"], form["hub.topic"]
        if self.denies:
            await self.call(callback, mode="denied", topic=topic, reason=self.denies)
            return
        challenge = f"challenge-{time.monotonic_ns()}"
        lease = str(self.lease)
        status, said = await self.call(
            callback, mode="subscribe", topic=topic, challenge=challenge, lease_seconds=lease
        )
        self.verified.append((status, said))
        if 200 <= status < 300 and said == challenge:
            secret = form.get("hub.secret", "")
            self.subscribers[callback] = Subscriber(callback, secret, int(form["hub.lease_seconds"]))
