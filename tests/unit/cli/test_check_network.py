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
    assert summary == "1 channel, 3 sources, 0 rules: 2 sources could not be read"
    assert len(site.asked) == 3
    rows = json.loads((await asyncio.to_thread(check, "--network", "--json")).stdout)
    assert [(row["file"], row["level"]) for row in rows] == [("good", "info"), ("bad", "error"), ("gone", "error")]
    assert (await asyncio.to_thread(check)).exit_code == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.yaml"]


async def test_many_sources_of_one_host_are_all_tried(serve, ok, tmp_path: Path) -> None:
    names = [f"s{number:02}" for number in range(14)]
    site = await serve({f"/{name}": ok(RSS) for name in names})
    (tmp_path / "a.yaml").write_text(
        "channels: {screen: {url: 'console://'}}\nsettings: {fetch: {host_gap: 0s}}\nsources:\n"
        + "".join(f"  {name}: {{feed: '{site.url}/{name}'}}\n" for name in names)
    )
    arguments = ["check", "--config", str(tmp_path), "--network"]
    done = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    assert done.exit_code == 0, done.stdout
    assert len(site.asked) == 14


async def test_what_stood_as_a_reference_is_shown_as_one(serve, ok, tmp_path: Path, monkeypatch) -> None:
    """Wherever in the address it stands, and whatever it is called."""
    monkeypatch.setenv("FEED_KEY", "s3cr3t-4nd-more")
    site = await serve({})
    (tmp_path / "a.yaml").write_text(
        "channels: {screen: {url: 'console://'}}\nsettings: {fetch: {host_gap: 0s}}\nsources:\n"
        f"  a: {{feed: '{site.url}/${{FEED_KEY}}/feed'}}\n  b: {{feed: '{site.url}/feed?q=${{FEED_KEY}}&x=1'}}\n"
    )
    done = await asyncio.to_thread(CliRunner().invoke, app, ["check", "--config", str(tmp_path), "--network"])
    assert {asked.path for asked in site.asked} == {"/s3cr3t-4nd-more/feed", "/feed?q=s3cr3t-4nd-more&x=1"}
    assert "s3cr3t" not in done.output
    assert f"{site.url}/${{FEED_KEY}}/feed: HTTP 404" in done.output
    assert f"{site.url}/feed?q=${{FEED_KEY}}&x=1: HTTP 404" in done.output


async def test_a_feed_that_ends_too_early_is_read_with_a_remark(serve, ok, tmp_path: Path) -> None:
    site = await serve({"/feed": ok(RSS.removesuffix(b"/channel></rss>"))})
    (tmp_path / "a.yaml").write_text(
        "channels: {screen: {url: 'console://'}}\nsettings: {fetch: {host_gap: 0s}}\nsources:\n"
        f"  cut: {{feed: '{site.url}/feed'}}\n"
    )
    arguments = ["check", "--config", str(tmp_path), "--network", "--json"]
    done = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    [row] = json.loads(done.stdout)
    assert done.exit_code == 0
    assert row["level"] == "warning" and row["message"].startswith("1 item, the newest of")
    assert row["message"].endswith("; its XML is broken, so that entries may be missing: unclosed token")


async def test_the_delay_to_expect_is_told_per_rule(serve, ok, tmp_path: Path) -> None:
    hub = RSS.replace(
        b"<channel>",
        b"<channel xmlns:a='http://www.w3.org/2005/Atom'><a:link rel='hub' href='https://hub.example/'/>"
        b"<a:link rel='self' href='https://news.example/feed'/>",
    )
    site = await serve({"/feed": ok(RSS), "/hub": ok(hub)})
    (tmp_path / "a.yaml").write_text(
        "channels: {screen: {url: 'console://'}}\nsettings: {fetch: {host_gap: 0s}, public_url: 'https://w.example',"
        " web: {listen: '127.0.0.1:8080'}}\nsources:\n"
        f"  polled: {{feed: '{site.url}/feed', every: 20m, full_text: never}}\n"
        f"  pushed: {{feed: '{site.url}/hub', full_text: never}}\n"
        f"  gone: {{feed: '{site.url}/gone'}}\n"
        "rules:\n  both: {query: a}\n  quick: {query: b, sources: [pushed]}\n  lost: {query: c, sources: [gone]}\n"
    )

    def check(*arguments: str):
        return CliRunner().invoke(app, ["check", "--config", str(tmp_path), "--network", *arguments])

    lines = (await asyncio.to_thread(check)).stdout.splitlines()
    assert lines[3].split(maxsplit=1) == [
        "both",
        "delay to expect 6s, at most 20m (2 sources; the slowest is polled: polled every 20m: as configured)",
    ]
    assert "delay to expect 6s, at most 7s (1 source; the slowest is pushed: its hub pushes)" in lines[4]
    assert lines[5].split(maxsplit=1) == ["lost", "none of its sources could be read"]
    assert len(lines) == 7
    rows = json.loads((await asyncio.to_thread(check, "--json")).stdout)
    delays = {row["file"]: row["delay"] for row in rows if "delay" in row}
    assert delays == {
        "both": {"typical_seconds": 6, "most_seconds": 1205, "slowest": "polled"},
        "quick": {"typical_seconds": 6, "most_seconds": 7, "slowest": "pushed"},
    }
    assert [(row["level"], row["message"]) for row in rows if row["file"] == "lost"] == [
        ("warning", "none of its sources could be read")
    ]
