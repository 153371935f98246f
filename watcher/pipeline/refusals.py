"""Channels that refuse for good, and who is told of it: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from watcher.sources.health import Change
from watcher.store import ChannelState

REFUSED = "refused"  # the state of such a channel


def refusals(
    states: Sequence[ChannelState], channels: Collection[str], told: Mapping[str, str]
) -> tuple[list[Change], set[str]]:
    """What is not as it was `told` last of the `channels` that are configured, and which of them refuse now."""
    refusing: dict[str, str] = {}
    for state in states:
        if state.refused is not None and state.channel in channels:
            refusing.setdefault(state.channel, state.refused)
    found = []
    for name, answer in refusing.items():
        if f"channel:{name}" not in told:
            text = (
                f"{name}: refused for good: {answer or 'no reason given'}. Mend the channel, then `watcher deliveries "
                "retry` sends what it missed"
            )
            found.append(Change(f"channel:{name}", None, REFUSED, text, urgent=True))
    for subject in told:
        name = subject.removeprefix("channel:")
        if name != subject and name not in refusing:
            text = f"{name}: takes messages again" if name in channels else ""
            found.append(Change(subject, REFUSED, None, text, urgent=bool(text)))
    return found, set(refusing)


def recipients(
    notify: Sequence[str], channels: Iterable[str], refusing: Collection[str], news: Iterable[Change]
) -> list[str]:
    """Who hears of what changed: `notify`, and where all of them refuse, the first other channel that does not.

    That a channel refuses is not told to that channel.
    """
    about = {change.subject.removeprefix("channel:") for change in news if change.state == REFUSED}
    if not notify or not set(notify) <= set(refusing):
        return [name for name in notify if name not in about]
    other = next((name for name in channels if name not in refusing), None)
    return [name for name in notify if name not in about] + ([other] if other is not None else [])
