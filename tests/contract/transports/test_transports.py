"""What holds for every way to send, against services that answer as the real ones do."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator

import pytest
import requests

from tests.fakes import SLACK_URL, TELEGRAM_TOKEN, Fakes, telegram_url
from watcher.errors import Failure, TransportError
from watcher.model import Message, Style
from watcher.transports import Receipt, check_url, transport_for
from watcher.transports.exchange import current

TRANSIENT, PERMANENT, AMBIGUOUS = Failure.TRANSIENT, Failure.PERMANENT, Failure.AMBIGUOUS
SECRETS = (TELEGRAM_TOKEN, TELEGRAM_TOKEN.partition(":")[2], "canaryslackwebhooktoken1", "canary-password")
ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fakes]:
    with Fakes(tmp_path_factory.mktemp("fakes")) as fakes:
        yield fakes


@pytest.fixture
def fakes(running: Fakes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fakes]:
    running.install(monkeypatch)
    yield running
    for fake in (running.telegram, running.slack):
        fake.messages.clear(), fake.requests.clear(), fake.script.clear()
    running.telegram.migrated.clear()
    mail = running.mail
    mail.messages.clear(), mail.refused.clear(), mail.at_mail.clear(), mail.at_rcpt.clear(), mail.at_data.clear()
    running.hooks.clear()


def message(style: Style, body: str = "", **more: str) -> Message:
    bodies = {
        Style.TELEGRAM: "<b>sahel</b>\n\n"
        '<a href="https://n.example/?a=1&amp;b=2">A &lt;b&gt; &amp; <b>C</b></a>\n&#x27;x&#x27;',
        Style.SLACK: "*sahel*\n*<https://n.example/?a=1&amp;b=2|A &lt;b&gt; &amp; C>*\n&lt;!channel&gt; `x`",
        Style.EMAIL: "A <b> & C\nhttps://n.example/?a=1&b=2",
        Style.PLAIN: "A <b> & *C*\nhttps://n.example/?a=1&b=2",
        Style.CONSOLE: "\x1b[1mA <b> & C\x1b[0m",
    }
    return Message("[sahel] A <b> & C", body or bodies[style], style, **more)


async def send(url: str, what: Message | None = None) -> Receipt:
    transport = transport_for(url)
    await transport.ready(url)
    [(_, one)] = transport.targets(url)
    return await transport.send(one, what or message(transport.style(url)), ID)


async def refused(url: str, what: Message | None = None) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await send(url, what)
    for secret in SECRETS:
        assert secret not in str(caught.value) + caught.value.answer + repr(caught.value.__context__)
    assert "\n" not in caught.value.answer
    return caught.value


# What arrives is what was rendered


async def test_telegram_gets_our_html_untouched(fakes: Fakes) -> None:
    what = message(Style.TELEGRAM)
    receipt = await send(telegram_url(-1001234), what)
    [taken] = fakes.telegram.messages
    assert taken.raw["text"] == what.body
    assert taken.raw["parse_mode"] == "HTML"
    assert taken.chat == -1001234
    assert taken.text == "sahel\n\nA <b> & C\n'x'"
    assert [entity.url for entity in taken.entities if entity.kind == "a"] == ["https://n.example/?a=1&b=2"]
    assert TELEGRAM_TOKEN not in receipt.answer


async def test_slack_gets_our_mrkdwn_untouched_and_the_title_for_notifications(fakes: Fakes) -> None:
    what = message(Style.SLACK)
    receipt = await send(SLACK_URL, what)
    [taken] = fakes.slack.messages
    assert taken.source == what.body
    assert taken.fallback == what.title
    assert taken.acts == ()
    assert taken.links == ("https://n.example/?a=1&b=2",)
    assert "attachments" not in taken.raw
    assert receipt.answer == "200 ok"


async def test_slack_knows_its_own_web_address(fakes: Fakes) -> None:
    url = "https://hooks.slack.com/services/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"
    assert transport_for(url).style(url) is Style.SLACK
    assert check_url(url) is None
    await send(url)
    assert len(fakes.slack.messages) == 1


async def test_slack_gets_a_long_message_in_sections(fakes: Fakes) -> None:
    body = "\n\n".join(f"{number}. <https://n.example/{number}|{'word ' * 60}&amp;>" for number in range(35))
    await send(SLACK_URL, message(Style.SLACK, body))
    [taken] = fakes.slack.messages
    assert "\n\n".join(block["text"]["text"] for block in taken.raw["blocks"]) == body
    assert len(taken.raw["blocks"]) > 3


async def test_mail_arrives_whole(fakes: Fakes) -> None:
    what = message(Style.EMAIL, html="<p>A &lt;b&gt; &amp; C</p>", thread="s1")
    receipt = await send(fakes.mail_url("ann@desk.example"), what)
    [taken] = fakes.mail.messages
    mail = taken.message
    assert taken.recipients == ("ann@desk.example",)
    assert mail["Subject"] == what.title
    assert mail["Message-ID"] == f"<{ID}@watch.example>"
    assert mail["References"] == "<story.s1@watch.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime is not None
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None and text.get_content().splitlines() == what.body.splitlines()
    assert html is not None and html.get_content().strip() == what.html
    assert receipt.answer.startswith("250")


async def test_plain_text_is_escaped_for_a_service_without_markup(fakes: Fakes) -> None:
    what = message(Style.PLAIN)
    await send(fakes.hook_url, what)
    [taken] = fakes.hooks
    assert taken["message"] == what.body
    assert taken["title"] == what.title


async def test_console_prints_the_alert_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    await send("console://")
    out, err = capsys.readouterr()
    assert out == "A <b> & C\n\n"
    assert err == ""


# What a refusal means


@pytest.mark.parametrize(
    ("answer", "failure", "retry_after", "said"),
    [
        ("429 7", TRANSIENT, 7, "retry after 7"),
        ("429 43837", TRANSIENT, 43837, "retry after 43837"),
        ("blocked", PERMANENT, None, "403 Forbidden: bot was blocked by the user"),
        ("kicked", PERMANENT, None, "kicked"),
        ("not found", PERMANENT, None, "chat not found"),
        ("unauthorized", PERMANENT, None, "401"),
        ("500", TRANSIENT, None, "500"),
        ("drop", AMBIGUOUS, None, "api.telegram.org"),
        ("elsewhere", TRANSIENT, None, "redirects elsewhere"),
    ],
)
async def test_telegram_refuses(
    fakes: Fakes, answer: str, failure: Failure, retry_after: float | None, said: str
) -> None:
    fakes.telegram.then(answer)
    error = await refused(telegram_url(42))
    assert (error.failure, error.retry_after) == (failure, retry_after)
    assert said in error.answer
    assert len(fakes.telegram.requests) == 1
    assert fakes.slack.requests == []


async def test_telegram_that_cannot_parse_gets_plain_text_once(fakes: Fakes) -> None:
    broken = '<b>sahel</b>\n<a href="https://n.example/?a=1&amp;b=2">A &amp; &lt;C&gt;</a> <i>open'
    receipt = await send(telegram_url(42), message(Style.TELEGRAM, broken))
    [taken] = fakes.telegram.messages
    assert taken.text == "sahel\nA & <C> (https://n.example/?a=1&b=2) open"
    assert len(fakes.telegram.requests) == 2
    assert receipt.answer.startswith("200")


async def test_telegram_that_never_parses_is_asked_only_twice(fakes: Fakes) -> None:
    fakes.telegram.then("parse", "parse")
    error = await refused(telegram_url(42))
    assert error.failure is PERMANENT
    assert len(fakes.telegram.requests) == 2


async def test_telegram_group_that_moved_is_followed(fakes: Fakes) -> None:
    fakes.telegram.migrated[-42] = -100987654321
    url = telegram_url(-42)
    error = await refused(url)
    assert error.moved_to == "-100987654321"
    assert error.failure is TRANSIENT
    transport = transport_for(url)
    await transport.send(transport.retarget(url, error.moved_to), message(Style.TELEGRAM), ID)
    assert [taken.chat for taken in fakes.telegram.messages] == [-100987654321]


@pytest.mark.parametrize(
    ("answer", "failure", "retry_after", "said"),
    [
        ("429 30", TRANSIENT, 30, "429"),
        ("404 no_service", PERMANENT, None, "404 no_service"),
        ("410 channel_is_archived", PERMANENT, None, "410 channel_is_archived"),
        ("400 invalid_blocks", PERMANENT, None, "400 invalid_blocks"),
        ("403 action_prohibited", PERMANENT, None, "403 action_prohibited"),
        ("500 rollup_error", TRANSIENT, None, "500 rollup_error"),
        ("200 invalid_token", PERMANENT, None, "200 invalid_token"),
        ("drop", AMBIGUOUS, None, "hooks.slack.com"),
    ],
)
async def test_slack_refuses(fakes: Fakes, answer: str, failure: Failure, retry_after: float | None, said: str) -> None:
    fakes.slack.then(answer)
    error = await refused(SLACK_URL)
    assert (error.failure, error.retry_after) == (failure, retry_after)
    assert said in error.answer
    assert len(fakes.slack.requests) == 1


@pytest.mark.parametrize(
    ("step", "answer", "failure"),
    [
        ("at_mail", "421 4.3.2 shutting down", TRANSIENT),
        ("at_rcpt", "450 4.2.0 greylisted, come back in 300 s", TRANSIENT),
        ("at_rcpt", "451 4.3.0 local error", TRANSIENT),
        ("at_rcpt", "452 4.2.2 mailbox full", TRANSIENT),
        ("at_rcpt", "550 5.1.1 no such user", PERMANENT),
        ("at_data", "451 4.7.1 try again", TRANSIENT),
        ("at_data", "554 5.7.1 looks like spam", PERMANENT),
        ("at_data", "drop", AMBIGUOUS),
    ],
)
async def test_mail_server_refuses(fakes: Fakes, step: str, answer: str, failure: Failure) -> None:
    getattr(fakes.mail, step).append(answer)
    error = await refused(fakes.mail_url("ann@desk.example"))
    assert error.failure is failure
    if answer != "drop":
        assert error.answer == answer


async def test_a_refused_recipient_is_that_recipients_own_matter(fakes: Fakes) -> None:
    fakes.mail.refused["bob@desk.example"] = "550 5.1.1 no such user"
    url = fakes.mail_url("ann@desk.example", "bob@desk.example", query="&cc=cy@desk.example")
    transport = transport_for(url)
    outcomes = {}
    for target, one in transport.targets(url):
        try:
            await transport.send(one, message(Style.EMAIL), ID)
            outcomes[target.label] = "sent"
        except TransportError as error:
            outcomes[target.label] = error.failure.value
    assert outcomes == {"a***@desk.example": "sent", "b***@desk.example": "permanent", "c***@desk.example": "sent"}
    assert [mail.recipients for mail in fakes.mail.messages] == [("ann@desk.example",), ("cy@desk.example",)]


async def test_mail_over_starttls_is_checked_against_the_authority(fakes: Fakes) -> None:
    url = f"mailtos://localhost:{fakes.mail.port}?from=w@watch.example&to=a@desk.example&mode=starttls"
    await send(url)
    assert len(fakes.mail.messages) == 1


@pytest.mark.parametrize("kind", ["mail", "hook"])
async def test_a_refused_connection_can_be_tried_again(fakes: Fakes, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    url = (
        f"mailto://127.0.0.1:{port}?from=w@watch.example&to=a@desk.example"
        if kind == "mail"
        else f"json://127.0.0.1:{port}"
    )
    error = await refused(url)
    assert error.failure is TRANSIENT


async def test_a_host_without_an_address_can_be_tried_again(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "no such host")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    assert (await refused(SLACK_URL)).failure is TRANSIENT


async def test_no_answer_in_time_may_have_arrived(fakes: Fakes) -> None:
    fakes.telegram.then("hang")
    error = await refused(telegram_url(42) + "/?rto=0.3")
    assert error.failure is AMBIGUOUS
    assert error.answer == "api.telegram.org: no answer in time"


async def test_sends_at_the_same_time_do_not_mix_their_answers(fakes: Fakes) -> None:
    fakes.slack.then(*["410 channel_is_archived"] * 8)

    async def outcome(url: str) -> str:
        try:
            return (await send(url)).answer[:3]
        except TransportError as error:
            return error.answer

    urls = [telegram_url(number + 1) if number % 2 else SLACK_URL for number in range(16)]
    answers = await asyncio.gather(*(outcome(url) for url in urls))
    assert answers == ["410 channel_is_archived", "200"] * 8


async def test_other_users_of_requests_are_not_recorded(fakes: Fakes) -> None:
    await send(SLACK_URL)
    answer = requests.post(f"https://localhost:{fakes.port}/hook", json={}, timeout=5, verify=True)
    assert answer.status_code == 200
    assert current.get() is None


# Recipients


async def test_each_chat_is_a_target_of_its_own(fakes: Fakes) -> None:
    url = telegram_url(-1001, "@public_channel", "-1003:77")
    transport = transport_for(url)
    targets = transport.targets(url)
    assert len({target.key for target, _ in targets}) == 3
    for target, one in targets:
        assert not any(secret in target.label + target.key for secret in SECRETS)
        await transport.send(one, message(Style.TELEGRAM), ID)
    chats = [(taken.chat, taken.raw.get("message_thread_id")) for taken in fakes.telegram.messages]
    assert sorted(chats, key=str) == sorted([(-1001, None), ("@public_channel", None), (-1003, 77)], key=str)


async def test_a_target_stays_the_same_in_other_company_and_with_another_token() -> None:
    def keys(url: str) -> list[str]:
        return [target.key for target, _ in transport_for(url).targets(url)]

    both = keys(telegram_url(-1001, -1002))
    assert keys(telegram_url(-1002)) == [both[1]]
    assert keys("tgram://987654321:another-token_of_the_same_bot/-1002") == [both[1]]


async def test_two_slack_channels_are_two_targets(fakes: Fakes) -> None:
    url = f"{SLACK_URL}/#ops/#desk"
    transport = transport_for(url)
    for _, one in transport.targets(url):
        await transport.send(one, message(Style.SLACK), ID)
    assert [taken.raw["channel"] for taken in fakes.slack.messages] == ["#ops", "#desk"]


# Secrets


async def test_nothing_of_a_url_is_logged(fakes: Fakes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for logger in ("apprise", "urllib3", "requests"):
        logging.getLogger(logger).setLevel(logging.DEBUG)
    await send(telegram_url(42))
    fakes.telegram.then("500")
    await refused(telegram_url(42))
    with pytest.raises(TransportError) as caught:
        transport_for("tgram://").targets(f"tgram://{TELEGRAM_TOKEN}!/x")
    assert not any(secret in caplog.text + str(caught.value) for secret in SECRETS)


async def test_an_answer_that_repeats_the_token_is_masked(fakes: Fakes) -> None:
    fakes.slack.then("404 no service canaryslackwebhooktoken1 here")
    error = await refused(SLACK_URL)
    assert error.answer == "404 no service *** here"
