from __future__ import annotations

import os
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.fakes.slack import read_mrkdwn
from tests.fakes.telegram import parse_html, units
from tests.unit.alerting.notices import (
    baseline,
    catch_up,
    digest,
    follow_up,
    notice,
    single,
    told,
    update,
    update_reply,
    updated,
)
from watcher.alerting.notice import Notice
from watcher.alerting.render import note, render
from watcher.alerting.styles import STYLES
from watcher.model import Message, Style

GOLDEN = Path(__file__).parent / "golden"
NOTICES: dict[str, Callable[[], Notice]] = {
    "single": single,
    "digest": digest,
    "baseline": baseline,
    "follow-up": follow_up,
    "catch-up": catch_up,
    "update": update,
    "update-reply": update_reply,
}


def written(message: Message) -> str:
    head = f"title: {message.title}\nthread: {message.thread}\n\n"
    html = f"\n\n--- html ---\n{message.html}" if message.html else ""
    return (head + message.body + html).replace("\x1b", "␛") + "\n"


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("name", NOTICES)
def test_golden(style: Style, name: str) -> None:
    """What users see. To accept a change: WATCHER_GOLDEN=write, then read the diff."""
    text = "\n=====\n".join(written(message) for message in render(NOTICES[name](), style))
    file = GOLDEN / f"{name}.{style.value}.txt"
    if os.environ.get("WATCHER_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("style", list(STYLES))
def test_an_alert_says_what_and_why(style: Style) -> None:
    [message] = render(single(), style)
    shown = f"{message.title}\n{message.body}"
    for expected in ("russia-sahel", "troops", "news.example", "07:50 EET", "200 more advisers", "8 other outlets"):
        assert expected in shown
    assert message.thread == "story1"


def test_alerts_of_one_story_are_one_entry_and_are_all_counted() -> None:
    many = [told(1, story="a"), told(2, story="a", rule="troops"), told(3, story="b")]
    [message] = render(notice(*many), Style.PLAIN)
    assert message.title == "[russia-sahel, troops] 3 alerts on 2 stories"
    assert "russia-sahel, troops (1)" in message.body


class Page(HTMLParser):
    """The tags, links and text of a document, as a browser reads them."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("count", [2, 6, 40, 300, 1500])
def test_telegram_digests_fit_and_count(count: int) -> None:
    parts = render(digest(count), Style.TELEGRAM)
    texts = [parse_html(part.body)[0] for part in parts]
    assert len(parts) <= 3
    assert all(units(text) <= 4096 for text in texts)
    assert_all_counted("\n".join(texts), count)


@pytest.mark.parametrize("count", [2, 40, 300, 1500])
def test_slack_digests_fit_and_count(count: int) -> None:
    parts = render(digest(count), Style.SLACK)
    assert len(parts) <= 3
    assert all(len(part.body) <= 12_000 for part in parts)
    assert_all_counted("\n".join(read_mrkdwn(part.body)[0] for part in parts), count)


@pytest.mark.parametrize("count", [2, 40, 300, 1500])
def test_both_parts_of_a_mail_name_the_same_and_are_not_clipped(count: int) -> None:
    [message] = render(digest(count), Style.EMAIL)
    assert len(message.html.encode()) < 102_000  # where Gmail clips
    page = Page(message.html)
    assert page.open == []
    assert_all_counted(message.body, count)
    assert_all_counted(page.text, count)
    assert re.findall(r"Headline \d+", message.body) == re.findall(r"Headline \d+", page.text)


@pytest.mark.parametrize("style", [Style.PLAIN, Style.CONSOLE])
def test_plain_digests_count(style: Style) -> None:
    parts = render(digest(200), style)
    assert style is Style.CONSOLE or all(len(part.body) <= 1500 for part in parts)
    assert_all_counted("\n".join(part.body for part in parts), 200)


def test_a_message_of_alerts_that_are_told_at_once_is_one_message() -> None:
    at_once = Notice("desk", "alert", digest(400).told, digest().timezone, digest().now)
    for style in Style:
        [message] = render(at_once, style)
        assert_all_counted(message.body, 400)


def assert_all_counted(text: str, count: int) -> None:
    named = re.findall(r"Headline (\d+) of", text)
    more = re.search(r"and (\d+) more: ", text)
    assert len(named) == len(set(named))
    assert len(named) + (int(more[1]) if more else 0) == count


def test_a_title_of_nothing_visible_is_replaced() -> None:
    [message] = render(notice(told(title="\u200b" * 50, url="", title_spans=())), Style.TELEGRAM)
    assert "(no title)" in message.body


def test_an_undated_story_is_dated_by_its_first_sight_and_an_impossible_date_is_left_out() -> None:
    [message] = render(notice(told(published=None)), Style.PLAIN)
    assert "news.example · seen 24 Nov, 08:09 EET" in message.body
    [message] = render(notice(told(published=1e18)), Style.PLAIN)
    assert message.body.startswith("news.example\n")


def test_another_year_is_said() -> None:
    [message] = render(notice(told(published=1_700_000_000.0)), Style.PLAIN)
    assert "15 Nov 2023, 00:13 EET" in message.body


# The user's own templates


def test_a_users_template_replaces_ours_by_name_and_cannot_forget_to_escape(tmp_path: Path) -> None:
    (tmp_path / "telegram.html").write_text(
        "{% macro alert(e) %}NEW {{ e.title }} <i>{{ e.outlet | upper }}</i>{{ 'a' ~ e.title }}"
        "{% autoescape false %}{{ e.title }}{% endautoescape %}{% set x = e.title %}{{ x }}{% endmacro %}"
    )
    evil = notice(told(title="<b>x</b> & y", outlet="<n>", title_spans=()))
    [message] = render(evil, Style.TELEGRAM, tmp_path)
    text, entities = parse_html(message.body)
    assert text == "NEW <b>x</b> & y <N>a<b>x</b> & y<b>x</b> & y<b>x</b> & y"
    assert [entity.kind for entity in entities] == ["i"]
    assert render(evil, Style.SLACK, tmp_path) == render(evil, Style.SLACK)


def test_a_changed_template_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "plain.txt"
    for number, text in enumerate(("one", "two")):
        file.write_text(f"{{% macro alert(e) %}}{text}{{% endmacro %}}")
        os.utime(file, (number, number))
        assert render(single(), Style.PLAIN, tmp_path)[0].body == text


@pytest.mark.parametrize(
    "template",
    [
        "{% macro alert(e) %}{{ e.nothing }}{% endmacro %}",
        "{% macro alert(e) %}{{ 1 / 0 }}{% endmacro %}",
        "{% macro alert(e %}",
        "no macro at all",
        "{% macro alert(e) %}{{ e.__class__.__mro__ }}{% endmacro %}",
        "{% macro alert(e) %}{{ e.title.__init__.__globals__ }}{% endmacro %}",
        "{% macro alert(e) %}{% for i in range(10**9) %}x{% endfor %}{% endmacro %}",
        "{% include '/etc/passwd' %}",
        "{% from '../secrets' import x %}",
    ],
)
def test_a_template_that_fails_or_reaches_out_is_not_used(tmp_path: Path, template: str) -> None:
    (tmp_path / "plain.txt").write_text(template)
    assert render(single(), Style.PLAIN, tmp_path) == render(single(), Style.PLAIN)


# Messages that are no alerts


@pytest.mark.parametrize("style", list(Style))
def test_note(style: Style) -> None:
    [message] = note("A source & more died", "ministry: <404> since 6 h\n\nagency: timeout", style)
    assert message.title == "A source & more died"
    shown = message.html or message.body
    assert ("&lt;404&gt;" if style in (Style.TELEGRAM, Style.SLACK, Style.EMAIL) else "<404>") in shown
    assert "agency: timeout" in shown


def test_a_long_note_is_several_messages() -> None:
    parts = note("Many died", "\n".join(f"source {number}: timeout" for number in range(500)), Style.TELEGRAM)
    assert len(parts) > 1
    assert sum(part.body.count("timeout") for part in parts) == 500
    assert all(units(parse_html(part.body)[0]) <= 4096 for part in parts)


def test_what_a_rule_tells_for_the_first_time_does_not_vanish_in_the_update_of_another() -> None:
    both = notice(
        told(
            1,
            story="story1",
            rule="in-title",
            title="Moscow to train soldiers",
            title_spans=(),
            url="https://b.example/",
        ),
        updated(2, story="story1", rule="troops"),
    )
    [message] = render(both, Style.PLAIN)
    first, changed = message.body.index("Moscow to train soldiers"), message.body.index("Russia to train 400 troops")
    assert first < message.body.index("https://b.example/") < changed
    assert message.title == "[in-title, troops] 2 alerts"
    merged = notice(told(1, story="story1", rule="troops"), updated(2, story="story1", rule="troops"))
    assert message_count(render(merged, Style.PLAIN)[0].body) == 1


def message_count(body: str) -> int:
    """How many stories are listed with their addresses."""
    return body.count("https://news.example/world/1")
