"""Telegram's Bot API: sendMessage, with the entity parser's own rules (tdlib, MessageEntity.cpp, parse_html)."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TAGS = frozenset("a b strong i em s strike del u ins tg-spoiler tg-emoji span pre code blockquote".split())
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
LONGEST = 4096
_ENTITY = re.compile(r"&(?:#(?:x([0-9a-fA-F]+)|([0-9]+))|(lt|gt|amp|quot));?")
_ATTRIBUTE = re.compile(r"""\s*([^\s=>]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([a-zA-Z0-9.\-]+))""")


class CannotParse(Exception):
    """What the API calls "can't parse entities"."""


@dataclass(frozen=True)
class Entity:
    kind: str
    text: str
    url: str = ""


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """The text that a reader sees, and what acts in it. Raises CannotParse in the API's own words."""
    text = ""
    stack: list[tuple[str, int, str]] = []
    entities: list[Entity] = []
    i = 0
    while i < len(source):
        char = source[i]
        if char == "&" and (found := _ENTITY.match(source, i)):
            text += _decoded(found)
            i = found.end()
        elif char != "<":
            text += char
            i += 1
        elif source[i + 1 : i + 2] != "/":
            end = _end_of_name(source, i + 1)
            name = source[i + 1 : end].lower()
            if name not in TAGS:
                raise CannotParse(f'Unsupported start tag "{name}" at byte offset {_byte(source, i)}')
            href, end = _attributes(source, end, i)
            stack.append((name, len(text), href))
            i = end
        else:
            end = source.find(">", i)
            name = source[i + 2 : end].strip().lower()
            if end < 0:
                raise CannotParse(f"Unclosed end tag at byte offset {_byte(source, i)}")
            if not stack:
                raise CannotParse(f"Unexpected end tag at byte offset {_byte(source, i)}")
            opened, start, href = stack.pop()
            if name and name != opened:
                raise CannotParse(
                    f'Unmatched end tag at byte offset {_byte(source, i)}, expected "</{opened}>", found "</{name}>"'
                )
            entities.append(Entity(opened, text[start:], href))
            i = end + 1
    if stack:
        raise CannotParse(f'Can\'t find end tag corresponding to start tag "{stack[-1][0]}"')
    return text, entities


def _decoded(found: re.Match[str]) -> str:
    hexadecimal, decimal, named = found.groups()
    if named:
        return NAMED[named]
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return chr(code) if 0 < code < 0x110000 else found[0]


def _end_of_name(source: str, start: int) -> int:
    for end in range(start, len(source)):
        if source[end].isspace() or source[end] == ">":
            return end
    raise CannotParse(f"Unclosed start tag at byte offset {_byte(source, start - 1)}")


def _attributes(source: str, at: int, tag: int) -> tuple[str, int]:
    href = ""
    while True:
        while at < len(source) and source[at].isspace():
            at += 1
        if at >= len(source):
            raise CannotParse(f"Unclosed start tag at byte offset {_byte(source, tag)}")
        if source[at] == ">":
            return href, at + 1
        found = _ATTRIBUTE.match(source, at)
        if found is None:
            raise CannotParse(f"Expected equal sign in declaration of an attribute at byte offset {_byte(source, at)}")
        if found[1].lower() == "href":
            href = html.unescape(found[2] or found[3] or found[4] or "")
        at = found.end()


def _byte(source: str, index: int) -> int:
    return len(source[:index].encode("utf-8", "surrogatepass"))


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True)
class Posted:
    """A message that was taken."""

    chat: int | str
    text: str
    entities: tuple[Entity, ...]
    raw: dict[str, Any]


@dataclass
class FakeTelegram:
    """Takes what the real one takes. `script` overrides the answers to the next requests, one each."""

    messages: list[Posted] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)  # everything asked, taken or not
    edits: list[Posted] = field(default_factory=list)
    gone: bool = False  # no message can be edited any more
    updates: list[dict[str, Any]] = field(default_factory=list)  # what getUpdates gives
    tokens: list[str] = field(default_factory=list)
    script: deque[str] = field(default_factory=deque)
    migrated: dict[int, int] = field(default_factory=dict)  # groups that became supergroups

    def then(self, *answers: str) -> None:
        """Script what comes next: "429 SECONDS", or a word of `_scripted` or `_strange`, or ok."""
        self.script.extend(answers)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        found = re.fullmatch(r"/bot([^/]+)/(\w+)", request.path)
        if found is not None and found[2] == "getUpdates":
            return self._updates(await request.json())
        if found is None or found[2].lower() not in ("sendmessage", "editmessagetext"):
            return _answer(404, "Not Found")
        self.tokens.append(found[1])
        payload = json.loads(await request.text())
        self.requests.append(payload)
        answer = self.script.popleft() if self.script else "ok"
        if answer in ("drop", "hang", "elsewhere"):
            return await _strange(answer, request)
        if answer != "ok":
            return _scripted(answer)
        return self._edit(payload) if found[2].lower() == "editmessagetext" else self._send(payload)

    def _updates(self, asked: dict[str, Any]) -> web.Response:
        waiting = [update for update in self.updates if update["update_id"] >= asked.get("offset", 0)]
        return web.json_response({"ok": True, "result": waiting})

    def _edit(self, payload: dict[str, Any]) -> web.Response:
        if self.gone or not 0 < payload["message_id"] <= len(self.messages):
            return _answer(400, "Bad Request: message to edit not found")
        text, entities = parse_html(payload["text"])
        self.edits.append(Posted(payload["chat_id"], text, tuple(entities), payload))
        return web.json_response({"ok": True, "result": {"message_id": payload["message_id"]}})

    def _send(self, payload: dict[str, Any]) -> web.Response:
        chat = payload.get("chat_id")
        if chat in self.migrated:
            return _answer(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                parameters={"migrate_to_chat_id": self.migrated[chat]},
            )
        text, entities = payload.get("text", ""), []
        try:
            if payload.get("parse_mode") == "HTML":
                text, entities = parse_html(text)
        except CannotParse as error:
            return _answer(400, f"Bad Request: can't parse entities: {error}")
        if not text.strip():
            return _answer(400, "Bad Request: message text is empty")
        reply = payload.get("reply_parameters")
        if reply and not reply.get("allow_sending_without_reply") and reply["message_id"] > len(self.messages):
            return _answer(400, "Bad Request: message to be replied not found")
        if units(text) > LONGEST:
            return _answer(400, "Bad Request: message is too long")
        self.messages.append(Posted(chat if chat is not None else "", text, tuple(entities), payload))
        result = {"message_id": len(self.messages), "chat": {"id": chat}, "text": text}
        return web.json_response({"ok": True, "result": result})


def _scripted(answer: str) -> web.Response:
    if answer.startswith("429"):
        wait = int(answer.split()[1])
        return _answer(429, f"Too Many Requests: retry after {wait}", parameters={"retry_after": wait})
    status, description = {
        "blocked": (403, "Forbidden: bot was blocked by the user"),
        "kicked": (403, "Forbidden: bot was kicked from the supergroup chat"),
        "not found": (400, "Bad Request: chat not found"),
        "unauthorized": (401, "Unauthorized"),
        "parse": (400, "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset 7"),
        "500": (500, "Internal Server Error"),
    }[answer]
    return _answer(status, description)


def _answer(status: int, description: str, **more: Any) -> web.Response:
    return web.json_response({"ok": False, "error_code": status, "description": description, **more}, status=status)


async def _strange(answer: str, request: web.Request) -> web.StreamResponse:
    """What happens on the way rather than at the service."""
    if answer == "elsewhere":
        return web.Response(status=307, headers={"Location": "https://hooks.slack.com/services/stolen"})
    while answer == "hang" and request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(0.02)  # until the client gives up
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
