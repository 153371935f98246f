import asyncio
import gzip
import socket
import ssl
import sys
import tracemalloc

import brotli
import pytest
import trustme

from watcher import __version__
from watcher.errors import FetchError, FetchKind
from watcher.fetch import Request

if sys.version_info < (3, 14):
    from backports import zstd
else:
    from compression import zstd


class Names:
    """A resolver with answers of the test's own; the last answer of a name stays."""

    def __init__(self, **answers: list[str]) -> None:
        self.answers = {name.replace("_", "."): list(found) for name, found in answers.items()}

    async def resolve(self, host, port=0, family=socket.AF_INET):
        found = self.answers.get(host)
        if not found:
            raise OSError(None, "Name or service not known")
        address = found.pop(0) if len(found) > 1 else found[0]
        return [
            {"hostname": host, "host": each, "port": port, "proto": 0, "flags": socket.AI_NUMERICHOST,
             "family": socket.AF_INET6 if ":" in each else socket.AF_INET}
            for each in address.split()
        ]  # fmt: skip

    async def close(self) -> None: ...


async def failure(client, request: Request | str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await client.get(Request(request) if isinstance(request, str) else request)
    return caught.value


# What is sent


async def test_a_polite_request(serve, connect, ok) -> None:
    site = await serve(ok(b"<rss/>", 'ETag: W/"a,b"', "Last-Modified: yesterday, or so"))
    client = await connect(contact="desk@example.org")
    got = await client.get(Request(f"{site.url}/feed?x=%7e"))
    assert (got.status, got.body, got.etag, got.last_modified) == (200, b"<rss/>", 'W/"a,b"', "yesterday, or so")
    asked = site.asked[0]
    assert asked.path == "/feed?x=%7e"
    assert asked.headers["User-Agent"] == f"watcher/{__version__} (+desk@example.org)"
    assert asked.headers["Accept-Encoding"] == "gzip, br, zstd"
    assert not {"Cookie", "Referer", "If-None-Match", "If-Modified-Since"} & set(asked.headers)


async def test_validators_go_back_byte_for_byte(serve, connect) -> None:
    site = await serve(b"HTTP/1.1 304 Not Modified\r\n\r\n")
    client = await connect()
    got = await client.get(Request(site.url, etag='W/"é,b', last_modified="yesterday, or so"))
    assert (got.status, got.body, got.etag, got.last_modified) == (304, b"", 'W/"é,b', "yesterday, or so")
    assert site.asked[0].headers["If-None-Match"] == 'W/"é,b'
    assert site.asked[0].headers["If-Modified-Since"] == "yesterday, or so"


async def test_a_304_may_bring_new_validators(serve, connect) -> None:
    site = await serve(b'HTTP/1.1 304 Not Modified\r\nETag: "new"\r\n\r\n')
    client = await connect()
    assert (await client.get(Request(site.url, etag='"old"'))).etag == '"new"'


async def test_a_304_that_nobody_asked_for(serve, connect) -> None:
    site = await serve(b"HTTP/1.1 304 Not Modified\r\n\r\n")
    assert (await failure(await connect(), site.url)).kind is FetchKind.PROTOCOL


async def test_what_a_source_sends_along(serve, connect, ok) -> None:
    site = await serve(ok())
    client = await connect()
    await client.get(
        Request(
            site.url, headers={"X-Api-Key": "k", "accept": "text/x"}, auth="Bearer t", cookies={"a": "1", "b": "2"},
            user_agent="Other/1",
        )
    )  # fmt: skip
    headers = site.asked[0].headers
    assert (headers["X-Api-Key"], headers["Authorization"], headers["Cookie"]) == ("k", "Bearer t", "a=1; b=2")
    assert headers["User-Agent"] == "Other/1"
    assert [name for name in headers if name.lower() == "accept"] == ["accept"]


async def test_user_and_password_of_the_url_become_a_header_and_are_never_shown(serve, connect, ok) -> None:
    site = await serve(ok(status="404 Not Found"))
    error = await failure(await connect(), site.url.replace("//", "//anna:hunter2@") + "/?token=abc")
    assert site.asked[0].headers["Authorization"] == "Basic YW5uYTpodW50ZXIy"
    assert "hunter2" not in str(error)
    assert "abc" not in str(error)


async def test_no_cookie_is_kept(serve, connect, ok) -> None:
    site = await serve(ok(b"", "Set-Cookie: a=1"))
    client = await connect()
    await client.get(Request(site.url))
    await client.get(Request(site.url))
    assert "Cookie" not in site.asked[1].headers


# Redirects


def moved(ok, status: str, to: str) -> bytes:
    return ok(b"", f"Location: {to}", status=status)


async def test_redirects_within_the_origin_keep_what_the_source_sends(serve, connect, ok) -> None:
    site = await serve({"/a": moved(ok, "302 Found", "b?x=1"), "/b?x=1": ok(b"here")})
    client = await connect()
    got = await client.get(Request(f"{site.url}/a", headers={"X-Api-Key": "k"}, auth="Bearer t", etag='"e"'))
    assert (got.body, got.url, got.permanent_url) == (b"here", f"{site.url}/b?x=1", None)
    assert site.asked[1].headers["X-Api-Key"] == "k"
    assert site.asked[1].headers["If-None-Match"] == '"e"'
    assert "Referer" not in site.asked[1].headers


async def test_another_origin_gets_no_credentials(serve, connect, ok) -> None:
    other = await serve({"/": ok(b"there")})
    site = await serve({"/a": moved(ok, "301 Moved Permanently", other.url)})
    client = await connect()
    request = Request(
        f"{site.url}/a", headers={"X-Api-Key": "k"}, auth="Bearer t", cookies={"a": "1"}, user_agent="Other/1"
    )
    got = await client.get(request)
    assert got.body == b"there"
    headers = other.asked[0].headers
    assert not {"X-Api-Key", "Authorization", "Cookie"} & set(headers)
    assert headers["User-Agent"].startswith("watcher/")


@pytest.mark.parametrize(
    ("statuses", "adopted"),
    [
        (["301 Moved Permanently"], True),
        (["308 Permanent Redirect", "301 Moved Permanently"], True),
        (["302 Found"], False),
        (["307 Temporary Redirect"], False),
        (["303 See Other"], False),
        (["301 Moved Permanently", "302 Found"], False),
        (["302 Found", "301 Moved Permanently"], False),
    ],
)
async def test_only_permanent_hops_make_a_permanent_url(serve, connect, ok, statuses, adopted) -> None:
    pages = {f"/{n}": moved(ok, status, f"/{n + 1}") for n, status in enumerate(statuses)}
    last = f"/{len(statuses)}"
    site = await serve(pages | {last: ok(b"x")})
    got = await (await connect()).get(Request(f"{site.url}/0"))
    assert got.permanent_url == (site.url + last if adopted else None)


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("/a", FetchKind.REDIRECTS),
        ("file:///etc/passwd", FetchKind.FORBIDDEN_URL),
        ("file:/etc/passwd", FetchKind.FORBIDDEN_URL),
        ("gopher://127.0.0.1/x", FetchKind.FORBIDDEN_URL),
        ("data:text/html,x", FetchKind.FORBIDDEN_URL),
        ("http:\\\\127.0.0.1\\x", FetchKind.FORBIDDEN_URL),
        ("http://anna:pw@127.0.0.1/", FetchKind.FORBIDDEN_URL),
        ("http://[::1]:1/", FetchKind.FORBIDDEN_ADDRESS),
        ("http://127.0.0.2:1/", FetchKind.FORBIDDEN_ADDRESS),
        ("http://2130706434:1/", FetchKind.FORBIDDEN_URL),
        ("http://0x7f.2:1/", FetchKind.FORBIDDEN_ADDRESS),
        ("http://127.2:1/", FetchKind.FORBIDDEN_URL),
        ("http://0.0.0.0:1/", FetchKind.FORBIDDEN_ADDRESS),
        ("http://169.254.169.254/latest/meta-data", FetchKind.FORBIDDEN_ADDRESS),
        ("http://[::ffff:127.0.0.1]:1/", FetchKind.FORBIDDEN_ADDRESS),
        ("http://localhost:1/", FetchKind.FORBIDDEN_ADDRESS),
    ],
)
async def test_redirects_to_where_nobody_should_go(serve, connect, ok, target, kind) -> None:
    site = await serve({"/a": moved(ok, "302 Found", target)})
    error = await failure(await connect(), f"{site.url}/a")
    assert error.kind is kind, error
    assert "anna" not in str(error)


async def test_redirects_end(serve, connect, ok) -> None:
    site = await serve({f"/{n}": moved(ok, "302 Found", f"/{n + 1}") for n in range(50)})
    error = await failure(await connect(), f"{site.url}/0")
    assert error.kind is FetchKind.REDIRECTS
    assert len(site.asked) == 11


async def test_a_redirect_to_nowhere(serve, connect, ok) -> None:
    site = await serve(ok(status="302 Found"))
    assert (await failure(await connect(), site.url)).kind is FetchKind.PROTOCOL


# Addresses


async def test_a_name_at_a_private_address_is_refused(serve, connect, ok) -> None:
    site = await serve(ok(b"secret"))
    client = await connect(private=(), resolver=Names(news_example=["127.0.0.1"]))
    error = await failure(client, f"http://news.example:{site.port}/")
    assert error.kind is FetchKind.FORBIDDEN_ADDRESS
    assert "127.0.0.1" in error.message
    assert site.asked == []


async def test_every_address_of_a_name_is_checked(serve, connect, ok) -> None:
    site = await serve(ok(b"secret"))
    client = await connect(private=(), resolver=Names(news_example=["::1 127.0.0.1 10.0.0.1"]))
    assert (await failure(client, f"http://news.example:{site.port}/")).kind is FetchKind.FORBIDDEN_ADDRESS
    assert site.asked == []


async def test_a_name_that_the_user_wrote_may_be_private(serve, connect, ok) -> None:
    site = await serve(ok(b"ours"))
    client = await connect(private=("News.Example",), resolver=Names(news_example=["127.0.0.1"]))
    assert (await client.get(Request(f"http://NEWS.example:{site.port}/"))).body == b"ours"
    client.allow_private(())
    assert (await failure(client, f"http://news.example:{site.port}/")).kind is FetchKind.FORBIDDEN_ADDRESS


async def test_with_a_proxy_the_target_is_checked_first(serve, connect, ok) -> None:
    proxy = await serve(ok(b"through the proxy"))
    names = Names(inside_example=["10.0.0.1"], outside_example=["93.184.216.34"])
    client = await connect(private=(), resolver=names)
    error = await failure(client, Request("http://inside.example/", proxy=proxy.url))
    assert error.kind is FetchKind.FORBIDDEN_ADDRESS
    assert proxy.asked == []
    assert (await failure(client, Request("http://gone.example/", proxy=proxy.url))).kind is FetchKind.DNS
    got = await client.get(Request("http://outside.example/x", proxy=proxy.url))
    assert got.body == b"through the proxy"
    assert proxy.asked[0].path == "http://outside.example/x"


async def test_no_name(connect) -> None:
    error = await failure(await connect(resolver=Names()), "http://gone.example/")
    assert error.kind is FetchKind.DNS


# Refusals


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("400 Bad Request", FetchKind.CLIENT),
        ("401 Unauthorized", FetchKind.CLIENT),
        ("403 Forbidden", FetchKind.CLIENT),
        ("404 Not Found", FetchKind.CLIENT),
        ("410 Gone", FetchKind.GONE),
        ("429 Too Many Requests", FetchKind.RATE_LIMITED),
        ("500 Internal Server Error", FetchKind.SERVER),
        ("503 Service Unavailable", FetchKind.SERVER),
        ("522 Origin Timeout", FetchKind.SERVER),
        ("999 Odd", FetchKind.PROTOCOL),
    ],
)
async def test_statuses(serve, connect, ok, status, kind) -> None:
    site = await serve(ok(b"no", status=status))
    error = await failure(await connect(), site.url)
    assert (error.kind, error.status) == (kind, int(status[:3]))


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["cf-mitigated: challenge"], b""),
        (["X-Amzn-Waf-Action: captcha"], b""),
        ([], b"<html><TITLE>Just a moment...</TITLE>"),
        ([], b'<script src="https://geo.captcha-delivery.com/x"></script>'),
    ],
)
async def test_a_challenge_is_told_from_a_plain_403(serve, connect, ok, headers, body) -> None:
    site = await serve(ok(body, *headers, status="403 Forbidden"))
    error = await failure(await connect(), site.url)
    assert error.kind is FetchKind.BLOCKED
    assert "challenge" in error.message


async def test_429_holds_the_whole_host(serve, connect, ok, hands) -> None:
    pages = {"/a": ok(b"", "Retry-After: 120", status="429 Too Many Requests"), "/b": ok(b"b")}
    site = await serve(pages)
    client = await connect()
    assert (await failure(client, f"{site.url}/a")).retry_after == 120
    error = await failure(client, f"{site.url}/b")
    assert (error.kind, error.retry_after) == (FetchKind.RATE_LIMITED, 120)
    assert len(site.asked) == 1
    hands.time += 121
    assert (await client.get(Request(f"{site.url}/b"))).body == b"b"


async def test_503_with_retry_after_holds_too(serve, connect, ok) -> None:
    site = await serve(ok(b"", "Retry-After: 30", status="503 Service Unavailable"))
    client = await connect()
    assert (await failure(client, site.url)).retry_after == 30
    assert (await failure(client, site.url)).kind is FetchKind.RATE_LIMITED


# Bad servers: each ends with a stated error, within the deadline


async def drop(asked, writer) -> None:
    writer.transport.abort()


async def close(asked, writer) -> None:
    writer.close()


async def partial(asked, writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")


async def partial_chunk(asked, writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nhalf")


async def bad_chunk(asked, writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n")


async def drip(asked, writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def drip_headers(asked, writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-A: b\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def silent(asked, writer) -> None:
    await asyncio.sleep(60)


async def endless(asked, writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(bytes(65536))
        await writer.drain()


async def endless_header(asked, writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"y" * 65536)
        await writer.drain()


async def endless_headers(asked, writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: y\r\n" * 1000)
        await writer.drain()


async def announced(asked, writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")


async def no_http(asked, writer) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


async def odd_length(asked, writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: minus one\r\n\r\nxx")


async def not_gzip(asked, writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n<rss>")


@pytest.mark.parametrize(
    ("server", "kind"),
    [
        (drop, FetchKind.NETWORK),
        (close, FetchKind.NETWORK),
        (partial, FetchKind.PROTOCOL),
        (partial_chunk, FetchKind.PROTOCOL),
        (bad_chunk, FetchKind.PROTOCOL),
        (drip, FetchKind.TIMEOUT),
        (drip_headers, FetchKind.TIMEOUT),
        (silent, FetchKind.TIMEOUT),
        (endless, FetchKind.TOO_LARGE),
        (endless_header, FetchKind.PROTOCOL),
        (endless_headers, FetchKind.PROTOCOL),
        (announced, FetchKind.TOO_LARGE),
        (no_http, FetchKind.PROTOCOL),
        (odd_length, FetchKind.PROTOCOL),
        (not_gzip, FetchKind.ENCODING),
    ],
)
async def test_bad_servers(serve, connect, server, kind) -> None:
    site = await serve(server)
    client = await connect(timeout=0.3, max_body=1_000_000)
    async with asyncio.timeout(3):
        error = await failure(client, site.url)
    assert error.kind is kind, error


NOTHING = bytes(50_000_000)
BOMBS = {"gzip": gzip.compress(NOTHING), "br": brotli.compress(NOTHING, quality=1), "zstd": zstd.compress(NOTHING)}


@pytest.mark.parametrize("encoding", BOMBS)
async def test_bombs(serve, connect, ok, encoding) -> None:
    site = await serve(ok(BOMBS[encoding], f"Content-Encoding: {encoding}"))
    client = await connect(max_body=1_000_000)
    tracemalloc.start()
    error = await failure(client, site.url)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert error.kind is FetchKind.TOO_LARGE
    assert peak < 5_000_000


async def test_the_deadline_covers_all_redirects_together(serve, connect) -> None:
    async def slow(asked, writer) -> None:
        await asyncio.sleep(0.1)
        hop = int(asked.path[1:])
        writer.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /%d\r\n\r\n" % (hop + 1))

    site = await serve(slow)
    error = await failure(await connect(timeout=0.35), f"{site.url}/0")
    assert error.kind is FetchKind.TIMEOUT
    assert len(site.asked) <= 4


async def test_nothing_listens(connect) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        error = await failure(await connect(), f"http://127.0.0.1:{port}/")
    assert error.kind is FetchKind.NETWORK


async def test_certificates_are_checked(serve, connect, ok) -> None:
    authority = trustme.CA()
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    site = await serve(ok(b"over TLS"), tls=server_side)
    url = f"https://127.0.0.1:{site.port}/"
    error = await failure(await connect(), url)
    assert error.kind is FetchKind.TLS
    assert "certificate" in error.message
    assert (await (await connect(tls=trusting)).get(Request(url))).body == b"over TLS"


async def test_an_open_tls_connection_takes_little_memory(serve, connect, ok) -> None:
    async def keep(asked, writer) -> None:
        writer.write(ok(b"over TLS"))
        await asyncio.Event().wait()

    authority = trustme.CA()
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    site = await serve(keep, tls=server_side)
    client = await connect(tls=trusting, per_host=10)
    tracemalloc.start()
    await asyncio.gather(*(client.get(Request(f"https://127.0.0.1:{site.port}/{n}")) for n in range(10)))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(site.asked) == 10
    assert held / 20 < 150_000  # ten ends there and ten here; with asyncio's own buffers 270,000 each


async def test_a_connection_is_not_kept_for_long(connect, ok, monkeypatch) -> None:
    monkeypatch.setattr("watcher.fetch.client._IDLE", 0.05)
    closed = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ok(b"here"))
        assert await reader.read() == b""
        closed.set()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        client = await connect()
        await client.get(Request(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"))
        async with asyncio.timeout(5):
            await closed.wait()


async def test_plain_http_where_tls_is_expected(serve, connect) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        error = await failure(await connect(), f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        assert error.kind is FetchKind.TLS


async def test_permanently_from_https_to_http_is_followed_and_never_adopted(serve, connect, ok) -> None:
    authority = trustme.CA()
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    plain = await serve(ok(b"in the open"))
    site = await serve(moved(ok, "301 Moved Permanently", plain.url), tls=server_side)
    client = await connect(tls=trusting)
    got = await client.get(Request(f"https://127.0.0.1:{site.port}/", auth="Bearer t"))
    assert (got.body, got.permanent_url) == (b"in the open", None)
    assert "Authorization" not in plain.asked[0].headers


async def test_a_slow_server_holds_up_nobody_else(serve, connect, ok) -> None:
    slow, quick = await serve(silent), await serve(ok(b"quick"))
    client = await connect(timeout=1.0)
    waiting = asyncio.create_task(client.get(Request(slow.url)))
    assert (await client.get(Request(quick.url))).body == b"quick"
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_a_connection_is_used_again(connect) -> None:
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        except asyncio.IncompleteReadError:
            writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        client = await connect()
        for _ in range(3):
            await client.get(Request(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", etag='"e"'))
        assert connections == 1
        await client.__aexit__(None, None, None)


async def test_a_body_in_chunks_of_a_byte_is_refused_and_one_in_short_lines_is_not(serve, connect) -> None:
    async def answer(asked, writer) -> None:
        count, chunk = (
            (100_000, b"1\r\n<\r\n") if asked.path == "/bytes" else (9000, b"14\r\n<item>a line</item>\n\r\n")
        )
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * count + b"0\r\n\r\n")

    site, client = await serve(answer), await connect()
    with pytest.raises(FetchError, match="chunks of a few bytes") as raised:
        await client.get(Request(f"{site.url}/bytes"))
    assert raised.value.kind is FetchKind.PROTOCOL
    assert len((await client.get(Request(f"{site.url}/lines"))).body) == 9000 * 20
