"""A world of feeds on loopback for benchmarks/polling.py: `python -m benchmarks.world` prints its port and serves.

Every address of 127.0.0.0/8 is a host of its own. /N/feed is the feed number N; what it is follows from N: most are
plain feeds of 40 entries with an ETag; of 100, 3 redirect permanently, 2 are slow, 2 answer 500, 1 404, 1 is hostile.
POST /change makes every 20th feed gain five entries; GET /log gives each host's requests and the time they came at.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from email.utils import formatdate
from random import Random

ENTRIES, NEW, EVERY = 40, 5, 20
START = 1_700_000_000
SYLLABLES = "ka to mi ren sol ba ver lun di pas gor e fin tal u".split()
WORDS = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES] + ["ferry", "harvest", "stone"] * 20

state = {"round": 0}
requests: defaultdict[str, list[float]] = defaultdict(list)


def kind(number: int) -> str:
    """What the feed of this number is like."""
    share = number % 100
    return {3: "moved", 23: "moved", 43: "moved", 7: "slow", 57: "slow", 13: "broken", 63: "broken", 33: "missing"}.get(
        share, "hostile" if share == 99 else "plain"
    )


def version(number: int) -> int:
    return sum(1 for past in range(1, state["round"] + 1) if number % EVERY == past % EVERY)


def text(seed: int, words: int) -> str:
    return " ".join(Random(seed).choices(WORDS, k=words))


def body(number: int, now: int) -> bytes:
    if kind(number) == "hostile":
        return b"<rss version='2.0'><channel>" + b"<item><title>" * 60_000 + b"%d" % now
    first = version(number) * NEW
    items = "".join(
        f"<item><guid isPermaLink='false'>{number}-{entry}</guid><title>Report {entry}: {text(entry, 6)}</title>"
        f"<link>http://site-{number}.example/{entry}</link><pubDate>{formatdate(START + entry * 1800)}</pubDate>"
        f"<dc:creator>Someone {entry}</dc:creator><category>Town</category>"
        f"<description>&lt;p&gt;{text(number * 40 + entry, 200)}&lt;/p&gt;</description></item>"
        for entry in range(first + ENTRIES - 1, first - 1, -1)
    )
    head = (
        "<?xml version='1.0' encoding='utf-8'?><rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>"
    )
    return (
        f"{head}<title>Feed {number}</title><link>http://site-{number}.example/</link>{items}</channel></rss>".encode()
    )


def response(status: str, content: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


async def answer(line: str, head: str, host: str) -> bytes:
    _, path, _ = line.split(" ")
    if path == "/change":
        state["round"] += 1
        return response("200 OK")
    if path == "/log":
        return response("200 OK", json.dumps(requests).encode())
    requests[host].append(time.time())
    number = int(path.split("/")[1])
    what = kind(number)
    if what == "slow":
        await asyncio.sleep(2.0)
    if what == "broken":
        return response("500 Internal Server Error")
    if what == "missing":
        return response("404 Not Found")
    if what == "moved" and path.endswith("/feed"):
        return response("301 Moved Permanently", b"", f"Location: /{number}/new")
    etag = f'"{number}-{version(number)}"'
    if f"\r\nif-none-match: {etag}\r\n" in head.lower():
        return response("304 Not Modified", b"", f"ETag: {etag}")
    return response("200 OK", body(number, int(time.time())), f"ETag: {etag}", "Content-Type: application/rss+xml")


async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    host = writer.get_extra_info("sockname")[0]
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            writer.write(await answer(head.partition("\r\n")[0], head, host))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(handle, "0.0.0.0", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
