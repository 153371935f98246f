"""Every test here runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clock import FakeClock
from watcher.store import Store, open_store


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store's URL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/watcher.db"
    return str(request.getfixturevalue("postgres_url"))


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
