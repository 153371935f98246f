import pytest

from watcher.sources.cut import Memory, cut
from watcher.sources.feed_parser import parse_bytes

NOW = 1_800_000_000.0
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>Bäche</title>\n'
FOOT = "\n<ttl>30</ttl></channel></rss>\n"


def item(number: int, more: str = "") -> str:
    return f"<item><guid>{number}</guid><title>Piece {number} ü</title>{more}</item>"


def rss(*items: str, head: str = HEAD, foot: str = FOOT) -> bytes:
    return (head + "\n ".join(items) + foot).encode()


def parse(body: bytes, seen: str = "", content_type: str = "application/xml", url: str = "https://news.example/feed"):
    return parse_bytes(body, content_type, url, "s", NOW, seen)


def titles(parsed) -> list[str]:
    return [values[2] for values in parsed["items"]]


def test_the_pieces_make_the_whole() -> None:
    body = rss(item(1), item(2, "<description>a &lt; b</description>"), item(3))
    pieces = cut(body)
    assert pieces is not None
    assert pieces.entries[0].decode() == item(1)
    assert pieces.only([]) == (HEAD + FOOT).encode()
    assert pieces.only([2, 0]) == (HEAD + item(1) + item(3) + FOOT).encode()


def test_atom_rdf_and_a_byte_order_mark() -> None:
    atom = b'\xef\xbb\xbf<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id></entry >\n'
    atom += b"<entry><id>2</id></entry></feed>"
    pieces = cut(atom)
    assert pieces and pieces.entries == (b"<entry><id>1</id></entry >", b"<entry><id>2</id></entry>")
    rdf = (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
        b'<channel/><item rdf:about="u"><title>t</title></item></rdf:RDF>'
    )
    pieces = cut(rdf)
    assert pieces and pieces.foot == b"</rdf:RDF>"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<rss><channel></channel></rss>",  # nothing to cut
        rss(item(1), item(2, "<b>"), item(3)),  # not well-formed
        rss(item(1), item(2, "&nbsp;")),
        rss(item(1, "<media:thumbnail/>")),  # its prefix is bound to nothing
        rss(item(1), "<title>between</title>", item(2)),
        rss(item(1), "<!-- between -->", item(2)),
        rss(item(1), item(2, "<item/>")),
        rss(item(1), "<item/>"),
        rss(item(1), item(2), head="\n" + HEAD),
        rss(item(1), head='<!DOCTYPE rss [<!ENTITY a "b">]><rss version="2.0"><channel>'),
        rss(item(1), foot="</channel><item/></rss>"),
        b'<?xml version="1.0" encoding="utf-8"?><rss><channel><item><title>\xe9</title></item></channel></rss>',
        b'<?xml version="1.0" encoding="gb2312"?><rss><channel><item><title>a</title></item></channel></rss>',
        "\ufeff<rss><channel><item/></channel></rss>".encode("utf-16"),
        b"<channel><item><title>CDF</title></item></channel>",
        b'{"items": []}',
    ],
)
def test_what_is_not_certain_is_not_cut(body: bytes) -> None:
    assert cut(body) is None


@pytest.mark.parametrize(
    ("content_type", "certain"),
    [
        ("", True),
        ("application/rss+xml", True),
        ("text/xml", True),
        ("text/xml; charset=UTF8", True),
        ("text/xml; charset=iso-8859-1", False),  # against what the feed says of itself
        ("text/xml; charset=nonsense", False),
    ],
)
def test_two_encodings_are_one_too_many(content_type: str, certain: bool) -> None:
    assert (cut(rss(item(1)), content_type) is not None) is certain


def test_an_encoding_that_nobody_names_is_guessed_over_the_whole() -> None:
    body = rss(item(1), head="<rss version='2.0'><channel>")
    assert cut(body, "text/xml") is None
    assert cut(body, "application/xml") is not None


def test_only_new_pieces_are_parsed_and_the_rest_is_remembered() -> None:
    first = parse(rss(item(1), item(2)))
    second = parse(rss(item(3), item(1), item(2)), first["seen"])
    assert titles(second) == ["Piece 3 ü"]
    whole = parse(rss(item(3), item(1), item(2)))
    assert (second["listed"], second["seen"], second["items"][0]) == (whole["listed"], whole["seen"], whole["items"][0])
    assert (second["title"], second["ttl"], second["entries"]) == ("Bäche", 1800.0, 3)
    assert Memory.load(second["seen"]).dump() == second["seen"]


def test_an_entry_that_was_edited_is_parsed_again_and_keeps_its_id() -> None:
    first = parse(rss(item(1), item(2)))
    second = parse(rss(item(1, "<description>more</description>"), item(2)), first["seen"])
    assert titles(second) == ["Piece 1 ü"]
    assert second["listed"] == first["listed"]


@pytest.mark.parametrize(
    "body",
    [
        rss(item(1, "<author>a</author>"), item(1), item(2)),  # one guid on two entries: their ids hang on each other
        rss("<item><title>No guid</title><link>https://news.example/3</link></item>", item(1), item(2)),
        rss("<item><guid isPermaLink='false'>9</guid></item>", item(1), item(2)),  # says nothing
        rss(item(3, "<x>"), item(1), item(2)),
        rss(item(3), item(4)),
        rss(item(3), item(1), item(2), head=HEAD.replace("<channel>", '<channel xml:lang="fr">')),
    ],
)
def test_where_it_could_make_a_difference_the_whole_is_parsed(body: bytes) -> None:
    first = parse(rss(item(1), item(2)))
    assert parse(body, first["seen"]) == parse(body)


def test_another_address_makes_other_links() -> None:
    one = "<item><title>t</title><link>a</link></item>"
    first = parse(rss(one))
    moved = parse(rss(one), first["seen"], url="https://other.example/feed")
    assert moved["listed"] != first["listed"] and titles(moved) == ["t"]


def test_a_head_alone_that_changed() -> None:
    first = parse(rss(item(1)))
    again = parse(rss(item(1), head=HEAD.replace("Bäche", "Flüsse")), first["seen"])
    assert (again["items"], again["title"], again["seen"]) == ([], "Flüsse", first["seen"])


def test_a_feed_that_feedparser_reads_by_guessing_is_not_remembered() -> None:
    assert parse(rss(item(1, "&nbsp;")))["seen"] == ""
    assert parse(b'{"items": [{"id": "1", "title": "t"}]}')["seen"] == ""
