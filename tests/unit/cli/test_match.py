"""`watcher match` for one text: a query, or a rule of a watch list with its terms, forms and stems."""

import json
from pathlib import Path
from unittest import mock

import pytest
from typer.testing import CliRunner

from watcher.cli import app
from watcher.query.vocabulary import Vocabulary

WATCHLIST = """
terms:
  sahel: {query: Мали OR Нигер, forms: [ru]}
rules:
  moscow: {query: "Россия AND @sahel", forms: [ru]}
  attacks: {query: attack, stem: en}
"""


def run(*arguments: str, text: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["match", *arguments], input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def watchlist(tmp_path: Path) -> str:
    file = tmp_path / "rules.yaml"
    file.write_text(WATCHLIST, encoding="utf-8")
    return str(file)


def test_a_rule_by_its_name_is_judged_with_its_forms_stems_and_terms(watchlist: str) -> None:
    status, output = run("--rules", watchlist, "moscow", "-", text="Россией и Нигером подписано")
    assert status == 0, output
    assert "as Нигером" in output
    assert run("--rules", watchlist, "attacks", "-", text="He attacked")[0] == 0
    assert run("attack", "-", text="He attacked")[0] == 1


def test_a_name_that_is_nearly_a_rules_is_said_to_be_read_as_a_query(watchlist: str) -> None:
    status, output = run("--rules", watchlist, "moskow", "-", text="Moskow")
    assert status == 0
    assert "no rule has this name, so it is read as a query; did you mean moscow?" in output
    assert "did you mean moscow?" in run("--rules", watchlist, "MOSCOW", "-", text="Moscow")[1]
    assert "no rule" not in run("--rules", watchlist, "Mali AND coup", "-", text="Moscow")[1]


def test_a_query_may_hold_the_terms_of_a_watch_list(watchlist: str) -> None:
    assert run("--rules", watchlist, "@sahel AND coup", "-", text="coup: Мали")[0] == 0
    status, output = run("@sahel AND coup", "-", text="coup: Мали")
    assert status == 2
    assert "no term is named sahel" in output


def test_a_query_that_check_refuses_is_refused() -> None:
    for more in ((), ("--json",)):
        status, output = run("NOT football", "-", *more, text="tennis")
        assert status == 2
        assert "this holds for a text with none of its words" in output
    status, output = run("Mali^2", "-", text="Mali")
    assert status == 2
    assert "there is no weighting" in output


def test_items_need_rules(watchlist: str, tmp_path: Path) -> None:
    items = tmp_path / "items.jsonl"
    items.write_text('{"id": "1", "title": "attacking"}\n', encoding="utf-8")
    assert run("--items", str(items))[0] == 2
    assert run("--rules", watchlist, "--items", str(items), "--json") == (0, '{"id": "1", "rules": ["attacks"]}\n')
    assert run("attack", "--rules", watchlist, "--items", str(items))[0] == 2


def test_a_text_alone_is_no_query(watchlist: str, tmp_path: Path) -> None:
    """Else the file's name would be looked for in what stands on standard input."""
    text = tmp_path / "a.txt"
    text.write_text("attack")
    for arguments in ([str(text)], ["--rules", watchlist, str(text)], ["https://news.example/a"]):
        status, output = run(*arguments)
        assert status == 2
        assert "is a text: the query" in output


def test_a_feed_is_said_to_be_one(tmp_path: Path) -> None:
    feed = tmp_path / "feed.xml"
    feed.write_text("<rss version='2.0'><channel><item><title>Moscow</title></item></channel></rss>")
    status, output = run("Moscow", str(feed))
    assert status == 2
    assert "this is a feed, not an article" in output and f"watcher preview {feed}" in output


def test_many_items_are_matched_together_in_their_order(watchlist: str, tmp_path: Path) -> None:
    items = tmp_path / "items.jsonl"
    texts = ["attacked", "Россией и Нигером подписано", "nothing"] * 11
    items.write_text("".join(f'{{"id": "{n}", "body": "{text}"}}\n' for n, text in enumerate(texts)))
    with mock.patch.object(Vocabulary, "presence", autospec=True, side_effect=Vocabulary.presence) as presence:
        status, output = run("--rules", watchlist, "--items", str(items), "--json")
    assert status == 0
    rules = [["attacks"], ["moscow"], []] * 11
    assert [json.loads(line) for line in output.splitlines()] == [
        {"id": str(number), "rules": names} for number, names in enumerate(rules)
    ]
    assert presence.call_count == 3


def test_what_stands_before_a_broken_line_is_matched(watchlist: str, tmp_path: Path) -> None:
    items = tmp_path / "items.jsonl"
    items.write_text('{"id": "1", "body": "attacked"}\n{"id": "2", "body": "x"}\n{"id": \n{"id": "4", "body": "x"}\n')
    status, output = run("--rules", watchlist, "--items", str(items))
    assert status == 2
    assert output.startswith(f"1: attacks\n2: -\n{items}:3:1: error: not JSON")
