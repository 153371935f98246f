"""The application, and the socket that it listens at while the daemon runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from watcher import log
from watcher.errors import StoreError, WatcherError
from watcher.pipeline import Services

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.typedefs import Handler

GRACE = 10.0  # seconds that requests under way may take when the daemon stops

logger = log.get("web")


class CannotListen(WatcherError):
    """The address of `settings.web.listen` cannot be had."""


def application(services: Services, wake: Callable[[], None]) -> web.Application:
    """Everything that is served. `wake` is called when a request made work for the lanes."""
    from aiohttp import web  # noqa: PLC0415 - heavy, and listening is off unless it is asked for

    from watcher.web.healthz import healthz  # noqa: PLC0415
    from watcher.web.websub import Callbacks  # noqa: PLC0415

    @web.middleware
    async def plain(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Nothing of what went wrong inside is shown; who called may try again."""
        try:
            return await handler(request)
        except StoreError as error:
            logger.error("the store is away", error=str(error))
            return web.Response(status=503, text="try again later\n", headers={"Retry-After": "30"})

    callbacks = Callbacks(services, wake)
    made = web.Application(middlewares=[plain])
    made.router.add_get("/healthz", partial(healthz, services), allow_head=True)
    made.router.add_get("/websub/{path}", callbacks.verify, allow_head=False)
    made.router.add_post("/websub/{path}", callbacks.push)
    return made


@asynccontextmanager
async def serve(services: Services, wake: Callable[[], None]) -> AsyncIterator[None]:
    """Listen at `settings.web.listen` until the block ends; nothing is done where none is set.

    Raises CannotListen where the address cannot be had.
    """
    listen = services.config.settings.web.listen
    if not listen:
        yield
        return
    from aiohttp import web  # noqa: PLC0415

    host, _, port = listen.rpartition(":")
    runner = web.AppRunner(
        application(services, wake),
        access_log=None,  # the paths are secrets
        auto_decompress=False,
        handle_signals=False,
        keepalive_timeout=75.0,
        shutdown_timeout=GRACE,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host.strip("[]"), int(port)).start()
        except OSError as error:
            reason = error.strerror or str(error)
            raise CannotListen(f"settings.web.listen: cannot listen at {listen}: {reason}") from None
        logger.info("listening", at=listen)
        yield
    finally:
        await runner.cleanup()
