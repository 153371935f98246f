"""What a poll without news costs: CPU per poll of a feed that answers 304, and of one that sends the same body again.

Run `python -m benchmarks.unchanged [POLLS]`. The server is a process of its own, so that only the client's CPU counts;
aiohttp alone is the floor under ours, over a connection that is open and over a new TLS one each time. `fetched` is
the request and what the source makes of the answer. `in all` is a poll as the daemon makes it, claimed from an SQLite
store and written down there, its writer's thread counted, of 2,000 feeds on 200 hosts (with TLS, on 12). And what a TLS
connection takes that is kept open.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from random import Random

import aiohttp
import trustme
from sqlalchemy import update

from benchmarks.memory import megabytes
from watcher import garbage, log
from watcher.clock import SystemClock
from watcher.config import load
from watcher.daemon.lane import Lane
from watcher.daemon.start import GATHER, adopt
from watcher.fetch import Client, FetchSettings, Request
from watcher.model import Queue, SourceState
from watcher.pipeline import Services, poll
from watcher.sources import Tools, kinds
from watcher.store import open_store
from watcher.store.tables import source
from watcher.workers import Workers

BODY = b'<rss version="2.0"><channel><title>t</title>' + b"<item><title>An entry of some length</title></item>" * 1200
AT_ONCE = 50
FEEDS, HOSTS, TLS_HOSTS = 2000, 200, 12  # few names in the one certificate: reading it costs, too

SERVER = """
import asyncio, ssl
NOT_MODIFIED = b'HTTP/1.1 304 Not Modified\\r\\nETag: "1"\\r\\nCache-Control: max-age=300\\r\\n'
async def handle(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            if head.startswith(b"GET /close"):
                writer.write(NOT_MODIFIED + b"Connection: close\\r\\n\\r\\n")
                break
            writer.write(SAME if head.startswith(b"GET /same") else NOT_MODIFIED + b"\\r\\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()
async def main():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    servers = [await asyncio.start_server(handle, "0.0.0.0", 0, ssl=one, backlog=1000) for one in (None, tls)]
    for server in servers:
        print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))
asyncio.run(main())
"""


def host(number: int, hosts: int) -> str:
    return f"127.0.{number % hosts // 200}.{1 + number % hosts % 200}"


@contextmanager
def serving(folder: Path, authority: trustme.CA) -> Iterator[tuple[int, int]]:
    """The ports of the server, without and with TLS."""
    certificate = authority.issue_cert(*{host(number, TLS_HOSTS) for number in range(FEEDS)})
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    same = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
    code = f"SAME = {same!r}\nCERTIFICATE = {str(folder / 'server.pem')!r}\n{SERVER}"
    with subprocess.Popen([sys.executable, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin and server.stdout
        server.stdin.write(code.encode())
        server.stdin.close()
        try:
            yield int(server.stdout.readline()), int(server.stdout.readline())
        finally:
            server.kill()


async def cpu(polls: int, poll: Callable[[], Awaitable[object]]) -> float:
    """CPU milliseconds of this process per poll."""

    async def some(count: int) -> None:
        for _ in range(count):
            await poll()

    await asyncio.gather(*(some(2) for _ in range(AT_ONCE)))
    started = time.process_time()
    await asyncio.gather(*(some(polls // AT_ONCE) for _ in range(AT_ONCE)))
    return (time.process_time() - started) / (polls // AT_ONCE * AT_ONCE) * 1000


async def aiohttp_alone(url: str, tls: ssl.SSLContext, polls: int) -> float:
    connector = aiohttp.TCPConnector(ssl=tls)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:

        async def bare() -> None:
            async with session.get(url, headers={"If-None-Match": '"1"'}) as response:
                await response.read()

        return await cpu(polls, bare)


async def fetched(base: str, polls: int) -> tuple[float, float]:
    """The request and what the source makes of a 304, and of the same body; without the store."""
    clock = SystemClock()
    settings = FetchSettings(host_gap=0.0, per_host=AT_ONCE)
    async with Client(settings, ["127.0.0.1"], clock, Random(1)) as client, Workers(1) as workers:
        tools = Tools(client, workers, clock)
        feed = kinds()["feed"].model_validate({"feed": f"{base}/304"}).named("unchanged")
        state = SourceState("unchanged", 0.0, etag='"1"')
        not_modified = await cpu(polls, lambda: feed.poll(state, tools))
        same = kinds()["feed"].model_validate({"feed": f"{base}/same"}).named("same")
        first = await same.poll(SourceState("same", 0.0), tools)
        again = SourceState("same", 0.0, body_hash=first.body_hash)
        return not_modified, await cpu(polls, lambda: same.poll(again, tools))


async def open_connection(port: int, tls: ssl.SSLContext) -> float:
    """What a TLS connection that is kept open takes, in kB."""
    settings = FetchSettings(host_gap=0.0, per_host=AT_ONCE)
    hosts = [host(number, TLS_HOSTS) for number in range(200)]
    async with Client(settings, hosts, SystemClock(), Random(1), tls=tls) as client:
        await client.get(Request(f"https://{hosts[0]}:{port}/304", etag='"1"'))
        before = megabytes(os.getpid(), "smaps_rollup", "Anonymous")
        await asyncio.gather(*(client.get(Request(f"https://{name}:{port}/304", etag='"1"')) for name in hosts))
        return (megabytes(os.getpid(), "smaps_rollup", "Anonymous") - before) * 1024 / len(hosts)


async def in_all(folder: Path, url: str, hosts: int, tls: ssl.SSLContext, polls: int) -> float:
    """Claimed, polled and written down, as the daemon does it."""
    lines = [
        f"settings: {{store: 'sqlite:///{hosts}.db', fetch: {{host_gap: 0s, per_host: {10 if hosts > 20 else 16}}}}}",
        "channels: {screen: {url: 'console://'}}",
        "rules: {some: {query: ferry}}",
        "sources:",
    ]
    for number in range(FEEDS):
        address = url.replace("127.0.0.1", host(number, hosts))
        lines.append(f"  f{number}: {{feed: '{address}', every: 60s}}")
    (folder / "watcher.yaml").write_text("\n".join(lines))
    config, clock = load(folder / "watcher.yaml", {"TZ": "UTC"}), SystemClock()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(await open_store(config.settings.store, clock, "bench", exclusive=True))
        client = Client(config.settings.fetch.client(), config.private_hosts, clock, Random(1), tls=tls)
        fetch, workers = await stack.enter_async_context(client), await stack.enter_async_context(Workers(1))
        fetch.patient = True
        built = Services(config, store, fetch, workers, clock, Random(1))
        await adopt(built, config)
        garbage.settle()
        store.gather = GATHER
        known = update(source).values(etag='"1"', first_polled_at=1.0, last_success=1.0)
        await store.write(lambda tx: tx.sources._run(known))
        used = 0.0
        for turn in range(1 + max(1, polls // FEEDS)):  # the first opens the connections
            now = store.now()
            due = update(source).values(due=now - 1)
            await store.write(lambda tx, due=due: tx.sources._run(due))  # type: ignore[misc]
            lane = Lane(Queue.SOURCE, poll, built, room=200, lease=120.0)
            before = time.process_time()
            await lane.run_dry(due=now)
            assert lane.counts.not_modified == lane.counts.polled == FEEDS, lane.counts
            used += (time.process_time() - before) * (turn > 0)
    return used / turn / FEEDS * 1000


async def measure(folder: Path, polls: int) -> None:
    authority = trustme.CA()
    tls = ssl.create_default_context()
    authority.configure_trust(tls)

    def say(name: str, value: float) -> None:
        print(f"{name:40} {value:.3f} ms of CPU a poll", flush=True)

    with serving(folder, authority) as (port, tls_port):
        open_url, new_url = f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls_port}/close"
        print(f"{'a TLS connection that is kept open':40} {await open_connection(tls_port, tls):.0f} kB", flush=True)
        say("aiohttp alone, 304", await aiohttp_alone(f"{open_url}/304", tls, polls))
        not_modified, same = await fetched(open_url, polls)
        say("watcher, fetched, 304", not_modified)
        say("watcher, fetched, same body of 60 kB", same)
        say("watcher, in all, 304", await in_all(folder, f"{open_url}/304", HOSTS, tls, polls))
        say("aiohttp alone, new TLS connection", await aiohttp_alone(new_url.replace("0.1:", "0.2:"), tls, polls // 4))
        say("watcher, in all, new TLS connection", await in_all(folder, new_url, TLS_HOSTS, tls, polls // 4))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("polls", type=int, nargs="?", default=6000)
    chosen = options.parse_args()
    log.configure("error")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), chosen.polls))


if __name__ == "__main__":
    main()
