import asyncio
import json
from pathlib import Path

from typer.testing import CliRunner

from tests.sites import hands, ok_fixture, serve
from watcher.cli import app

__all__ = ["hands", "ok_fixture", "serve"]

RSS = (
    b"<rss version='2.0'><channel><item><title>One</title><pubDate>Fri, 15 Jan 2027 06:00:00 GMT</pubDate></item>"
    b"</channel></rss>"
)


async def test_each_source_is_polled_once(serve, ok, tmp_path: Path) -> None:
    site = await serve({"/feed": ok(RSS), "/page": ok(b"<html><title>Not a feed</title><p>Hello")})
    (tmp_path / "a.yaml").write_text(
        "channels: {screen: {url: 'console://'}}\nsettings: {fetch: {host_gap: 0s}}\nsources:\n"
        f"  good: {{feed: '{site.url}/feed'}}\n  bad: {{feed: '{site.url}/page'}}\n"
        f"  gone: {{feed: '{site.url}/gone'}}\n"
    )

    def check(*arguments: str):
        return CliRunner().invoke(app, ["check", "--config", str(tmp_path), *arguments])

    done = await asyncio.to_thread(check, "--network")
    good, bad, gone, summary = done.stdout.splitlines()
    assert done.exit_code == 1
    assert "1 item, the newest of" in good
    assert "this is a web page, not a feed" in bad
    assert "HTTP 404" in gone
    assert summary.endswith("fine")
    assert len(site.asked) == 3
    rows = json.loads((await asyncio.to_thread(check, "--network", "--json")).stdout)
    assert [(row["file"], row["level"]) for row in rows] == [("good", "info"), ("bad", "error"), ("gone", "error")]
    assert (await asyncio.to_thread(check)).exit_code == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.yaml"]
