"""How well each source is, and what of it is to be told: pure decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from watcher.errors import FetchKind
from watcher.model import SourceState

HOUR, DAY = 3600.0, 86400.0

PATIENCE = 6 * HOUR  # a source may fail for so long before it is told
QUIET = 3 * DAY  # a source that publishes every working day is not quiet over a long weekend
MISSED = 14.0  # items that a quiet source would have published, by its own week
OUTAGE = 3  # so many sources must fail by the network for it to be the network's fault
OUTAGE_SHARE = 0.8  # and this share of those that were polled
RECENT = 2 * HOUR  # a failure as old as this says nothing of the network now

NETWORK = "network"  # the subject and the state of an outage
_BY_NETWORK = {FetchKind.DNS.value, FetchKind.NETWORK.value, FetchKind.TIMEOUT.value}


class Status(Protocol):
    """What the store knows of a source."""

    @property
    def state(self) -> SourceState:
        """What is remembered between polls."""

    @property
    def added_at(self) -> float:
        """When it came into the configuration."""

    @property
    def polled_at(self) -> float | None:
        """When it was polled last, whatever came of it."""

    @property
    def error_kind(self) -> str | None:
        """How the last poll failed, in a word."""


class State(StrEnum):
    """How well a source is."""

    OK = "ok"
    FAILING = "failing"
    BLOCKED = "blocked"
    GONE = "gone"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Health:
    """A source's state, and why, in words."""

    state: State
    why: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A subject is no longer as it was told last. `state` is None where it is well again."""

    subject: str
    was: str | None
    state: str | None
    text: str
    urgent: bool


def per_day(status: Status) -> float | None:
    """How many items a day the source publishes, by its last week; None where that is not known."""
    found = status.state.cache.get("per_day")
    return float(found) if isinstance(found, int | float) else None


def health(status: Status, now: float) -> Health:
    """The state of a source at `now`.

    It fails once nothing has come of it for six hours or three times its usual gap between items, whichever is longer;
    it is quiet once it has published nothing for so long that by its own week it would have published many items.
    """
    state, rate = status.state, per_day(status)
    error = state.error or ""
    if state.failures:
        if status.error_kind == FetchKind.GONE.value:
            return Health(State.GONE, f"it is gone for good: {error}; remove it, or give its new address")
        if status.error_kind == FetchKind.BLOCKED.value and state.failures > 1:
            return Health(State.BLOCKED, f"it takes watcher for a robot: {error}")
        last = state.last_success if state.last_success is not None else status.added_at
        gap = DAY / rate if rate else 0.0
        if now - last > max(PATIENCE, 3 * gap):
            return Health(State.FAILING, f"nothing for {span(now - last)}: {error}")
        return Health(State.OK, f"failed {'once' if state.failures == 1 else f'{state.failures} times'}: {error}")
    if rate and state.last_new is not None:
        silent = now - state.last_new
        if silent > max(QUIET, MISSED * DAY / rate):
            return Health(State.QUIET, f"nothing new for {span(silent)}; it used to have {rate:.3g} items a day")
    return Health(State.OK)


def outage(statuses: Sequence[Status], now: float) -> bool:
    """Whether nearly every source that was polled lately fails by DNS or the network: the fault is then here."""
    recent = [one for one in statuses if one.polled_at is not None and now - one.polled_at < RECENT]
    dead = [one for one in recent if by_network(one)]
    return len(dead) >= max(OUTAGE, OUTAGE_SHARE * len(recent))


def by_network(status: Status) -> bool:
    """Whether a source fails for a reason that an outage of the network here would give."""
    return bool(status.state.failures) and status.error_kind in _BY_NETWORK


def changes(statuses: Sequence[Status], names: Mapping[str, str], told: Mapping[str, str], now: float) -> list[Change]:
    """What is not as it was `told` last (states by subject); `names` are what the configuration calls the sources.

    While the network is out, that is all that is said: no source is told to fail or to recover by it. A source that was
    removed from the configuration is forgotten without a word.
    """
    found: list[Change] = []
    down = outage(statuses, now)
    if down != (NETWORK in told):
        text = (
            "nearly no source can be reached: the network or the name server here is out. All are tried again; none is "
            "given up"
            if down
            else "the network is back"
        )
        found.append(Change(NETWORK, told.get(NETWORK), NETWORK if down else None, text, urgent=True))
    present = set()
    for status in statuses:
        subject, name = f"source:{status.state.id}", names.get(status.state.id, status.state.id)
        present.add(subject)
        now_is, was = health(status, now), told.get(subject)
        state = None if now_is.state is State.OK else now_is.state.value
        if state == was or (down and status.error_kind in _BY_NETWORK):
            continue
        if state is None and status.state.failures:  # it gave way to another failure, which has not lasted yet
            continue
        text = f"{name}: {f'{state}: {now_is.why}' if state else f'well again (was {was})'}"
        quiet = {state, was} <= {None, State.QUIET.value}
        found.append(Change(subject, was, state, text, urgent=not quiet))
    for subject, was in told.items():
        if subject.startswith("source:") and subject not in present:
            found.append(Change(subject, was, None, "", urgent=False))
    return found


def span(seconds: float) -> str:
    """A span of time in words."""
    if seconds < 2 * HOUR:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / HOUR:.0f} hours" if seconds < 2 * DAY else f"{seconds / DAY:.0f} days"
