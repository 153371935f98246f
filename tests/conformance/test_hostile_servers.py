"""Bad servers and feeds beside good ones, through the whole pipeline: each ends with its error, disturbing no other."""

from __future__ import annotations

import asyncio
import resource
import time
from typing import Any

import pytest

from tests.fakes.bad import FEEDS, SERVERS, XML, answer
from tests.paths import CORPORA
from tests.sites import ok
from tests.unit.pipeline.test_checkup import configuration, feed
from watcher.daemon.lane import Lane
from watcher.model import Queue
from watcher.pipeline import poll

TIMEOUT = 6.0  # seconds that a request may take here
MAX_BODY = 1_000_000
GOOD = 20


class Inside:
    """A name server by which every name is at an address in here. (One that changes its answer: the client's tests.)"""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[dict[str, Any]]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 6, "flags": 0}]

    async def close(self) -> None:
        pass


async def lag(found: list[float]) -> None:
    """How late the event loop is, again and again."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.005)
        found.append(time.monotonic() - before - 0.005)


async def test_each_ends_with_its_error_and_the_others_do_not_notice(serve, start, monkeypatch) -> None:
    monkeypatch.setattr("watcher.sources.feed.PARSE_DEADLINE", 2.0)
    done: list[float] = []

    async def bad(asked: Any, writer: Any) -> None:
        await answer(asked.path.strip("/"), writer)

    async def good(asked: Any, writer: Any) -> None:
        done.append(time.monotonic())
        writer.write(ok(feed(*(f"{asked.path}{n}" for n in range(20))), XML))

    # Each bad one is a host of its own, so that one that asks for silence asks for itself alone.
    sites = {name: await serve(bad) for name in (*SERVERS, *FEEDS)}
    well = await serve(good)
    text = configuration(well, *(f"good-{n:02}" for n in range(GOOD)))
    text += "".join(f"  {name}: {{feed: '{site.url}/{name}', full_text: never}}\n" for name, site in sites.items())
    text = text.replace("host_gap: 0s", f"host_gap: 0s, timeout: {TIMEOUT:g}s, max_body: {MAX_BODY // 1_000_000}MB")
    pipeline = await start(text, resolver=Inside(), workers_at_once=2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lane = Lane(Queue.SOURCE, poll, pipeline.services, room=200, lease=600.0)
    pipeline.services.tools.fetch.patient = True
    lags: list[float] = []
    watch = asyncio.create_task(lag(lags))
    started = time.monotonic()
    async with asyncio.timeout(120):
        await lane.run_dry(due=pipeline.clock.time)
    took = time.monotonic() - started
    watch.cancel()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024

    found = {one.state.id: one for one in await pipeline.sources()}
    for name, (_, kind) in SERVERS.items():
        # What never ends meets the cap on bytes or the deadline, whichever this machine reaches first.
        kinds = {kind, "too large", "timeout"} if name.startswith(("endless", "bomb")) else {kind}
        if kind == "parse":  # a machine that is quick enough reads it within the deadline
            kinds |= {None}
        assert found[name].error_kind in kinds, (name, found[name].error_kind)
    for name in SERVERS:
        if found[name].error_kind is not None:
            assert found[name].state.error and "\n" not in found[name].state.error
        assert found[name].state.next_due > pipeline.clock.time
    for name in FEEDS:  # read as far as that is safe, or refused
        assert found[name].error_kind in (None, "parse"), found[name].state.error
    async with pipeline.services.store.read() as tx:
        stored = [one.item for one in await tx.items.list(100_000)]
    assert not any("root:" in item.title or len(item.title) > 100_000 for item in stored)

    for number in range(GOOD):
        assert found[f"good-{number:02}"].state.failures == 0 and found[f"good-{number:02}"].listed == 20
    assert len(done) == GOOD
    lags.sort()
    p99 = lags[len(lags) * 99 // 100]
    print(f"{len(sites)} bad, {GOOD} good: {took:.1f} s, the loop's lag p99 {p99 * 1000:.0f} ms, +{grown:.0f} MB")
    assert grown < 150


@pytest.mark.skipif(not CORPORA.exists(), reason="the corpora are not here")
async def test_the_hostile_corpus_beside_a_good_source(serve, start, monkeypatch) -> None:
    monkeypatch.setattr("watcher.sources.feed.PARSE_DEADLINE", 2.0)
    files = {
        path.stem: path.read_bytes() for path in sorted((CORPORA / "hostile").glob("*.*")) if path.suffix != ".jsonl"
    }
    pages = {f"/{name}": ok(body, XML) for name, body in files.items()} | {"/good": ok(feed(1), XML)}
    site = await serve(pages)
    text = configuration(site, "good", *files).replace("host_gap: 0s", "host_gap: 0s, per_host: 16")
    pipeline = await start(text, workers_at_once=2)
    pipeline.services.tools.fetch.patient = True
    lane = Lane(Queue.SOURCE, poll, pipeline.services, room=200, lease=600.0)
    async with asyncio.timeout(90):
        await lane.run_dry(due=pipeline.clock.time)
    found = {one.state.id: one for one in await pipeline.sources()}
    assert found["good"].state.failures == 0 and found["good"].listed == 1
    assert {one.error_kind for one in found.values()} <= {None, "parse", "blocked"}
    assert all(one.polled_at is not None for one in found.values())
    for name in ("truncated", "nul_bytes", "xml_billion_laughs", "xml_quadratic", "xml_deep"):
        assert found[name].state.error or "its XML is broken" in found[name].state.cache["flaw"], name
