"""A real SMTP server (aiosmtpd) whose refusals can be scripted."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True)
class Mail:
    """A mail that was taken, or (`lost`) whose acceptance the client never heard of."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    raw: bytes
    lost: bool = False


@dataclass
class FakeMail:
    """Takes mail for everybody but those in `refused`; scripted answers are used once each."""

    messages: list[Mail] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # address: answer to RCPT, e.g. "550 5.1.1 no such user"
    at_mail: deque[str] = field(default_factory=deque)  # answers to the next MAIL, e.g. "421 4.3.2 shutting down"
    at_rcpt: deque[str] = field(default_factory=deque)  # answers to the next RCPT, e.g. greylisting's 451
    at_data: deque[str] = field(default_factory=deque)  # answers to the next DATA, or "drop": taken, then cut off
    port: int = 0

    async def start(self, context: ssl.SSLContext, **options: Any) -> None:
        """Listen; `options` are those of aiosmtpd's SMTP, such as require_starttls."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="mail.test", tls_context=context, loop=loop, **options), "127.0.0.1", 0
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_mail and (answer := self.at_mail.popleft()) != "ok":
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        if self.at_rcpt and (answer := self.at_rcpt.popleft()) != "ok":
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.at_data.popleft() if self.at_data else "ok"
        if answer not in ("ok", "drop"):
            return answer
        raw = bytes(envelope.content or b"") if not isinstance(envelope.content, str) else envelope.content.encode()
        message: Any = message_from_bytes(raw, policy=default)
        mail = Mail(envelope.mail_from or "", tuple(envelope.rcpt_tos), message, raw, lost=answer == "drop")
        self.messages.append(mail)
        if answer == "drop":
            assert server.transport is not None
            server.transport.abort()
        return f"250 OK queued as {len(self.messages)}"
