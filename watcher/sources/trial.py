"""One poll of a source, kept nowhere: what it gives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from watcher.errors import FetchError, ParseError
from watcher.model import Item, SourceState
from watcher.sources.base import Poll, Source, Tools


@dataclass(frozen=True, slots=True)
class Trial:
    """What a source gave, or why it did not."""

    source: Source
    items: tuple[Item, ...] = ()
    title: str = ""
    elapsed: float = 0.0  # seconds that the fetch took
    error: str = ""
    poll: Poll | None = None  # None where it failed

    @property
    def flaw(self) -> str:
        """What is wrong with what it gave; "" where nothing is."""
        return str(self.poll.cache.get("flaw", "")) if self.poll else ""

    @property
    def newest(self) -> float | None:
        """When its newest item was published, where it says."""
        return max((item.published for item in self.items if item.published is not None), default=None)


async def try_all(sources: Iterable[Source], tools: Tools) -> list[Trial]:
    """Poll each of `sources` once, as at the first time, in their order."""
    return await asyncio.gather(*(try_one(source, tools) for source in sources))


async def try_one(source: Source, tools: Tools) -> Trial:
    """Poll `source` once, as at the first time."""
    try:
        got = await source.poll(SourceState(source.id, 0.0), tools)
    except (FetchError, ParseError) as error:
        return Trial(source, error=str(error))
    return Trial(source, got.items, got.title, got.elapsed, poll=got)
