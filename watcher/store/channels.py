"""Channels: what the services answered about whole channels and targets, and what is left of the channels' limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, or_, select, update

from watcher.model import Reason
from watcher.store.statements import Statements
from watcher.store.tables import channel, delivery, group

DOWN = "down"
HELD = "held"  # the key of the group that tells what a channel missed while it was not to be reached


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What holds of one target of a channel, or of the whole channel (target "")."""

    channel: str
    target: str = ""
    hold_until: float = 0.0  # nothing is sent before
    refused: str | None = None  # what it answered when it refused for good
    refused_at: float | None = None
    moved_to: str | None = None  # the target's new address
    failing: str | None = None  # the delivery that was not taken last, or DOWN where two different ones were not

    @property
    def down(self) -> bool:
        """It is the target that fails, and not one message."""
        return self.failing == DOWN


_ONE = select(channel).where(channel.c.channel == bindparam("name"), channel.c.target == bindparam("of"))


def _state(row: Row[Any]) -> ChannelState:
    return ChannelState(row.channel, row.target, row.hold_until, row.refused, row.refused_at, row.moved_to, row.failing)


class ChannelStatements(Statements):
    """Statements about channels and their targets."""

    async def get(self, name: str, target: str = "") -> ChannelState:
        """What is known of a target."""
        row = await self._first(_ONE, {"name": name, "of": target})
        return ChannelState(name, target) if row is None else _state(row)

    async def list(self) -> list[ChannelState]:
        """Every target of which something is known."""
        named = select(channel).where(channel.c.channel != "")
        rows = await self._rows(named.order_by(channel.c.channel, channel.c.target))
        return [_state(row) for row in rows]

    async def hold(self, name: str, target: str, until: float) -> None:
        """Send it nothing before `until`."""
        await self._set(name, target, hold_until=until)

    async def refuse(self, name: str, target: str, answer: str | None, now: float) -> None:
        """It refused for good with `answer`; None: it takes messages again."""
        await self._set(name, target, refused=answer, refused_at=None if answer is None else now)

    async def move(self, name: str, target: str, moved_to: str) -> None:
        """Its messages go to another address from now on."""
        await self._set(name, target, moved_to=moved_to)

    async def failed(self, name: str, target: str, delivery_id: str) -> bool:
        """A target did not take a message for now; True where it is the target that is down, not one message's matter.

        That is so once it has taken none of two different ones since the last that it took.
        """
        state = await self.get(name, target)
        other = state.failing is not None and state.failing != delivery_id
        await self._set(name, target, failing=DOWN if other else delivery_id)
        return other

    async def stop(self, name: str, target: str, until: float) -> None:
        """Send a target nothing before `until`, and then everything that waits for it, in its order."""
        await self.hold(name, target, until)
        later = (delivery.c.channel == name) & (delivery.c.target == target) & (delivery.c.due > until)
        await self._run(update(delivery).where(later, delivery.c.lease_until.is_(None)).values(due=until))

    async def works(self, name: str, target: str) -> None:
        """A target takes messages again: what its channel held back meanwhile is told now."""
        await self._set(name, target, failing=None, hold_until=0.0)
        held = or_(group.c.key == HELD, group.c.reason == Reason.CHANNEL_HELD.name)
        free = group.c.due.isnot(None) & group.c.lease_until.is_(None)
        await self._run(update(group).where(group.c.channel == name, held, free).values(due=self._now, reason=None))

    async def tokens(self, name: str, key: str, target: str = "") -> dict[str, float]:
        """What `set_tokens` kept for the limit `key` of a channel; no other worker reads it until this one is done.

        With the name "" it is a limit of the target itself, whatever channels lead to it.
        """
        return dict((await self._tokens(name, target)).get(key, {}))

    async def set_tokens(self, name: str, key: str, tokens: Mapping[str, float], now: float, target: str = "") -> None:
        """Keep what is left of the limit `key` of a channel."""
        await self._set(name, target, tokens={**await self._tokens(name, target), key: dict(tokens)})

    async def _tokens(self, name: str, target: str) -> dict[str, dict[str, float]]:
        await self._run(
            self._insert(channel).on_conflict_do_nothing(), {"channel": name, "target": target, "tokens": {}}
        )
        chosen = (channel.c.channel == name) & (channel.c.target == target)
        statement = select(channel.c.tokens).where(chosen).with_for_update()
        kept: dict[str, dict[str, float]] = (await self._run(statement)).scalar_one()
        return kept

    async def _set(self, name: str, target: str, **values: Any) -> None:
        statement = self._insert(channel).on_conflict_do_update(
            index_elements=[channel.c.channel, channel.c.target], set_=values
        )
        await self._run(statement, {"channel": name, "target": target, "tokens": {}, **values})
