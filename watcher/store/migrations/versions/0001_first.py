"""The first tables.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table and index."""
    op.create_table(
        "alert",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("story", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("spans", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("alert_created", "alert", ["created_at"])
    op.create_index("alert_item", "alert", ["item"])
    op.create_index("alert_rule", "alert", ["rule", "created_at"])
    op.create_index("alert_story", "alert", ["story"])
    op.create_table(
        "channel",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("hold_until", sa.Double(), nullable=False),
        sa.Column("refused", sa.Text()),
        sa.Column("refused_at", sa.Double()),
        sa.Column("moved_to", sa.Text()),
        sa.Column("tokens", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "target"),
    )
    op.create_table(
        "config",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("due", sa.Double()),
        sa.Column("lease_until", sa.Double()),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.Text()),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("target_label", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("alerts", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("first_try", sa.Double()),
        sa.Column("sent_at", sa.Double()),
        sa.Column("trying", sa.Boolean(), nullable=False),
        sa.Column("ambiguous", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("delivery_created", "delivery", ["created_at"])
    op.create_index(
        "delivery_due",
        "delivery",
        ["due"],
        sqlite_where=sa.text("due IS NOT NULL"),
        postgresql_where=sa.text("due IS NOT NULL"),
    )
    op.create_index("delivery_group", "delivery", ["group_id"])
    op.create_table(
        "group",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("due", sa.Double()),
        sa.Column("lease_until", sa.Double()),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.Text()),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("flush_no", sa.Integer(), nullable=False),
        sa.Column("flushed_at", sa.Double()),
        sa.Column("latest", sa.Double()),
        sa.Column("not_before", sa.Double()),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "group_due",
        "group",
        ["due"],
        sqlite_where=sa.text("due IS NOT NULL"),
        postgresql_where=sa.text("due IS NOT NULL"),
    )
    op.create_table(
        "item",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("due", sa.Double()),
        sa.Column("lease_until", sa.Double()),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.Text()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("canonical", sa.Text()),
        sa.Column("outlet", sa.Text(), nullable=False),
        sa.Column("lang", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("published", sa.Double()),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.Double(), nullable=False),
        sa.Column("last_listed", sa.Double(), nullable=False),
        sa.Column("baseline", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("story", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("judged_on", sa.Text()),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "item_canonical",
        "item",
        ["canonical"],
        sqlite_where=sa.text("canonical IS NOT NULL"),
        postgresql_where=sa.text("canonical IS NOT NULL"),
    )
    op.create_index(
        "item_due",
        "item",
        ["due"],
        sqlite_where=sa.text("due IS NOT NULL"),
        postgresql_where=sa.text("due IS NOT NULL"),
    )
    op.create_index("item_first_seen", "item", ["first_seen"])
    op.create_index("item_story", "item", ["story"])
    op.create_index(
        "item_unsettled",
        "item",
        ["first_seen"],
        sqlite_where=sa.text("settled = 0"),
        postgresql_where=sa.text("NOT settled"),
    )
    op.create_table(
        "shingle",
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("story", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("hash", "story"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "silence",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "source",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("due", sa.Double()),
        sa.Column("lease_until", sa.Double()),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("etag", sa.Text()),
        sa.Column("last_modified", sa.Text()),
        sa.Column("body_hash", sa.Text()),
        sa.Column("redirect_to", sa.Text()),
        sa.Column("redirects", sa.Integer(), nullable=False),
        sa.Column("first_polled_at", sa.Double()),
        sa.Column("polled_at", sa.Double()),
        sa.Column("parsed_at", sa.Double()),
        sa.Column("last_success", sa.Double()),
        sa.Column("last_new", sa.Double()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("error_kind", sa.Text()),
        sa.Column("cache", sa.Text(), nullable=False),
        sa.Column("latency", sa.Double()),
        sa.Column("listed", sa.Integer(), nullable=False),
        sa.Column("new_items", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "source_due",
        "source",
        ["due"],
        sqlite_where=sa.text("due IS NOT NULL"),
        postgresql_where=sa.text("due IS NOT NULL"),
    )
    op.create_table(
        "story",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("first_item", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("outlets", sa.Text(), nullable=False),
        sa.Column("hashes", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("no"),
    )
    op.create_index("story_id", "story", ["id"], unique=True)
    op.create_index(
        "story_live",
        "story",
        ["expires_at"],
        sqlite_where=sa.text("hashes IS NOT NULL"),
        postgresql_where=sa.text("hashes IS NOT NULL"),
    )
    op.create_index("story_seen", "story", ["seen_at"])
    op.create_table(
        "worker",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "group_member",
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("flush_at", sa.Double(), nullable=False),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.Column("flush_no", sa.Integer()),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"]),
        sa.ForeignKeyConstraint(["group_id"], ["group.id"]),
        sa.PrimaryKeyConstraint("group_id", "alert_id"),
    )
    op.create_index("group_member_alert", "group_member", ["alert_id"])
