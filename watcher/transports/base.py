"""What every way to send offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from watcher.errors import Failure, TransportError
from watcher.model import Message, Style, Target


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message was taken. `answer` is what the service said: one line, no secret.

    `handle` is what the service knows the message by, where it can be edited.
    """

    answer: str
    handle: str = ""


class Transport(ABC):
    """One way to send, for the URLs of some schemes. It holds no state of a channel: the store does."""

    schemes: ClassVar[frozenset[str]]
    prefixes: ClassVar[tuple[str, ...]] = ()  # of URLs that are its own though another has their scheme

    @abstractmethod
    def style(self, url: str) -> Style:
        """How messages to `url` are written."""

    @abstractmethod
    def check(self, url: str) -> str | None:
        """What is wrong with `url`, for its author and without its secrets; None if nothing is seen at a glance."""

    @abstractmethod
    def targets(self, url: str) -> list[tuple[Target, str]]:
        """The recipients of `url`, each with the secret URL of that one alone.

        Raises TransportError where `url` cannot be read.
        """

    @abstractmethod
    async def send(self, url: str, message: Message, delivery_id: str) -> Receipt:
        """Send `message` to the one recipient of `url`, once. Raises TransportError where it was not taken.

        `delivery_id` makes a repeat recognisable where the service allows it.
        """

    def edits(self, url: str) -> bool:
        """Whether a message sent to `url` can be edited afterwards."""
        return False

    async def edit(self, url: str, handle: str, message: Message) -> Receipt:
        """Put `message` in the place of the one sent to the recipient of `url` that the service knows by `handle`.

        Raises TransportError; PERMANENT says that the old message cannot be edited any more.
        """
        raise TransportError(Failure.PERMANENT, "the service edits nothing")

    async def reply(self, url: str, handle: str, message: Message, delivery_id: str) -> Receipt:
        """Send `message` as a reply to the one that the service knows by `handle`, where it has such a thing.

        Raises TransportError; PERMANENT may say no more than that the old message cannot be replied to.
        """
        return await self.send(url, message, delivery_id)

    def rates(self, url: str) -> tuple[tuple[int, float], ...]:
        """What the service takes for the one recipient of `url`: messages and seconds, as token buckets."""
        return ()

    async def ready(self, url: str) -> None:  # noqa: B027 - most ways to send need nothing heavy
        """Import what is heavy for `url`, off the event loop. The other methods work without, but may block it."""

    def retarget(self, url: str, moved_to: str) -> str:
        """The URL of one recipient, with the recipient's new address `moved_to`."""
        raise TransportError(Failure.PERMANENT, "the service knows no other address of a target")
