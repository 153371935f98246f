import gzip

import pytest

from watcher.errors import FetchError, FetchKind, ParseError
from watcher.extract import article_of, content_type, decode, extract, read_article, wants_article
from watcher.model import Item
from watcher.sources import Tools, kinds
from watcher.workers import Workers

PARAGRAPHS = [
    "The ferry company of Lake Town said on Monday that it will stop its night boats for the whole winter.",
    "Captain Mira Holt, who has steered the last boat since 2009, said that the crew had been told by letter.",
    "The town council wants to meet on Thursday to talk about a bus that would go round the lake instead.",
    "Until now some four hundred people cross the water each night, most of them workers of the paper mill.",
    "A spokesman of the mill said that shifts could be moved if the council finds the money for the bus.",
    "The boats themselves are to be laid up at the old dock, where they will be painted before the spring.",
]
MENU = ["Home", "Sports", "Weather", "Gardening club", "Zeppelin tours"]
TEASERS = ["Zeppelin crashes into quark factory", "Ten recipes with turnips that grandmother loved"]


def page(paragraphs: list[str] = PARAGRAPHS, head: str = "") -> bytes:
    menu = "".join(f'<li><a href="/{n}">{text}</a></li>' for n, text in enumerate(MENU))
    teasers = "".join(
        f'<div class="teaser"><h3><a href="/t{n}">{t}</a></h3><p>Read on</p></div>' for n, t in enumerate(TEASERS)
    )
    text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f'<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>Boats</title>{head}</head><body>'
        f"<header><nav><ul>{menu}</ul></nav></header>"
        f"<main><article><h1>No more night boats</h1>{text}</article></main>"
        f'<aside class="related"><h2>Other topics</h2>{teasers}</aside><footer></aside>'
        "<footer><p>© Lake Herald. All rights.</p></footer>"
        "</body></html>"
    ).encode()


HEAD = (
    '<meta property="og:title" content="No more night boats"><meta name="author" content="Ann Lee">'
    '<meta property="article:published_time" content="2027-01-15T08:00:00+02:00">'
)


def test_the_article_and_nothing_around_it() -> None:
    article = extract(page(head=HEAD), "https://h.example/a")
    assert [part for part in article.text.split("\n\n") if part != "No more night boats"] == PARAGRAPHS
    assert not any(text in article.text for text in [*MENU, *TEASERS, "Other topics", "rights"])
    assert (article.title, article.author, article.lang) == ("No more night boats", "Ann Lee", "en")
    assert (article.published, article.url) == (1_799_992_800.0, "https://h.example/a")


@pytest.mark.parametrize(
    ("head", "published"),
    [
        ('<script type="application/ld+json">{"datePublished": "2027-01-15T06:00:00Z"}</script>', 1_799_992_800.0),
        ('<meta name="date" content="2027-01-15">', 1_799_971_200.0),
        ('<meta name="date" content="some day">', None),
        ("", None),
    ],
)
def test_dates(head: str, published: float | None) -> None:
    assert extract(page(head=head), "https://h.example/a").published == published


def test_what_a_head_lacks_is_found_in_the_page() -> None:
    article = extract(page(), "https://h.example/a")
    assert (article.title, article.author) == ("No more night boats", "")


@pytest.mark.parametrize("body", [b"", b"\x00\x01\x02\x03" * 100, b"%PDF-1.7"])
def test_what_is_no_page(body: bytes) -> None:
    try:
        assert len(extract(body, "https://h.example/a").text) < 500
    except ParseError as error:
        assert "https://h.example/a" in str(error)


RUSSIAN = "Паром больше не ходит по ночам"


@pytest.mark.parametrize(
    ("raw", "charset"),
    [
        (RUSSIAN.encode(), ""),
        (RUSSIAN.encode(), "windows-1251"),  # UTF-8 all the same
        (RUSSIAN.encode("windows-1251"), "windows-1251"),
        (b'<meta charset="windows-1251">' + RUSSIAN.encode("windows-1251"), ""),
        (b'<meta http-equiv="x" content="text/html; charset=koi8-r">' + RUSSIAN.encode("koi8-r"), "nonsense"),
        (b'<?xml version="1.0" encoding="koi8-r"?>' + RUSSIAN.encode("koi8-r"), ""),
        (b"\xef\xbb\xbf" + RUSSIAN.encode(), "latin-1"),
        (RUSSIAN.encode("utf-16"), ""),
    ],
)
def test_decoding(raw: bytes, charset: str) -> None:
    text = decode(raw, charset)
    assert isinstance(text, str)
    assert text.endswith(RUSSIAN)


def test_latin_1_is_read_as_browsers_do() -> None:
    assert decode(b"\x93caf\xe9\x94", "ISO-8859-1") == "“café”"
    assert decode(b"caf\xe9 \xff", "utf-8") == "caf\ufffd \ufffd"
    assert decode(b"\xe9\xff", "") == b"\xe9\xff"


def test_content_types() -> None:
    assert content_type('Text/HTML; Charset="UTF-8"') == ("text/html", "UTF-8")
    assert content_type("") == ("", "")
    assert content_type("application/pdf") == ("application/pdf", "")


WORDS = "word " * 120


@pytest.mark.parametrize(
    ("summary", "body", "wanted"),
    [
        ("short", "", True),
        ("short", WORDS, False),
        (WORDS, "", False),
        (WORDS + "…", "", True),
        (WORDS + "[...]", "", True),
        (WORDS + "Read more", "", True),
        ("", "", True),
        ("新" * 300, "", False),
        ("新" * 60, "", True),
    ],
)
def test_when_the_article_is_wanted(summary: str, body: str, wanted: bool) -> None:
    item = Item("i", "s", summary=summary, body=body)
    assert wants_article("auto", item) is wanted
    assert wants_article("always", item)
    assert not wants_article("never", item)


# Reading


@pytest.fixture
async def tools(connect, hands):
    async with Workers(count=1) as workers:
        yield Tools(await connect(), workers, hands)


def source(url: str):
    return kinds()["feed"].model_validate({"feed": f"{url}/feed", "headers": {"X-Key": "k"}}).named("s")


HTML = "Content-Type: text/html; charset=utf-8"


async def test_reads_an_article_as_its_source_asks(serve, tools, ok) -> None:
    pages = {"/a": ok(gzip.compress(page()), HTML, "Content-Encoding: gzip")}
    site = await serve(pages)
    article = await read_article(f"{site.url}/a", tools, source(site.url))
    assert PARAGRAPHS[0] in article.text
    assert [asked.path for asked in site.asked] == ["/robots.txt", "/a"]
    assert site.asked[1].headers["X-Key"] == "k"
    assert site.asked[1].headers["Accept"].startswith("text/html")


async def test_the_address_after_redirects_is_the_articles(serve, tools, ok) -> None:
    site = await serve({"/a": ok(page(), HTML), "/x": ok(b"", "Location: /a", status="302 Found")})
    assert (await read_article(f"{site.url}/x", tools, source(site.url))).url == f"{site.url}/a"


async def test_robots_txt_is_obeyed(serve, tools, ok) -> None:
    site = await serve({"/robots.txt": ok(b"User-agent: *\nDisallow: /a"), "/a": ok(page(), HTML)})
    with pytest.raises(FetchError) as caught:
        await read_article(f"{site.url}/a", tools, source(site.url))
    assert caught.value.kind is FetchKind.ROBOTS


async def test_what_is_no_web_page(serve, tools, ok) -> None:
    site = await serve(ok(b"%PDF-1.7", "Content-Type: application/pdf"))
    with pytest.raises(ParseError, match="application/pdf, no web page"):
        await read_article(f"{site.url}/a", tools, source(site.url))


WALLS = [
    page(["Please enable JavaScript to see this site, since without it nothing works, as you can well imagine. " * 2]),
    page(["The ferry company of Lake Town said on Monday that", "subscribe to continue reading this article. " * 5]),
    page(["Too short."]),
    b"<html><body></body></html>",
]


@pytest.mark.parametrize("wall", WALLS)
async def test_walls(serve, tools, ok, wall) -> None:
    site = await serve(ok(wall, HTML))
    with pytest.raises(ParseError):
        await read_article(f"{site.url}/a", tools, source(site.url))


async def test_a_challenge_that_says_200(serve, tools, ok) -> None:
    body = b"<html><title>Just a moment...</title><p>Checking your browser before you go on to the site.</p>"
    site = await serve({"/a": ok(body, HTML)})
    with pytest.raises(FetchError) as caught:
        await read_article(f"{site.url}/a", tools, source(site.url))
    assert caught.value.kind is FetchKind.BLOCKED


async def test_a_page_that_carries_its_guards_script_is_no_challenge(serve, tools, ok) -> None:
    body = page(PARAGRAPHS * 2, head='<script src="/cdn-cgi/challenge-platform/x.js"></script>')
    site = await serve({"/a": ok(body, HTML)})
    assert PARAGRAPHS[0] in (await read_article(f"{site.url}/a", tools, source(site.url))).text


async def test_a_file_is_read_likewise(tools) -> None:
    article = await article_of(page(), "https://h.example/a", tools.workers)
    assert PARAGRAPHS[-1] in article.text
