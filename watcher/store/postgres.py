"""The store in a PostgreSQL database, which any number of workers share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from watcher.clock import Clock
from watcher.errors import StoreError
from watcher.store import migrations
from watcher.store.store import Store, Tx, Work

T = TypeVar("T")

INGEST_LOCK = 0x77617463_00000001  # "watc": the advisory locks of this program begin with it
MIGRATION_LOCK = 0x77617463_00000002
CONNECTIONS = 10
TRIES = 5  # of a transaction that lost against another
SKEW_EVERY = 60.0  # seconds between looks at the server's clock
RETRIED = {"40001", "40P01"}  # serialization_failure, deadlock_detected


class PostgresStore(Store):
    """A store in a PostgreSQL database."""

    engine = "postgresql"

    def __init__(self, url: URL, clock: Clock, worker: str, measure_skew: bool) -> None:
        super().__init__(worker)
        self._clock = clock
        self._ingest = asyncio.Lock()  # one connection of ours waits for the lock, not all of them
        self._base: float | None = None
        self._measure = measure_skew
        self._measuring: asyncio.Task[None] | None = None
        self._where = url.render_as_string(hide_password=True).replace("+asyncpg", "")
        self._engine = create_async_engine(
            url,
            hide_parameters=True,
            pool_size=CONNECTIONS,
            max_overflow=CONNECTIONS,
            connect_args={
                "timeout": 10,
                "server_settings": {
                    "application_name": f"watcher {worker}",
                    "jit": "off",
                    "idle_in_transaction_session_timeout": "60s",
                },
            },
        )
        self._readers = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def now(self) -> float:
        """The server's time: the clock's, and how far the server's was ahead when last looked at."""
        return self._clock.now() if self._base is None else self._base + _elapsed()

    async def start(self) -> None:
        """Bring the tables up to date and learn the server's time."""
        try:
            async with self._engine.begin() as connection:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
                await connection.run_sync(migrations.upgrade)
            if self._measure:
                await self._look_at_clock()
        except (SQLAlchemyError, OSError) as error:
            raise self._error(error) from error
        if self._measure:
            self._measuring = asyncio.create_task(self._keep_time(), name="store clock")

    async def write(self, work: Work[T], ingest: bool = False) -> T:
        """See `Store.write`."""
        self._must_be_open()
        for attempt in range(1, TRIES + 1):
            try:
                return await self._write(work, ingest)
            except DBAPIError as error:
                lost_race = getattr(error.orig, "sqlstate", None) in RETRIED
                if attempt == TRIES or not (lost_race or error.connection_invalidated):
                    raise self._error(error) from error
            except (SQLAlchemyError, OSError) as error:
                raise self._error(error) from error
        raise AssertionError("unreachable")

    async def _write(self, work: Work[T], ingest: bool) -> T:
        if ingest:
            async with self._ingest:
                return await self._transaction(work, ingest)
        return await self._transaction(work, ingest)

    async def _transaction(self, work: Work[T], ingest: bool) -> T:
        async with self._engine.begin() as connection:
            if ingest:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": INGEST_LOCK})
            return await work(Tx(connection, self.now(), self._held))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """See `Store.read`."""
        self._must_be_open()
        try:
            async with self._readers.connect() as connection, connection.begin():
                yield Tx(connection, self.now(), self._held)
        except SQLAlchemyError as error:
            raise self._error(error) from error

    async def close(self) -> None:
        """See `Store.close`."""
        await self._unchanged.end()
        self._closed = True
        if self._measuring is not None:
            self._measuring.cancel()
            with suppress(asyncio.CancelledError):
                await self._measuring
            self._measuring = None
        await self._engine.dispose()

    async def _keep_time(self) -> None:
        while True:
            await self._clock.sleep(SKEW_EVERY)
            with suppress(SQLAlchemyError, OSError):  # the server is away: what was learnt last holds
                await self._look_at_clock()

    async def _look_at_clock(self) -> None:
        """Learn how far the server's clock is ahead, taking its answer as given half-way through the exchange."""
        async with self._engine.connect() as connection:
            await _server_time(connection)  # the first statement of a connection takes longer
            before = _elapsed()
            server = await _server_time(connection)
            self._base = server - (before + _elapsed()) / 2

    def _error(self, error: Exception) -> StoreError:
        reason = str(error.orig if isinstance(error, DBAPIError) and error.orig is not None else error)
        reason = reason.split(">: ", 1)[-1]  # SQLAlchemy puts the driver's class in front
        if isinstance(error, OSError) or getattr(error, "connection_invalidated", False):
            return StoreError(f"{self._where}: the server cannot be reached: {reason}")
        return StoreError(f"{self._where}: {reason}")


def _elapsed() -> float:
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


async def _server_time(connection: AsyncConnection) -> float:
    return float((await connection.execute(text("SELECT extract(epoch FROM clock_timestamp())"))).scalar_one())


async def open_postgres(url: URL, clock: Clock, worker: str, *, measure_skew: bool) -> PostgresStore:
    """Connect to the database of `url`. Raises StoreError."""
    store = PostgresStore(url, clock, worker, measure_skew)
    try:
        await store.start()
    except BaseException:
        await store.close()
        raise
    return store
