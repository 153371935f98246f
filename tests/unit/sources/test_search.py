import json
from urllib.parse import parse_qs, urlsplit

import pytest

from watcher.config import load
from watcher.errors import ConfigError, ParseError
from watcher.model import SourceState
from watcher.query import parse
from watcher.sources import Outcome
from watcher.sources.search import Search
from watcher.sources.search_query import compile_query, gdelt_term, google_term


def asked(query: str, term=gdelt_term, longest: int = 1000, **terms: str) -> str:
    return compile_query(parse(query, {name: parse(text) for name, text in terms.items()}), term).text(longest)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("Russia", "Russia"),
        ("Burkina Faso", '"Burkina Faso"'),
        ("Russia AND (Mali OR Niger OR Burkina Faso)", 'Russia ("Burkina Faso" OR Mali OR Niger)'),
        ("Russia AND @sahel", "Russia (Mali OR Niger)"),
        ("coup NOT (film OR Burkina Faso)", 'coup -film -"Burkina Faso"'),
        (
            "(Russia AND Mali) OR (France AND Niger)",
            "(France OR Russia) (Niger OR Russia) (France OR Mali) (Mali OR Niger)",
        ),
        ("Mali NEAR/5 coup", "Mali coup"),
        ("Mali AND niger*", "Mali"),
        ("Mali AND (niger* OR Togo)", "Mali"),
        ("Mali AND lang:fr AND /x+y/", "Mali"),
        ("title:Mali AND FIRST/50(coup) AND ATLEAST/2(army)", "Mali coup army"),
        ("Côte d'Ivoire", '"Cote d\'Ivoire"'),
        ("Mali AND US", "Mali"),
        ("Mali AND NOT title:film", "Mali"),
    ],
)
def test_what_a_service_can_express(query: str, text: str) -> None:
    assert (
        set(asked(query, sahel="Mali OR Niger").split(") ")) == set(text.split(") "))
        or asked(query, sahel="Mali OR Niger") == text
    )


@pytest.mark.parametrize("query", ["niger*", "NOT Mali", "Mali OR niger*", "lang:fr", "Мали"])
def test_what_it_cannot(query: str) -> None:
    with pytest.raises(ValueError, match="cannot search for it"):
        asked(query)


def test_google_takes_any_script() -> None:
    assert asked("Мали AND US", google_term) == '"Мали" "US"'


def test_a_long_query_is_cut_to_its_shorter_parts() -> None:
    words = " OR ".join(f"word{n}" for n in range(50))
    assert asked(f"Mali AND ({words}) NOT film", longest=30) == "Mali"
    with pytest.raises(ValueError, match="more than the 30 characters"):
        asked(words, longest=30)


ARTICLES = {
    "articles": [
        {
            "url": "https://www.lake.example/a",
            "url_mobile": "",
            "title": "River rises , mill closed",
            "seendate": "20270115T060000Z",
            "socialimage": "",
            "domain": "lake.example",
            "language": "French",
            "sourcecountry": "France",
        },
        {"url": "javascript:alert(1)", "title": "no"},
    ]
}
GOOGLE = """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>
<title>"mali" - Google News</title><link>https://news.google.com/search?q=mali</link><language>en-US</language>{items}
</channel></rss>"""


def headline(link: str, title: str = "River rises - again - Lake Town News", house: str = "Lake Town News") -> str:
    return (
        f"<item><title>{title}</title><link>https://news.google.com/rss/articles/{link}?oc=5</link><guid>"
        f"{link}</guid><pubDate>Fri, 15 Jan 2027 06:00:00 GMT</pubDate><description>&lt;a&gt;River&lt;/a&gt;"
        f'</description><source url="https://www.lake.example">{house}</source></item>'
    )


@pytest.fixture
def at(monkeypatch):
    return lambda site: monkeypatch.setattr(Search, "sites", {"gdelt": f"{site.url}/doc", "google": f"{site.url}/rss"})


def search(polled, service: str, query: str = "Russia AND Mali", **keys) -> Search:
    source = polled.source(search=service, rule="r", **keys)
    return source.bound({"r": parse(query)})


async def test_gdelt(serve, polled, ok, at, hands) -> None:
    body = json.dumps(ARTICLES).replace("River", "River \\\\x").replace("\\\\x", "\\x")
    site = await serve(ok(body.encode(), "Content-Type: application/json"))
    at(site)
    got = await polled.poll(search(polled, "gdelt"))
    (item,) = got.items
    assert (item.title, item.url, item.outlet, item.lang) == (
        "River \\x rises, mill closed", "https://www.lake.example/a", "lake.example", "fr",
    )  # fmt: skip
    assert (item.published, got.hints.ttl) == (1_799_992_800.0, 900.0)
    query = parse_qs(urlsplit(site.asked[0].path).query)
    assert (query["query"], query["timespan"], query["format"]) == (["Russia Mali"], ["26h"], ["json"])
    assert (await polled.poll(search(polled, "gdelt"))).outcome is Outcome.SAME_BODY
    assert parse_qs(urlsplit(site.asked[1].path).query)["timespan"] == ["2h"]
    assert [round(slept) for slept in hands.slept] == [6] or hands.slept[
        0
    ] > 5  # one question at a time, over all searches


@pytest.mark.parametrize("body", [b"{}", b""])
async def test_gdelt_finds_nothing(serve, polled, ok, at, body: bytes) -> None:
    at(await serve(ok(body)))
    assert (await polled.poll(search(polled, "gdelt"))).items == ()


async def test_gdelt_refuses_in_words(serve, polled, ok, at) -> None:
    at(await serve(ok(b"Your query was too short or too long.\n", "Content-Type: text/html")))
    with pytest.raises(ParseError, match="too short or too long"):
        await polled.poll(search(polled, "gdelt"))


async def test_google_headlines_are_known_by_words_and_outlet(serve, polled, hands, ok, at) -> None:
    pages = {}

    async def answer(asked, writer) -> None:
        writer.write(ok(GOOGLE.format(items=pages["items"]).encode(), "Content-Type: application/xml"))

    site = await serve(answer)
    at(site)
    pages["items"] = headline("CBMiA") + headline("CBMiB") + headline("CBMiC", "River rises - Hill Post", "Hill Post")
    got = await polled.poll(search(polled, "google", lang="fr"))
    assert [(item.title, item.outlet) for item in got.items] == [
        ("River rises - again", "lake.example"), ("River rises", "lake.example"),
    ]  # fmt: skip
    assert got.items[0].url == "https://news.google.com/rss/articles/CBMiA?oc=5"
    query = parse_qs(urlsplit(site.asked[0].path).query)
    assert (query["q"], query["hl"], query["ceid"]) == (['"Russia" "Mali" when:26h'], ["fr"], ["FR:fr"])
    pages["items"] = headline("CBMiOther")
    await hands.sleep(60)  # sooner than that the service is not asked again
    again = await polled.poll(search(polled, "google", lang="fr"))
    assert again.items[0].id == got.items[0].id


CONFIG = """
channels: {{screen: {{url: "console://"}}}}
sources:
  anywhere: {{search: gdelt, rule: {rule}}}
rules:
  mali: {{query: 'Russia AND Mali'}}
  vague: {{query: 'niger*'}}
"""


def test_in_a_configuration(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text(CONFIG.format(rule="mali"))
    source = load(tmp_path, {}).sources["anywhere"]
    assert "query=Russia+Mali" in source.question(polled_state(), 1_800_000_000.0)
    assert source.full_text == "auto"


def polled_state():
    return SourceState("s", 0.0)


@pytest.mark.parametrize(
    ("rule", "says"), [("nosuch", 'no rule "nosuch"'), ("vague", "rule vague: the service cannot")]
)
def test_a_rule_that_cannot_be_searched_for(tmp_path, rule: str, says: str) -> None:
    (tmp_path / "a.yaml").write_text(CONFIG.format(rule=rule))
    with pytest.raises(ConfigError, match=says):
        load(tmp_path, {})


def test_commands_are_off_unless_they_are_allowed(tmp_path) -> None:
    text = 'channels: {screen: {url: "console://"}}\nsources: {c: {command: "items --all"}}\n'
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"off unless settings\.allow_commands"):
        load(tmp_path, {})
    (tmp_path / "a.yaml").write_text(text + "settings: {allow_commands: true}\n")
    assert load(tmp_path, {}).sources["c"].address == "items"
