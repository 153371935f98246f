"""Mail through a real server: what it asks of us, and what hostile text does on the wire."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from tests.fakes import FakeMail, Fakes
from watcher.errors import Failure, TransportError
from watcher.model import Message, Style
from watcher.transports import transport_for

PASSWORD = "canary-pass/word"


@pytest.fixture
async def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeMail]:
    """A server that wants STARTTLS and a password."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    mail = FakeMail()

    def check(server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
        return AuthResult(success=right, handled=False)

    await mail.start(context, require_starttls=True, auth_required=True, authenticator=check)
    yield mail
    await mail.stop()


def url(port: int, password: str, host: str = "localhost") -> str:
    return f"mailtos://ann:{password}@{host}:{port}?from=w@watch.example&to=a@desk.example&mode=starttls"


async def test_a_server_that_wants_tls_and_a_password(guarded: FakeMail) -> None:
    await send(url(guarded.port, "canary-pass%2Fword"), Message("t", "b", Style.EMAIL))
    assert len(guarded.messages) == 1


async def test_a_wrong_password_is_a_refusal_for_good(guarded: FakeMail) -> None:
    with pytest.raises(TransportError) as caught:
        await send(url(guarded.port, "canary-wrong"), Message("t", "b", Style.EMAIL))
    assert caught.value.failure is Failure.PERMANENT
    assert caught.value.answer.startswith("535")
    assert "canary" not in str(caught.value)


async def test_a_certificate_for_another_host_is_not_trusted(guarded: FakeMail) -> None:
    with pytest.raises(TransportError) as caught:
        await send(url(guarded.port, "canary-pass%2Fword", "127.0.0.1"), Message("t", "b", Style.EMAIL))
    assert caught.value.failure is Failure.TRANSIENT
    assert guarded.messages == []


@pytest.mark.parametrize(
    "text",
    [".", "..", "\n.\nMAIL FROM:<x@x>\n", "\r\n.\r\nRCPT TO:<evil@x.example>", "a" * 5000, "é" * 3000, "Ночь\n.\n"],
)
async def test_hostile_bodies_arrive_as_they_are(text: str, tmp_path: Path) -> None:
    with Fakes(tmp_path) as fakes:
        what = Message(f"Title {text[:100]}", text, Style.EMAIL, html=f"<p>{text}</p>")
        await send(fakes.mail_url("a@desk.example"), what)
        [mail] = fakes.mail.messages
    assert mail.recipients == ("a@desk.example",)
    assert all(len(line) <= 998 for line in mail.raw.split(b"\r\n"))
    body = mail.message.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == (text.splitlines() or [""])
    assert mail.message["Subject"] == " ".join(what.title.split())


async def send(address: str, message: Message) -> None:
    transport = transport_for(address)
    [(_, one)] = transport.targets(address)
    await transport.send(one, message, "id1")
