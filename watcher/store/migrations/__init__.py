"""The tables over time: Alembic revisions, run when a store is opened.

Revisions only add: while workers are renewed one by one, the old ones go on with the tables of the new.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from watcher.errors import StoreError
from watcher.store.tables import metadata

HEAD = "0007_updates"  # the last revision in versions/


def upgrade(connection: Connection) -> None:
    """Bring the tables up to date in the caller's transaction. Raises StoreError where they are a later version's.

    The caller sees to it that no other process does the same at the same time.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        _create(connection)
    elif "alembic_version" not in tables or _version(connection) != HEAD:
        _run_revisions(connection)


def _create(connection: Connection) -> None:
    """The tables of a new store, as all revisions together make them: Alembic takes 12 MB and half a second."""
    metadata.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def _run_revisions(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - large, and needed after an upgrade of watcher only
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "watcher.store:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        if "Can't locate revision" not in str(error):
            raise
        raise StoreError(
            f"the store was last used by a newer watcher (its tables are version {_version(connection)}, this one "
            f"knows up to {HEAD}). Install that version again, or use a backup from before"
        ) from error


def _version(connection: Connection) -> str | None:
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
