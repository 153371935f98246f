"""What was told of the sources' health, the notes that wait for the daily message, and which articles are alike.

Revision ID: 0003_polling
Revises: 0002_delivery
"""

import sqlalchemy as sa
from alembic import op

revision = "0003_polling"
down_revision = "0002_delivery"


def upgrade() -> None:
    """Create two tables and a column."""
    op.add_column("item", sa.Column("article_hash", sa.Text()))
    read = sa.text("article_hash IS NOT NULL")
    op.create_index("item_article", "item", ["article_hash"], sqlite_where=read, postgresql_where=read)
    op.create_table(
        "health",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "health_note",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
