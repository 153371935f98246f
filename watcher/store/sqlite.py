"""The store in one SQLite file.

SQLite has one writer. All writes go through one task here, so that they queue in order instead of colliding, and are
committed in groups: one fsync for everything that was ready. Transactions that write begin with BEGIN IMMEDIATE,
because one that reads first and writes later fails at once with "database is locked", whatever the timeout
(https://sqlite.org/lang_transaction.html). Reads have connections of their own, and WAL lets them see one state while
the writer goes on (https://sqlite.org/wal.html).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import event, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from watcher.clock import Clock
from watcher.errors import StoreBusy, StoreError
from watcher.store import migrations
from watcher.store.store import Store, Tx, Work

T = TypeVar("T")

GROUP = 200  # works committed together at most
GROUP_TIME = 0.02  # seconds after which a group takes no further work
BUSY_TIMEOUT = 10_000  # ms to wait for another process, such as the command line, to end its write
CHECK_ALWAYS = 64_000_000  # bytes up to which the file is checked at every exclusive start
READERS = 4


@dataclass(slots=True)
class _Job:
    work: Work[Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def settle(self) -> None:
        if self.future.done():  # who asked was cancelled
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class SqliteStore(Store):
    """A store in one file, for one daemon and any number of commands beside it."""

    engine = "sqlite"

    def __init__(self, path: Path, clock: Clock, worker: str, lock: FileLock | None) -> None:
        super().__init__(worker)
        self._path = path
        self._clock = clock
        self._lock = lock
        self._writer = _engine(path, "BEGIN IMMEDIATE", readers=0)
        self._readers = _engine(path, "BEGIN", readers=READERS)
        self._queue: asyncio.Queue[_Job | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def now(self) -> float:
        """The clock's time."""
        return self._clock.now()

    async def start(self) -> None:
        """Bring the tables up to date and start the writer."""
        try:
            async with self._writer.connect() as connection:
                if self._lock is not None and _worth_checking(self._path):
                    await _check(connection, self._path)
                await migrations.upgrade(connection)
                await connection.commit()
        except SQLAlchemyError as error:
            raise self._error(error) from error
        self._task = asyncio.create_task(self._write_all(), name="store writer")

    async def write(self, work: Work[T], ingest: bool = False) -> T:
        """See `Store.write`. There is one writer, so that `ingest` is always granted."""
        self._must_be_open()
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Job(work, future))
        return await future

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """See `Store.read`."""
        self._must_be_open()
        try:
            async with self._readers.connect() as connection, connection.begin():
                yield Tx(connection, self.now())
        except SQLAlchemyError as error:
            raise self._error(error) from error

    async def close(self) -> None:
        """See `Store.close`."""
        if not self._closed:
            self._closed = True
            if self._task is not None:
                self._queue.put_nowait(None)
                await self._task
            await self._readers.dispose()
            await self._writer.dispose()
            if self._lock is not None:
                self._lock.release()

    async def _write_all(self) -> None:
        """Run jobs in the order in which they came, until None."""
        ended = False
        while not ended:
            job = await self._queue.get()
            if job is None:
                return
            jobs = [job]
            try:
                async with self._writer.begin() as connection:
                    ended = await self._write_group(connection, jobs)
            except Exception as error:  # the transaction is gone, and with it what every job of it wrote
                failed = self._error(error) if isinstance(error, SQLAlchemyError) else error
                for job in jobs:
                    job.fail(failed)
            else:
                for job in jobs:
                    job.settle()

    async def _write_group(self, connection: AsyncConnection, jobs: list[_Job]) -> bool:
        """Run the first of `jobs` and whatever else is ready, adding it to `jobs`; True where None was met."""
        until = asyncio.get_running_loop().time() + GROUP_TIME
        job = jobs[0]
        while True:
            if not job.future.done():
                await self._run(connection, job)
            if len(jobs) >= GROUP or self._queue.empty() or asyncio.get_running_loop().time() >= until:
                return False
            following = self._queue.get_nowait()
            if following is None:
                return True
            job = following
            jobs.append(job)

    async def _run(self, connection: AsyncConnection, job: _Job) -> None:
        """Run one job in a savepoint: if it raises, what it wrote goes and what others wrote stays."""
        savepoint = await connection.begin_nested()
        try:
            job.result = await job.work(Tx(connection, self.now()))
        except Exception as error:
            try:
                await savepoint.rollback()
            except SQLAlchemyError:  # the whole transaction is lost, as when the disk is full: the group fails
                raise error from None
            job.error = self._error(error) if isinstance(error, SQLAlchemyError) else error
        else:
            await savepoint.commit()

    def _error(self, error: SQLAlchemyError) -> StoreError:
        return _explain(self._path, error)


def _explain(path: Path, error: SQLAlchemyError) -> StoreError:
    reason = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    if "malformed" in reason or "not a database" in reason or "corrupt" in reason:
        return _damaged(path, reason)
    if "full" in reason:
        return StoreError(f"{path}: the disk is full; nothing was written. Free some space, and the work goes on")
    if "locked" in reason or "busy" in reason:
        seconds = BUSY_TIMEOUT // 1000
        return StoreError(f"{path}: another process has been writing for {seconds} seconds; end it, or try again")
    if "readonly" in reason:
        return StoreError(f"{path}: the file or its directory cannot be written; check who owns it")
    if "unable to open" in reason:
        return StoreError(f"{path}: cannot be opened; check that its directory exists and who owns it")
    return StoreError(f"{path}: {reason}")


def _damaged(path: Path, reason: str) -> StoreError:
    return StoreError(
        f"{path}: the store is damaged ({reason}). Put a backup in its place; or move it away, together with its -wal "
        "and -shm files, to begin with an empty one: every source is then read as for the first time"
    )


def _engine(path: Path, begin: str, readers: int) -> AsyncEngine:
    pool = {"pool_size": readers, "max_overflow": readers} if readers else {"pool_size": 1, "max_overflow": 0}
    url = URL.create("sqlite+aiosqlite", database=str(path))
    engine = create_async_engine(url, hide_parameters=True, pool_reset_on_return=None, **pool)

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: DBAPIConnection, record: object) -> None:
        connection.isolation_level = None  # sqlite3 must not begin transactions itself
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT}",
            "synchronous=FULL",  # an acknowledged write outlives a power cut, not only a crash
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-16000",  # 16 MB
            "journal_size_limit=67108864",
            "query_only=ON" if readers else "journal_mode=WAL",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _worth_checking(path: Path) -> bool:
    """A file that was not closed in order, which leaves its WAL behind, or is small enough to check each time."""
    wal = path.with_name(path.name + "-wal")
    return path.stat().st_size <= CHECK_ALWAYS or (wal.exists() and wal.stat().st_size > 0)


async def _check(connection: AsyncConnection, path: Path) -> None:
    found = (await connection.execute(text("PRAGMA quick_check(1)"))).scalar_one()
    if found != "ok":
        raise _damaged(path, str(found).splitlines()[0])


class FileLock:
    """A lock on `<file>.lock`, which the kernel ends with the process; the file says who holds it, and since when."""

    def __init__(self, path: Path, now: float) -> None:
        """Take the lock. Raises StoreBusy, which names the holder, where another process has it."""
        self._file = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._file, 500).decode("utf-8", "replace").strip() or "another process"
            os.close(self._file)
            raise StoreBusy(
                f"{path}: in use by {holder}. One daemon at a time works on a file; stop that one, or give this one "
                "another `store` (with PostgreSQL several can share one)"
            ) from error
        since = datetime.fromtimestamp(now, UTC).isoformat(" ", "seconds")
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"process {os.getpid()} on {socket.gethostname()}, since {since}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back."""
        with suppress(OSError):
            os.ftruncate(self._file, 0)
        os.close(self._file)


async def open_sqlite(path: Path, clock: Clock, worker: str, *, exclusive: bool) -> SqliteStore:
    """Open or create the store in the file `path`, readable by its owner only. Raises StoreError or StoreBusy."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        lock = FileLock(path, clock.now()) if exclusive else None
    except OSError as error:
        raise StoreError(f"{path}: cannot be opened: {error.strerror}") from error
    store = SqliteStore(path, clock, worker, lock)
    try:
        await store.start()
    except BaseException:
        await store.close()
        raise
    return store
