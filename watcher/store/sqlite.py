"""The store in one SQLite file.

SQLite has one writer. All writes go through one thread here, so that they queue in order instead of colliding, and are
committed in groups: one fsync for everything that was ready. The works are coroutines that await nothing but
statements, which never really wait on SQLite; so the thread runs each from beginning to end. Sending every statement to
a thread and its rows back takes five times as long, and forty times while the event loop is busy.

Transactions that write begin with BEGIN IMMEDIATE, because one that reads first and writes later fails at once with
"database is locked", whatever the timeout (https://sqlite.org/lang_transaction.html). Reads have connections of their
own, and WAL lets them see one state while the writer goes on (https://sqlite.org/wal.html).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import queue
import socket
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Dialect, Engine, Executable, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from watcher.clock import Clock
from watcher.errors import StoreBusy, StoreError
from watcher.store import migrations
from watcher.store.statements import Values
from watcher.store.store import Store, Tx, Work

T = TypeVar("T")

GROUP = 200  # works committed together at most
GROUP_TIME = 0.02  # seconds after which a group takes no further work
BUSY_TIMEOUT = 10_000  # ms to wait for another process, such as the command line, to end its write
CHECK_ALWAYS = 64_000_000  # bytes up to which the file is checked at every exclusive start
READERS = 4
WAL = "journal_mode=WAL"
WAL_RETRY = 0.005  # seconds between two tries to set it
SMALL_CACHE = "cache_size=-500"  # 0.5 MB a reader: with 2 no look-up is quicker, for the system has the pages anyway
# Pages of 4 kB in the WAL after which they are copied into the file: a page that many commits write is copied once.
CHECKPOINT = 8_000


@dataclass(slots=True)
class _Job:
    work: Work[Any]
    future: asyncio.Future[Any]
    ingest: bool
    result: Any = None
    error: Exception | None = None


def _settle(jobs: Sequence[_Job], failed: BaseException | None) -> None:
    """Tell those who wait; runs on their event loop."""
    for job in jobs:
        error = failed or job.error
        if job.future.done():  # who asked was cancelled
            continue
        if error is None:
            job.future.set_result(job.result)
        else:
            job.future.set_exception(error)


async def _awaited(work: Work[T], tx: Tx) -> T:
    return await work(tx)


def _finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits from beginning to end."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError("a work of Store.write awaits something other than the store's statements")


class _Immediate:
    """A connection whose `execute` returns before it is awaited: for coroutines that are run outside an event loop."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(
        self, statement: Executable, parameters: Values | Sequence[Values] | None = None
    ) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters)

    async def exec_driver_sql(self, statement: str, parameters: list[tuple[Any, ...]]) -> CursorResult[Any]:
        return self._connection.exec_driver_sql(statement, parameters)


class SqliteStore(Store):
    """A store in one file, for one daemon and any number of commands beside it."""

    engine = "sqlite"

    def __init__(self, path: Path, clock: Clock, worker: str, lock: FileLock | None) -> None:
        super().__init__(worker)
        self._path = path
        self._clock = clock
        self._lock = lock
        url = URL.create("sqlite", database=str(path))
        self._writer = create_engine(url, hide_parameters=True, pool_size=1, max_overflow=0)
        _prepare(self._writer, "BEGIN IMMEDIATE", WAL, f"wal_autocheckpoint={CHECKPOINT}")
        self._readers = create_async_engine(
            url.set(drivername="sqlite+aiosqlite"), hide_parameters=True, pool_size=READERS, max_overflow=READERS
        )
        _prepare(self._readers.sync_engine, "BEGIN", "query_only=ON", SMALL_CACHE)
        self._looker = create_engine(url, hide_parameters=True, pool_size=1, max_overflow=0)
        _prepare(self._looker, "BEGIN", "query_only=ON", SMALL_CACHE)
        self._look_thread = ThreadPoolExecutor(1, thread_name_prefix="store reader")
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._ahead: _Job | None = None  # taken from the queue, and the first of the next group
        self._thread: threading.Thread | None = None

    def now(self) -> float:
        """The clock's time."""
        return self._clock.now()

    async def start(self) -> None:
        """Bring the tables up to date and start the writer."""
        try:
            await asyncio.to_thread(self._prepare_tables)
        except SQLAlchemyError as error:
            raise self._error(error) from error
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._write_all, args=(loop,), name="store writer", daemon=True)
        self._thread.start()

    def _prepare_tables(self) -> None:
        check = self._lock is not None and _worth_checking(self._path)
        with self._writer.begin() as connection:
            if check:
                _check(connection, self._path)
            migrations.upgrade(connection)

    async def write(self, work: Work[T], ingest: bool = False) -> T:
        """See `Store.write`. There is one writer, so that `ingest` is always granted; it begins a transaction."""
        self._must_be_open()
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(_Job(work, future, ingest))
        return await future

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """See `Store.read`."""
        self._must_be_open()
        try:
            async with self._readers.connect() as connection, connection.begin():
                yield Tx(connection, self.now(), self._held)
        except SQLAlchemyError as error:
            raise self._error(error) from error

    async def look(self, work: Work[T]) -> T:
        """See `Store.look`: one trip to a thread, where `read` makes several for each statement."""
        self._must_be_open()
        return await asyncio.get_running_loop().run_in_executor(self._look_thread, self._look, work)

    def _look(self, work: Work[T]) -> T:
        try:
            with self._looker.begin() as connection:
                return _finish(_awaited(work, Tx(_Immediate(connection), self.now(), self._held)))
        except SQLAlchemyError as error:
            raise self._error(error) from error

    async def close(self) -> None:
        """See `Store.close`."""
        if self._closed:
            return
        await self._unchanged.end()
        self._closed = True
        self._queue.put(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._look_thread.shutdown)
        await self._readers.dispose()
        self._looker.dispose()
        self._writer.dispose()
        if self._lock is not None:
            self._lock.release()

    def _write_all(self, loop: asyncio.AbstractEventLoop) -> None:
        """The writer thread: run jobs in the order in which they came, until None."""
        ended = False
        while not ended:
            job = self._ahead or self._queue.get()
            self._ahead = None
            if job is None:
                return
            jobs = [job]
            failed: BaseException | None
            try:
                with self._writer.begin() as connection:
                    ended = self._write_group(connection, jobs)
            except BaseException as error:  # the transaction is gone, and with it what every job of it wrote
                failed = self._error(error) if isinstance(error, SQLAlchemyError) else error
            else:
                failed = None
            with suppress(RuntimeError):  # the event loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_settle, jobs, failed)

    def _write_group(self, connection: Connection, jobs: list[_Job]) -> bool:
        """Run the first of `jobs` and whatever else is ready, adding it to `jobs`; True where None was met.

        Where the first one raises, the group ends with it. What opens stories is always the first: it touches so many
        pages that a savepoint, which keeps them as they were, would cost megabytes of memory.
        """
        until = time.monotonic() + GROUP_TIME
        if not jobs[0].future.done():
            jobs[0].result = self._result(connection, jobs[0])
        while len(jobs) < GROUP and time.monotonic() < until:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return False
            if job is None:
                return True
            if job.ingest:
                self._ahead = job
                return False
            jobs.append(job)
            self._run(connection, job)
        return False

    def _run(self, connection: Connection, job: _Job) -> None:
        """Run one job in a savepoint: if it raises, what it wrote goes and what others wrote stays."""
        if job.future.done():  # who asked was cancelled
            return
        connection.exec_driver_sql("SAVEPOINT work")  # SQLAlchemy's own costs three times as much
        try:
            job.result = self._result(connection, job)
        except Exception as error:
            try:
                connection.exec_driver_sql("ROLLBACK TO work")
            except SQLAlchemyError:  # the whole transaction is lost, as when the disk is full: the group fails
                raise error from None
            job.error = self._error(error) if isinstance(error, SQLAlchemyError) else error
        connection.exec_driver_sql("RELEASE work")

    def _result(self, connection: Connection, job: _Job) -> Any:
        return _finish(_awaited(job.work, Tx(_Immediate(connection), self.now(), self._held)))

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


def _prepare(engine: Engine, begin: str, *pragmas: str) -> None:
    """Have transactions begin with `begin`, and connections with these pragmas and those that all need."""

    @event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, record: object) -> None:
        connection.isolation_level = None  # sqlite3 must not begin transactions itself
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT}",
            "synchronous=FULL",  # an acknowledged write outlives a power cut, not only a crash
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-6000",  # 6 MB: with 16 nothing is quicker
            "journal_size_limit=67108864",
            *pragmas,
        ):
            if pragma == WAL:
                _into_wal(cursor)
            else:
                cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _into_wal(cursor: DBAPICursor) -> None:
    """Set the journal mode of a new file, for which SQLite does not wait: of two that try at once one fails at once."""
    until = time.monotonic() + BUSY_TIMEOUT / 1000
    while True:
        try:
            cursor.execute(f"PRAGMA {WAL}")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(WAL_RETRY)
        else:
            return


def _worth_checking(path: Path) -> bool:
    """A file that was not closed in order, which leaves its WAL behind, or is small enough to check each time."""
    wal = path.with_name(path.name + "-wal")
    return path.stat().st_size <= CHECK_ALWAYS or (wal.exists() and wal.stat().st_size > 0)


def _check(connection: Connection, path: Path) -> None:
    found = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
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
        path.parent.mkdir(exist_ok=True)  # one folder; a path that is wrong from further up is not made true
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
