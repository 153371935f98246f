"""Updates: what an item said at one time and another, and messages that answer earlier ones.

Revision ID: 0007_updates
Revises: 0005_rules
"""

import sqlalchemy as sa
from alembic import op

revision = "0007_updates"
down_revision = "0006_websub"


def upgrade() -> None:
    """Add columns that the versions before know nothing of, and that are NULL where they wrote."""
    op.add_column("item", sa.Column("given", sa.Text()))
    op.add_column("item", sa.Column("version_of", sa.Text()))
    op.add_column("item", sa.Column("headline", sa.Text()))
    version = sa.text("version_of IS NOT NULL")
    op.create_index("item_version", "item", ["version_of"], sqlite_where=version, postgresql_where=version)
    op.add_column("alert", sa.Column("change", sa.Text()))
    op.add_column("group", sa.Column("first_outlets", sa.Integer()))
    op.add_column("delivery", sa.Column("answers", sa.Text()))
