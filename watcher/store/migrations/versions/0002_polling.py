"""What was told of the sources' health, and the notes that wait for the daily message.

Revision ID: 0002_polling
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_polling"
down_revision = "0001"


def upgrade() -> None:
    """Create the two tables."""
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
