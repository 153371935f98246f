"""Slack with a bot's token: chat.postMessage and chat.update (docs.slack.dev), so that a sent alert can be edited."""

from __future__ import annotations

import html
from typing import Any, ClassVar
from urllib.parse import unquote

from watcher.errors import Failure, TransportError
from watcher.model import Message, Style, Target, derive_id
from watcher.transports.apprise import SLACK_RATES, sections
from watcher.transports.base import Receipt, Transport
from watcher.transports.exchange import SLACK_PASSING
from watcher.transports.web import Answer, post_json

API = "https://slack.com/api"
_EXPECTED = "expected slack://xoxb-BOT-TOKEN/CHANNEL, where the channel is #name or C0123456789"


class SlackTransport(Transport):
    """`slack://xoxb-…/#channel`; a webhook's URL is Apprise's."""

    schemes: ClassVar[frozenset[str]] = frozenset({"slackbot"})
    prefixes: ClassVar[tuple[str, ...]] = ("slack://xoxb-",)

    def style(self, url: str) -> Style:
        """How messages to `url` are written."""
        return Style.SLACK

    def check(self, url: str) -> str | None:
        """What is wrong with `url`."""
        token, channels = _read(url)
        return None if token.startswith("xoxb-") and channels else _EXPECTED

    def targets(self, url: str) -> list[tuple[Target, str]]:
        """One per channel."""
        token, channels = _read(url)
        if not channels:
            raise TransportError(Failure.PERMANENT, f"the Slack URL names no channel: {_EXPECTED}")
        return [
            (Target(derive_id("target", "slack", channel.lower()), f"slack {channel}"), f"slack://{token}/{channel}")
            for channel in dict.fromkeys(channels)
        ]

    async def send(self, url: str, message: Message, delivery_id: str) -> Receipt:
        """Post a message."""
        token, (channel, *_) = _read(url)
        return await _post(token, {"channel": channel, **_written(message)})

    async def reply(self, url: str, handle: str, message: Message, delivery_id: str) -> Receipt:
        """Post a message into the thread of the one known by `handle`."""
        token, _ = _read(url)
        channel, _, sent_at = handle.partition(" ")
        return await _post(token, {"channel": channel, "thread_ts": sent_at, **_written(message)})

    def edits(self, url: str) -> bool:
        """Whether a message can be edited."""
        return True

    async def edit(self, url: str, handle: str, message: Message) -> Receipt:
        """Put `message` in the place of the one known by `handle`: the channel's id and the message's time."""
        token, _ = _read(url)
        channel, _, sent_at = handle.partition(" ")
        answer = await _call(token, "chat.update", {"channel": channel, "ts": sent_at, **_written(message)})
        return Receipt(f"{answer.status} edited", handle)

    def rates(self, url: str) -> tuple[tuple[int, float], ...]:
        """One message a second."""
        return SLACK_RATES


def _read(url: str) -> tuple[str, list[str]]:
    """The token, and the channels."""
    token, *channels = url.strip().partition("://")[2].partition("?")[0].split("/")
    return token, [unquote(channel) for channel in channels if channel]


def _written(message: Message) -> dict[str, Any]:
    return {
        "text": html.escape(message.title, quote=False),
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
            for text in sections(message.body)
        ],
        "unfurl_links": False,
    }


async def _post(token: str, values: dict[str, Any]) -> Receipt:
    answer = await _call(token, "chat.postMessage", values)
    # The channel is known by its id from here on: chat.update takes no name.
    handle = f"{answer.content.get('channel', values['channel'])} {answer.content.get('ts', '')}"
    return Receipt(f"{answer.status} ok", handle if answer.content.get("ts") else "")


async def _call(token: str, method: str, values: dict[str, Any]) -> Answer:
    def masked(text: str) -> str:
        return " ".join(text.split()).replace(token, "***")[:300]

    answer = await post_json(f"{API}/{method}", values, headers={"Authorization": f"Bearer {token}"}, masked=masked)
    if answer.status == 200 and answer.content.get("ok"):
        return answer
    error = str(answer.content.get("error") or answer.text)
    passing = answer.status == 429 or answer.status >= 500 or error in SLACK_PASSING
    raise TransportError(
        Failure.TRANSIENT if passing else Failure.PERMANENT,
        masked(f"{answer.status} {error}"),
        retry_after=answer.retry_after,
    )
