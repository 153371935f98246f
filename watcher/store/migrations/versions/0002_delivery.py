"""What a message was answered with that can be edited, what an event's channel was told, and silences of all kinds.

Revision ID: 0002_delivery
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_delivery"
down_revision = "0001"


def upgrade() -> None:
    """Add columns that the versions before know nothing of, and that are NULL where they wrote."""
    op.add_column("group", sa.Column("outlets", sa.Text()))
    op.add_column("delivery", sa.Column("edits", sa.Text()))
    op.add_column("delivery", sa.Column("handle", sa.Text()))
    op.add_column("channel", sa.Column("failing", sa.Text()))
    op.add_column("silence", sa.Column("kind", sa.Text()))
