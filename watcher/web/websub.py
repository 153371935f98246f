"""What hubs call: a GET to verify or deny a subscription, a POST to push what is new (WebSub, 5 to 7)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from aiohttp import web

from watcher.model import Subscription
from watcher.pipeline import Services, push
from watcher.pipeline.subscribe import answer

AT_ONCE = 8  # pushes that are read and kept at once; the others are told to come again
BODY = 30.0  # seconds in which a body must have come
_PATH = re.compile(r"[A-Za-z0-9_-]{43}")


class Callbacks:
    """The callbacks of all subscriptions. A path that is none of theirs is not found, whatever is sent to it."""

    def __init__(self, services: Services, wake: Callable[[], None]) -> None:
        self._services = services
        self._wake = wake
        self._room = asyncio.Semaphore(AT_ONCE)

    async def verify(self, request: web.Request) -> web.Response:
        """Give the challenge back of a verification that was asked for; take a denial."""
        known = await self._known(request, web.HTTPNotFound)
        said = await answer(self._services, known, request.query)
        if said is None:
            raise web.HTTPNotFound(text="not asked for\n")
        if not said:
            self._wake()
        # What a stranger wrote must never be shown as a page.
        return web.Response(text=said, headers={"X-Content-Type-Options": "nosniff"})

    async def push(self, request: web.Request) -> web.Response:
        """Take what a hub pushes. What is signed wrongly is taken too, and ignored (WebSub, 7.1).

        A hub that pushes for a subscription that was given up is told that it is gone, and may end it (WebSub, 7).
        """
        known = await self._known(request, web.HTTPGone)
        if known.state != "active":
            raise web.HTTPNotFound(text="no such subscription\n")
        if known.id not in self._services.sources:  # by another worker's configuration it may be
            raise web.HTTPServiceUnavailable(text="try again later\n", headers={"Retry-After": "60"})
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise web.HTTPUnsupportedMediaType(text="send it as it is\n")
        if self._room.locked():
            raise web.HTTPServiceUnavailable(text="busy\n", headers={"Retry-After": "5"})
        async with self._room:
            body = await self._body(request)
            await push(
                self._services,
                known,
                body,
                request.headers.get("Content-Type", ""),
                request.headers.get("X-Hub-Signature", ""),
            )
        self._wake()
        return web.Response(status=202)

    async def _known(self, request: web.Request, gone: type[web.HTTPError]) -> Subscription:
        path = request.match_info["path"]
        if not _PATH.fullmatch(path):
            raise web.HTTPNotFound(text="no such subscription\n")
        async with self._services.store.read() as tx:
            found = await tx.subscriptions.at(path)
        if found is None:
            raise gone(text="no such subscription\n")
        return found

    async def _body(self, request: web.Request) -> bytes:
        """The body, within its cap and its time."""
        cap = self._services.config.settings.fetch.max_body
        body = bytearray()
        try:
            async with asyncio.timeout(BODY):
                async for piece in request.content.iter_any():
                    body += piece
                    if len(body) > cap:
                        raise web.HTTPRequestEntityTooLarge(max_size=cap, actual_size=len(body))
        except TimeoutError:
            raise web.HTTPRequestTimeout(text="too slow\n") from None
        return bytes(body)
