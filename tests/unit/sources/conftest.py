from collections.abc import AsyncIterator

import pytest

from tests.sites import connect, hands, ok_fixture, serve
from watcher.model import SourceState
from watcher.sources import Poll, Source, Tools, kinds
from watcher.workers import Workers

__all__ = ["connect", "hands", "ok_fixture", "serve"]


@pytest.fixture
async def tools(connect, hands) -> AsyncIterator[Tools]:
    async with Workers(count=1) as workers:
        yield Tools(await connect(), workers, hands)


class Polled:
    """A source that is polled again and again, each time with the state that the last poll left."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.state = SourceState("s", 0.0)

    async def poll(self, source: Source) -> Poll:
        got = await source.poll(self.state, self.tools)
        now = self.tools.clock.now()
        self.state = SourceState(
            "s", 0.0, got.etag, got.last_modified, got.body_hash, first_polled_at=now, last_success=now, cache=got.cache
        )
        return got

    @staticmethod
    def source(**keys) -> Source:
        kind = next(key for key in keys if key in kinds())
        return kinds()[kind].model_validate(keys).named("s")


@pytest.fixture
def polled(tools) -> Polled:
    return Polled(tools)
