"""The tables over time: Alembic revisions, run when a store is opened.

Revisions only add: while workers are renewed one by one, the old ones go on with the tables of the new.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from watcher.errors import StoreError

HEAD = "0007_updates"  # the last revision in versions/


def upgrade(connection: Connection) -> None:
    """Bring the tables up to date in the caller's transaction. Raises StoreError where they are a later version's.

    The caller sees to it that no other process does the same at the same time.
    """
    if _version(connection) == HEAD:  # the usual case, for which Alembic is not even imported
        return
    from alembic import command  # noqa: PLC0415 - slow to import, and needed at a first start only
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
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
