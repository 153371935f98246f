"""Ways to send that Apprise does not have: a signed document, Slack by a bot, and editing."""

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest

from tests.fakes import Fakes, telegram_url
from watcher.errors import Failure, TransportError
from watcher.model import Message, Style
from watcher.transports import Receipt, Transport, check_url, transport_for
from watcher.transports.bot_api import wait_for_word
from watcher.transports.webhook import webhook_url

BOT = "slack://xoxb-1-canary-bot-token/#desk"
ID = "0123456789abcdef0123456789abcdef"
SECRET = "canary-webhook-secret"


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    with Fakes(tmp_path) as running:
        running.install(monkeypatch)
        yield running


async def opened(url: str) -> tuple[Transport, str]:
    transport = transport_for(url)
    await transport.ready(url)
    [(_, address)] = transport.targets(url)
    return transport, address


async def send(url: str, message: Message) -> Receipt:
    transport, address = await opened(url)
    return await transport.send(address, message, ID)


DOCUMENT = Message("t", json.dumps({"version": 1, "title": "Šahel"}), Style.JSON)


async def test_a_webhook_is_signed_and_idempotent(fakes: Fakes) -> None:
    for secret, key in ((SECRET, SECRET.encode()), ("whsec_" + base64.b64encode(b"abc").decode(), b"abc")):
        await send(webhook_url(f"https://localhost:{fakes.port}/in?token=x", secret), DOCUMENT)
        headers, body = fakes.hook_requests[-1]
        signed = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + body
        mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["Webhook-Signature"] == f"v1,{mac}"
        assert headers["Idempotency-Key"] == headers["Webhook-Id"] == ID
        assert headers["Content-Type"] == "application/json"
        assert json.loads(body) == {"version": 1, "title": "Šahel"}


@pytest.mark.parametrize(
    ("status", "failure", "wait"),
    [(500, Failure.TRANSIENT, None), (429, Failure.TRANSIENT, 7.0), (410, Failure.PERMANENT, None),
     (307, Failure.PERMANENT, None)],
)  # fmt: skip
async def test_a_webhook_refuses(fakes: Fakes, status: int, failure: Failure, wait: float | None) -> None:
    fakes.hook_status = status
    with pytest.raises(TransportError) as caught:
        await send(webhook_url(f"https://localhost:{fakes.port}/in?key=canary-in-the-query", SECRET), DOCUMENT)
    assert (caught.value.failure, caught.value.retry_after) == (failure, wait)
    assert "canary" not in str(caught.value)
    assert len(fakes.hook_requests) == 1, "a redirect is not followed"


async def test_a_webhook_that_is_not_there_can_be_tried_again(fakes: Fakes) -> None:
    with pytest.raises(TransportError) as caught:
        await send(webhook_url("http://127.0.0.1:1/canary", SECRET), DOCUMENT)
    assert caught.value.failure is Failure.TRANSIENT and "canary" not in str(caught.value)


def test_a_webhooks_address_is_checked() -> None:
    assert check_url(webhook_url("https://h.example/x", "")) is None
    for wrong in ("h.example", "ftp://h.example/", "https://", "https://h.example:99999/"):
        assert "https://" in (check_url(webhook_url(wrong, "")) or "")


async def test_slack_by_a_bot_is_posted_and_edited(fakes: Fakes) -> None:
    assert check_url(BOT) is None and check_url("slack://xoxb-1-2-3") is not None
    transport, address = await opened(BOT)
    receipt = await transport.send(address, Message("t & u", "*one*", Style.SLACK), ID)
    [posted] = fakes.slack.messages
    assert (posted.raw["channel"], posted.text, posted.fallback) == ("#desk", "*one*", "t & u")
    await transport.edit(address, receipt.handle, Message("t", "*two*", Style.SLACK))
    [edited] = fakes.slack.edits
    assert (edited.raw["channel"], edited.raw["ts"], edited.text) == ("C0123", "1", "*two*")
    with pytest.raises(TransportError) as caught:
        await transport.edit(address, "C0123 99", Message("t", "*two*", Style.SLACK))
    assert caught.value.failure is Failure.PERMANENT


@pytest.mark.parametrize(
    ("answer", "failure", "wait"),
    [("429 30", Failure.TRANSIENT, 30.0), ("500 oops", Failure.TRANSIENT, None),
     ('200 {"ok":false,"error":"channel_not_found"}', Failure.PERMANENT, None),
     ('200 {"ok":false,"error":"ratelimited"}', Failure.TRANSIENT, None)],
)  # fmt: skip
async def test_slack_refuses_a_bot(fakes: Fakes, answer: str, failure: Failure, wait: float | None) -> None:
    fakes.slack.then(answer)
    with pytest.raises(TransportError) as caught:
        await send(BOT, Message("t", "b", Style.SLACK))
    assert (caught.value.failure, caught.value.retry_after) == (failure, wait)
    assert "canary" not in str(caught.value)


async def test_telegram_is_edited(fakes: Fakes) -> None:
    url = telegram_url("-100123")
    transport, address = await opened(url)
    receipt = await transport.send(address, Message("t", "<b>one</b>", Style.TELEGRAM), ID)
    assert receipt.handle == "1"
    await transport.edit(address, receipt.handle, Message("t", "<b>two</b>", Style.TELEGRAM))
    [edited] = fakes.telegram.edits
    assert (edited.chat, edited.text) == (-100123, "two")
    fakes.telegram.gone = True
    with pytest.raises(TransportError) as caught:
        await transport.edit(address, receipt.handle, Message("t", "x", Style.TELEGRAM))
    assert caught.value.failure is Failure.PERMANENT and "not found" in caught.value.answer


async def test_each_of_several_chats_is_edited_in_its_own(fakes: Fakes) -> None:
    url = telegram_url("-1001", "@public_channel")
    transport = transport_for(url)
    await transport.ready(url)
    for _, address in transport.targets(url):
        receipt = await transport.send(address, Message("t", "one", Style.TELEGRAM), ID)
        await transport.edit(address, receipt.handle, Message("t", "two", Style.TELEGRAM))
    assert [edit.chat for edit in fakes.telegram.edits] == [-1001, "@public_channel"]


async def test_a_word_to_the_bot_names_the_chat(fakes: Fakes) -> None:
    fakes.telegram.updates = [
        {"update_id": 7, "poll": {}},
        {"update_id": 8, "message": {"chat": {"id": -100777, "title": "Night desk"}}},
    ]
    assert await wait_for_word("123456789:AAcanary-telegram") == (-100777, "Night desk")
    with pytest.raises(TransportError) as caught:
        await wait_for_word("canary")
    assert "canary" not in str(caught.value)
