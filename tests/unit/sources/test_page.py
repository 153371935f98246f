import pytest

from watcher.errors import FetchError, FetchKind, ParseError
from watcher.model import SourceState
from watcher.sources import Outcome, Tools, kinds
from watcher.workers import Workers

HEAD = "HTTP/1.1 200 OK"


@pytest.fixture
async def tools(connect, hands):
    async with Workers(count=1) as workers:
        yield Tools(await connect(), workers, hands)


def page(url: str, **keys):
    return kinds()["page"].model_validate({"page": url, "select": "#list"} | keys).named("tenders")


def html(*lines: str, part: str = "list", note: str = "") -> bytes:
    rows = "".join(f"<li>{line}</li>" for line in lines)
    return f'<html lang="fr"><title>Tenders</title><nav>{note}</nav><ul id="{part}">{rows}</ul></html>'.encode()


class Watched:
    """A page that is polled again and again, each time with the state that the last poll left."""

    def __init__(self, serve, tools, ok, **keys) -> None:
        self.serve, self.tools, self.ok, self.keys = serve, tools, ok, keys
        self.state = SourceState("tenders", 0.0)
        self.pages: dict[str, bytes] = {}
        self.site = None

    async def poll(self, body: bytes, **options):
        self.pages["/p"] = self.ok(body, "Content-Type: text/html", **options)
        self.site = self.site or await self.serve(self.pages)
        got = await page(f"{self.site.url}/p", **self.keys).poll(self.state, self.tools)
        last_new = self.tools.clock.now() if got.items else self.state.last_new
        self.state = SourceState("tenders", 0.0, body_hash=got.body_hash, cache=got.cache, last_new=last_new)
        return got


@pytest.fixture
def watched(serve, tools, ok) -> Watched:
    return Watched(serve, tools, ok)


async def test_the_first_poll_is_the_baseline(watched) -> None:
    got = await watched.poll(html("one", "two"))
    assert (got.outcome, got.items, got.title) == (Outcome.PARSED, (), "Tenders")


async def test_a_change_is_an_item_with_what_was_added(watched) -> None:
    await watched.poll(html("one", "two"))
    (item,) = (await watched.poll(html("zero", "one", "two", "two & a <b>half</b>"))).items
    assert (item.title, item.body, item.lang) == ("Tenders", "zero\n\ntwo & a half", "fr")
    assert item.url == f"{watched.site.url}/p"
    assert item.published == watched.tools.clock.now()


async def test_what_is_around_the_part_does_not_count(watched) -> None:
    await watched.poll(html("one"))
    got = await watched.poll(html("one", note="12:31"))
    assert (got.outcome, got.items) == (Outcome.PARSED, ())


async def test_the_same_page(watched) -> None:
    await watched.poll(html("one"))
    assert (await watched.poll(html("one"))).outcome is Outcome.SAME_BODY


async def test_what_disappears_is_no_news_and_may_come_back(watched, hands) -> None:
    await watched.poll(html("one", "down"))
    assert (await watched.poll(html("one"))).items == ()
    (first,) = (await watched.poll(html("one", "down"))).items
    hands.time += 60
    assert (await watched.poll(html("one"))).items == ()
    (second,) = (await watched.poll(html("one", "down"))).items
    assert first.body == second.body == "down"
    assert first.id != second.id


async def test_doing_it_twice_gives_the_same_item(watched) -> None:
    await watched.poll(html("one"))
    before = watched.state
    (first,) = (await watched.poll(html("one", "two"))).items
    watched.state = before
    (again,) = (await watched.poll(html("one", "two"))).items
    assert first.id == again.id


async def test_an_error_page_is_no_change(watched) -> None:
    await watched.poll(html("one"))
    before = watched.state
    with pytest.raises(FetchError):
        await watched.poll(html("two"), status="500 Internal Server Error")
    with pytest.raises(ParseError, match="nothing on the page fits `select: #list`"):
        await watched.poll(html("two", part="other"))
    with pytest.raises(ParseError, match="shows no text"):
        await watched.poll(html())
    with pytest.raises(FetchError) as caught:
        await watched.poll(b"<title>Just a moment...</title><p id=list>Checking</p>")
    assert caught.value.kind is FetchKind.BLOCKED
    assert watched.state is before
    assert (await watched.poll(html("one"))).outcome is Outcome.SAME_BODY


async def test_without_a_part_it_is_the_article(serve, tools, ok) -> None:
    watched = Watched(serve, tools, ok, select=None)
    text = [
        f"<p>The council of Lake Town met for the {n}th time and spoke of the bridge at length.</p>" for n in range(9)
    ]

    def body(*more: str) -> bytes:
        article = "".join([*text, *more])
        return f"<html><head><title>T</title></head><body><article>{article}</article></body></html>".encode()

    await watched.poll(body())
    (item,) = (
        await watched.poll(body("<p>In the end the bridge was closed to carts until the summer comes.</p>"))
    ).items
    assert item.body == "In the end the bridge was closed to carts until the summer comes."


async def test_robots_txt_is_asked(watched, ok) -> None:
    watched.pages["/robots.txt"] = ok(b"User-agent: *\nDisallow: /")
    with pytest.raises(FetchError) as caught:
        await watched.poll(html("one"))
    assert caught.value.kind is FetchKind.ROBOTS


def test_its_items_are_never_copies_nor_read_again() -> None:
    source = page("https://h.example/")
    assert (source.copies, source.full_text) == ("off", "never")
