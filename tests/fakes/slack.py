"""Slack's incoming webhooks, with Block Kit's limits and mrkdwn's control sequences."""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.telegram import _strange

_CONTROL = re.compile(r"<([^<>]*)>")
SECTION, BLOCKS, TOTAL = 3000, 50, 13_200


def read_mrkdwn(source: str) -> tuple[str, list[str], list[str]]:
    """What a reader sees, where links lead, and what else acts (<!channel>, <@U1>, <#C1>), by Slack's rules."""
    links: list[str] = []
    acts: list[str] = []

    def control(found: re.Match[str]) -> str:
        inner, _, label = found[1].partition("|")
        if inner[:1] in "!@#":
            acts.append(found[0])
        else:
            links.append(_unescaped(inner))
        return label or inner

    return _unescaped(_CONTROL.sub(control, source)), links, acts


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@dataclass(frozen=True)
class Posted:
    """A message that was taken: `source` is its mrkdwn, `fallback` what a notification shows."""

    path: str
    source: str
    fallback: str
    text: str
    links: tuple[str, ...]
    acts: tuple[str, ...]
    raw: dict[str, Any]


@dataclass
class FakeSlack:
    """Takes what the real one takes. `script` overrides the answers to the next requests, one each."""

    messages: list[Posted] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    edits: list[Posted] = field(default_factory=list)
    script: deque[str] = field(default_factory=deque)
    poison: str = ""  # what breaks it, whenever it comes

    def then(self, *answers: str) -> None:
        """Script the next answers: ok, `429 SECONDS`, `STATUS BODY`, drop, hang, elsewhere."""
        self.script.extend(answers)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        payload = json.loads(await request.text())
        self.requests.append(payload)
        answer = self.script.popleft() if self.script else "ok"
        if self.poison and self.poison in json.dumps(payload):
            return web.Response(status=500, text="rollup_error")
        if answer in ("drop", "hang", "elsewhere"):
            return await _strange(answer, request)
        if answer.startswith("429"):
            return web.Response(status=429, text="ratelimited", headers={"Retry-After": answer.split()[1]})
        if answer != "ok":
            status, _, body = answer.partition(" ")
            return web.Response(status=int(status), text=body)
        return self._post(request.path, payload)

    def _post(self, path: str, payload: dict[str, Any]) -> web.Response:
        method = path.removeprefix("/api/") if path.startswith("/api/") else ""
        if not method and not re.fullmatch(r"/services/T\w+/B\w+/\w+", path):
            return web.Response(status=404, text="no_service")
        blocks = payload.get("blocks", [])
        for attachment in payload.get("attachments", []):
            blocks = blocks + attachment.get("blocks", [])
        texts = [block.get("text", {}) for block in blocks]
        if any(not 0 < len(text.get("text", "")) <= SECTION for text in texts) or len(blocks) > BLOCKS:
            return web.Response(status=400, text="invalid_blocks")
        source = "\n".join(text["text"] for text in texts) if blocks else payload.get("text", "")
        if not source:
            return web.Response(status=400, text="no_text")
        if len(source) > TOTAL:
            return web.Response(status=400, text="msg_blocks_too_long")
        fallback, _, fallback_acts = read_mrkdwn(payload.get("text", ""))
        text, links, acts = read_mrkdwn(source)
        posted = Posted(path, source, fallback, text, tuple(links), (*acts, *fallback_acts), payload)
        if not method:
            self.messages.append(posted)
            return web.Response(text="ok")
        if method == "chat.update" and payload["ts"] not in {str(n) for n in range(1, len(self.messages) + 1)}:
            return web.json_response({"ok": False, "error": "message_not_found"})
        (self.edits if method == "chat.update" else self.messages).append(posted)
        sent_at = payload.get("ts", str(len(self.messages)))
        return web.json_response({"ok": True, "channel": "C0123", "ts": sent_at})
