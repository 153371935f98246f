"""The tables. Statements over them are in the module of each noun; changes to them are revisions in migrations/.

Times are seconds since the epoch. The tables that hold work have the same four columns: `due` (NULL: nothing to
do), `lease_until`, `token` (counts the claims of the row, which fences stale workers) and `worker` (who holds it).
Reasons are kept by the name of their enum member, so that their wording can change.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

from watcher.model import Queue


def clean(value: str | None) -> str | None:
    """Text as both engines take it: without NUL, lone surrogates as question marks."""
    if value is None:
        return None
    value = str(value)
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode("utf-8")
    return value.replace("\0", "") if "\0" in value else value


class Clean(TypeDecorator[str]):
    """Text that both engines take: PostgreSQL refuses NUL, neither encodes lone surrogates."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What is stored."""
        return clean(value)


def as_json(value: Any) -> str:
    """A value as tables hold it."""
    return json.dumps(value, separators=(",", ":"))


class Json(TypeDecorator[Any]):
    """A value as JSON text, escaped to ASCII: one form for both engines."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """What is stored."""
        return as_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """What was given."""
        return None if value is None else json.loads(value)


metadata = MetaData()


def _work() -> tuple[Column[Any], ...]:
    return (
        Column("due", Double),
        Column("lease_until", Double),
        Column("token", BigInteger, nullable=False, default=0),
        Column("worker", Text),
    )


def _text(name: str) -> Column[str]:
    return Column(name, Clean, nullable=False, default="")


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, default=0)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, default=False)


def _due_index(table: Table) -> None:
    Index(
        f"{table.name}_due", table.c.due, sqlite_where=table.c.due.isnot(None), postgresql_where=table.c.due.isnot(None)
    )


source = Table(
    "source",
    metadata,
    Column("id", Clean, primary_key=True),  # the stable name
    *_work(),
    _text("kind"),
    _text("address"),  # a fingerprint: the address itself may hold a secret
    Column("active", Boolean, nullable=False, default=True),  # it is in the configuration
    Column("etag", Clean),
    Column("last_modified", Clean),
    Column("body_hash", Clean),
    Column("redirect_to", Clean),
    _count("redirects"),
    Column("first_polled_at", Double),
    Column("polled_at", Double),  # the last poll, whatever came of it
    Column("parsed_at", Double),  # the last poll that brought a new body
    Column("last_success", Double),
    Column("last_new", Double),
    _count("failures"),  # in a row
    Column("error", Clean),
    Column("error_kind", Clean),
    Column("cache", Json, nullable=False),
    Column("latency", Double),  # of the last poll, seconds
    _count("listed"),  # items in the last body
    Column("new_items", BigInteger, nullable=False, default=0),  # ever
    Column("added_at", Double, nullable=False),
    Column("relies_until", Double),  # until when a hub pushes what it publishes
)
_due_index(source)

item = Table(
    "item",
    metadata,
    Column("id", Clean, primary_key=True),
    *_work(),  # due: when its article is to be read
    _text("source"),
    _text("key"),
    _text("title"),
    _text("summary"),
    _text("body"),
    _text("author"),
    _text("url"),
    Column("canonical", Clean),  # NULL where it has no URL
    _text("outlet"),
    _text("lang"),
    Column("tags", Json, nullable=False),
    Column("published", Double),
    _text("site"),
    Column("first_seen", Double, nullable=False),
    Column("last_listed", Double, nullable=False),  # its source's body still held it, within LISTED_EVERY
    _flag("baseline"),
    _count("attempts"),  # to read its article
    Column("error", Clean),  # of the last attempt
    Column("story", Clean),
    Column("reason", Clean),  # why it was or was not told
    Column("judged_on", Clean),  # "feed" or "article"
    Column("article_hash", Clean),  # of the text that its page gave; NULL where it was not read
    Column("given", Clean),  # a hash of what the source said of it last; NULL: not known
    Column("version_of", Clean),  # the item that this is a later text of; NULL: the item itself
    Column("headline", Clean),  # its title now, where another one was told; NULL: none
    _flag("settled"),  # housekeeping has decided whether its text stays
)
_due_index(item)
Index("item_first_seen", item.c.first_seen)
Index("item_unsettled", item.c.first_seen, sqlite_where=~item.c.settled, postgresql_where=~item.c.settled)
_has_url = item.c.canonical.isnot(None)
Index("item_canonical", item.c.canonical, sqlite_where=_has_url, postgresql_where=_has_url)
_was_read = item.c.article_hash.isnot(None)
Index("item_article", item.c.article_hash, sqlite_where=_was_read, postgresql_where=_was_read)
Index("item_story", item.c.story)
_is_version = item.c.version_of.isnot(None)
Index("item_version", item.c.version_of, sqlite_where=_is_version, postgresql_where=_is_version)

story = Table(
    "story",
    metadata,
    # Shingles name a story by this number: a quarter of the space of its id.
    Column("no", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", Clean, nullable=False),
    _text("first_item"),
    _text("title"),
    Column("opened_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),  # no copy is looked for after this
    _text("event"),
    Column("outlets", Json, nullable=False),
    Column("hashes", LargeBinary),  # of its first text, 8 bytes each, little-endian; NULL once expired
    Column("words", LargeBinary),  # of its outline, likewise; NULL once its event is over, and where it describes none
)
Index("story_id", story.c.id, unique=True)
Index("story_seen", story.c.seen_at)
Index("story_event", story.c.event)
Index(
    "story_outlined",
    story.c.opened_at,
    sqlite_where=story.c.words.isnot(None),
    postgresql_where=story.c.words.isnot(None),
)
Index(
    "story_live",
    story.c.expires_at,
    sqlite_where=story.c.hashes.isnot(None),
    postgresql_where=story.c.hashes.isnot(None),
)

shingle = Table(
    "shingle",
    metadata,
    Column("hash", BigInteger, primary_key=True, autoincrement=False),
    Column("story", BigInteger, primary_key=True, autoincrement=False),  # story.no
    sqlite_with_rowid=False,
)

# The words of stories' titles, by which reports of one event are found.
event_word = Table(
    "event_word",
    metadata,
    Column("hash", BigInteger, primary_key=True, autoincrement=False),
    Column("story", BigInteger, primary_key=True, autoincrement=False),  # story.no
    Column("event", BigInteger, nullable=False),  # the first 8 bytes of its event's id, for counting
    sqlite_with_rowid=False,
)

alert = Table(
    "alert",
    metadata,
    Column("id", Clean, primary_key=True),
    _text("rule"),
    _text("story"),
    _text("item"),
    _text("state"),
    _text("reason"),
    Column("created_at", Double, nullable=False),
    Column("spans", Json, nullable=False),
    _text("note"),
    Column("explanation", Json),  # NULL: made before explanations were kept
    Column("change", Json),  # of an update: model.Update; NULL or null: the alert is none
)
Index("alert_created", alert.c.created_at)
Index("alert_rule", alert.c.rule, alert.c.created_at)
Index("alert_story", alert.c.story)
Index("alert_item", alert.c.item)

group = Table(
    "group",
    metadata,
    Column("id", Clean, primary_key=True),
    *_work(),  # due: when it is flushed
    _text("channel"),
    _text("kind"),
    _text("key"),
    _count("flush_no"),  # how many times it was flushed
    Column("flushed_at", Double),
    Column("latest", Double),  # `due` does not slide past this
    Column("not_before", Double),  # nothing is told before this
    Column("reason", Clean),  # why the flush was put off
    Column("outlets", Json),  # named by its earlier flushes; NULL: none
    Column("first_outlets", Integer),  # how many of them by the first
)
_due_index(group)

member = Table(
    "group_member",
    metadata,
    Column("group_id", Clean, ForeignKey("group.id"), primary_key=True),
    Column("alert_id", Clean, ForeignKey("alert.id"), primary_key=True),
    Column("flush_at", Double, nullable=False),
    Column("added_at", Double, nullable=False),
    Column("flush_no", Integer),  # the flush that told it; NULL while it waits
)
Index("group_member_alert", member.c.alert_id)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Clean, primary_key=True),
    *_work(),  # due: when it is sent or tried again
    _text("group_id"),
    _text("channel"),
    _text("target"),
    _text("target_label"),
    _count("part"),
    Column("message", Json, nullable=False),
    Column("alerts", Json, nullable=False),
    _text("state"),
    _count("attempts"),
    Column("created_at", Double, nullable=False),
    Column("first_try", Double),
    Column("sent_at", Double),
    _flag("trying"),  # a try was begun and its answer was not written down yet
    _flag("ambiguous"),
    _text("answer"),
    _text("reason"),
    Column("edits", Clean),  # the handle of the message that this one replaces
    Column("answers", Clean),  # the handle of the message that this one is a reply to
    Column("handle", Clean),  # what the service knows the sent message by
)
_due_index(delivery)
Index("delivery_created", delivery.c.created_at)
Index("delivery_group", delivery.c.group_id)

channel = Table(
    "channel",
    metadata,
    Column("channel", Clean, primary_key=True),
    Column("target", Clean, primary_key=True),  # "" for what holds of the whole channel
    Column("hold_until", Double, nullable=False, default=0.0),
    Column("refused", Clean),  # what it answered when it refused for good
    Column("refused_at", Double),
    Column("moved_to", Clean),
    Column("failing", Clean),  # the delivery that it did not take last, DOWN where there were several; NULL while well
    Column("tokens", Json, nullable=False),  # of each limit, by its key
)

silence = Table(
    "silence",
    metadata,
    Column("id", Clean, primary_key=True),
    _text("rule"),  # or the name of the source or the channel
    Column("kind", Clean),  # "source", "channel"; NULL: "rule"
    Column("until", Double, nullable=False),
    Column("created_at", Double, nullable=False),
    _text("note"),
)

config = Table(
    "config",
    metadata,
    Column("id", Clean, primary_key=True),
    Column("files", Json, nullable=False),
    Column("saved_at", Double, nullable=False),
)

worker = Table(
    "worker",
    metadata,
    Column("id", Clean, primary_key=True),
    _text("version"),
    Column("started_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
)

health = Table(
    "health",
    metadata,
    Column("subject", Clean, primary_key=True),  # "source:ID", or what else has a state
    _text("state"),  # as it was told last; who is well has no row
    Column("since", Double, nullable=False),
)

health_note = Table(
    "health_note",
    metadata,
    Column("id", Clean, primary_key=True),
    Column("at", Double, nullable=False),
    _text("subject"),
    _text("text"),
)

subscription = Table(
    "subscription",
    metadata,
    Column("id", Clean, primary_key=True),  # the source's
    *_work(),  # due: when the hub is asked (again)
    _text("hub"),
    _text("topic"),
    _text("path"),
    _text("secret"),
    _text("state"),
    Column("asked_at", Double),
    _count("failures"),
    Column("verified_at", Double),
    Column("expires_at", Double),
    Column("pushed_at", Double),
    _text("reason"),
)
_due_index(subscription)
Index("subscription_path", subscription.c.path, unique=True)

WORK: dict[Queue, Table] = {
    Queue.SOURCE: source,
    Queue.ITEM: item,
    Queue.GROUP: group,
    Queue.DELIVERY: delivery,
    Queue.SUBSCRIPTION: subscription,
}
