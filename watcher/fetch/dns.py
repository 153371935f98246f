"""Names to addresses, in threads of its own: a dead name server must not use up the event loop's executor."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

_THREADS = 16
_TIMEOUT = 10.0  # seconds


class Resolver(AbstractResolver):
    """The system's resolver (getaddrinfo) behind aiohttp's interface; aiohttp caches what it gives."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """All addresses of `host`. Raises OSError where there is none."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_TIMEOUT):
                answers = await loop.run_in_executor(self._threads, self._look_up, host, port, family)
        except TimeoutError:
            raise OSError(None, "the name server does not answer") from None
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=found,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for found, _, protocol, _, address in answers
        ]

    @staticmethod
    def _look_up(
        host: str, port: int, family: socket.AddressFamily
    ) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
        found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        return [(int(f), int(t), p, c, a) for f, t, p, c, a in found]

    async def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
