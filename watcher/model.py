"""The nouns that every room shares: plain frozen values, no behaviour beyond what follows from their own fields.

Times are seconds since the epoch (float, UTC). Ids are derived from what they stand for and never allotted, so that
doing a step twice is the same as doing it once (docs/architecture.md, "Ids").
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")


def derive_id(*parts: str) -> str:
    """The id of what `parts` name: 128 bits of BLAKE2b (RFC 7693) as 32 hex digits.

    The parts are joined with NUL, which no part may hold, so that ("ab", "c") and ("a", "bc") differ.
    """
    joined = "\0".join(part.replace("\0", "") for part in parts)
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class Queue(StrEnum):
    """The tables whose rows are work: each row has a due time, a lease and a fencing token."""

    SOURCE = "source"
    ITEM = "item"
    GROUP = "group"
    DELIVERY = "delivery"
    SUBSCRIPTION = "subscription"  # at hubs, which push what feeds publish


class Reason(StrEnum):
    """Why something happened, or did not. Logs, `explain`, the CLI and the dashboard all use these words."""

    # about a match
    FIRST_SIGHT = "first sight of the story"
    MATCHING_COPY = "a copy of the story, of which the rule had told nothing"
    LATER_TEXT = "a later text: the article, or what the item says now"
    COPY = "copy of a story that this rule has told"
    UPDATED = "the text of what was told has changed in substance"
    BASELINE = "found at the first poll of the source"
    NO_MATCH = "no rule matched"
    TOO_OLD = "older than max_age"
    UNDATED_BASELINE = "undated, at the first poll of the source"
    SILENT_BASELINE = "first_poll: silent"
    SILENCED = "held by a silence"
    FEW_OUTLETS = "waits for more outlets"
    FEW_COPIES = "waits for more outlets to carry the same text"
    # about the text that was judged
    FEED_TEXT = "judged on the feed's text: the article could not be read"
    FEED_TEXT_FOR_NOW = "judged on the feed's text: the article is not there yet"
    # about a story
    NEW_STORY = "no copy of it is known"
    SAME_URL = "the same canonical URL"
    SAME_TEXT = "the same text"
    ROUND_UP = "contains several stories: a round-up"
    # about when to tell
    AT_ONCE = "tells at once"
    GROUP_WAIT = "gathers copies that come in together"
    QUIET_HOURS = "quiet hours"
    DIGEST = "waits for the digest"
    LIMIT = "the channel's limit is used up"
    CHANNEL_HELD = "the channel cannot be reached, or asked to wait"
    SERVICE_RATE = "the service takes no more messages a second or a minute"
    CHANNEL_WITHHELD = "the channel's secret is not known until the configuration is mended"
    CHANNEL_UNUSABLE = "the channel's url cannot be used until the configuration is mended"
    # about a delivery
    CHANNEL_REMOVED = "the channel is no longer in the configuration"
    TARGET_REMOVED = "the channel no longer names this target"
    RULE_REMOVED = "the rule is no longer in the configuration"
    REFUSED = "refused for good"
    GAVE_UP = "gave up after too many tries"
    DROPPED = "dropped by hand"


class AlertState(StrEnum):
    """Where an alert stands. Changes are compare-and-set."""

    WAITING = "waiting"  # in a group that has not been flushed
    HELD = "held"  # something holds it back: a silence, min_outlets
    TOLD = "told"  # rendered into at least one delivery
    DROPPED = "dropped"  # will never be told; the reason says why


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    RETRYING = "retrying"
    SENT = "sent"
    DEAD = "dead"
    DROPPED = "dropped"


class Style(StrEnum):
    """How a channel's messages are written; every transport names one."""

    TELEGRAM = "telegram"  # Telegram's HTML subset
    SLACK = "slack"  # Slack mrkdwn
    EMAIL = "email"  # text and HTML parts
    CONSOLE = "console"  # a terminal: plain text with ANSI escapes, which the transport drops where they do not belong
    PLAIN = "plain"
    JSON = "json"  # a document for programs


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a source published, in plain text (no markup in any field).

    `id` is derive_id("item", source, key), where key is the guid where it is unique in its body, else the canonical
    URL where that is, else title, date and text.
    """

    id: str
    source: str  # the source's stable name
    title: str = ""
    summary: str = ""
    body: str = ""  # the article, or the feed's own full content; paragraphs parted by a blank line
    author: str = ""
    url: str = ""  # as published, resolved against the feed; "" if there is none
    outlet: str = ""  # who publishes it: DESIGN's outlet, e.g. "kyivpost.com"
    lang: str = "und"  # BCP 47 primary tag, or "und"
    tags: tuple[str, ...] = ()
    published: float | None = None
    key: str = ""
    site: str = ""  # the URL's host name


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of one field of an item, as the item holds it."""

    field: str  # "title", "summary" or "body"
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Match:
    """A rule holds for an item: what decided it."""

    rule: str  # the rule's stable name
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """One text, however many items carry it. `id` is derive_id("story", first item's id)."""

    id: str
    first_item: str
    title: str
    opened_at: float
    seen_at: float  # when its last copy came
    event: str  # the event it reports: the id of the event's first story
    outlets: tuple[str, ...] = ()  # different ones, in order of appearance


@dataclass(frozen=True, slots=True)
class Candidate:
    """A story that a new item may be a copy of: `item` is the story's first item, `hashes` are that item's."""

    story: Story
    item: Item
    hashes: frozenset[int]  # without those that many stories share
    same_url: bool = False  # the canonical URLs of the two are equal


@dataclass(frozen=True, slots=True)
class Report:
    """A story that may report the same event as a new one: `words` are the hashes of its outline, marked."""

    story: Story
    words: frozenset[int]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many different outlets report an event: with a text of their own, or with a copy only."""

    own: int
    copies: int

    @property
    def outlets(self) -> int:
        """How many outlets in all."""
        return self.own + self.copies

    def __str__(self) -> str:
        def counted(number: int, one: str, many: str) -> str:
            return f"{number} {one if number == 1 else many}"

        return (
            f"{counted(self.outlets, 'outlet', 'outlets')}: {counted(self.copies, 'copy', 'copies')}, "
            f"{counted(self.own, 'own report', 'own reports')}"
        )


@dataclass(frozen=True, slots=True)
class Update:
    """What an item says anew at its own address, against what an alert told of it."""

    of: str  # the id of the alert that told it first
    how: str  # "alert": a message of its own; "reply": a follow-up on the one that was sent
    detail: str  # what of the change matters, as `4 → 11`
    edits: tuple[tuple[str, str], ...] = ()  # what was said before and what is said now; either may be ""


@dataclass(frozen=True, slots=True)
class Alert:
    """Rule × story. `id` is derive_id("alert", rule, story); of an update the item's version is hashed, too."""

    id: str
    rule: str
    story: str
    item: str  # the copy that made it
    state: AlertState
    reason: Reason
    created_at: float
    spans: tuple[Span, ...] = ()
    note: str = ""  # what a reader must know about how it came, e.g. judged on the feed's text
    explanation: Mapping[str, Any] | None = field(
        default=None, compare=False
    )  # why the rule held: query.Verdict, as JSON
    update: Update | None = None  # it tells a change of what an earlier alert told


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing of a rule, of a source or by a channel is told until a time.

    `id` is derive_id("silence", kind, name, created_at).
    """

    id: str
    name: str  # the rule's or the source's stable name, or the channel's
    until: float
    created_at: float
    note: str = ""  # the reason, for people
    kind: str = "rule"  # or "source", "channel"


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, rendered for one style. `html` is filled for e-mail only."""

    title: str
    body: str
    style: Style
    html: str = ""
    thread: str = ""  # the event's id, or the story's: what mail clients thread by


@dataclass(frozen=True, slots=True)
class Target:
    """One recipient of a channel: one address, one chat. `key` is a hash, `label` is masked; neither holds a secret."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class SourceState:
    """What the store remembers of a source between polls."""

    id: str  # stable name
    next_due: float
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    redirect_to: str | None = None  # where permanent redirects led, adopted after repeats
    redirects: int = 0  # how many polls in a row led there
    first_polled_at: float | None = None  # None: the next poll is the baseline
    last_success: float | None = None
    last_new: float | None = None
    failures: int = 0  # in a row
    error: str | None = None  # one line; None while well
    cache: dict[str, Any] = field(default_factory=dict)  # what a kind wants back at its next poll, JSON
    relies_until: float | None = None  # until when a hub pushes what it publishes, so that it need not be polled often


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed's subscription at the hub that it names (WebSub, W3C Recommendation of 23 January 2018)."""

    id: str  # the source's stable name
    hub: str
    topic: str  # what the hub knows the feed by
    path: str = field(repr=False)  # of its callback: who knows it may speak for the hub
    secret: str = field(repr=False)  # what the hub signs with
    state: str = "pending"  # "active" once the hub has verified it; "denied"
    asked_at: float | None = None  # when the hub was asked last, while its verification is awaited
    failures: int = 0  # times in a row that the hub was asked and it did not come about
    verified_at: float | None = None  # since when it has been active
    expires_at: float | None = None
    pushed_at: float | None = None
    reason: str = ""  # why it is not active, one line


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """An item whose article is to be read."""

    item: Item
    first_seen: float
    attempts: int
    baseline: bool
    judged: bool  # already judged once on the feed's text
    version_of: str = ""  # the item whose article is read again, because its entry changed


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts that one channel will tell together."""

    id: str
    channel: str
    kind: str  # "alert", "digest" or "baseline"
    key: str
    flush_at: float
    flush_no: int  # how many times it was flushed before
    outlets: tuple[str, ...] = ()  # named to the channel by its earlier flushes
    first_outlets: int = 0  # how many of them by the first


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one target. `id` is derive_id(group, flush number, channel, target, part)."""

    id: str
    group: str
    channel: str
    target: Target
    part: int  # 0-based
    message: Message
    alerts: tuple[str, ...] = ()
    state: DeliveryState = DeliveryState.PENDING
    next_try: float = 0.0
    attempts: int = 0
    created_at: float = 0.0
    first_try: float | None = None
    sent_at: float | None = None
    ambiguous: bool = False  # a try was cut after the request went out: may repeat
    answer: str = ""  # the channel's last answer, one line, no secret
    reason: str = ""
    edits: str = ""  # the handle of the sent message that this one replaces
    answers: str = ""  # the handle of the sent message that this one is a reply to
    handle: str = ""  # what the service knows the sent message by, where it can be edited


@dataclass(frozen=True, slots=True)
class Claim(Generic[Row]):
    """A leased row of a queue. Writing its result needs `token`, which a later claim makes stale."""

    queue: Queue
    id: str
    token: int
    row: Row
