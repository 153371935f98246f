import gzip

import pytest

from tests.paths import CORPORA
from watcher.errors import ParseError
from watcher.model import Item
from watcher.sources import Outcome
from watcher.sources.sitemap import due_files, newest_first
from watcher.sources.sitemap_parser import MAX_BYTES, MAX_ITEMS, moment, parse_sitemap
from watcher.text.urls import words_of

NOW = 1_800_000_000.0
NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
NEWS = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'


def news(*stories: tuple[str, str, str]) -> bytes:
    rows = "".join(
        f"""<url><loc>https://lake.example/{slug}</loc><news:news><news:publication><news:name>Lake Town</news:name>
        <news:language>en</news:language></news:publication>
        <news:publication_date>{date}</news:publication_date>
        <news:title>{title}</news:title><news:keywords>river, mill, river</news:keywords></news:news>
        <image:image><image:loc>https://lake.example/x.jpg</image:loc><image:title>A boat</image:title></image:image>
        </url>"""
        for slug, title, date in stories
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {NS} {NEWS}>{rows}</urlset>'.encode()


def plain(*rows: str) -> bytes:
    return f"<urlset {NS}>{''.join(f'<url>{row}</url>' for row in rows)}</urlset>".encode()


def index(base: str, *files: tuple[str, str]) -> bytes:
    rows = "".join(
        f"<sitemap><loc>{base}/{name}</loc>{f'<lastmod>{mod}</lastmod>' if mod else ''}</sitemap>"
        for name, mod in files
    )
    return f"<sitemapindex {NS}>{rows}</sitemapindex>".encode()


def parse(body: bytes, undated: float | None = None) -> dict:
    found = parse_sitemap(body, "https://lake.example/sitemap.xml", "s", NOW, undated)
    return found | {"items": [Item(*values) for values in found["items"]]}


def test_a_news_sitemap() -> None:
    (item,) = parse(news(("river-rises", "River &amp; mill", "2027-01-15T06:00:00+00:00")))["items"]
    assert (item.title, item.url) == ("River & mill", "https://lake.example/river-rises")
    assert (item.published, item.lang, item.tags) == (1_799_992_800.0, "en", ("river", "mill"))
    assert item.outlet == "lake.example"


def test_a_plain_sitemap_gives_what_the_address_says() -> None:
    rows = [
        "<loc>https://lake.example/2027/river-rises-88.html</loc><lastmod>2027-01-15</lastmod>",
        "<loc>/about</loc>",
    ]
    first, second = parse(plain(*rows))["items"]
    assert (first.title, first.published) == ("river rises", 1_799_971_200.0)
    assert (second.title, second.url, second.published) == ("", "https://lake.example/about", None)
    assert parse(plain(*rows), undated=5.0)["items"][1].published == 5.0


def test_a_list_of_addresses_is_a_sitemap() -> None:
    assert [item.url for item in parse(b"https://lake.example/a\nhttps://lake.example/b\n")["items"]] == [
        "https://lake.example/a",
        "https://lake.example/b",
    ]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2027", 1_798_761_600.0),
        ("2027-01", 1_798_761_600.0),
        ("2027-01-15", 1_799_971_200.0),
        ("2027-01-15T06:00Z", 1_799_992_800.0),
        ("2027-01-15T08:00:00.250+02:00", 1_799_992_800.25),
        ("yesterday", None),
        ("2027-13", None),
        ("", None),
    ],
)
def test_dates(text: str, at: float | None) -> None:
    assert moment(text) == at


def test_words_of_addresses() -> None:
    assert words_of("https://h.example/a/the_river-rises-7") == "the river rises"
    assert words_of("https://h.example/2027/88123") == ""
    assert words_of("https://h.example/") == ""


def test_of_a_long_one_the_newest_and_both_ends_are_kept() -> None:
    rows = [f"<loc>https://lake.example/{n}</loc>" for n in range(MAX_ITEMS + 500)]
    rows[700] += "<lastmod>2027-01-15</lastmod>"
    found = parse(plain(*rows))
    urls = [item.url for item in found["items"]]
    assert (found["urls"], len(urls)) == (MAX_ITEMS + 500, MAX_ITEMS - 1)
    assert urls[0].endswith("/700")
    assert urls[1].endswith("/0")
    assert urls[-1].endswith(f"/{MAX_ITEMS + 499}")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"<html><body>Not here</body></html>", "a web page"),
        (b"<rss version='2.0'><channel/></rss>", "read it with `feed:`"),
        (b"<urlset><url><loc>https://h/</loc>", "in line 1"),
        (b'<!DOCTYPE u [<!ENTITY a "b">]><urlset><url><loc>&a;</loc></url></urlset>', "declares entities"),
        (b"<urlset>" + b"<a>" * 40, "too deeply"),
        (gzip.compress(b"<urlset>" + b" " * (MAX_BYTES + 10)), "longer than"),
        (gzip.compress(plain("<loc>https://h/</loc>"))[:-12], "ends too early"),
        (b"\x1f\x8bnonsense", "broken"),
    ],
    ids=range(9),
)
def test_what_is_no_sitemap(body: bytes, says: str) -> None:
    with pytest.raises(ParseError, match=says):
        parse(body)


@pytest.mark.skipif(not CORPORA.is_dir(), reason="needs the corpora")
@pytest.mark.parametrize(
    "name", ["xml_billion_laughs.xml", "xml_quadratic.xml", "xml_xxe_file.xml", "xml_deep.xml", "bomb_1GiB.gz"]
)
def test_hostile_xml_is_refused(name: str) -> None:
    with pytest.raises(ParseError):
        parse((CORPORA / "hostile" / name).read_bytes())


def test_which_files_of_an_index_come_first() -> None:
    dated = [["a", 1.0], ["b", 3.0], ["c", None]]
    assert [child[0] for child in newest_first(dated)] == ["b", "a", "c"]
    named = [["h/page2.xml", None], ["h/page10.xml", None], ["h/news.xml", None]]
    assert [child[0] for child in newest_first(named)] == ["h/news.xml", "h/page10.xml", "h/page2.xml"]
    assert due_files(dated, {"a": {"mod": 1.0}, "b": {"mod": 2.0}}) == [["b", 3.0], ["c", None]]


async def test_a_poll(serve, polled, ok) -> None:
    site = await serve(
        {"/news.xml.gz": ok(gzip.compress(news(("a", "A", "2027-01-15"))), "Content-Type: application/gzip")}
    )
    source = polled.source(sitemap=f"{site.url}/news.xml.gz")
    first = await polled.poll(source)
    assert (first.outcome, [item.title for item in first.items]) == (Outcome.PARSED, ["A"])
    assert first.hints.per_day is not None
    assert (await polled.poll(source)).outcome is Outcome.SAME_BODY


async def test_an_index(serve, polled, ok) -> None:
    pages: dict[str, bytes] = {}
    site = await serve(pages)

    def put(name: str, body: bytes) -> None:
        pages[f"/{name}"] = ok(body)

    old = [(f"old{n}.xml", f"2026-01-{n + 10}") for n in range(8)]
    put("index.xml", index(site.url, *old, ("new.xml", "2027-01-14"), ("undated.xml", "")))
    for name, _ in old:
        put(name, plain(f"<loc>https://lake.example/{name}-story</loc>"))
    put("new.xml", news(("a", "A", "2027-01-14")))
    put("undated.xml", plain("<loc>https://lake.example/x</loc>"))
    source = polled.source(sitemap=f"{site.url}/index.xml")

    first = await polled.poll(source)
    assert [asked.path for asked in site.asked] == [
        "/index.xml",
        "/new.xml",
        "/old7.xml",
        "/old6.xml",
        "/old5.xml",
        "/old4.xml",
    ]
    assert len(first.items) == 5

    site.asked.clear()
    again = await polled.poll(source)  # what says no date is asked at each poll; archives are not fetched one by one
    assert [asked.path for asked in site.asked] == ["/index.xml", "/undated.xml"]
    assert [item.url for item in again.items] == ["https://lake.example/x"]
    assert (await polled.poll(source)).outcome is Outcome.SAME_BODY

    put(
        "index.xml",
        index(site.url, *old[1:], ("old0.xml", "2027-01-15"), ("new.xml", "2027-01-15"), ("undated.xml", "")),
    )
    put("new.xml", news(("b", "B", "2027-01-15"), ("a", "A", "2027-01-14")))
    site.asked.clear()
    third = await polled.poll(source)
    assert {asked.path for asked in site.asked} == {"/index.xml", "/new.xml", "/old0.xml", "/undated.xml"}
    assert [item.title for item in third.items if item.url.endswith(("/a", "/b"))] == ["B", "A"]
    (passed_over,) = [item for item in third.items if "old0" in item.url]
    assert passed_over.published == moment("2026-01-10")  # old, though it is seen for the first time


async def test_an_index_within_an_index(serve, polled, ok) -> None:
    pages: dict[str, bytes] = {}
    site = await serve(pages)

    def put(name: str, body: bytes) -> None:
        pages[f"/{name}"] = ok(body)

    async def poll() -> tuple[list[str], set[str]]:
        site.asked.clear()
        got = await polled.poll(source)
        return [asked.path for asked in site.asked], {item.title for item in got.items}

    archive = [(f"old{n}.xml", f"2026-01-{n + 10}") for n in range(8)]
    put("index.xml", index(site.url, ("news-index.xml", "2027-01-14"), ("old-index.xml", "2026-02-01")))
    put("news-index.xml", index(site.url, ("today.xml", "2027-01-14"), ("deep.xml", "2027-01-13")))
    put("old-index.xml", index(site.url, *archive))
    put("today.xml", news(("a", "A", "2027-01-14")))
    put("deep.xml", index(site.url, ("bottom.xml", "2027-01-13")))
    put("bottom.xml", news(("z", "Z", "2027-01-13")))
    for name, _ in archive:
        put(name, news((name, name, "2026-01-20")))
    source = polled.source(sitemap=f"{site.url}/index.xml")

    asked, titles = await poll()
    assert asked == ["/index.xml", "/news-index.xml", "/today.xml", "/deep.xml", "/old-index.xml", "/old7.xml"]
    assert titles == {"A", "old7.xml"}
    assert await poll() == (["/index.xml"], set())

    put("index.xml", index(site.url, ("news-index.xml", "2027-01-15"), ("old-index.xml", "2026-02-01")))
    put("news-index.xml", index(site.url, ("today.xml", "2027-01-15"), ("more.xml", "2027-01-15")))
    put("today.xml", news(("b", "B", "2027-01-15"), ("a", "A", "2027-01-14")))
    put("more.xml", news(("c", "C", "2027-01-15")))
    asked, titles = await poll()
    assert asked[:2] == ["/index.xml", "/news-index.xml"] and set(asked[2:]) == {"/today.xml", "/more.xml"}
    assert titles == {"A", "B", "C"}
    assert await poll() == (["/index.xml"], set())


async def test_an_index_that_names_itself_is_read_once_a_poll(serve, polled, ok) -> None:
    pages: dict[str, bytes] = {}
    site = await serve(pages)
    pages["/index.xml"] = ok(index(site.url, ("index.xml", ""), *((f"loop{n}.xml", "") for n in range(9))))
    for n in range(9):
        pages[f"/loop{n}.xml"] = ok(index(site.url, *((f"loop{m}.xml", "") for m in range(9)), ("index.xml", "")))
    source = polled.source(sitemap=f"{site.url}/index.xml")
    for _ in range(3):
        site.asked.clear()
        await polled.poll(source)
        assert len(site.asked) <= 6
