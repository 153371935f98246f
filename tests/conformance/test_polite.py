"""The twelve behaviours of a well-behaved feed reader, each by the whole pipeline against a server that records.

After rachelbythebay.com's feed reader score, and RFC 9110 and 9111.
"""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from tests.pipelines import HOUR
from tests.sites import ok
from tests.unit.pipeline.test_checkup import configuration, feed
from watcher.sources.base import ADOPT_AFTER


class Server:
    """A feed with validators of the test's own words, that answers 304 where they come back unchanged."""

    def __init__(self) -> None:
        self.etag, self.modified = 'W/"a b;\'c"', "Thu, 01 Jan 1970 00:00:01 GMT"
        self.body = feed(1)
        self.more: tuple[str, ...] = ()
        self.status = "200 OK"

    async def __call__(self, asked: Any, writer: Any) -> None:
        headers = [f"ETag: {self.etag}"] * bool(self.etag) + [f"Last-Modified: {self.modified}"] * bool(self.modified)
        if self.etag and asked.headers.get("If-None-Match") == self.etag:
            lines = ["HTTP/1.1 304 Not Modified", "Connection: close", *headers, *self.more]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        else:
            writer.write(ok(self.body, *headers, *self.more, status=self.status))


@pytest.fixture
def server() -> Server:
    return Server()


async def test_1_one_unconditional_request_ever(serve, start, server) -> None:
    site = await serve(server)
    pipeline = await start(configuration(site, "a"))
    polls = await pipeline.day(2)
    assert polls == len(site.asked) > 10
    assert "If-None-Match" not in site.asked[0].headers and "If-Modified-Since" not in site.asked[0].headers
    assert all("If-None-Match" in asked.headers for asked in site.asked[1:])


async def test_2_validators_go_back_byte_for_byte_and_none_is_invented(serve, start, server) -> None:
    for etag, modified in [
        ('W/"a b;\'c"', "Thu, 01 Jan 1970 00:00:01 GMT"),
        ("no-quotes-at-all", "yesterday, around noon"),
        ("", "Mon,  1 Jan 2024 00:00:00 +0000"),
        ('""', ""),
        ("", ""),
    ]:
        server.etag, server.modified = etag, modified
        site = await serve(server)
        name = f"s{len(etag)}{len(modified)}"
        pipeline = await start(configuration(site, name).replace("w.db", f"{name}.db"))
        await pipeline.poll_all()
        await pipeline.poll_all()
        headers = site.asked[1].headers
        assert headers.get("If-None-Match", "") == etag
        assert headers.get("If-Modified-Since", "") == modified


async def test_3_validators_are_those_of_the_last_200(serve, start, server) -> None:
    site = await serve(server)
    pipeline = await start(configuration(site, "a"))
    await pipeline.poll_all()
    server.etag, server.modified = '"second"', ""  # with the same body, and with one validator less
    await pipeline.poll_all()
    server.body, server.etag = feed(1, 2), '"third"'
    await pipeline.poll_all()
    await pipeline.poll_all()
    conditions = [(a.headers.get("If-None-Match"), a.headers.get("If-Modified-Since")) for a in site.asked]
    assert conditions == [
        (None, None),
        ('W/"a b;\'c"', "Thu, 01 Jan 1970 00:00:01 GMT"),
        ('"second"', None),
        ('"third"', None),
    ]


@pytest.mark.parametrize(("validators", "most"), [(True, 27), (False, 8)])
async def test_4_a_quiet_feed_is_asked_hourly_or_with_no_validators_six_times_a_day(
    serve, start, server, validators, most
) -> None:
    if not validators:
        server.etag = server.modified = ""
    site = await serve(server)
    pipeline = await start(configuration(site, "a"))
    await pipeline.poll()
    assert 5 <= await pipeline.day() <= most


async def test_5_cache_control_and_retry_after_are_kept_to(serve, start, server) -> None:
    site = await serve(server)
    server.body = feed(*range(20))  # a busy one, which would be asked each five minutes
    server.more = ("Cache-Control: public, max-age=7200",)
    pipeline = await start(configuration(site, "a", "b"))
    await pipeline.poll()
    assert await pipeline.day() <= 2 * 13
    server.etag, server.status, server.more = '"new"', "429 Too Many Requests", ("Retry-After: 14400",)
    await pipeline.poll_all()
    asked = len(site.asked)
    server.status, server.more = "200 OK", ()
    start_of_hold = pipeline.clock.time
    while pipeline.clock.time < start_of_hold + 4 * HOUR - 60:
        pipeline.clock.time += 600
        await pipeline.poll()
    assert len(site.asked) == asked  # and neither was its neighbour on the host
    pipeline.clock.time += 2 * HOUR
    await pipeline.poll()
    assert len(site.asked) > asked


async def test_6_due_times_survive_a_restart(serve, start, server) -> None:
    site = await serve(server)
    pipeline = await start(configuration(site, "a"))
    await pipeline.poll()
    due = (await pipeline.sources())[0].state.next_due
    await pipeline.services.store.close()
    again = await start(configuration(site, "a"))
    assert (await again.poll()).polled == 0
    assert (await again.sources())[0].state.next_due == due
    again.clock.time = due
    assert (await again.poll()).not_modified == 1  # with the validators from before


async def test_7_no_cookies_no_referer_no_more_arguments(serve, start, server) -> None:
    site = await serve(server)
    server.more = ("Set-Cookie: session=1; Path=/", "Set-Cookie: b=2")
    pipeline = await start(configuration(site, "a?x=1&y=%2f"))
    for _ in range(3):
        server.etag += "x"
        await pipeline.poll_all()
    for asked in site.asked:
        assert asked.path == "/a?x=1&y=%2f"
        assert not {"cookie", "referer", "origin"} & {name.lower() for name in asked.headers}


async def test_8_compression_is_taken_and_the_name_is_honest(serve, start, server) -> None:
    site = await serve(server)
    text = configuration(site, "a").replace("host_gap: 0s", "host_gap: 0s, contact: desk@news.example")
    pipeline = await start(text)
    await pipeline.poll()
    headers = site.asked[0].headers
    assert {"gzip", "br", "zstd"} <= {part.strip().partition(";")[0] for part in headers["Accept-Encoding"].split(",")}
    assert headers["User-Agent"].startswith("watcher/") and "desk@news.example" in headers["User-Agent"]
    assert "Mozilla" not in headers["User-Agent"]


async def test_9_jitter_and_a_gap_per_host(serve, start, server, hands) -> None:
    times: list[float] = []

    async def note(asked: Any, writer: Any) -> None:
        times.append(hands.time)
        await server(asked, writer)

    site = await serve(note)
    names = [f"s{n}" for n in range(12)]
    pipeline = await start(configuration(site, *names).replace("host_gap: 0s", "host_gap: 2s"))
    await pipeline.poll()
    assert len(times) == 12 and all(later - earlier >= 2.0 for earlier, later in pairwise(times))
    due = [one.state.next_due for one in await pipeline.sources()]
    waits = [at - asked for at, asked in zip(sorted(due), times, strict=True)]
    assert max(waits) - min(waits) > 60 and len(set(waits)) == 12


@pytest.mark.parametrize(
    ("status", "adopted"),
    [("301 Moved Permanently", True), ("308 Permanent Redirect", True), ("302 Found", False), ("307 Temporary", False)],
)
@pytest.mark.parametrize("changing", [True, False])
async def test_10_permanent_redirects_are_adopted_after_repeats(
    serve, start, server, status, adopted, changing
) -> None:
    async def answer(asked: Any, writer: Any) -> None:
        if asked.path == "/a":
            writer.write(ok(b"", "Location: /new", status=status))
        else:
            await server(asked, writer)

    site = await serve(answer)
    pipeline = await start(configuration(site, "a"))
    for number in range(ADOPT_AFTER + 3):
        if changing:
            server.body, server.etag = feed(number), f'"{number}"'
        await pipeline.poll_all()
    old = [asked.path for asked in site.asked].count("/a")
    assert old == (ADOPT_AFTER if adopted else ADOPT_AFTER + 3)
    assert [asked.path for asked in site.asked].count("/new") == ADOPT_AFTER + 3


async def test_10_a_redirect_that_goes_away_is_not_counted_on(serve, start, server) -> None:
    moved = True

    async def answer(asked: Any, writer: Any) -> None:
        if asked.path == "/a" and moved:
            writer.write(ok(b"", "Location: /new", status="301 Moved Permanently"))
        else:
            await server(asked, writer)

    site = await serve(answer)
    pipeline = await start(configuration(site, "a"))
    for number in range(3 * ADOPT_AFTER):
        moved = number % ADOPT_AFTER != 0
        await pipeline.poll_all()
    assert [asked.path for asked in site.asked].count("/a") == 3 * ADOPT_AFTER


async def test_11_gone_stops_and_is_told(serve, start, server) -> None:
    site = await serve(server)
    pipeline = await start(configuration(site, "a"))
    await pipeline.poll()
    server.etag, server.status = '"gone"', "410 Gone"
    await pipeline.poll_all()
    asked = len(site.asked)
    assert await pipeline.day(60) == 0 and len(site.asked) == asked
    [message] = await pipeline.checkup()
    assert "gone" in message.message.title


async def test_12_size_and_time_are_limited(serve, start, server) -> None:
    async def drip(asked: Any, writer: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * (200_000 if asked.path == "/big" else 1))
            await writer.drain()
            await asyncio.sleep(0.01)

    site = await serve(drip)
    text = configuration(site, "big", "slow").replace("host_gap: 0s", "host_gap: 0s, timeout: 1s, max_body: 1MB")
    pipeline = await start(text)
    async with asyncio.timeout(10):
        assert (await pipeline.poll()).failed == 2
    kinds = {one.state.id: one.error_kind for one in await pipeline.sources()}
    assert kinds == {"big": "too large", "slow": "timeout"}
