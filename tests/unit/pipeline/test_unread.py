"""What is judged of an item while its article cannot be read."""

from pathlib import Path

from tests.clock import FakeClock
from tests.newsroom import configured, newsroom
from watcher.daemon.start import adopt
from watcher.model import Item, Queue
from watcher.pipeline import read
from watcher.pipeline.read import NOT_WAITS
from watcher.store import open_store

RULES = "{plain: {query: harbour}, without: {query: harbour NOT football}}"
ITEM = Item("1", "wire", "The harbour is closed", url="http://127.0.0.1:9/", outlet="wire.example")  # refused: private


async def test_a_rule_with_not_waits_for_the_article_and_what_waits_is_counted(tmp_path: Path) -> None:
    clock = FakeClock()
    async with await open_store(f"sqlite:///{tmp_path}/w.db", clock, "test") as store:
        services = newsroom(configured(tmp_path, RULES), store, clock)
        await adopt(services, services.config)
        await store.write(lambda tx: tx.items.add([ITEM], now=tx.now, baseline=False, read_at=tx.now))

        async def tried() -> tuple[int, list[str]]:
            [claim] = await store.claim(Queue.ITEM, 1, 60.0)
            counts = await read(services, claim)
            async with store.read() as tx:
                return counts.unread, sorted(alert.rule for alert in await tx.alerts.list())

        async with services.tools.fetch:
            assert await tried() == (1, ["plain"])
            clock.advance(NOT_WAITS + 1)
            assert await tried() == (1, ["plain", "without"])
