"""An alert as JSON to a program of the user's, signed (docs/webhook.md).

Signed as Standard Webhooks has it (standardwebhooks.com): `webhook-signature: v1,` and the base64 of HMAC-SHA256
(RFC 2104) over `id.timestamp.body`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from typing import ClassVar
from urllib.parse import quote, unquote, urlsplit

from watcher.errors import Failure, TransportError
from watcher.model import Message, Style, Target, derive_id
from watcher.transports.base import Receipt, Transport
from watcher.transports.web import post_json

PERMANENT = frozenset({400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 422})


def webhook_url(address: str, secret: str) -> str:
    """The channel URL for `webhook: {url: address, secret: secret}`."""
    return f"webhook://{quote(secret, '')}/{quote(address, '')}"


class WebhookTransport(Transport):
    """`webhook: {url, secret}` of a channel."""

    schemes: ClassVar[frozenset[str]] = frozenset({"webhook"})

    def style(self, url: str) -> Style:
        """How messages to `url` are written."""
        return Style.JSON

    def check(self, url: str) -> str | None:
        """What is wrong with `url`."""
        _, address = _read(url)
        try:
            parts = urlsplit(address)
            fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            fits = False
        return None if fits else "a webhook's url begins with https:// or http:// and names a host"

    def targets(self, url: str) -> list[tuple[Target, str]]:
        """The one address; its path and query may hold a secret."""
        _, address = _read(url)
        host = urlsplit(address).hostname or ""
        return [(Target(derive_id("target", "webhook", address), f"webhook at {host}"), url)]

    async def send(self, url: str, message: Message, delivery_id: str) -> Receipt:
        """POST the document; any 2xx takes it."""
        secret, address = _read(url)
        at = str(int(time.time()))
        headers = {
            "Idempotency-Key": delivery_id,
            "Webhook-Id": delivery_id,
            "Webhook-Timestamp": at,
            "Webhook-Signature": sign(secret, delivery_id, at, message.body),
        }

        def masked(text: str) -> str:
            hidden = " ".join(text.split()).replace(address, "***")
            return (hidden.replace(secret, "***") if secret else hidden)[:300]

        answer = await post_json(address, message.body, headers=headers, masked=masked)
        said = masked(f"{answer.status} {answer.text[:100]}")
        if 200 <= answer.status < 300:
            return Receipt(said)
        permanent = answer.status in PERMANENT or 300 <= answer.status < 400
        raise TransportError(
            Failure.PERMANENT if permanent else Failure.TRANSIENT, said, retry_after=answer.retry_after
        )


def sign(secret: str, id_: str, timestamp: str, body: str) -> str:
    """The signature of a document; a secret that begins with whsec_ is base64 after that."""
    key = secret.encode()
    if secret.startswith("whsec_"):
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            key = secret.encode()
    mac = hmac.new(key, f"{id_}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}"


def _read(url: str) -> tuple[str, str]:
    """The secret, and the address."""
    secret, _, address = url.strip().partition("://")[2].partition("/")
    return unquote(secret), unquote(address)
