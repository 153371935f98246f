import pytest

from watcher.errors import FetchError, FetchKind, ParseError
from watcher.model import SourceState
from watcher.sources import Outcome, Tools, kinds
from watcher.workers import Workers

RSS = (
    b'<rss version="2.0"><channel><title>A feed</title><ttl>20</ttl>'
    b"<item><title>One</title><guid>1</guid><link>a/1</link></item></channel></rss>"
)


@pytest.fixture
async def workers():
    async with Workers(count=1) as found:
        yield found


@pytest.fixture
async def tools(connect, workers, hands) -> Tools:
    return Tools(await connect(), workers, hands)


def feed(url: str, **keys):
    return kinds()["feed"].model_validate({"feed": url} | keys).named("s")


def state(**keys) -> SourceState:
    return SourceState("s", 0.0, **keys)


async def test_a_poll(serve, tools, ok) -> None:
    site = await serve(ok(RSS, 'ETag: "1"', "Last-Modified: then", "Cache-Control: max-age=600"))
    got = await feed(f"{site.url}/dir/feed").poll(state(), tools)
    assert got.outcome is Outcome.PARSED
    assert [(item.title, item.url, item.source) for item in got.items] == [("One", f"{site.url}/dir/a/1", "s")]
    assert (got.title, got.etag, got.last_modified) == ("A feed", '"1"', "then")
    assert (got.hints.max_age, got.hints.ttl, got.hints.per_day) == (600, 1200, None)
    assert (got.cache["ttl"], got.cache["per_day"], got.ids) == (1200.0, None, (got.items[0].id,))


async def test_only_what_is_new_is_parsed_again(serve, tools, ok) -> None:
    pages = {"/": ok(RSS)}
    site = await serve(pages)
    first = await feed(f"{site.url}/").poll(state(), tools)
    pages["/"] = ok(RSS.replace(b"<item>", b"<item><title>Two</title><guid>2</guid></item><item>", 1))
    second = await feed(f"{site.url}/").poll(state(body_hash=first.body_hash, cache=first.cache), tools)
    assert [item.title for item in second.items] == ["Two"]
    assert second.ids == (second.items[0].id, first.items[0].id)
    whole = await feed(f"{site.url}/").poll(state(), tools)
    assert (whole.ids, whole.items[0], whole.cache) == (second.ids, second.items[0], second.cache)


async def test_the_same_body_is_not_parsed(serve, tools, ok) -> None:
    site = await serve(ok(RSS, 'ETag: "2"'))
    first = await feed(site.url).poll(state(), tools)
    again = await feed(site.url).poll(state(body_hash=first.body_hash, cache=first.cache, etag='"1"'), tools)
    assert (again.outcome, again.items, again.etag, again.hints.ttl) == (Outcome.SAME_BODY, (), '"2"', 1200)


async def test_not_modified(serve, tools) -> None:
    site = await serve(b"HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\n\r\n")
    got = await feed(site.url).poll(state(etag='"1"', last_modified="then", body_hash="h", cache={"ttl": 5.0}), tools)
    assert (got.outcome, got.etag, got.last_modified, got.body_hash) == (Outcome.NOT_MODIFIED, '"1"', "then", "h")
    assert (got.hints.max_age, got.hints.ttl) == (60, 5)
    assert site.asked[0].headers["If-None-Match"] == '"1"'


async def test_a_page_instead_of_the_feed(serve, tools, ok) -> None:
    site = await serve(ok(b'<html><link rel="alternate" type="application/atom+xml" href="/atom.xml">'))
    with pytest.raises(ParseError, match=f"names this feed: {site.url}/atom.xml"):
        await feed(site.url).poll(state(), tools)


async def test_the_source_is_asked_as_it_is_configured(serve, tools, ok) -> None:
    site = await serve(ok(RSS))
    await feed(site.url, headers={"X-Key": "k"}, auth={"basic": "a:b"}).poll(state(), tools)
    assert site.asked[0].headers["X-Key"] == "k"
    assert site.asked[0].headers["Authorization"] == "Basic YTpi"


async def test_a_permanent_redirect_is_reported_and_later_followed_at_once(serve, tools, ok) -> None:
    pages = {"/new": ok(RSS)}
    site = await serve(pages)
    pages["/old"] = ok(b"", "Location: /new", status="301 Moved Permanently")
    got = await feed(f"{site.url}/old").poll(state(), tools)
    assert got.permanent_url == f"{site.url}/new"
    await feed(f"{site.url}/old").poll(state(redirect_to=got.permanent_url, redirects=5), tools)
    assert [asked.path for asked in site.asked] == ["/old", "/new", "/new"]


async def test_gone(serve, tools, ok) -> None:
    site = await serve(ok(status="410 Gone"))
    with pytest.raises(FetchError) as caught:
        await feed(site.url).poll(state(), tools)
    assert caught.value.kind is FetchKind.GONE


async def test_a_challenge_that_says_200(serve, tools, ok) -> None:
    site = await serve(ok(b"<!doctype html><title>Just a moment...</title><p>Checking"))
    with pytest.raises(FetchError) as caught:
        await feed(site.url).poll(state(), tools)
    assert caught.value.kind is FetchKind.BLOCKED
