"""Hostile feed text through every renderer and a real parser of the result: it appears literally, and nothing acts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.slack import read_mrkdwn
from tests.fakes.telegram import parse_html, units
from tests.paths import CORPORA
from tests.unit.alerting.notices import notice, told
from tests.unit.alerting.test_render import Page
from watcher.alerting.clean import link, one_line, visible
from watcher.alerting.excerpt import excerpt
from watcher.alerting.notice import Earlier, Notice, Told
from watcher.alerting.render import LONGEST_TITLE, SIGNS, render
from watcher.alerting.styles import STYLES
from watcher.model import Coverage, Item, Message, Span, Style, Update
from watcher.transports.apprise import SECTION, sections
from watcher.transports.email import compose

STRINGS = CORPORA / "hostile" / "strings.jsonl"
OWN = [
    "<b>bold</b> & <!channel> \"quote\" 'single'",
    "two\r\nlines\x00and\x1b[31m red \u202egnp.exe\u2066",
    "javascript:alert(1)",
    'https://n.example/"onclick="alert(1)|x>y',
    "x" * 5000,
    "&" * 5000,
    "<" * 5000,
    "👩‍👩‍👧" * 1500,
    "\ud800 lone",
]
TELEGRAM_KINDS = {"a", "b", "i", "s", "blockquote", "code"}
HTML_TAGS = {
    "html",
    "head",
    "meta",
    "title",
    "body",
    "div",
    "table",
    "tr",
    "td",
    "p",
    "h1",
    "span",
    "a",
    "mark",
    "code",
}
HTML_ATTRIBUTES = {
    "charset", "name", "content", "style", "role", "width", "cellpadding", "cellspacing", "align", "dir", "href",
}  # fmt: skip
DOCUMENT = {
    "version", "type", "channel", "event", "title", "at", "told_before", "outlets_since", "remarks", "alerts", "more",
}  # fmt: skip
ALERT = {
    "id", "rule", "priority", "story", "title", "url", "outlet", "published", "seen", "excerpt", "outlets", "reach",
    "update", "note",
}  # fmt: skip
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def hostile() -> list[str]:
    listed = STRINGS.read_text().splitlines() if STRINGS.exists() else []
    return OWN + [json.loads(line)["text"] for line in listed]


TEXTS = hostile()


def notices(text: str) -> list[Notice]:
    """The text as everything that a feed says, alone, among others, in updates and follow-ups; marks in its middle."""
    what = Item(id="i", source="s", title=text, summary=text, author=text)
    middle = len(text) // 2
    marks = [Span("title", middle // 2, middle), Span("summary", middle // 2, middle)]
    one = told(
        title=text,
        url=text,
        outlet=text,
        item=what,
        spans=marks,
        excerpt=excerpt(what, marks),
        others=(text, text, "b.example"),
        note=text,
        rule=text,
    )
    other = told(2, url="https://n.example/" + text, rule="sahel")
    edits = ((text, text), (text + " and more", text), ("", text), (text, ""))
    update = replace(one, update=Update("alert0", "alert", text, edits), reach=Coverage(2, 2))
    earlier = Earlier(text, (text, "c.example"), text, Coverage(3, 1))
    return [
        notice(one),
        notice(one, other),
        notice(one, *(told(n) for n in range(3, 12)), kind="digest"),
        notice(update),
        notice(update, *(told(n) for n in range(3, 12)), kind="digest"),
        replace(notice(one, other), earlier=earlier),
        replace(notice(replace(update, update=replace(one_update(update), how="reply"))), earlier=earlier),
    ]


def one_update(one: Told) -> Update:
    assert one.update is not None
    return one.update


@pytest.fixture(params=range(len(TEXTS)), ids=lambda number: f"text{number}")
def text(request: pytest.FixtureRequest) -> str:
    return TEXTS[request.param]


def expected(text: str) -> str:
    """The beginning of the text, as it must be seen wherever a title is."""
    return one_line(text)[: LONGEST_TITLE // 5].strip()


def links(text: str) -> set[str]:
    urls = {text, "https://n.example/" + text, "https://news.example/world/1?a=1&b=<2>"}
    return {link(url) for url in urls} - {""}


def messages(text: str, style: Style) -> list[Message]:
    found = [message for one in notices(text) for message in render(one, style)]
    for message in found:
        assert not CONTROL.search(message.title)
        assert "\n" not in message.title and "\x1b" not in message.title
        message.body.encode(), message.title.encode(), message.html.encode()
    return found


def test_telegram(text: str) -> None:
    for message in messages(text, Style.TELEGRAM):
        shown, entities = parse_html(message.body)
        assert units(shown) <= 4096
        assert {entity.kind for entity in entities} <= TELEGRAM_KINDS
        assert {entity.url for entity in entities if entity.kind == "a"} <= links(text)
        assert not CONTROL.search(shown)
        if visible(text):
            assert expected(text) in shown


def test_slack(text: str) -> None:
    for message in messages(text, Style.SLACK):
        shown, found, acts = read_mrkdwn(message.body)
        assert acts == []
        assert set(found) <= links(text)
        assert not CONTROL.search(shown)
        if visible(text):
            assert expected(text) in shown.replace("*", "") or expected(text) in shown
        pieces = sections(message.body)
        assert all(len(piece) <= SECTION for piece in pieces)
        assert [read_mrkdwn(piece)[2] for piece in pieces] == [[]] * len(pieces)
        assert "".join(pieces).replace("\n", "") == message.body.replace("\n", "")


def test_mail(text: str) -> None:
    account = SimpleNamespace(
        from_addr=(text[:500], "w@watch.example"), names={"a@desk.example": text[:500]}, headers={}
    )
    account.headers = {"X-Team": text[:500], "Bcc": "evil@x.example", "Content-Type": "text/html"}
    for message in messages(text, Style.EMAIL):
        raw = compose(account, "a@desk.example", message, "id")
        assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
        assert b"\n" not in raw.replace(b"\r\n", b"")
        mail: Any = message_from_bytes(raw, policy=default)
        assert_only_our_headers(mail)
        assert mail["Subject"] == " ".join(message.title.split())
        assert part(mail, "plain") == message.body.split()
        html = part(mail, "html")
        assert html == message.html.split()
        page = Page(message.html)
        assert page.open == []
        assert page.tags <= HTML_TAGS
        assert page.attributes <= HTML_ATTRIBUTES
        assert set(page.links) <= links(text)
        if visible(text):
            assert expected(text) in page.text
            assert expected(text) in message.body.replace("*", "") or expected(text) in message.body


def assert_only_our_headers(mail: EmailMessage) -> None:
    names = [name.lower() for name in mail]
    assert sorted(names) == sorted(
        ["from", "to", "subject", "date", "message-id", "auto-submitted", "x-team", "mime-version", "content-type"]
        + (["references", "in-reply-to"] if mail["References"] else [])
    )
    assert [address.addr_spec for address in mail["To"].addresses] == ["a@desk.example"]
    assert [address.addr_spec for address in mail["From"].addresses] == ["w@watch.example"]


def part(mail: EmailMessage, kind: str) -> list[str]:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).split()


def test_plain_and_console(text: str) -> None:
    for style in (Style.PLAIN, Style.CONSOLE):
        for message in messages(text, style):
            shown = re.sub(r"\x1b\[[0-9]*m", "", message.body)
            assert "\x1b" not in shown
            assert not CONTROL.search(shown)
            if visible(text):
                assert (
                    expected(text) in (shown + message.title).replace("*", "")
                    or expected(text) in shown + message.title
                )


def test_a_webhooks_document(text: str) -> None:
    """What a program reads of it is the text as the feed had it; the only strings are those that the document has."""
    for one in notices(text):
        [message] = render(one, Style.JSON)
        assert message.body.isascii(), "nothing acts in a terminal, a log or a page that shows it"
        document = json.loads(message.body.encode())
        assert set(document) == DOCUMENT
        assert document["title"] == message.title
        for alert, given in zip(document["alerts"], one.told, strict=True):
            assert set(alert) == ALERT
            assert (alert["title"], alert["url"], alert["outlet"]) == (given.title, given.url, given.outlet)
            assert alert["excerpt"]["text"] == given.excerpt.text
            edits = [(edit["before"], edit["after"]) for edit in (alert["update"] or {"edits": []})["edits"]]
            assert edits == list(given.update.edits if given.update else ())


def test_what_is_shown_of_a_change(text: str) -> None:
    """Every style shows both sides of it, literally."""
    for style in STYLES:
        [message] = render(notices(text)[3], style)
        shown = {
            Style.TELEGRAM: lambda body: parse_html(body)[0],
            Style.SLACK: lambda body: read_mrkdwn(body)[0],
        }.get(style, str)(message.body)
        if visible(text):
            for sign in SIGNS:
                assert f"{sign} {expected(text)[:40]}".strip() in re.sub(r"\x1b\[[0-9]*m", "", shown)
