"""Writes that are asked for at about the same time, made together: while some are being written, the next gather."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Together = Callable[[list[T]], Awaitable[Sequence[R | Exception]]]  # what came of each, in their order


class Gathered(Generic[T, R]):
    """What is asked for comes in batches of `most` at most, where `size` says how much each counts."""

    def __init__(self, most: float = float("inf"), size: Callable[[T], int] = lambda _: 1) -> None:
        self._most = most
        self._size = size
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._gathered = 0
        self._full = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None
        self._next = 0.0  # when the next batch may be written, by the event loop's clock

    async def ask(self, one: T, together: Together[T, R], rest: float) -> R:
        """What came of `one`, written by `together` with others that came at the same time.

        After one batch the next gathers for `rest` seconds, or until it is full; one that comes alone goes at once.
        Raises what `together` gives for it as an exception; what that raises, all of its batch hear.
        """
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, future))
        self._gathered += self._size(one)
        if self._gathered >= self._most:
            self._full.set()
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(together, rest))
        return await future

    async def _write(self, together: Together[T, R], rest: float) -> None:
        while self._waiting:
            await self._rest(rest)
            if not (batch := self._batch()):
                continue
            try:
                came = await together([one for one, _ in batch])
            except Exception as error:  # every one who waits hears of it
                came = [error] * len(batch)
            for (_, future), result in zip(batch, came, strict=True):
                if future.done():
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)
        self._writing = None

    async def _rest(self, seconds: float) -> None:
        """Wait until the last batch is long enough ago, or enough has gathered."""
        loop = asyncio.get_running_loop()
        if (early := self._next - loop.time()) > 0 and not self._full.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(early):
                    await self._full.wait()
        self._next = loop.time() + seconds

    def _batch(self) -> list[tuple[T, asyncio.Future[R]]]:
        """The first of what waits, without what nobody waits for any more."""
        batch: list[tuple[T, asyncio.Future[R]]] = []
        taken = size = 0
        for one, future in self._waiting:
            size += self._size(one)
            if batch and size > self._most:
                break
            taken += 1
            if not future.done():  # who asked was not cancelled
                batch.append((one, future))
        del self._waiting[:taken]
        self._gathered = sum(self._size(one) for one, _ in self._waiting)
        if self._gathered < self._most:
            self._full.clear()
        return batch
