import gzip
import json

import pytest

from tests.paths import CORPORA
from watcher.errors import FetchError, FetchKind, ParseError
from watcher.sources import Outcome
from watcher.sources.link_finder import Link, address_score, articles, links_of
from watcher.sources.select import tree_of

STORIES = [
    ("/local/2027/01/15/river-rises-over-the-old-mill", "River rises over the old mill"),
    ("/local/2027/01/15/council-votes-on-the-ferry", "Council votes on the ferry"),
    ("/business/glassworks-hires-forty-in-lake-town-88123.html", "Glassworks hires forty"),
    ("/sport/rowers-win-the-spring-cup-88131.html", "Rowers win the spring cup"),
]


def listing(*stories: tuple[str, str], extra: str = "") -> str:
    teasers = "".join(
        f'<article class="teaser"><a href="{url}"><img src="x.jpg" alt="A picture"></a>'
        f'<h3><a href="{url}?utm_source=front">{title}</a></h3><p>On it.</p><a href="{url}">Read more</a></article>'
        for url, title in stories
    )
    return f"""<!doctype html><html lang="en"><head><title>Lake Town News</title></head><body>
<header><nav><a href="/">Home</a><a href="/local">Local</a><a href="/business/what-our-readers-say">What our readers say
</a></nav></header><main><h1>News</h1><section class="list">{teasers}</section>
<ul class="tags"><li><a href="/tag/river-and-lake-and-sea">river and lake and sea</a></li></ul>{extra}
<a href="/author/anna-of-the-lower-town">Anna of the lower town</a>
<a href="https://elsewhere.example/a-story-of-another-house-12345">A story of another house entirely</a></main>
<footer><a href="/about-us-and-what-we-do">About us and what we do</a>
<a href="/privacy">Privacy</a></footer></body></html>"""


def found(page: str, url: str = "https://lake.example/news") -> list[Link]:
    return articles(links_of(tree_of(page), url), url)


def test_articles_are_told_from_menus_tags_authors_and_other_houses() -> None:
    got = found(listing(*STORIES))
    assert [(link.url.partition("?")[0], link.text) for link in got] == [
        (f"https://lake.example{url}", title) for url, title in STORIES
    ]


def test_addresses_that_say_nothing_are_taken_by_the_list_that_they_stand_in() -> None:
    rows = "".join(f'<li><a href="/show/{word}">{word} meets the old council again</a></li>' for word in "abcde")
    page = f'<html><body><p><a href="/x">Our house</a></p><ul class="rows">{rows}</ul><a href="/y">Imprint</a>'
    assert [link.url for link in found(page)] == [f"https://lake.example/show/{word}" for word in "abcde"]


def test_a_page_without_a_list_gives_nothing() -> None:
    assert found("<html><body><a href='/a'>One</a> <a href='/b'>Two</a> <a href='/c'>Three</a></body></html>") == []


@pytest.mark.parametrize(
    ("url", "score"),
    [
        ("https://h.example/2027/01/15/river", 2),
        ("https://h.example/world/river-rises-over-mill", 2),
        ("https://h.example/river-rises-88123", 2),
        ("https://h.example/новини/річка-вийшла-з-берегів", 2),
        ("https://h.example/news.php?id=7", 1),
        ("https://h.example/88123", 1),
        ("https://h.example/world", 0),
        ("https://h.example/", -1),
        ("https://h.example/tag/river-rises-over-mill", -1),
        ("https://h.example/photo/river-rises-over-mill.jpg", -1),
        ("https://h.example/river-rises-over-mill/#comment-5", -1),
        ("https://h.example/login", -1),
    ],
)
def test_addresses(url: str, score: int) -> None:
    assert address_score(url) == score


@pytest.mark.skipif(not CORPORA.is_dir(), reason="needs the corpora")
def test_real_pages() -> None:
    """Real articles' own addresses look like articles'; what is chosen on real pages is hardly ever a menu's."""
    truth = json.loads((CORPORA / "pages" / "ground-truth.json").read_text(encoding="utf-8"))
    own = [address_score(page["url"]) for page in truth.values()]
    assert sum(score >= 1 for score in own) >= 0.9 * len(own)
    with_links = short = chosen = 0
    for name, page in truth.items():
        file = CORPORA / "pages" / f"{name}.html.gz"
        if not file.exists():
            continue
        got = found(gzip.decompress(file.read_bytes()).decode("utf-8", "replace"), page["url"])
        with_links += bool(got)
        chosen += len(got)
        short += sum(len(link.text.split()) < 2 for link in got)
    assert with_links >= 0.75 * len(truth)
    assert short <= 0.06 * chosen


async def test_new_links_are_items(serve, polled, ok) -> None:
    pages = {"/news": ok(listing(*STORIES[:3]).encode(), "Content-Type: text/html")}
    site = await serve(pages)
    source = polled.source(links=f"{site.url}/news")
    first = await polled.poll(source)
    assert (first.outcome, first.title, len(first.items)) == (Outcome.PARSED, "Lake Town News", 3)
    assert first.items[0].title == "River rises over the old mill"
    assert (first.items[0].body, first.items[0].published, first.items[0].lang) == ("", None, "en")
    assert (await polled.poll(source)).outcome is Outcome.SAME_BODY
    pages["/news"] = ok(listing(STORIES[3], *STORIES[:2]).encode(), "Content-Type: text/html")
    second = await polled.poll(source)
    new = {item.id for item in second.items} - {item.id for item in first.items}
    assert [item.title for item in second.items if item.id in new] == ["Rowers win the spring cup"]


@pytest.mark.parametrize("select", ["ul.tags a", "ul.tags", "//ul[@class='tags']//a", "//ul[@class='tags']//a/@href"])
async def test_select(serve, polled, ok, select: str) -> None:
    site = await serve({"/news": ok(listing(*STORIES).encode(), "Content-Type: text/html")})
    (item,) = (await polled.poll(polled.source(links=f"{site.url}/news", select=select))).items
    assert (item.url, item.title) == (f"{site.url}/tag/river-and-lake-and-sea", "river and lake and sea")


async def test_a_page_that_lists_nothing_is_an_error(serve, polled, ok) -> None:
    pages = {"/news": ok(b"<html><body><p>We are being rebuilt.</p></body></html>", "Content-Type: text/html")}
    site = await serve(pages)
    with pytest.raises(ParseError, match="looks like an article"):
        await polled.poll(polled.source(links=f"{site.url}/news"))
    with pytest.raises(ParseError, match=r"nothing on the page fits `select: \.list a`"):
        await polled.poll(polled.source(links=f"{site.url}/news", select=".list a"))
    pages["/news"] = ok(b"<title>Just a moment...</title>", "Content-Type: text/html")
    with pytest.raises(FetchError) as caught:
        await polled.poll(polled.source(links=f"{site.url}/news"))
    assert caught.value.kind is FetchKind.BLOCKED


async def test_robots_txt_is_asked(serve, polled, ok) -> None:
    site = await serve({"/robots.txt": ok(b"User-agent: *\nDisallow: /")})
    with pytest.raises(FetchError) as caught:
        await polled.poll(polled.source(links=f"{site.url}/news"))
    assert caught.value.kind is FetchKind.ROBOTS
