"""What a source or an article gives: kind, items, text, language, date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watcher.cli import common

if TYPE_CHECKING:
    from watcher.extract import Article
    from watcher.fetch import Response
    from watcher.model import Item
    from watcher.sources.feed import Feed

app = typer.Typer()


@app.command()
def preview(
    what: Annotated[str, typer.Argument(metavar="URL|FILE", help="An address, or a saved feed or page.")],
    kind: Annotated[str | None, typer.Option("--kind", help="feed or article; found out where it is not given.")] = None,
    url: Annotated[str, typer.Option("--url", help="For a file: the address it was at.")] = "",
    json: common.JsonOption = False,
) -> None:
    """Show what watcher would read at URL or in FILE: a feed's items, or an article's text without the page around it."""
    if kind not in (None, "feed", "article"):
        raise typer.BadParameter(f"{kind}: expected feed or article", param_hint="--kind")
    body, headers, address = _get(what, url)
    found: Any = None
    if kind != "article" and (kind == "feed" or looks_like_feed(body)):
        found = _feed(body, headers, address)
        value = feed_json(found)
    else:
        found = _article(body, headers, address)
        value = article_json(found)
    if json:
        common.print_json(value)
    elif value["kind"] == "feed":
        _show_feed(value)
    else:
        _show_article(value)


def article_at(url: str) -> Item:
    """The article at `url` as an item. Raises FetchError, ParseError."""
    response = fetch(url)
    return _as_item(_article(response.body, dict(response.headers), response.url))


def article_in(page: bytes, url: str) -> Item:
    """The article in a saved page as an item. Raises ParseError."""
    return _as_item(_article(page, {}, url))


def looks_like_feed(body: bytes) -> bool:
    """Whether a body is a feed rather than a web page, by its first kilobytes."""
    head = body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"{"):
        return b"jsonfeed.org" in head or b'"items"' in body
    return any(mark in head for mark in (b"<rss", b"<feed", b"<rdf:rdf", b"<channel")) and b"<html" not in head


def fetch(url: str) -> Response:
    """Fetch `url`, which the user typed, so that its host may be private. Raises FetchError."""
    from random import Random

    from watcher.clock import SystemClock
    from watcher.fetch import Client, FetchSettings, Request
    from watcher.text.urls import host

    async def get() -> Response:
        async with Client(FetchSettings(), {host(url)}, SystemClock(), Random()) as client:
            return await client.get(Request(url))

    return common.run(get())


def _get(what: str, url: str) -> tuple[bytes, dict[str, str], str]:
    if what.startswith(("http://", "https://")):
        response = fetch(what)
        return response.body, dict(response.headers), response.url
    try:
        return Path(what).read_bytes(), {}, url
    except OSError as error:
        raise typer.BadParameter(f"{what}: {error.strerror}; expected a file, or an http(s) address") from error


def _feed(body: bytes, headers: dict[str, str], url: str) -> Feed:
    from watcher.sources.feed import parse

    return parse(body, headers, url)


def _article(page: bytes, headers: dict[str, str], url: str) -> Article:
    from watcher.extract import extract
    from watcher.fetch.validators import charset

    return extract(page, url, charset(headers))


def _as_item(article: Article) -> Item:
    from watcher.model import Item
    from watcher.text import urls

    return Item(
        id=article.url,
        source="",
        title=article.title,
        body=article.text,
        author=article.author,
        url=article.url,
        outlet=urls.outlet(article.url),
        site=urls.host(article.url),
        lang=article.lang or "und",
        published=article.published,
    )


def feed_json(feed: Feed) -> dict[str, Any]:
    """A feed as `--json` prints it."""
    return {
        "kind": "feed",
        "title": feed.title,
        "items": [
            {
                "id": item.id,
                "title": item.title,
                "url": item.url,
                "published": common.iso(item.published),
                "author": item.author,
                "summary": item.summary,
                "body": item.body,
                "lang": item.lang,
            }
            for item in feed.items
        ],
    }


def article_json(article: Article) -> dict[str, Any]:
    """An article as `--json` prints it."""
    return {
        "kind": "article",
        "title": article.title,
        "text": article.text,
        "published": common.iso(article.published),
        "lang": article.lang or "und",
        "url": article.url,
    }


def _show_feed(feed: dict[str, Any]) -> None:
    typer.echo(f"feed: {feed['title'] or '(no title)'}, {len(feed['items'])} items")
    for item in feed["items"]:
        typer.echo(f"\n{item['title'] or '(no title)'}")
        typer.echo(f"  {item['published'] or 'undated'} · {item['lang']} · {item['url'] or 'no link'}")
        text = item["body"] or item["summary"]
        if text:
            typer.echo(f"  {common.shorten(text, 240)}")


def _show_article(article: dict[str, Any]) -> None:
    words = len(article["text"].split())
    typer.echo(f"article: {article['title'] or '(no title)'}")
    typer.echo(f"  {article['published'] or 'undated'} · {article['lang']} · {words} words · {article['url']}")
    typer.echo(f"\n{article['text']}")
