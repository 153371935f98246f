"""`watcher status`: what a person is told of a store."""

import asyncio
from pathlib import Path

from typer.testing import CliRunner

from watcher.cli import app
from watcher.clock import SystemClock
from watcher.model import Queue
from watcher.store import open_store

CONFIG = """\
settings: {store: 'sqlite:///w.db'}
channels: {screen: {url: 'console://'}}
sources: {dead: {feed: 'https://dead.example/feed'}, never: {feed: 'https://never.example/feed'}}
rules: {any: {query: harbour}}
"""


async def failed_once(folder: Path) -> None:
    async with await open_store(f"sqlite:///{folder}/w.db", SystemClock(), "test", exclusive=True) as store:
        now = store.now()
        await store.write(lambda tx: tx.sources.sync([("dead", now - 1, "feed", "x")], now))
        [claim] = await store.claim(Queue.SOURCE, 1, 60.0)
        await store.write(lambda tx: tx.sources.failed(claim, now + 60, "the answer was 404", "http", None))


def test_a_source_whose_last_poll_failed_is_named_before_it_counts_as_failing(tmp_path: Path) -> None:
    (tmp_path / "watcher.yaml").write_text(CONFIG)
    asyncio.run(failed_once(tmp_path))
    result = CliRunner().invoke(app, ["status", "--config", str(tmp_path / "watcher.yaml")])
    assert result.exit_code == 1, result.output  # no daemon runs
    assert "sources: 1: 1 ok; 1 of the ok ones failed at the last poll" in result.output
    assert "  dead: the answer was 404" in result.output
