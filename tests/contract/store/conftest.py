"""Every test here runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.clock import FakeClock
from watcher.store import Store, open_store


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that was never opened."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/watcher.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables; made once, because that takes longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "watcher.db"
    asyncio.run(_open_once(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Callable[..., str]) -> str:
    """The name of a database with the tables."""
    url = postgres_server()
    asyncio.run(_open_once(url))
    return str(make_url(url).database)


async def _open_once(url: str) -> None:
    async with await open_store(url, FakeClock(), "template", measure_skew=False):
        pass


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store with nothing in it."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "watcher.db")
        return f"sqlite:///{tmp_path}/watcher.db"
    create = request.getfixturevalue("postgres_server")
    return str(create(request.getfixturevalue("postgres_template")))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def store(url: str, clock: FakeClock) -> AsyncIterator[Store]:
    """The store as the daemon has it open."""
    async with await open_store(url, clock, "first", exclusive=True, measure_skew=False) as opened:
        yield opened


@pytest.fixture
async def other(store: Store, url: str, clock: FakeClock) -> AsyncIterator[Store]:
    """The same store as another process has it open."""
    async with await open_store(url, clock, "second", measure_skew=False) as opened:
        yield opened


@pytest.fixture
async def twin(store: Store, request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Store]:
    """Another store on the same engine, with nothing in it."""
    if store.engine == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "twin.db")
        url = f"sqlite:///{tmp_path}/twin.db"
    else:
        url = str(request.getfixturevalue("postgres_server")(request.getfixturevalue("postgres_template")))
    async with await open_store(url, clock, "twin", measure_skew=False) as opened:
        yield opened
