import asyncio

import pytest

from watcher.errors import FetchError, FetchKind
from watcher.fetch import Request

RULES = b"User-agent: watcher\nDisallow: /private\nAllow: /private/open\n\nUser-agent: *\nDisallow: /"


def site(ok, robots: bytes) -> dict[str, bytes]:
    page = ok(b"<p>page</p>")
    return {"/robots.txt": robots, "/a": page, "/private/b": page, "/private/open/c": page}


async def test_obeys_the_group_that_names_it(serve, connect, ok) -> None:
    server = await serve(site(ok, ok(RULES)))
    client = await connect()
    assert (await client.get(Request(f"{server.url}/a", robots=True))).status == 200
    assert (await client.get(Request(f"{server.url}/private/open/c", robots=True))).status == 200
    with pytest.raises(FetchError) as caught:
        await client.get(Request(f"{server.url}/private/b", robots=True))
    assert caught.value.kind is FetchKind.ROBOTS
    assert [asked.path for asked in server.asked] == ["/robots.txt", "/a", "/private/open/c"]


async def test_is_not_asked_for_feeds(serve, connect, ok) -> None:
    server = await serve(site(ok, ok(RULES)))
    client = await connect()
    await client.get(Request(f"{server.url}/private/b"))
    assert [asked.path for asked in server.asked] == ["/private/b"]


async def test_is_kept_for_a_day_and_asked_for_once(serve, connect, ok, hands) -> None:
    server = await serve(site(ok, ok(RULES)))
    client = await connect(per_host=10)
    await asyncio.gather(*(client.get(Request(f"{server.url}/a", robots=True)) for _ in range(5)))
    assert sum(asked.path == "/robots.txt" for asked in server.asked) == 1
    hands.time += 86401
    await client.get(Request(f"{server.url}/a", robots=True))
    assert sum(asked.path == "/robots.txt" for asked in server.asked) == 2


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "410 Gone", "401 Unauthorized"])
async def test_a_4xx_allows(serve, connect, ok, status) -> None:
    server = await serve(site(ok, ok(status=status)))
    client = await connect()
    assert (await client.get(Request(f"{server.url}/private/b", robots=True))).status == 200


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"])
async def test_an_unreachable_one_forbids_and_is_asked_for_again(serve, connect, ok, hands, answer) -> None:
    pages = site(ok, answer)
    server = await serve(pages)
    client = await connect()
    with pytest.raises(FetchError) as caught:
        await client.get(Request(f"{server.url}/a", robots=True))
    assert caught.value.kind is FetchKind.ROBOTS
    pages["/robots.txt"] = ok(RULES)
    hands.time += 301
    assert (await client.get(Request(f"{server.url}/a", robots=True))).status == 200


async def test_only_its_first_500_kib_count(serve, connect, ok) -> None:
    filler = b"# nothing here\n" * 40_000
    server = await serve(site(ok, ok(filler + RULES)))
    client = await connect()
    assert (await client.get(Request(f"{server.url}/private/b", robots=True))).status == 200


async def test_it_is_asked_for_on_each_host_of_a_redirect(serve, connect, ok) -> None:
    target = await serve(site(ok, ok(b"User-agent: *\nDisallow: /")))
    first = await serve({"/go": ok(b"", f"Location: {target.url}/a", status="302 Found")})
    client = await connect()
    with pytest.raises(FetchError) as caught:
        await client.get(Request(f"{first.url}/go", robots=True))
    assert caught.value.kind is FetchKind.ROBOTS
    assert [asked.path for asked in target.asked] == ["/robots.txt"]


async def test_it_is_behind_the_guard(serve, connect, ok) -> None:
    server = await serve(site(ok, ok(RULES)))
    client = await connect(private=())
    with pytest.raises(FetchError) as caught:
        await client.get(Request(f"{server.url}/a", robots=True))
    assert caught.value.kind is FetchKind.FORBIDDEN_ADDRESS
    assert server.asked == []
