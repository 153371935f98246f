"""Subscriptions at hubs, and until when a source relies on one.

Revision ID: 0006_websub
Revises: 0005_rules
"""

import sqlalchemy as sa
from alembic import op

revision = "0006_websub"
down_revision = "0005_rules"


def upgrade() -> None:
    """Create the table and add the column."""
    op.add_column("source", sa.Column("relies_until", sa.Double()))
    op.create_table(
        "subscription",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("due", sa.Double()),
        sa.Column("lease_until", sa.Double()),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.Text()),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.Double()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("verified_at", sa.Double()),
        sa.Column("expires_at", sa.Double()),
        sa.Column("pushed_at", sa.Double()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    due = sa.text("due IS NOT NULL")
    op.create_index("subscription_due", "subscription", ["due"], sqlite_where=due, postgresql_where=due)
    op.create_index("subscription_path", "subscription", ["path"], unique=True)
