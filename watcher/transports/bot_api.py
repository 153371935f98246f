"""Telegram's Bot API (core.telegram.org/bots/api) where Apprise has nothing: editing, replying, finding a chat."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from watcher.errors import Failure, TransportError
from watcher.model import Message
from watcher.transports.base import Receipt
from watcher.transports.web import Answer, post_json

API = "https://api.telegram.org"
_URL = re.compile(r"tgram://(?:bot)?(?P<id>[0-9]+)(?::|%3A|/)(?P<key>[a-z0-9_-]+)/*(?P<chat>[^?/]*)", re.IGNORECASE)


async def edit(url: str, handle: str, message: Message, masked: Callable[[str], str]) -> Receipt:
    """Put `message` in the place of message `handle` in the one chat of `url` (editMessageText).

    Raises TransportError, its answer passed through `masked`.
    """
    token, chat, _ = _recipient(url)
    values = {"chat_id": chat, "message_id": int(handle), **_written(message)}
    answer = await call(token, "editMessageText", values, masked)
    said = str(answer.content.get("description", ""))
    if answer.content.get("ok") or "message is not modified" in said:
        return Receipt(f"{answer.status} edited", handle)
    raise _failure(answer, masked)


async def reply(url: str, handle: str, message: Message, masked: Callable[[str], str]) -> Receipt:
    """Send `message` to the one chat of `url` in reply to message `handle`, or without where that is gone.

    Raises TransportError, its answer passed through `masked`.
    """
    token, chat, topic = _recipient(url)
    values = {"chat_id": chat, **_written(message)}
    values["reply_parameters"] = {"message_id": int(handle), "allow_sending_without_reply": True}
    values |= {"message_thread_id": topic} if topic else {}
    answer = await call(token, "sendMessage", values, masked)
    if answer.content.get("ok"):
        sent = answer.content.get("result") or {}
        return Receipt(f"{answer.status} taken", str(sent.get("message_id", "")))
    raise _failure(answer, masked)


def _recipient(url: str) -> tuple[str, int | str, int | None]:
    """The bot's token, the chat, and the topic in it, if one is named."""
    found = _URL.match(url.strip())
    if found is None:
        raise TransportError(Failure.PERMANENT, "the Telegram URL cannot be read")
    named = unquote(found["chat"]) or parse_qs(url.partition("?")[2]).get("to", [""])[0]
    chat, _, topic = named.partition(":")
    chat_id: int | str = int(chat) if chat.lstrip("-").isdigit() else f"@{chat.lstrip('@')}"
    return f"{found['id']}:{found['key']}", chat_id, int(topic) if topic.isdigit() else None


def _written(message: Message) -> dict[str, Any]:
    return {"text": message.body, "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}


async def call(token: str, method: str, values: Mapping[str, Any], masked: Callable[[str], str]) -> Answer:
    """Call a method of the API. Raises TransportError where there was no answer."""
    return await post_json(f"{API}/bot{token}/{method}", values, masked=masked)


def _failure(answer: Answer, masked: Callable[[str], str]) -> TransportError:
    parameters = answer.content.get("parameters") or {}
    wait = parameters.get("retry_after")
    said = masked(f"{answer.status} {answer.content.get('description', '')}")
    moved_to = parameters.get("migrate_to_chat_id")
    if isinstance(moved_to, int):
        return TransportError(Failure.TRANSIENT, said, moved_to=str(moved_to))
    failure = Failure.TRANSIENT if answer.status in (0, 429) or answer.status >= 500 else Failure.PERMANENT
    return TransportError(failure, said, retry_after=float(wait) if wait is not None else None)


async def wait_for_word(token: str) -> tuple[int, str]:
    """The chat from which the bot of `token` hears next, by number and name (getUpdates, long polling).

    Raises TransportError where the API does not know the token.
    """

    def masked(text: str) -> str:
        return text.replace(token, "***").replace(token.partition(":")[2] or token, "***")

    if not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", token):
        raise TransportError(Failure.PERMANENT, "a bot's token is like 123456789:AbC-dEf")
    offset = 0
    while True:
        answer = await call(token, "getUpdates", {"offset": offset, "timeout": 20}, masked)
        if not answer.content.get("ok"):
            raise _failure(answer, masked)
        for update in answer.content.get("result", []):
            offset = max(offset, update["update_id"] + 1)
            message = update.get("message") or update.get("channel_post") or update.get("my_chat_member") or {}
            chat = message.get("chat") or {}
            if "id" in chat:
                return int(chat["id"]), str(chat.get("title") or chat.get("username") or chat.get("first_name") or "")
