"""What one channel is told at one time, before it is written in any style: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from watcher.alerting.excerpt import Excerpt
from watcher.model import Coverage, Span, Update

NAMED_OUTLETS = 6


@dataclass(frozen=True, slots=True)
class Told:
    """One alert as it is to be told."""

    alert: str
    rule: str  # its name
    priority: str
    story: str
    title: str
    url: str
    outlet: str
    published: float | None
    seen: float  # when the story was first seen
    excerpt: Excerpt
    title_spans: tuple[Span, ...] = ()
    others: tuple[str, ...] = ()  # other outlets with the story
    note: str = ""
    mention: str = ""  # whom the rule calls in Slack, as Slack writes it
    reach: Coverage | None = None  # who reports the story's event
    update: Update | None = None  # it tells a change of what was told


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a channel was told before of the event that it is now told more of."""

    title: str  # of the first story
    outlets: tuple[str, ...]  # those that reported since
    headline: str = ""  # of the first story now, where it is another one
    reach: Coverage | None = None  # who reports the event


@dataclass(frozen=True, slots=True)
class Notice:
    """What one channel is told at one time."""

    channel: str
    kind: str  # "alert", "digest" or "baseline"
    told: tuple[Told, ...]
    timezone: ZoneInfo
    now: float
    cause: str = ""  # of a digest that nobody ordered: "held", "limit", "silence"
    since: float | None = None  # when the oldest of what was held back came
    remarks: tuple[str, ...] = ()  # what else is to be said at its head
    thread: str = ""  # the event's id
    earlier: Earlier | None = None  # of a follow-up
    named: int = NAMED_OUTLETS  # so many of a story's other outlets are named

    @property
    def only_updates(self) -> bool:
        """Whether nothing is told but changes of what was told."""
        return bool(self.told) and all(told.update for told in self.told)
