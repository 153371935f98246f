"""Every real feed of the corpora through the real pipeline: no crash, no stall, as many items as feedparser counts."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import feedparser
import pytest
from aiohttp import web

from tests.paths import CORPORA
from watcher.cli.common import load_config
from watcher.clock import SystemClock
from watcher.config import Config
from watcher.daemon import once
from watcher.store import open_store

FEEDS = CORPORA / "feeds"
TYPES = {".json": "application/feed+json", ".xml": "application/xml"}


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The files of a folder over HTTP; gives the address."""
    loop, ready, found = asyncio.new_event_loop(), threading.Event(), {}
    stop = asyncio.Event()

    async def get(request: web.Request) -> web.Response:
        path = folder / request.match_info["name"]
        return web.Response(body=path.read_bytes(), content_type=TYPES.get(path.suffix, "application/xml"))

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/{name}", get)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found["address"] = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield found["address"]
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


def configuration(directory: Path, manifest: list[dict[str, Any]], address: str) -> Config:
    lines = [
        "settings: {store: 'sqlite:///feeds.db', fetch: {host_gap: 0s, per_host: 8}}",
        "channels: {screen: {url: 'console://'}}",
        "rules: {all: {query: 'the OR a OR Russia', notify: [screen]}}",
        "sources:",
    ]
    for number, feed in enumerate(manifest):
        url = f"{address}/{Path(feed['file']).name}"
        lines.append(f"  feed-{number}: {{feed: '{url}', full_text: never, first_poll: silent}}")
    (directory / "watcher.yaml").write_text("\n".join(lines))
    return load_config(directory / "watcher.yaml")


@pytest.mark.skipif(not FEEDS.is_dir(), reason="the corpora are not here")
async def test_every_real_feed_is_polled_and_its_items_are_those_that_feedparser_counts(tmp_path: Path) -> None:
    manifest = json.loads((FEEDS / "manifest.json").read_text())
    with serving(FEEDS / "real") as address:
        config = configuration(tmp_path, manifest, address)
        async with asyncio.timeout(240):
            counts = await once(config, SystemClock(), Random(1))
    async with await open_store(config.settings.store, SystemClock(), "test") as store, store.read() as tx:
        sources = {row.state.id: row for row in await tx.sources.list()}

    assert counts.polled == len(manifest)
    failed = {feed["file"] for number, feed in enumerate(manifest) if sources[f"feed-{number}"].state.failures}
    listed = {feed["file"]: sources[f"feed-{number}"].listed for number, feed in enumerate(manifest)}
    counted = {feed["file"]: feed["fp_entries"] for feed in manifest if not feed["file"].endswith(".json")}
    different = {file for file, entries in counted.items() if file not in failed and listed[file] != entries}
    print(f"{len(manifest)} feeds, {counts.new_items} items, {len(failed)} refused, {len(different)} repeat entries")

    # What feedparser finds no entry in may be refused as no feed at all; all else must be read.
    assert not [file for file in failed if counted.get(file, 0)]
    # An entry that stands twice, or says nothing, is no further item.
    assert {file: listed[file] for file in different} == {file: telling_entries(FEEDS / file) for file in different}
    assert len(different) <= 10


def telling_entries(file: Path) -> int:
    """How many entries of a feed say something that no other of them says, by feedparser's own reading."""
    entries = feedparser.parse(file.read_bytes()).entries
    return len({said for entry in entries if any(said := words_of(entry))})


def words_of(entry: Any) -> tuple[str, ...]:
    texts = [entry.get("title", ""), entry.get("summary", ""), *(one["value"] for one in entry.get("content", ()))]
    plain = re.sub(r"<[^>]*>|\s+", "", " ".join(texts))
    return (plain,) if plain else (entry.get("link", ""),)
