"""The store: what watcher remembers, and the schedule and outbox that it works by. SQLite or PostgreSQL.

tables.py holds the tables; the module of each noun the statements about it, once for both engines; sqlite.py and
postgres.py what differs. A new engine is one more such module.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from watcher.clock import Clock
from watcher.errors import StoreError
from watcher.store.channels import HELD, ChannelState
from watcher.store.items import StoredItem, given_hash
from watcher.store.postgres import open_postgres
from watcher.store.retention import Purged
from watcher.store.silences import silence_key
from watcher.store.sources import Polled, SourceStatus, Unchanged
from watcher.store.sqlite import open_sqlite
from watcher.store.store import Store, Tx
from watcher.store.stories import StoredStory
from watcher.store.workers import WorkerState

__all__ = [
    "HELD",
    "ChannelState",
    "Polled",
    "Purged",
    "SourceStatus",
    "Store",
    "StoredItem",
    "StoredStory",
    "Tx",
    "Unchanged",
    "WorkerState",
    "given_hash",
    "open_store",
    "silence_key",
]


async def open_store(
    url: str, clock: Clock, worker: str, *, exclusive: bool = False, measure_skew: bool = True
) -> Store:
    """Open the store at `url`, with or without an SQL driver in it, and bring its tables up to date.

    `worker` names the process in its claims. `exclusive` is for the process that does the work: on SQLite there can be
    one at a time. `measure_skew` follows the server's clock on PostgreSQL; without it, `clock` alone decides.
    Raises StoreError where it cannot be used, StoreBusy where another process has it.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(
            "`store` is not a URL; write sqlite:///path/to/file.db or postgresql://user@host/database"
        ) from None
    backend = parsed.drivername.partition("+")[0]
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise StoreError("`store` names no file; write sqlite:///path/to/file.db")
        store = await open_sqlite(Path(parsed.database), clock, worker, exclusive=exclusive)
        if exclusive:  # whoever held a lease is dead: its rows need not wait for the lease to end
            await store.write(lambda tx: tx.claims.reclaim())
        return store
    if backend in ("postgresql", "postgres"):
        return await open_postgres(_for_asyncpg(parsed), clock, worker, measure_skew=measure_skew)
    raise StoreError(f"`store` cannot be {backend}; write sqlite:///path/to/file.db or postgresql://user@host/database")


def _for_asyncpg(url: URL) -> URL:
    """The URL for the driver in use; libpq's `sslmode` is the driver's `ssl`."""
    query = {("ssl" if key == "sslmode" else key): value for key, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query)
