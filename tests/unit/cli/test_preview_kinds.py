"""`watcher preview --kind`: what a source of that kind gives, as the daemon would poll it."""

import asyncio
import gzip
import json

import pytest
from typer.testing import CliRunner

from tests.sites import hands, ok_fixture, serve
from watcher.cli import app
from watcher.sources.telegram import Telegram

__all__ = ["hands", "ok_fixture", "serve"]

PAGE = b"""<html><head><title>Town tenders</title></head><body><nav><a href="/">Home</a></nav><main><article>
<h1>Tenders</h1><p>A bridge over the lower river is to be built by next spring, and offers are taken until May.</p>
<p>The mill road is to be paved again between the old mill and the railway station of the lower town.</p>
</article></main></body></html>"""
LINKS = b"<html><body><main>" + b"".join(
    b"<h2><a href='/2027/01/river-rises-in-part-%d'>The river rises again, part %d</a></h2>" % (n, n) for n in range(5)
)
SITEMAP = (
    b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>https://lake.example/river-rises</loc>"
    b"<lastmod>2027-01-15</lastmod></url></urlset>"
)
API = json.dumps([{"title": "The river rises", "url": "https://lake.example/1"}]).encode()
POSTS = (
    b"<html><body><div class='tgme_channel_info_header_title'>Town</div><div class='tgme_widget_message_wrap'>"
    b"<div class='tgme_widget_message' data-post='town_news/7'><div class='tgme_widget_message_text'>The river rises"
    b"</div><a class='tgme_widget_message_date' href='https://t.me/town_news/7'>"
    b"<time datetime='2027-01-15T06:00:00+00:00'></time></a></div></div></body></html>"
)


@pytest.mark.parametrize(
    ("kind", "titles"),
    [
        ("links", [f"The river rises again, part {n}" for n in range(5)]),
        ("page", ["Tenders"]),
        ("sitemap", ["river rises"]),
        ("json", ["The river rises"]),
        ("telegram", ["The river rises"]),
    ],
)
async def test_a_kind_is_polled_once(serve, ok, monkeypatch, kind: str, titles: list[str]) -> None:
    html = "Content-Type: text/html; charset=utf-8"
    pages = {"links": ok(LINKS, html), "page": ok(PAGE, html), "sitemap": ok(SITEMAP), "json": ok(API)}
    site = await serve({f"/{name}": page for name, page in pages.items()} | {"/s/town_news": ok(POSTS, html)})
    monkeypatch.setattr(Telegram, "site", site.url)
    what = "@town_news" if kind == "telegram" else f"{site.url}/{kind}"

    def preview(*arguments: str):
        return CliRunner().invoke(app, ["preview", what, "--kind", kind, *arguments])

    done = await asyncio.to_thread(preview, "--json")
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    assert shown["kind"] == kind
    assert [item["title"] for item in shown["items"]] == titles
    if kind == "page":
        assert "mill road" in shown["items"][0]["body"]
    words = (await asyncio.to_thread(preview)).stdout
    assert words.startswith(f"{kind}: ") and f"{{{kind}: " in words


def test_what_cannot_be_such_a_source_is_said() -> None:
    for kind, what in (("links", "notes.html"), ("telegram", "https://lake.example/"), ("gopher", "https://a.example")):
        done = CliRunner().invoke(app, ["preview", what, "--kind", kind])
        assert done.exit_code == 2
        assert "expected" in done.stderr


async def test_a_sitemap_is_known_by_itself(serve, ok) -> None:
    site = await serve({"/map.xml": ok(SITEMAP), "/map.xml.gz": ok(gzip.compress(SITEMAP))})
    for name in ("map.xml", "map.xml.gz"):
        done = await asyncio.to_thread(CliRunner().invoke, app, ["preview", f"{site.url}/{name}"])
        assert done.exit_code == 0, done.output
        assert done.stdout.startswith("sitemap: ") and "river rises" in done.stdout
        assert f"{{sitemap: {site.url}/{name}}}" in done.stdout.replace('"', "")


async def test_json_that_is_no_feed_is_said_to_be_so(serve, ok) -> None:
    site = await serve({"/api": ok(API)})
    done = await asyncio.to_thread(CliRunner().invoke, app, ["preview", f"{site.url}/api"])
    assert done.exit_code != 0
    assert "this is JSON" in str(done.exception or "") + done.output
