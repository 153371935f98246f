"""Whatever a file holds, it loads or is refused with problems; a query's error is found at its place in the file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watcher.config import load, restore
from watcher.errors import ConfigError

GOOD = """\
settings: {timezone: UTC, fetch: {timeout: 30s}}
channels:
  desk: {url: "slack://${TOKEN}/#news", quiet: "23:00-07:00"}
  screen: {url: 'console://', limit: [3/h, 9/d]}
sources:
  a: {feed: https://example.org/feed, tags: [x], headers: {X-Key: "literal-secret-value"}}
terms:
  t: &anchor |
    Mali OR "Burkina Faso"
rules:
  r:
    query: >-
      Russia AND @t
    notify: [desk]
    sources: ["tag:x"]
  s: {query: *anchor, priority: high}
"""
CUTS = st.lists(
    st.tuples(st.integers(0, len(GOOD)), st.integers(0, 8), st.sampled_from(["", *"{}[]:#|>'\"&*!@%\t\n- "])),
    max_size=4,
)


def configuration(folder: Path, text: str) -> Path:
    (folder / "w.yaml").write_text(text, encoding="utf-8", newline="")
    return folder


@given(cuts=CUTS)
@settings(max_examples=300, deadline=None)
@example(cuts=[])
def test_a_damaged_file_is_refused_with_problems_or_loads(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, int, str]]
) -> None:
    text = GOOD
    for start, length, piece in cuts:
        text = text[:start] + piece + text[start + length :]
    folder = configuration(tmp_path_factory.getbasetemp(), text)
    try:
        config = load(folder, {"TOKEN": "aaa/bbb/ccc"})
    except ConfigError as error:
        for problem in error.problems:
            assert "literal-secret" not in repr(problem)
            assert problem.line <= text.count("\n") + 1
            assert problem.column <= max(map(len, text.split("\n"))) + 1
    else:
        stored = config.storable()
        assert "literal-secret" not in stored["w.yaml"] or "X-Key" not in text
        assert restore(stored, folder, {"TOKEN": "aaa/bbb/ccc"}).rules.keys() == config.rules.keys()


WORDS = st.lists(
    st.sampled_from(["Mali", "Niger", "é", "漢字", "(a OR b)", "x AND y", '"it is"', "don't"]), min_size=1, max_size=4
)


PLACES = [
    "rules:\n  r:\n    query: {}\n    notify: []\n",
    "terms:\n  t:\n    query: {}\n    forms: [ru]\n",
    "terms:\n  t:\n    en: Mali\n    ru: {}\n    forms: [ru, ar]\n",
    "terms:\n  t: {}\n",
]
STYLES = pytest.mark.parametrize(
    "write",
    [
        lambda words: "'" + " \n      ".join(word.replace("'", "''") for word in words) + "'",
        lambda words: (
            '"' + " \\\n      ".join(word.replace('"', '\\"').replace("é", "\\u00e9") for word in words) + '"'
        ),
        lambda words: "|\n      " + "\n      ".join(words),
        lambda words: ">-\n      " + "\n\n      ".join(words),
        lambda words: "|2 # a comment\n" + "\n".join(" " * 8 + word for word in words),
        lambda words: "x " + "\n      ".join(words),
    ],
    ids=["single", "double", "literal", "folded", "indented", "plain"],
)


@STYLES
@given(before=WORDS, after=WORDS, place=st.sampled_from(PLACES))
@settings(max_examples=60, deadline=None)
def test_a_querys_error_is_found_in_every_style(
    tmp_path_factory: pytest.TempPathFactory,
    write: Callable[[list[str]], str],
    before: list[str],
    after: list[str],
    place: str,
) -> None:
    text = place.format(write([*before, "AND @nosuch AND", *after]))
    with pytest.raises(ConfigError) as caught:
        load(configuration(tmp_path_factory.getbasetemp(), text), {})
    [problem] = [problem for problem in caught.value.problems if problem.level == "error"]
    assert text.split("\n")[problem.line - 1][problem.column - 1 :].startswith("@nosuch"), problem


@STYLES
@given(before=WORDS, after=WORDS, place=st.sampled_from(PLACES))
@settings(max_examples=60, deadline=None)
def test_a_remark_is_found_in_every_style(
    tmp_path_factory: pytest.TempPathFactory,
    write: Callable[[list[str]], str],
    before: list[str],
    after: list[str],
    place: str,
) -> None:
    text = place.format(write([*before, "OR nigeri* OR Niger* OR", *after]))
    found = load(configuration(tmp_path_factory.getbasetemp(), text), {}).warnings
    [problem] = [problem for problem in found if "also catches" in problem.message]
    assert text.split("\n")[problem.line - 1][problem.column - 1 :].startswith("Niger*"), problem
