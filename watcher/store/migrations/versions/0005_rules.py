"""Alerts keep why their rule held.

Revision ID: 0005_rules
Revises: 0004_events
"""

import sqlalchemy as sa
from alembic import op

revision = "0005_rules"
down_revision = "0004_events"


def upgrade() -> None:
    """Add the column; alerts made before have none."""
    op.add_column("alert", sa.Column("explanation", sa.Text()))
