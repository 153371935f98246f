"""Alerts keep why their rule held.

Revision ID: 0002_rules
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_rules"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; alerts made before have none."""
    op.add_column("alert", sa.Column("explanation", sa.Text()))
