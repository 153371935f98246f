"""A network that is out for hours and comes back, by the real pipeline on driven time."""

import socket
from typing import Any

from aiohttp.abc import AbstractResolver

from tests.pipelines import HOUR
from tests.unit.pipeline.test_checkup import feed
from watcher.sources.health import NETWORK

NAMES = [f"paper{n}" for n in range(12)]
MINUTE = 60.0


class Line(AbstractResolver):
    """Names resolve to loopback while the line is up."""

    up = True

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[Any]:
        if not self.up:
            raise OSError("no name server")
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": family, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        pass


async def test_sources_are_asked_at_once_when_the_network_is_back(serve, start, hands, ok) -> None:
    site = await serve({f"/{name}": ok(feed(name)) for name in NAMES})
    sources = "\n".join(
        f"  {name}: {{feed: 'http://{name}.example:{site.port}/{name}', full_text: never, first_poll: silent}}"
        for name in NAMES
    )
    line = Line()
    pipeline = await start(
        "settings: {store: sqlite:///w.db, fetch: {host_gap: 0s}, health: {notify: [ops]}}\n"
        f'channels: {{ops: {{url: "json://127.0.0.1:9/ops"}}}}\nsources:\n{sources}\n',
        resolver=line,
    )

    async def minutes(count: int) -> list[str]:
        told = []
        for _ in range(count):
            hands.time += MINUTE
            await pipeline.poll()
            told += [one.message.body for one in await pipeline.checkup()]
        return told

    await pipeline.poll()
    line.up = False
    pipeline.services.tools.fetch._session.connector.clear_dns_cache()  # type: ignore[union-attr]
    told = await minutes(6 * 60)
    assert len(told) == 1 and "the network or the name server here is out" in told[0]
    statuses = await pipeline.sources()
    assert all(one.state.failures >= 5 and one.error_kind == "dns" for one in statuses)
    assert sum(one.state.next_due - hands.time > 20 * MINUTE for one in statuses) >= 6, "they have backed off"
    site.asked.clear()

    line.up = True
    back = hands.time
    told = await minutes(5)
    statuses = await pipeline.sources()
    assert [one.state.failures for one in statuses] == [0] * len(NAMES), "all were asked within minutes"
    assert all(one.state.last_success - back <= 5 * MINUTE for one in statuses)
    assert told == ["the network is back"]
    assert len(site.asked) <= len(NAMES) + 2, "each was asked once"
    async with pipeline.services.store.read() as tx:
        assert NETWORK not in await tx.health.told()

    site.asked.clear()
    await minutes(3)
    assert len(site.asked) <= 2, "and by its own interval from then on"


async def test_while_it_is_out_one_source_a_minute_is_tried_and_nothing_is_given_up(serve, start, hands, ok) -> None:
    site = await serve({f"/{name}": ok(feed(name)) for name in NAMES})
    sources = "\n".join(f"  {n}: {{feed: 'http://{n}.example:{site.port}/{n}', full_text: never}}" for n in NAMES)
    line = Line()
    line.up = False
    pipeline = await start(
        "settings: {store: sqlite:///w.db, fetch: {host_gap: 0s}}\n"
        f'channels: {{ops: {{url: "json://127.0.0.1:9/ops"}}}}\nsources:\n{sources}\n',
        resolver=line,
    )
    polls = 0
    for minute in range(10 * 60):
        hands.time += MINUTE
        counts = await pipeline.poll()
        await pipeline.checkup()
        polls += counts.polled if minute >= 6 * 60 else 0
    # By themselves they would be asked once an hour each; and one is tried in the minutes between.
    assert 4 * 60 - 80 <= polls <= 4 * 60 + 4 * len(NAMES) + 20
    statuses = await pipeline.sources()
    assert all(one.active and one.state.next_due - hands.time < 2 * HOUR for one in statuses)
