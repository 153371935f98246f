import json
from xml.sax.saxutils import escape

import pytest

from watcher.errors import ParseError
from watcher.model import Item
from watcher.sources.feed_parser import MAX_ITEMS, parse_bytes

NOW = 1_800_000_000.0
URL = "https://news.example/feeds/all.xml"


def parse(body: bytes | str, content_type: str = "", url: str = URL) -> dict:
    raw = body.encode() if isinstance(body, str) else body
    parsed = parse_bytes(raw, content_type, url, "s", NOW)
    return parsed | {"items": [Item(*values) for values in parsed["items"]]}


def rss(items: str, head: str = "") -> str:
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel><title>A &amp; B</title>{head}{items}</channel></rss>'  # noqa: E501


def one(item: str) -> Item:
    (found,) = parse(rss(f"<item>{item}</item>"))["items"]
    return found


def test_an_rss_item() -> None:
    item = one(
        "<title>River &lt;b&gt;rises&lt;/b&gt;</title><guid isPermaLink='false'>g1</guid><link>/a?x=1&amp;y=2</link>"
        "<description>&lt;p&gt;One.&lt;/p&gt;&lt;p&gt;Two.&lt;/p&gt;</description>"
        "<content:encoded><![CDATA[<p>One whole.</p><script>alert(1)</script><p>Two whole.</p>]]></content:encoded>"
        "<dc:creator>Ann Lee</dc:creator><category>Water</category><category>Water</category><category> </category>"
        "<pubDate>Fri, 15 Jan 2027 08:00:00 +0200</pubDate>"
    )
    assert item.title == "River rises"
    assert (item.key, item.url) == ("g1", "https://news.example/a?x=1&y=2")
    assert (item.summary, item.body) == ("One.\n\nTwo.", "One whole.\n\nTwo whole.")
    assert (item.author, item.tags, item.published) == ("Ann Lee", ("Water",), 1_799_992_800.0)


@pytest.mark.parametrize(
    ("body", "flaw"),
    [
        (rss("<item><title>a</title></item>"), ""),
        (rss("<item><title>a</title></item>").encode().replace(b"utf-8", b"us-ascii") + b"<!-- \xe9 -->", ""),
        ('{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "a"}]}', ""),
        (rss("<item><title>a</title></item>")[:-12], "unclosed token"),
        (rss("<item><title>a &nosuch; b</title></item>"), "undefined entity"),
    ],
)
def test_broken_xml_is_said_to_be_so(body: bytes | str, flaw: str) -> None:
    """Not what is merely declared in another encoding than it has."""
    said = parse(body)["flaw"]
    assert said == (f"its XML is broken, so that entries may be missing: {flaw}" if flaw else "")


def test_an_atom_entry() -> None:
    (item,) = parse(
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="uk-UA"><title type="text">T &lt;i&gt;</title>'
        '<entry><id>tag:1</id><title type="text">AT&amp;T &lt;b&gt;</title><link rel="alternate" href="b.html"/>'
        "<updated>2027-01-15T06:00:00Z</updated><author><name>Ann</name></author><summary>Sum</summary>"
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>A</p><p>B is longer</p></div></content>'
        "</entry></feed>"
    )["items"]
    assert item.title == "AT&T <b>"
    assert (item.key, item.url, item.lang) == ("tag:1", "https://news.example/feeds/b.html", "uk")
    assert (item.summary, item.body, item.published) == ("Sum", "A\n\nB is longer", 1_799_992_800.0)


@pytest.mark.parametrize(
    "title",
    [
        "AT&T <b>",
        "a < b > c",
        "<script>alert(1)",
        "Tom & Jerry",
        "if x<y then",
        "[b]x[/b]",
        "5 &lt 6",
        "${PATH} {{ 7*7 }}",
    ],
)
def test_text_that_only_looks_like_markup_stays_as_written(title: str) -> None:
    assert one(f"<title>{escape(title)}</title>").title == title
    atom = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><title>{escape(title)}</title></entry></feed>'
    assert parse(atom)["items"][0].title == title


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("AT&amp;T grows", "AT&T grows"),
        ("&#8216;No&#8217;", "‘No’"),
        ("<em>New</em> rules", "New rules"),
        ("two\n  lines ", "two lines"),
    ],
)
def test_markup_in_a_title_becomes_text(title: str, text: str) -> None:
    assert one(f"<title>{escape(title)}</title>").title == text
    assert one(f"<title><![CDATA[{title}]]></title>").title == text


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://h/x"])
def test_links_that_are_no_web_addresses_are_dropped(link: str) -> None:
    assert one(f"<title>t</title><link>{link}</link>").url == ""


def test_dates_that_cannot_be_read() -> None:
    assert one("<title>t</title><pubDate>yesterday</pubDate>").published is None
    assert (
        one("<title>t</title><pubDate>99 Foo 20</pubDate><dc:date>2027-01-15T06:00:00Z</dc:date>").published is not None
    )


@pytest.mark.parametrize(
    ("head", "ttl"),
    [
        ("<ttl>30</ttl>", 1800),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 21600),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", 3600),
        ("<ttl>soon</ttl>", None),
        ("<ttl>99999999999999</ttl>", 604800),
        ("", None),
    ],
)
def test_ttl(head: str, ttl: float | None) -> None:
    parsed = parse(rss("<item><title>t</title></item>", head))
    assert (parsed["ttl"], parsed["title"]) == (ttl, "A & B")


def test_the_encoding_that_http_declares() -> None:
    body = rss("<item><title>Новини</title></item>").replace(' encoding="utf-8"', "").encode("windows-1251")
    assert parse(body, "text/xml; charset=windows-1251")["items"][0].title == "Новини"


JSON_FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "A\nfeed",
    "language": "en-US",
    "authors": [{"name": "House"}],
    "items": [
        {
            "id": 7,
            "url": "/a",
            "title": "AT&T <b>",
            "content_html": "<p>One.</p><p>Two.</p>",
            "summary": "S <i>",
            "date_published": "2027-01-15T06:00:00+00:00",
            "tags": ["x", "x", 3],
            "authors": [{"name": "Ann"}, {"name": "Bo"}],
        },
        {
            "id": "b",
            "external_url": "javascript:alert(1)",
            "content_text": "1 < 2\n\n\n\nnext",
            "author": {"name": "Old"},
        },
        {"id": "c", "title": "no author", "date_published": "soon"},
        "no item",
    ],
}


def test_json_feed() -> None:
    parsed = parse(json.dumps(JSON_FEED))
    first, second, third = parsed["items"]
    assert parsed["title"] == "A feed"
    assert (first.key, first.url, first.title) == ("7", "https://news.example/a", "AT&T <b>")
    assert (first.summary, first.body, first.author) == ("S <i>", "One.\n\nTwo.", "Ann, Bo")
    assert (first.published, first.tags, first.lang) == (1_799_992_800.0, ("x",), "en")
    assert (second.url, second.body, second.author) == ("", "1 < 2\n\nnext", "Old")
    assert (third.author, third.published) == ("House", None)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf  \n", "empty"),
        (b'{"a": 1}', "no list of items"),
        (b'{"items": 5}', "no list of items"),
        (b'{"items": [', "no JSON Feed"),
        (b'{"items":' + b"[" * 100_000, "nested too deeply"),
        (b"<rss version='2.0'><channel>" + b"<item><title>" * 60_000, "nested too deeply"),
        (
            b"<rss version='2.0'><channel><item>" + b"<b>" * 2_000 + b"</b>" * 2_000 + b"</item></channel></rss>",
            "nested too deeply",
        ),
        (b"plain words", "neither RSS"),
        (b"<?xml version='1.0'?><other/>", "neither RSS"),
        (b"<!DOCTYPE html><html><p>x", "names none; watch it with `page:`"),
        (
            b'<html><LINK REL=alternate TYPE="application/rss+xml" href="/rss?a=1">',
            "names this feed: https://news.example/rss?a=1",
        ),
    ],
)
def test_what_is_no_feed_is_refused_with_advice(body: bytes, says: str) -> None:
    with pytest.raises(ParseError, match=says.replace("?", r"\?")):
        parse(body)


def test_an_empty_feed_is_a_feed() -> None:
    assert parse(rss(""))["items"] == []
    assert parse('{"version": "https://jsonfeed.org/version/1", "items": []}')["items"] == []


def test_a_body_that_names_a_file_is_never_opened() -> None:
    with pytest.raises(ParseError):
        parse("/etc/passwd")


def test_only_so_many_items() -> None:
    parsed = parse(rss("".join(f"<item><title>t{n}</title></item>" for n in range(MAX_ITEMS + 10))))
    assert (parsed["entries"], len(parsed["items"]), parsed["dropped"]) == (MAX_ITEMS + 10, MAX_ITEMS, 10)


def test_a_guid_stays_as_written_and_a_link_is_resolved() -> None:
    body = (
        b"<rss version='2.0'><channel><title>T</title><item><guid>4711</guid><link>/a</link><title>A</title></item>"
        b"<item><guid isPermaLink='true'>/b</guid><title>B</title></item></channel></rss>"
    )
    found = parse_bytes(body, "application/rss+xml", "https://host.example/news/feed", "s", NOW)
    items = [Item(*fields) for fields in found["items"]]
    assert [(item.key, item.url) for item in items] == [
        ("4711", "https://host.example/a"),
        ("/b", "https://host.example/b"),
    ]
