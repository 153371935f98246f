"""What a source or an article gives: items, text, language, date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watcher.cli import common
from watcher.model import Item

if TYPE_CHECKING:
    from watcher.extract import Article
    from watcher.fetch import Client
    from watcher.workers import Workers

app = typer.Typer(add_completion=False)

FULL = 100  # words from which a page is an article
EXAMPLES = 5  # that are shown of what a page lists
POLLED = ("links", "page", "sitemap", "json", "telegram")  # by their source, as the daemon does
KINDS = ("feed", "article", "site", *POLLED)


@app.command()
def preview(
    what: Annotated[str, typer.Argument(metavar="URL|FILE", help="An address, or a saved feed or page.")],
    kind: Annotated[
        str | None, typer.Option("--kind", help=f"{', '.join(KINDS)}; found out where it is not given.")
    ] = None,
    url: Annotated[str, typer.Option("--url", help="For a file: the address it was at.")] = "",
    json: common.JsonOption = False,
) -> None:
    """Show what watcher would read at URL or in FILE.

    A feed's items, an article without the page around it, or what a site offers (feeds, sitemaps, the articles that a
    page lists), with the lines to paste into `sources:`. With --kind links, page, sitemap, json or telegram, what such
    a source gives at its first poll.
    """
    if kind not in (None, *KINDS):
        raise typer.BadParameter(f"{kind}: expected one of {', '.join(KINDS)}", param_hint="--kind")
    if kind in POLLED and url:
        raise typer.BadParameter(f"--kind {kind} reads an address, not a file", param_hint="--url")
    value = common.run(_polled(what, kind) if kind in POLLED else _preview(what, kind, url))
    if json:
        common.print_json(value if value["kind"] == "site" else {k: v for k, v in value.items() if k != "yaml"})
    elif "items" in value:
        _show_feed(value)
    elif value["kind"] == "site":
        _show_site(value)
    else:
        _show_article(value)


async def _preview(what: str, kind: str | None, url: str) -> dict[str, Any]:
    from watcher.errors import ParseError
    from watcher.workers import Workers

    body, content_type, address = await _get(what, url)
    online = what.startswith(("http://", "https://"))
    if kind is None and online and looks_like_sitemap(body):
        return await _polled(what, "sitemap")
    if kind is None and online and body.lstrip()[:1] in (b"{", b"[") and not looks_like_feed(body):
        raise ParseError(
            f"{what}: this is JSON: `json: {what}` with `items:` (where its list is) and `map:` (what is an item's "
            "title, url and text) reads it; `watcher preview --kind json` says what is in it"
        )
    async with Workers(count=1) as workers:
        if kind == "feed" or (kind is None and looks_like_feed(body)):
            feed = await _feed(body, content_type, address, workers)
            return feed | ({"yaml": _yaml([("feed", address)])} if online else {})
        if kind == "article" or not online:
            return _article_json(await _article(body, content_type, address, workers))
        article = await _article(body, content_type, address, workers)
        # The front page of a site says little in whole sentences, and leads to much.
        if kind == "site" or _is_front(address) or len(article.text.split()) < FULL:
            return await _site(body, content_type, address, workers)
        return _article_json(article)


async def _site(body: bytes, content_type: str, url: str, workers: Workers) -> dict[str, Any]:
    from watcher import extract
    from watcher.clock import SystemClock
    from watcher.fetch import Request
    from watcher.sources import Tools
    from watcher.sources.discover import discover

    async with _client(url) as client:
        tools = Tools(client, workers, SystemClock())
        _, charset = extract.content_type(content_type)
        offers = await discover(body, charset, url, tools, Request)
    return {
        "kind": "site",
        "url": url,
        "offers": [
            {"kind": offer.kind, "address": offer.address, "title": offer.title, "examples": list(offer.examples)}
            for offer in offers
        ],
        "yaml": _yaml([(offer.kind, offer.address) for offer in offers]),
    }


def _is_front(url: str) -> bool:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return not parts.path.strip("/") and not parts.query


def _yaml(offers: list[tuple[str, str]]) -> str:
    from watcher.sources.discover import Offer, as_yaml

    return as_yaml([Offer(kind, address) for kind, address in offers])


async def article_at(what: str, url: str = "") -> Item:
    """The article at a URL, or in a file that was at `url`, as an item. Raises FetchError; ParseError for a feed."""
    from watcher.errors import ParseError
    from watcher.text import urls
    from watcher.workers import Workers

    body, content_type, address = await _get(what, url)
    if looks_like_feed(body):
        shows = f"`watcher preview {what}` shows its entries, `watcher backtest` what a query catches"
        raise ParseError(f"{what}: this is a feed, not an article; {shows}")
    async with Workers(count=1) as workers:
        article = await _article(body, content_type, address, workers)
    return Item(
        id=article.url,
        source="",
        title=article.title,
        body=article.text,
        author=article.author,
        url=article.url,
        outlet=urls.outlet(article.url),
        site=urls.host(article.url),
        lang=_lang(article.title, article.text, article.lang),
        published=article.published,
    )


def looks_like_feed(body: bytes) -> bool:
    """Whether a body is a feed rather than a web page, by its first kilobytes."""
    head = body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"{"):
        return b"jsonfeed.org" in head or b'"items"' in body
    return any(mark in head for mark in (b"<rss", b"<feed", b"<rdf:rdf", b"<channel")) and b"<html" not in head


def looks_like_sitemap(body: bytes) -> bool:
    """Whether a body is a sitemap or an index of them, packed or not, by its first kilobytes."""
    import zlib

    if body.startswith(b"\x1f\x8b"):
        try:
            body = zlib.decompressobj(31).decompress(body, 4096)
        except zlib.error:
            return False
    return any(mark in body[:4096] for mark in (b"<urlset", b"<sitemapindex"))


def looks_like_page(body: bytes) -> bool:
    """Whether a body is a web page, by its first kilobytes."""
    head = body[:4096].lower()
    return b"<html" in head or b"<!doctype html" in head or b"<body" in head


async def _get(what: str, url: str) -> tuple[bytes, str, str]:
    """Body, Content-Type and address of a URL or a file. What the user typed may be at a private address."""
    if not what.startswith(("http://", "https://")):
        try:
            return Path(what).read_bytes(), "", url  # noqa: ASYNC240 - nothing else runs beside it
        except OSError as error:
            raise typer.BadParameter(f"{what}: {error.strerror}; expected a file, or an http(s) address") from error
    from watcher.fetch import Request

    async with _client(what) as client:
        response = await client.get(Request(what))
    return response.body, response.headers.get("Content-Type", ""), response.url


def _client(url: str) -> Client:
    from random import Random

    from watcher.clock import SystemClock
    from watcher.fetch import Client, FetchSettings
    from watcher.text.urls import host

    return Client(FetchSettings(), {host(url)}, SystemClock(), Random())


async def _feed(body: bytes, content_type: str, url: str, workers: Workers) -> dict[str, Any]:
    import time

    from watcher.sources.feed import PARSE, PARSE_DEADLINE

    parsed = await workers.run(PARSE, body, content_type, url, url, time.time(), deadline=PARSE_DEADLINE)
    flaw = {"flaw": parsed["flaw"]} if parsed["flaw"] else {}
    return feed_json(parsed["title"], [Item(*values) for values in parsed["items"]]) | flaw


async def _article(page: bytes, content_type: str, url: str, workers: Workers) -> Article:
    from watcher import extract

    _, charset = extract.content_type(content_type)
    return await extract.article_of(page, url, workers, charset)


def _lang(title: str, text: str, declared: str) -> str:
    from watcher.text.language import detect

    return detect(title, text, declared)


async def _polled(what: str, kind: str) -> dict[str, Any]:
    """What a source of `kind` at `what` gives. Raises FetchError, ParseError."""
    from pydantic import ValidationError

    from watcher.clock import SystemClock
    from watcher.fetch.exchange import ACCEPT_PAGE
    from watcher.model import SourceState
    from watcher.sources import Tools, conditional, kinds
    from watcher.sources.page import Page
    from watcher.workers import Workers

    try:
        source = kinds()[kind].model_validate({kind: what}).named("preview")
    except ValidationError as error:
        said = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise typer.BadParameter(f"{what}: {said}", param_hint="URL") from None
    state = SourceState(source.id, 0.0)
    async with _client(source.address) as client, Workers(count=1) as workers:
        tools = Tools(client, workers, SystemClock())
        if isinstance(source, Page):  # its first poll gives no item: what is watched is shown
            got = await conditional.fetch(source, state, tools, accept=ACCEPT_PAGE, robots=True)
            shown = await source.read(got.response, tools, state)
            text = "\n".join(line for _, line in shown["lines"])
            title, items = shown["title"], [Item("", "", shown["title"], body=text, url=got.response.url)]
        else:
            poll = await source.poll(state, tools)
            title, items = poll.title, list(poll.items)
    return feed_json(title, items, kind) | {"yaml": _yaml([(kind, what)])}


def feed_json(title: str, items: list[Item], kind: str = "feed") -> dict[str, Any]:
    """What a source gives as `--json` prints it."""
    return {
        "kind": kind,
        "title": title,
        "items": [
            {
                "id": item.id,
                "title": item.title,
                "url": item.url,
                "published": common.iso(item.published),
                "author": item.author,
                "summary": item.summary,
                "body": item.body,
                "lang": _lang(item.title, item.body or item.summary, item.lang),
            }
            for item in items
        ],
    }


def _article_json(article: Article) -> dict[str, Any]:
    """An article as `--json` prints it."""
    return {
        "kind": "article",
        "title": article.title,
        "text": article.text,
        "published": common.iso(article.published),
        "lang": _lang(article.title, article.text, article.lang),
        "url": article.url,
    }


def _show_feed(feed: dict[str, Any]) -> None:
    gave = "whose changes are told" if feed["kind"] == "page" else common.count(len(feed["items"]), "item")
    typer.echo(f"{feed['kind']}: {feed['title'] or '(no title)'}, {gave}")
    if feed.get("flaw"):
        typer.echo(f"  {feed['flaw']}")
    for item in feed["items"]:
        typer.echo(f"\n{item['title'] or '(no title)'}")
        typer.echo(f"  {item['published'] or 'undated'} · {item['lang']} · {item['url'] or 'no link'}")
        text = item["body"] or item["summary"]
        if text:
            typer.echo(f"  {common.shorten(text, 240)}")
    _show_yaml(feed)


def _show_site(site: dict[str, Any]) -> None:
    typer.echo(f"site: {site['url']}")
    for offer in site["offers"]:
        about = f"  ({offer['title']})" if offer["title"] else ""
        typer.echo(f"\n{offer['kind']}: {offer['address']}{about}")
        for example in offer["examples"][:EXAMPLES]:
            typer.echo(f"  {common.shorten(example, 100)}")
        if len(offer["examples"]) > EXAMPLES:
            typer.echo(f"  and {len(offer['examples']) - EXAMPLES} more")
    _show_yaml(site)


def _show_yaml(value: dict[str, Any]) -> None:
    """The lines to paste, where the value came from the web."""
    if value.get("yaml"):
        typer.echo(f"\nTo read it, put this into your configuration:\n\n{value['yaml']}", nl=False)


def _show_article(article: dict[str, Any]) -> None:
    words = len(article["text"].split())
    typer.echo(f"article: {article['title'] or '(no title)'}")
    typer.echo(f"  {article['published'] or 'undated'} · {article['lang']} · {words} words · {article['url']}")
    typer.echo(f"\n{article['text']}")
