"""Events: the words by which reports of one event are found, and the stories of an event.

Revision ID: 0004_events
Revises: 0003_polling
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_events"
down_revision = "0003_polling"


def upgrade() -> None:
    """Add the table of words and what the stories of an event are found by."""
    op.create_table(
        "event_word",
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("story", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", "story"),
        sqlite_with_rowid=False,
    )
    op.add_column("story", sa.Column("words", sa.LargeBinary()))
    op.create_index("story_event", "story", ["event"])
    outlined = sa.text("words IS NOT NULL")
    op.create_index("story_outlined", "story", ["opened_at"], sqlite_where=outlined, postgresql_where=outlined)
