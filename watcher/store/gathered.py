"""Writes that are asked for at about the same time, made together: while some are being written, the next gather."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

ENDING = 5.0  # seconds that what is being written may take at the end; a server may be away

Together = Callable[[list[T]], Awaitable[Sequence[R | Exception]]]  # what came of each, in their order


def _one(asked: object) -> int:
    return 1


class Gathered(Generic[T, R]):
    """What is asked for, in batches of at most `most`, where `size` says how much each one counts.

    `callers` is how many can wait at the same time, where that is known: when all do, no more will come.
    """

    def __init__(self, most: float = float("inf"), size: Callable[[T], int] = _one, callers: int | None = None) -> None:
        self._most = most
        self._size = size
        self._callers = callers
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._gathered = 0  # how much those count
        self._full = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None
        self._next = 0.0  # when the next batch may be written, by the event loop's clock

    async def ask(self, one: T, together: Together[T, R], rest: float) -> R:
        """What came of `one`, written by `together` with others that came at the same time.

        After one batch the next gathers for `rest` seconds, or until it is full; one that comes alone goes at once.
        Both are the same for all who ask. Raises what `together` gives for it as an exception; what that raises, all
        of its batch hear.
        """
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, future))
        self._gathered += self._size(one)
        self._see_whether_full()
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(together, rest))
        return await future

    async def end(self, within: float = ENDING) -> None:
        """Wait until what was asked for is written; what takes longer than `within` seconds is cancelled."""
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=within)
            self._writing.cancel()

    async def _write(self, together: Together[T, R], rest: float) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await self._rest(self._next - loop.time())
            if batch := self._batch():
                self._next = loop.time() + rest
                await _settle(batch, together)

    async def _rest(self, seconds: float) -> None:
        """Wait so long, or until enough has gathered."""
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._full.wait()

    def _batch(self) -> list[tuple[T, asyncio.Future[R]]]:
        """The first of what waits, without what nobody waits for any more."""
        self._waiting = [(one, future) for one, future in self._waiting if not future.done()]
        taken = size = 0
        for one, _ in self._waiting:
            size += self._size(one)
            if taken and size > self._most:
                break
            taken += 1
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        self._gathered = sum(self._size(one) for one, _ in self._waiting)
        self._see_whether_full()
        return batch

    def _see_whether_full(self) -> None:
        all_there = self._callers is not None and len(self._waiting) >= self._callers
        if all_there or self._gathered >= self._most:
            self._full.set()
        else:
            self._full.clear()


async def _settle(batch: Sequence[tuple[T, asyncio.Future[R]]], together: Together[T, R]) -> None:
    try:
        came = await together([one for one, _ in batch])
        for (_, future), result in zip(batch, came, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
    except Exception as error:  # every one who waits hears of it
        for _, future in batch:
            if not future.done():
                future.set_exception(error)
    finally:  # also where the writing itself was cancelled: nobody may wait for ever
        for _, future in batch:
            future.cancel()
