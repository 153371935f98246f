"""robots.txt by RFC 9309: kept for a day, no file means yes, an unreachable one means no."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from watcher.clock import Clock
from watcher.errors import FetchError, FetchKind
from watcher.fetch.urls import shown

if TYPE_CHECKING:
    from protego import Protego

AGENT = "watcher"
MAX_BYTES = 500 * 1024  # RFC 9309, 2.5: what is over may be ignored
_FRESH = 86400.0  # RFC 9309, 2.4
_RETRY = 300.0  # an unreachable file is asked for again after this long
_KEPT = 2048  # origins


@dataclass(slots=True)
class _Rules:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: float = 0.0
    rules: Protego | None = None
    refused: str = ""  # why nothing may be fetched


class Robots:
    """Answers whether a URL may be fetched. Asks for each origin's robots.txt once, however many wait for it."""

    def __init__(self, fetch: Callable[[str], Awaitable[bytes]], clock: Clock) -> None:
        """`fetch` gives the body at a URL, cut at MAX_BYTES, and raises FetchError."""
        self._fetch = fetch
        self._clock = clock
        self._origins: OrderedDict[str, _Rules] = OrderedDict()

    async def check(self, origin: str, url: str) -> None:
        """Raise FetchError(ROBOTS) where `url`, at `origin` (scheme://host:port), may not be fetched.

        A robots.txt that cannot be had because the host is refused or held raises what fetching it raised.
        """
        entry = self._origins.setdefault(origin, _Rules())
        self._origins.move_to_end(origin)
        if len(self._origins) > _KEPT:
            self._origins.popitem(last=False)
        async with entry.lock:
            if entry.until <= self._clock.now():
                await self._read(entry, f"{origin}/robots.txt")
        if entry.refused:
            raise FetchError(FetchKind.ROBOTS, shown(url), entry.refused)
        if entry.rules is not None and not entry.rules.can_fetch(url, AGENT):
            raise FetchError(FetchKind.ROBOTS, shown(url), f"{origin}/robots.txt asks robots not to read this page")

    async def _read(self, entry: _Rules, url: str) -> None:
        entry.rules, entry.refused = None, ""
        try:
            body = await self._fetch(url)
        except FetchError as error:
            if error.kind in (FetchKind.FORBIDDEN_ADDRESS, FetchKind.FORBIDDEN_URL, FetchKind.RATE_LIMITED):
                raise
            missing = error.status is not None and 400 <= error.status < 500
            if missing or error.kind is FetchKind.REDIRECTS:  # RFC 9309, 2.3.1.2 and 2.3.1.3: may access
                entry.until = self._clock.now() + _FRESH
                return
            entry.refused = f"robots.txt could not be read ({error.message}), so no page may be (RFC 9309)"
            entry.until = self._clock.now() + _RETRY
            return
        entry.rules = _parse(body)
        entry.until = self._clock.now() + _FRESH


def _parse(body: bytes) -> Protego:
    from protego import Protego  # noqa: PLC0415 - only where pages are read

    return Protego.parse(body.decode("utf-8-sig", "replace"))
