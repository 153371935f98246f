"""A catalogue of bad servers: what each sends, and what watcher is to call it.

`SERVERS[name]` is (answer, kind of error): bytes as they go out, or what writes them to a stream writer. A path that
starts with /loop leads back to itself. `FEEDS[name]` is the body of a feed with nothing wrong in how it comes.
"""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import brotli
from backports import zstd as codec

from tests.sites import ok

XML = "Content-Type: application/rss+xml"
LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))


def zeros(size: int) -> bytes:
    return b"<rss><channel><title>" + b" " * size


def zstd(data: bytes) -> bytes:
    return bytes(codec.compress(data))


def redirect(where: str) -> bytes:
    return ok(b"", f"Location: {where}", status="302 Found")


async def drop(writer: Any) -> None:
    writer.close()


async def reset(writer: Any) -> None:
    writer.transport.abort()


async def drip(writer: Any) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"<")
        await writer.drain()
        await asyncio.sleep(0.02)


async def silence(writer: Any) -> None:
    await asyncio.sleep(60)


async def endless(writer: Any) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"<item>" * 10_000)
        await writer.drain()


async def endless_headers(writer: Any) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: and more\r\n" * 100)
        await writer.drain()


async def endless_chunks(writer: Any) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\n<\r\n" * 1000)
        await writer.drain()


SERVERS: dict[str, tuple[Any, str]] = {
    "drop": (drop, "network"),
    "reset": (reset, "network"),
    "silence": (silence, "timeout"),
    "drip": (drip, "timeout"),
    "endless": (endless, "too large"),
    "endless-headers": (endless_headers, "protocol"),
    "endless-chunks": (endless_chunks, "protocol"),
    "partial": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<rss>", "protocol"),
    "huge-length": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n<rss>", "too large"),
    "negative-length": (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n<rss>", "protocol"),
    "no-http": (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "protocol"),
    "garbage": (bytes(range(128, 256)) * 40 + b"\r\n\r\n", "protocol"),
    "bomb-gzip": (ok(gzip.compress(zeros(200_000_000), 9), "Content-Encoding: gzip"), "too large"),
    "bomb-br": (ok(brotli.compress(zeros(100_000_000), quality=5), "Content-Encoding: br"), "too large"),
    "bomb-zstd": (ok(zstd(zeros(100_000_000)), "Content-Encoding: zstd"), "too large"),
    "bad-gzip": (ok(b"no gzip at all", "Content-Encoding: gzip"), "encoding"),
    "cut-gzip": (
        ok(
            gzip.compress(b"<rss version='2.0'><channel><title>t</title></channel></rss>")[:-12],
            "Content-Encoding: gzip",
        ),
        "encoding",
    ),
    "odd-encoding": (ok(b"?", "Content-Encoding: rot13"), "encoding"),
    "loop": (redirect("/loop"), "redirects"),
    "to-file": (redirect("file:///etc/passwd"), "forbidden url"),
    "to-backslash": (redirect("http:\\\\127.0.0.1"), "forbidden url"),
    "to-login": (redirect("http://admin:admin@news.example/"), "forbidden url"),
    "to-metadata": (redirect("http://169.254.169.254/latest/meta-data"), "forbidden address"),
    "to-mapped": (redirect("http://[::ffff:10.0.0.1]/"), "forbidden address"),
    "to-nat64": (redirect("http://[64:ff9b::7f00:1]/"), "forbidden address"),
    "to-inside": (redirect("http://inside.example/"), "forbidden address"),
    "gone": (ok(status="410 Gone"), "gone"),
    "blocked": (ok(b"<title>Just a moment...</title>", "cf-mitigated: challenge", status="403 Forbidden"), "blocked"),
    "broken": (ok(status="500 Internal Server Error"), "http 5xx"),
    "limited": (ok(status="429 Too Many Requests"), "rate limited"),
    "page": (ok(b"<!doctype html><html><title>News</title><p>Hello", XML), "parse"),
    "empty": (ok(b"", XML), "parse"),
    "json-deep": (ok(b'{"items":' + b"[" * 300_000, XML), "parse"),
    "nested": (ok(b"<rss version='2.0'><channel>" + b"<item><title>" * 75_000, XML), "parse"),
}
FEEDS: dict[str, bytes] = {
    "laughs": f"<!DOCTYPE rss [<!ENTITY a0 'ha'>{LAUGHS}]><rss version='2.0'><channel><item>"
    "<title>&a11;</title></item></channel></rss>".encode(),
    "file": b"<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><rss version='2.0'><channel><item>"
    b"<guid>1</guid><title>It says &x;</title></item></channel></rss>",
    "flood": b"<rss version='2.0'><channel>"
    + b"".join(b"<item><title>%d</title></item>" % n for n in range(20_000))
    + b"</channel></rss>",
    "attributes": b"<rss version='2.0'><channel "
    + b" ".join(b"a%d='x'" % n for n in range(50_000))
    + b"><item/></channel></rss>",
}


async def answer(name: str, writer: Any) -> None:
    """Send what `SERVERS` or `FEEDS` has under `name`."""
    said = SERVERS[name][0] if name in SERVERS else ok(FEEDS[name], XML)
    if isinstance(said, bytes):
        writer.write(said)
    else:
        await said(writer)
