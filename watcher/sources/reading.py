"""How what a poll brought is to be read against what was known: as news, or as a new beginning. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from watcher.model import Item, SourceState
from watcher.sources.base import Outcome, Poll

DAY = 86400.0

PAUSE = 3 * DAY  # a source that was due for so long without being asked begins anew
FEW = 10  # a feed with fewer new entries than this is not one that was re-issued
MOST = 0.7


class Reading(StrEnum):
    """What the new items of a poll are."""

    NEWS = "news"
    GAP = "gap"  # news, but some may have been missed
    FIRST = "first poll"
    PAUSE = "first poll after a long pause"
    REISSUED = "the feed was re-issued whole"

    @property
    def baseline(self) -> bool:
        """Whether the items were there before, so that they are not told one by one."""
        return self in (Reading.FIRST, Reading.PAUSE, Reading.REISSUED)


def reading(state: SourceState, got: Poll, fresh: Sequence[Item], now: float) -> Reading:
    """How to read a poll that gave `got`, of whose items `fresh` were not known.

    A feed is re-issued where most of its ids are new and most of the new items are older than the last poll: a site
    that changed its software gives old texts new guids. Where no entry stood in the last poll and they are not old,
    there may have been more in between than the feed holds. A pause is watcher's own; a source that failed for long is
    caught up with.
    """
    if state.first_polled_at is None:
        return Reading.FIRST
    if now - state.next_due > PAUSE:
        return Reading.PAUSE
    last = state.last_success if state.last_success is not None else state.first_polled_at
    listed = len(got.ids)
    dated = [item.published for item in fresh if item.published is not None]
    old = sum(date < last - DAY for date in dated)
    if len(fresh) >= max(FEW, MOST * listed) and old >= max(FEW, MOST * len(fresh)):
        return Reading.REISSUED
    if got.outcome is Outcome.PARSED and 0 < listed <= len(fresh):
        return Reading.GAP
    return Reading.NEWS
