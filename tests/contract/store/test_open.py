import asyncio
import contextlib
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.clock import START, FakeClock
from tests.contract.store.make import put_source
from watcher.errors import StoreBusy, StoreError
from watcher.model import Queue
from watcher.store import open_store
from watcher.store.migrations import HEAD, upgrade
from watcher.store.tables import metadata


def differences(connection: Connection) -> list[object]:
    """What the tables lack, or have too much, against tables.py."""
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))


def made(connection: Connection) -> dict[str, set[object]]:
    """The tables and indexes, by what the engine itself says of them; and the version."""
    if connection.dialect.name == "sqlite":
        indexes = "SELECT replace(sql, '\"', '') FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    else:
        indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()"
    looked = inspect(connection)
    tables = [table for table in looked.get_table_names() if table != "alembic_version"]
    columns = {
        (table, c["name"], str(c["type"]), c["nullable"], c.get("default"))
        for table in tables
        for c in looked.get_columns(table)
    }
    return {
        "columns": columns,
        "keys": {(table, *looked.get_pk_constraint(table)["constrained_columns"]) for table in tables},
        "indexes": set(connection.execute(text(indexes)).scalars()),
        "version": set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars()),
    }


async def test_a_new_store_has_the_tables_that_the_revisions_make(empty_url: str, clock: FakeClock) -> None:
    async with await open_store(empty_url, clock, "first", measure_skew=False):
        pass
    driver = "sqlite+aiosqlite" if empty_url.startswith("sqlite") else "postgresql+asyncpg"
    engine = create_async_engine(make_url(empty_url).set(drivername=driver))
    async with engine.begin() as connection:
        new = await connection.run_sync(made)
        await connection.run_sync(metadata.drop_all)
        await connection.execute(text("DELETE FROM alembic_version"))
        await connection.run_sync(upgrade)
        assert await connection.run_sync(made) == new
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def test_a_new_store_needs_no_alembic(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from watcher.clock import SystemClock\n"
        "from watcher.store import open_store\n"
        "async def main():\n"
        f"    async with await open_store('sqlite:///{tmp_path}/new.db', SystemClock(), 'first'): pass\n"
        "asyncio.run(main())\n"
        "print('alembic' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_a_difference_would_be_seen() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        metadata.create_all(connection)
        assert differences(connection) == []
        connection.execute(text("ALTER TABLE item DROP COLUMN author"))
        connection.execute(text("DROP INDEX story_live"))
        assert len(differences(connection)) == 2
    engine.dispose()


def test_the_last_revision_is_known_without_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", "watcher.store:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_workers_that_start_at_once_make_the_tables_once(empty_url: str, clock: FakeClock) -> None:
    opened = await asyncio.gather(*(open_store(empty_url, clock, f"w{n}", measure_skew=False) for n in range(4)))
    await put_source(opened[0], "a")
    assert [claim.id for claim in await opened[3].claim(Queue.SOURCE, 1, 60)] == ["a"]
    for store in opened:
        await store.close()


async def test_a_new_file_waits_for_who_writes_to_it(tmp_path: Path, clock: FakeClock) -> None:
    """SQLite itself waits for no other writer where the journal mode is set, whatever the timeout."""
    other = sqlite3.connect(tmp_path / "watcher.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.2, other.rollback)
    async with await open_store(f"sqlite:///{tmp_path}/watcher.db", clock, "first") as store:
        await put_source(store, "a")
    other.close()


async def test_the_tables_of_a_newer_version_are_left_alone(url: str, clock: FakeClock) -> None:
    async with await open_store(url, clock, "first", measure_skew=False) as store:
        await store.write(lambda tx: tx.workers._run(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(StoreError, match=r"newer watcher.*9999"):
        await open_store(url, clock, "first", measure_skew=False)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("nonsense", "sqlite:///path"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://root:hunter2@host/db", "cannot be mysql"),
    ],
)
async def test_a_url_that_is_no_store_is_explained(wrong: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as raised:
        await open_store(wrong, FakeClock(), "first")
    assert "hunter2" not in str(raised.value)


async def test_a_server_that_is_away_is_named_without_its_password() -> None:
    with pytest.raises(StoreError, match="cannot be reached") as raised:
        await open_store("postgresql://me:hunter2@127.0.0.1:1/watcher", FakeClock(), "first")
    assert "127.0.0.1:1/watcher" in str(raised.value)
    assert "hunter2" not in str(raised.value)


async def test_the_server_decides_what_time_it_is(postgres_url: str) -> None:
    clock = FakeClock(START)  # years behind the server's
    async with await open_store(postgres_url, clock, "first") as store:
        async with store.read() as tx:
            server = (await tx.workers._run(text("SELECT extract(epoch FROM clock_timestamp())"))).scalar_one()
        assert abs(store.now() - float(server)) < 1
        clock.advance(3600)  # a worker whose clock is set must not steal what others hold
        assert abs(store.now() - float(server)) < 5


async def test_a_second_daemon_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/watcher.db"
    async with await open_store(url, FakeClock(), "first", exclusive=True):
        with pytest.raises(StoreBusy, match=r"watcher\.db: in use by process \d+ on \S+, since 2023-11-14 22:13:20"):
            await open_store(url, FakeClock(), "second", exclusive=True)
        async with await open_store(url, FakeClock(), "a command") as reader:
            assert await reader.next_due() is None
    async with await open_store(url, FakeClock(), "second", exclusive=True):
        pass


async def test_the_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "directory" / "watcher.db"
    async with await open_store(f"sqlite:///{path}", FakeClock(), "first", exclusive=True) as store:
        await put_source(store, "a")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes) == {"watcher.db", "watcher.db-wal", "watcher.db-shm", "watcher.db.lock"}
    assert set(modes.values()) == {0o600}


async def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    async with await open_store(f"sqlite:///{tmp_path}/watcher.db", FakeClock(), "first") as store:

        async def settings(tx: object) -> list[object]:
            names = ("synchronous", "journal_mode", "foreign_keys", "busy_timeout")
            return [(await tx.workers._run(text(f"PRAGMA {name}"))).scalar_one() for name in names]  # type: ignore[attr-defined]

        assert await store.write(settings) == [2, "wal", 1, 10_000]


async def test_a_file_that_is_no_store_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "watcher.db"
    path.write_text("this is a letter to my aunt, and no database at all\n" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"watcher\.db: the store is damaged .* backup"):
        await open_store(f"sqlite:///{path}", FakeClock(), "first")
    assert path.read_bytes() == before


async def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "watcher.db"
    async with await open_store(f"sqlite:///{path}", FakeClock(), "first", exclusive=True) as store:
        await put_source(store, *(f"source {n}" for n in range(500)))
    damaged = bytearray(path.read_bytes())
    with contextlib.closing(sqlite3.connect(path)) as connection:
        [root] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'source'").fetchone()
    damaged[(root - 1) * 4096 : root * 4096] = b"\xa5" * 4096
    path.write_bytes(damaged)
    with pytest.raises(StoreError, match=r"watcher\.db: the store is damaged"):
        await open_store(f"sqlite:///{path}", FakeClock(), "first", exclusive=True)
    assert path.read_bytes() == damaged
    path.write_bytes(bytes(4096))  # refused, the lock was let go: the next start says the same
    with pytest.raises(StoreError, match="damaged"):
        await open_store(f"sqlite:///{path}", FakeClock(), "first", exclusive=True)


async def test_a_place_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        await open_store(f"sqlite:///{tmp_path}/file/watcher.db", FakeClock(), "first")


async def test_a_full_disk_fails_what_was_being_written_and_nothing_else(tmp_path: Path) -> None:
    async with await open_store(f"sqlite:///{tmp_path}/watcher.db", FakeClock(), "first") as store:
        await put_source(store, "before")

        async def limit(tx: object, pages: int) -> None:
            await tx.workers._run(text(f"PRAGMA max_page_count = {pages}"))  # type: ignore[attr-defined]

        await store.write(lambda tx: limit(tx, 1))  # SQLite takes the present size instead
        with pytest.raises(StoreError, match="disk is full"):
            await put_source(store, "before", *(f"source {n}" for n in range(5000)))
        async with store.read() as tx:
            assert [status.state.id for status in await tx.sources.list()] == ["before"]
        await store.write(lambda tx: limit(tx, 1_000_000))
        await put_source(store, "before", "after")
        async with store.read() as tx:
            assert [status.state.id for status in await tx.sources.list()] == ["after", "before"]
