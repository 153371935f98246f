"""Fixtures: a server that says what a test wants, byte for byte, and clients that read from it.

A folder of tests takes them by importing them in its conftest.py.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from watcher.fetch import Client, FetchSettings


class Hands:
    """A clock that moves only when told to, or when something sleeps."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


@dataclass
class Asked:
    """A request as it reached the server."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Site:
    """A server on loopback. `answer(asked, writer)` writes the raw response; the connection is closed after it."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


Answer = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[..., Awaitable[Site]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def start(answer: Answer | bytes | dict[str, bytes], tls: ssl.SSLContext | None = None) -> Site:
            site = Site()
            tasks: set[asyncio.Task[Any]] = set()

            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                tasks.add(asyncio.current_task())  # type: ignore[arg-type]
                try:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode()
                    line, *lines = head.split("\r\n")
                    method, path, _ = line.split(" ")
                    headers = dict(each.split(": ", 1) for each in lines if each)
                    asked = Asked(method, path, headers)
                    site.asked.append(asked)
                    if isinstance(answer, bytes):
                        writer.write(answer)
                    elif isinstance(answer, dict):
                        writer.write(answer.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
                    else:
                        await answer(asked, writer)
                    await writer.drain()
                except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                    pass
                finally:
                    writer.close()

            server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
            site.port = server.sockets[0].getsockname()[1]

            async def stop() -> None:
                server.close()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await server.wait_closed()

            stack.push_async_callback(stop)
            return site

        yield start


Connect = Callable[..., Awaitable[Client]]


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def connect(hands: Hands) -> AsyncIterator[Connect]:
    """connect(private=..., resolver=..., **settings) -> Client, closed at the test's end."""
    async with AsyncExitStack() as stack:

        async def make(
            private: tuple[str, ...] = ("127.0.0.1",), resolver: Any = None, tls: Any = None, **settings: Any
        ) -> Client:
            settings = {"host_gap": 0.0, "timeout": 5.0} | settings
            client = Client(FetchSettings(**settings), private, hands, Random(1), resolver=resolver, tls=tls)
            return await stack.enter_async_context(client)

        yield make


def ok(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """A whole response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture(name="ok")
def ok_fixture() -> Callable[..., bytes]:
    return ok
