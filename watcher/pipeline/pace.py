"""What is computed on the event loop, a few milliseconds at a time, so that nothing else waits for long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from watcher.config import Config
from watcher.model import Item
from watcher.query import Document
from watcher.stories import outline, signature_of
from watcher.text.language import detect
from watcher.text.urls import has_domain

T = TypeVar("T")

SLICE = 0.005  # seconds that are computed on end
SWITCH = 0.0005  # seconds after which one thread gives way to another; Python's own 0.005 is waited at each socket call
LONG = 8_000  # characters of a text that takes longer than that by itself


class Pace:
    """One slice of work in each round of the event loop, whoever it is for; a long text's is done in a thread.

    A thread holds the loop up too, for that is how the interpreter works, but never for longer than the interval at
    which threads give way (SWITCH). So few things go there: it slows the loop down as long as it runs.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def map(self, work: Callable[[Item], T], items: Iterable[Item]) -> list[T]:
        """`work` done on each of `items`, in their order. What it uses, others must use by the same pace alone."""
        done: list[T] = []
        rest = iter(items)
        ended = False
        while not ended:
            async with self._turn:
                ended = await self._slice(work, rest, done)
                await asyncio.sleep(0)  # the turn is kept until the loop has gone round once
        return done

    async def _slice(self, work: Callable[[Item], T], rest: Iterable[Item], done: list[T]) -> bool:
        """Some of the work; whether that was the last."""
        until = time.perf_counter() + SLICE
        for item in rest:
            if len(item.title) + len(item.summary) + len(item.body) > LONG:
                done.append(await asyncio.to_thread(work, item))
            else:
                done.append(work(item))
            if time.perf_counter() >= until:
                return False
        return True


def warm(config: Config) -> None:
    """Do once what the first item of a process would be late by: load the detector of languages, index the rules."""
    item = Item(
        "", "", title="A first item", body="So that the first one that counts is judged as quickly as others. " * 3
    )
    detect(item.title, item.body)
    has_domain("news.example.org")
    config.ruleset.names(Document.of(item))
    signature_of(item)
    outline(item)
