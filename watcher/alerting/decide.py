"""Whether a match becomes an alert that is told, waits, or is dropped. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watcher.model import AlertState, Reason

Kind = Literal["alert", "baseline"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The state an alert begins in, why, and the kind of group it is told in if it is told."""

    state: AlertState
    reason: Reason
    kind: Kind = "alert"


WAITS_FOR_MORE = frozenset({Reason.FEW_OUTLETS, Reason.FEW_COPIES})


def alert(
    *,
    published: float | None,
    oldest: float,
    baseline: bool,
    first_poll: str,
    outlets: int,
    min_outlets: int,
    copies: int = 1,
    min_copies: int = 1,
    sight: Reason = Reason.FIRST_SIGHT,
) -> Decision:
    """Decide on a rule's first match of a story.

    `published` is the item's own date, None if it has none; items published before `oldest` (the source's max_age,
    counted back from its last success) are never told. `baseline` says that the item was found at the first poll of
    its source, for which `first_poll` is "digest", "alert" or "silent". `outlets` report the event and `copies` of
    them carry this one text; the rule wants `min_outlets` and `min_copies`. `sight` says what is told by this match.
    That a copy of the story was told before is not known here: the alert's derived id says it.
    """
    if baseline and first_poll == "silent":
        return Decision(AlertState.DROPPED, Reason.SILENT_BASELINE, "baseline")
    if baseline and published is None:
        return Decision(AlertState.DROPPED, Reason.UNDATED_BASELINE, "baseline")
    if published is not None and published < oldest:
        return Decision(AlertState.DROPPED, Reason.TOO_OLD)
    kind: Kind = "baseline" if baseline and first_poll == "digest" else "alert"
    if outlets < min_outlets:
        return Decision(AlertState.HELD, Reason.FEW_OUTLETS, kind)
    if copies < min_copies:
        return Decision(AlertState.HELD, Reason.FEW_COPIES, kind)
    return Decision(AlertState.WAITING, Reason.BASELINE if baseline else sight, kind)
