"""What a poll without news costs: CPU per poll of a feed that answers 304, and of one that sends the same body again.

Run `python -m benchmarks.unchanged [POLLS]`. The server is a process of its own, so that only the client's CPU counts;
the store's bookkeeping is not in it. The row of aiohttp alone is the floor under ours.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from random import Random

import aiohttp

from watcher.clock import SystemClock
from watcher.fetch import Client, FetchSettings
from watcher.model import SourceState
from watcher.sources import Tools, kinds
from watcher.workers import Workers

BODY = b'<rss version="2.0"><channel><title>t</title>' + b"<item><title>An entry of some length</title></item>" * 1200
AT_ONCE = 50

SERVER = """
import asyncio
async def handle(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            if head.startswith(b"GET /same"):
                writer.write(SAME)
            else:
                writer.write(b'HTTP/1.1 304 Not Modified\\r\\nETag: "1"\\r\\nCache-Control: max-age=300\\r\\n\\r\\n')
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


async def cpu(polls: int, poll: Callable[[], Awaitable[object]]) -> float:
    """CPU milliseconds of this process per poll."""

    async def some(count: int) -> None:
        for _ in range(count):
            await poll()

    await asyncio.gather(*(some(2) for _ in range(AT_ONCE)))
    started = time.process_time()
    await asyncio.gather(*(some(polls // AT_ONCE) for _ in range(AT_ONCE)))
    return (time.process_time() - started) / (polls // AT_ONCE * AT_ONCE) * 1000


async def measure(port: int, polls: int) -> dict[str, float]:
    settings = FetchSettings(host_gap=0.0, per_host=AT_ONCE)
    base = f"http://127.0.0.1:{port}"
    found = {}
    async with aiohttp.ClientSession() as session:

        async def bare() -> None:
            async with session.get(f"{base}/304", headers={"If-None-Match": '"1"'}) as response:
                await response.read()

        found["aiohttp alone, 304"] = await cpu(polls, bare)
    clock = SystemClock()
    async with Client(settings, ["127.0.0.1"], clock, Random(1)) as client, Workers(1) as workers:
        tools = Tools(client, workers, clock)
        feed = kinds()["feed"].model_validate({"feed": f"{base}/304"}).named("unchanged")
        state = SourceState("unchanged", 0.0, etag='"1"')
        found["watcher, 304"] = await cpu(polls, lambda: feed.poll(state, tools))
        same = kinds()["feed"].model_validate({"feed": f"{base}/same"}).named("same")
        first = await same.poll(SourceState("same", 0.0), tools)
        again = SourceState("same", 0.0, body_hash=first.body_hash)
        found["watcher, same body of 60 kB"] = await cpu(polls, lambda: same.poll(again, tools))
    return found


def main() -> None:
    polls = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
    code = f"SAME = {answer!r}\n{SERVER}"
    with subprocess.Popen([sys.executable, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin and server.stdout
        server.stdin.write(code.encode())
        server.stdin.close()
        try:
            port = int(server.stdout.readline())
            for name, value in asyncio.run(measure(port, polls)).items():
                print(f"{name:30} {value:.3f} ms of CPU a poll")
        finally:
            server.kill()


if __name__ == "__main__":
    main()
