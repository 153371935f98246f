import pytest
from pydantic import ValidationError

from watcher.errors import FetchError, FetchKind, ParseError
from watcher.model import SourceState
from watcher.sources import Outcome, Tools, kinds
from watcher.sources.page import FLAPPING, HOLD
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
    assert (item.title, item.body, item.lang) == ("Tenders", "zero\n\n⋯\n\ntwo & a half", "fr")
    assert item.url == f"{watched.site.url}/p"
    assert item.published == watched.tools.clock.now() - HOLD


async def test_what_is_around_the_part_does_not_count(watched) -> None:
    await watched.poll(html("one"))
    got = await watched.poll(html("one", note="12:31"))
    assert (got.outcome, got.items) == (Outcome.PARSED, ())


async def test_the_same_page(watched) -> None:
    await watched.poll(html("one"))
    assert (await watched.poll(html("one"))).outcome is Outcome.SAME_BODY


async def test_what_disappears_is_no_news_and_may_come_back_after_a_day(watched, hands) -> None:
    await watched.poll(html("one", "down"))
    assert (await watched.poll(html("one"))).items == ()
    hands.time += FLAPPING + 60
    (first,) = (await watched.poll(html("one", "down"))).items
    assert (await watched.poll(html("one"))).items == ()
    hands.time += FLAPPING + 60
    (second,) = (await watched.poll(html("one", "down"))).items
    assert first.body == second.body == "down"
    assert first.id != second.id


async def test_flapping_is_no_change(watched, hands) -> None:
    await watched.poll(html("one", "left"))
    (item,) = (await watched.poll(html("one", "right"))).items
    assert item.body == "right"
    for n in range(4):
        hands.time += 3600
        assert (await watched.poll(html("one", "left" if n % 2 else "right"))).items == ()
        hands.time += 3600
        assert (await watched.poll(html("one", "right" if n % 2 else "left"))).items == ()


async def test_a_change_must_hold(serve, tools, ok, hands) -> None:
    """A line that is another one at each fetch is told by the second fetch, and the change beside it is not lost."""
    texts = ["a", "b", "c"]
    steady = ["one"]

    async def answer(asked, writer) -> None:
        if asked.path == "/robots.txt":
            writer.write(ok(status="404 Not Found"))
            return
        texts.append(texts.pop(0))
        writer.write(ok(html(*steady, f"Advert {texts[0]}"), "Content-Type: text/html"))

    site = await serve(answer)
    state = SourceState("tenders", 0.0)
    for new in (None, None, "two", None):
        if new:
            steady.append(new)
        got = await page(site.url).poll(state, tools)
        state = SourceState("tenders", 0.0, body_hash=got.body_hash, cache=got.cache)
        assert [item.body for item in got.items] == ([new] if new else [])
    assert hands.slept.count(HOLD) >= 2


async def test_what_did_not_hold_is_told_once_it_does(serve, tools, ok) -> None:
    """One of a site's servers has the change before the others."""
    bodies = iter([html("one"), html("one", "two"), html("one"), html("one", "two"), html("one", "two")])

    async def answer(asked, writer) -> None:
        missing = asked.path == "/robots.txt"
        writer.write(ok(status="404 Not Found") if missing else ok(next(bodies), "Content-Type: text/html"))

    site = await serve(answer)
    state = SourceState("tenders", 0.0)
    told = []
    for _ in range(3):
        got = await page(site.url).poll(state, tools)
        state = SourceState("tenders", 0.0, body_hash=got.body_hash, cache=got.cache)
        told.append([item.body for item in got.items])
    assert told == [[], [], ["two"]]


async def test_ignored_parts_are_no_change(serve, tools, ok) -> None:
    watched = Watched(serve, tools, ok, ignore=[r"\d+ views", r"^Updated .*"])
    await watched.poll(html("one, 5 views", "Updated today", "two"))
    assert (await watched.poll(html("one, 7 views", "Updated just now", "two"))).items == ()
    (item,) = (await watched.poll(html("one, 9 views", "three, 1 views", "Updated then"))).items
    assert item.body == "three, 1 views"


@pytest.mark.parametrize("select", ["//ul[@id='list']", "//ul[@id='list']/li", "//ul[@id='list']/li/text()", "ul > li"])
async def test_a_part_by_xpath(serve, tools, ok, select: str) -> None:
    watched = Watched(serve, tools, ok, select=select)
    await watched.poll(html("one"))
    (item,) = (await watched.poll(html("one", "two", note="12:31"))).items
    assert item.body == "two"


def test_patterns_and_selectors_are_checked() -> None:
    with pytest.raises(ValidationError, match=r"no regular expression \(RE2\)"):
        page("https://h.example/", ignore=["(a"])
    with pytest.raises(ValidationError, match="no XPath expression"):
        page("https://h.example/", select="//ul[")


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
    with pytest.raises(ParseError, match="looks like an error page"):
        await watched.poll(b"<html><title>503 Service Unavailable</title><p id=list>Back soon</p></html>")
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
