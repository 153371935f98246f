import json

import pytest
from pydantic import ValidationError

from watcher.errors import FetchError, FetchKind, ParseError
from watcher.model import Item
from watcher.sources import Outcome
from watcher.sources.json_parser import moment, parse_json

NOW = 1_800_000_000.0
ANSWER = {
    "status": "ok",
    "data": {
        "articles": [
            {
                "uid": 7,
                "headline": "River <b>rises</b> &amp; falls",
                "links": {"self": "/a?x=1"},
                "time": {"ms": 1_799_992_800_000},
                "text": ["<p>One.</p>", "<p>Two.</p>"],
                "by": [{"name": "Ann Lee"}, {"name": "Bo"}],
                "topics": ["Water", "Water", None, 5],
            },
            {"uid": 8, "headline": "Second", "links": {"self": "javascript:alert(1)"}, "time": None},
            {"uid": 9},
        ]
    },
}
ITEMS = "data.articles[]"
MAP = {
    "id": "uid", "title": "headline", "url": "links.self", "published": "time.ms",
    "body": "text", "author": "by[].name",
    "tags": "topics",
}  # fmt: skip


def parse(value, items: str = ITEMS, fields: dict = MAP) -> list[Item]:
    found = parse_json(json.dumps(value).encode(), "https://api.example/v1/", "s", items, fields, NOW)
    return [Item(*values) for values in found["items"]]


def test_items_and_their_fields() -> None:
    first, second = parse(ANSWER)
    assert (first.key, first.title, first.url) == ("7", "River rises & falls", "https://api.example/a?x=1")
    assert (first.body, first.author, first.tags) == ("One.\n\nTwo.", "Ann Lee, Bo", ("Water", "5"))
    assert first.published == 1_799_992_800.0
    assert (second.key, second.title, second.url, second.published) == ("8", "Second", "", None)


def test_text_that_is_no_markup_stays_as_written() -> None:
    (item,) = parse([{"title": "if x < y then", "url": "/a"}], "@", {"title": "title", "url": "url"})
    assert item.title == "if x < y then"


@pytest.mark.parametrize(
    ("value", "at"),
    [
        (1_799_992_800, 1_799_992_800.0),
        ("1799992800", 1_799_992_800.0),
        (1_799_992_800_000, 1_799_992_800.0),
        ("2027-01-15T08:00:00+02:00", 1_799_992_800.0),
        ("2027-01-15T06:00:00Z", 1_799_992_800.0),
        ("Fri, 15 Jan 2027 08:00:00 +0200", 1_799_992_800.0),
        ("20270115T060000Z", 1_799_992_800.0),
        ("soon", None),
        (True, None),
        ({}, None),
        (None, None),
    ],
)
def test_dates(value, at: float | None) -> None:
    assert moment(value) == at


@pytest.mark.parametrize(
    ("body", "items", "says"),
    [
        (b"<html>", "@", "the answer is no JSON .* begins with: <html>"),
        (b'{"error": "no key", "code": 3}', "articles[].x | [0]", "names no list; an object with the keys code, error"),
        (b"[" * 100_000, "@", "nested too deeply"),
        (b'[{"a": 1}, {"a": 2}]', "@", "say with `map` where they are, .*; an item is an object with the keys a"),
        (b"[1]", "length(`1`)", "cannot be evaluated"),
    ],
)
def test_what_cannot_be_read(body: bytes, items: str, says: str) -> None:
    with pytest.raises(ParseError, match=says):
        parse_json(body, "https://api.example/", "s", items, MAP, NOW)


def test_expressions_are_checked(polled) -> None:
    with pytest.raises(ValidationError, match="no JMESPath expression"):
        polled.source(json="https://api.example/", items="articles[")
    with pytest.raises(ValidationError, match="no JMESPath expression"):
        polled.source(json="https://api.example/", map={"title": "a..b"})
    with pytest.raises(ValidationError, match="titel"):
        polled.source(json="https://api.example/", map={"titel": "a"})


async def test_a_poll(serve, polled, ok) -> None:
    pages = {"/api": ok(json.dumps(ANSWER).encode(), 'ETag: "1"', "Content-Type: application/json")}
    site = await serve(pages)
    source = polled.source(json=f"{site.url}/api", items=ITEMS, map=MAP, headers={"X-Key": "k"})
    assert source.address == f"{site.url}/api"
    first = await polled.poll(source)
    assert (first.outcome, len(first.items), first.etag) == (Outcome.PARSED, 2, '"1"')
    assert site.asked[0].headers["X-Key"] == "k"
    assert (await polled.poll(source)).outcome is Outcome.SAME_BODY
    assert site.asked[1].headers["If-None-Match"] == '"1"'
    pages["/api"] = ok(b"<title>Just a moment...</title>")
    with pytest.raises(FetchError) as caught:
        await polled.poll(source)
    assert caught.value.kind is FetchKind.BLOCKED
