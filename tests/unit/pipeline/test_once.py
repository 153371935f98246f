"""`watcher once` says how far it is, for a first look at many sources takes minutes."""

import asyncio
from pathlib import Path
from random import Random

from tests.pipelines import load_text
from tests.unit.pipeline.test_checkup import configuration
from watcher.clock import SystemClock
from watcher.daemon import once
from watcher.pipeline import Counts


class Hurried(SystemClock):
    """A clock by which nothing takes long."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(min(seconds, 0.02))


async def test_how_far_it_is_is_said_while_it_goes_on(serve, ok, tmp_path: Path) -> None:
    said: list[Counts] = []
    enough = asyncio.Event()

    def say(counts: Counts) -> None:
        said.append(counts)
        if counts.polled == 1:
            enough.set()

    async def answer(request, writer) -> None:
        if request.path.endswith("b"):
            await asyncio.wait_for(enough.wait(), 30)
        writer.write(ok(b"<rss version='2.0'><channel><title>t</title></channel></rss>"))

    site = await serve(answer)
    counts = await once(load_text(tmp_path, configuration(site, "a", "b")), Hurried(), Random(1), say)
    assert counts.polled == 2
    assert 1 in [one.polled for one in said]
