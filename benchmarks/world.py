"""A world of feeds on loopback for benchmarks/polling.py: `python -m benchmarks.world` prints its port and serves.

Every address of 127.0.0.0/8 is a host of its own. /N/feed is the feed number N; what it is follows from N. Most are
plain feeds with an ETag, of 10 entries, and of 40 where they are the ones that change in the first six rounds. Of 100,
3 redirect permanently, 2 answer after two seconds, 2 with an error 500, 1 with a 404, and 1 is at a port where nothing
listens; of 1,000, 5 never answer, and 1 sends 60,000 nested tags. In each round 5% of the feeds gain five entries. POST
/change begins the next round and gives its number; GET /log gives each host's requests and the time they came at.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import defaultdict
from email.utils import formatdate
from random import Random

FEW, MANY, NEW, EVERY = 10, 40, 5, 20  # entries of a feed, new ones when it changes, and every which one does
HOURS = 16.0  # between two entries
PER_HOST = 10  # feeds of one host
KINDS = {
    3: "moved",
    23: "moved",
    43: "moved",
    7: "slow",
    57: "slow",
    13: "broken",
    63: "broken",
    33: "missing",
    83: "dead",
}
SYLLABLES = "ka to mi ren sol ba ver lun di pas gor e fin tal u".split()
USUAL = [a + b for a in SYLLABLES for b in SYLLABLES]  # three words of five are among them, as in any language
WORDS = [a + b + c + d for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES for d in SYLLABLES]

never = asyncio.Event()  # kept, or those who wait for it would be taken for garbage
state = {"round": 0, "began": int(time.time())}
requests: defaultdict[str, list[float]] = defaultdict(list)


def kind(number: int) -> str:
    """What the feed of this number is like."""
    if number % 1000 == 999:
        return "hostile"
    return "silent" if number % 200 == 111 else KINDS.get(number % 100, "plain")


def host(number: int) -> str:
    """The address that the feed is at."""
    group = number // PER_HOST
    return f"127.{1 + group // 62500}.{group // 250 % 250}.{1 + group % 250}"


def url(number: int, port: int) -> str:
    return f"http://{host(number)}:{9 if kind(number) == 'dead' else port}/{number}/feed"


def changes(number: int, round_: int) -> bool:
    return number % EVERY == round_ % EVERY


def version(number: int) -> int:
    return sum(changes(number, past) for past in range(1, state["round"] + 1))


def entries(number: int) -> int:
    return MANY if 1 <= number % EVERY <= 6 else FEW


def text(seed: int, words: int) -> str:
    rng, usual = Random(seed), words * 3 // 5
    chosen = rng.choices(USUAL, k=usual) + rng.choices(WORDS, k=words - usual)
    rng.shuffle(chosen)
    return " ".join(chosen)


def body(number: int) -> bytes:
    if kind(number) == "hostile":
        return b"<rss version='2.0'><channel>" + b"<item><title>" * 60_000 + b"%d" % time.time()
    first, many = version(number) * NEW, entries(number)
    items = "".join(
        f"<item><guid isPermaLink='false'>{number}-{entry}</guid><title>{text(-number * 40 - entry, 7)}</title>"
        f"<link>http://site-{number}.example/{entry}</link>"
        f"<pubDate>{formatdate(state['began'] - max(0, many - 1 - entry) * HOURS * 3600)}</pubDate>"
        f"<dc:creator>Someone {entry}</dc:creator><category>Town</category>"
        f"<description>&lt;p&gt;{text(number * 40 + entry, 145)}&lt;/p&gt;</description></item>"
        for entry in range(first + many - 1, first - 1, -1)
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
        return response("200 OK", b"%d" % state["round"])
    if path == "/log":
        return response("200 OK", json.dumps(requests).encode())
    requests[host].append(time.time())
    number = int(path.split("/")[1])
    what = kind(number)
    if what == "silent":
        await never.wait()
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
    return response("200 OK", body(number), f"ETag: {etag}", "Content-Type: application/rss+xml")


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
    print(server.sockets[0].getsockname()[1], state["began"], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
