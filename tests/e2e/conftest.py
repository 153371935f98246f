from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.world import World, world


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'watcher.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def sahel(tmp_path: Path, store_url: str) -> Iterator[World]:
    """A world in which nothing has been published yet."""
    with world(tmp_path, store_url) as made:
        yield made
