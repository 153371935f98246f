"""Channels: what the services answered about whole channels and targets, and what is left of the channels' limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from watcher.store.statements import Statements
from watcher.store.tables import channel


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What holds of one target of a channel, or of the whole channel (target "")."""

    channel: str
    target: str = ""
    hold_until: float = 0.0  # nothing is sent before
    refused: str | None = None  # what it answered when it refused for good
    refused_at: float | None = None
    moved_to: str | None = None  # the target's new address


def _state(row: Row[Any]) -> ChannelState:
    return ChannelState(row.channel, row.target, row.hold_until, row.refused, row.refused_at, row.moved_to)


class ChannelStatements(Statements):
    """Statements about channels and their targets."""

    async def get(self, name: str, target: str = "") -> ChannelState:
        """What is known of a target."""
        row = await self._first(select(channel).where(channel.c.channel == name, channel.c.target == target))
        return ChannelState(name, target) if row is None else _state(row)

    async def list(self) -> list[ChannelState]:
        """Every target of which something is known."""
        rows = await self._rows(select(channel).order_by(channel.c.channel, channel.c.target))
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

    async def tokens(self, name: str, key: str) -> dict[str, float]:
        """What `set_tokens` kept for the limit `key` of a channel; no other worker reads it until this one is done."""
        return dict((await self._tokens(name)).get(key, {}))

    async def set_tokens(self, name: str, key: str, tokens: Mapping[str, float], now: float) -> None:
        """Keep what is left of the limit `key` of a channel."""
        await self._set(name, "", tokens={**await self._tokens(name), key: dict(tokens)})

    async def _tokens(self, name: str) -> dict[str, dict[str, float]]:
        await self._run(self._insert(channel).on_conflict_do_nothing(), {"channel": name, "target": "", "tokens": {}})
        statement = select(channel.c.tokens).where(channel.c.channel == name, channel.c.target == "").with_for_update()
        kept: dict[str, dict[str, float]] = (await self._run(statement)).scalar_one()
        return kept

    async def _set(self, name: str, target: str, **values: Any) -> None:
        statement = self._insert(channel).on_conflict_do_update(
            index_elements=[channel.c.channel, channel.c.target], set_=values
        )
        await self._run(statement, {"channel": name, "target": target, "tokens": {}, **values})
