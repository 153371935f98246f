"""Every example of docs/query-language.md is what the engine does."""

import re
from collections.abc import Iterator

import pytest

from tests.paths import ROOT
from watcher.query import Document, RuleSet, lint, parse

PAGE = (ROOT / "docs" / "query-language.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(
    r"```query\n(?P<query>.*?)\n```\n\n\| matches \| does not \|\n\|---\|---\|\n(?P<rows>(?:\|.*\|\n)+)"
)


def examples() -> Iterator[tuple[str, str, bool]]:
    for found in EXAMPLE.finditer(PAGE):
        for row in found["rows"].splitlines():
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            for text, verdict in zip(cells, (True, False), strict=True):
                if text:
                    yield found["query"], text, verdict


@pytest.mark.parametrize(("query", "text", "verdict"), list(examples()))
def test_example(query: str, text: str, verdict: bool) -> None:
    assert bool(RuleSet({"r": parse(query)}).names(Document(body=text))) is verdict


def test_every_example_is_run() -> None:
    assert len(list(examples())) > 20
    assert PAGE.count("```query") == len(EXAMPLE.findall(PAGE))


TERMS = {"sahel": parse("Mali")}
GLANCE = PAGE[PAGE.index("## At a glance") : PAGE.index("Also read")]


@pytest.mark.parametrize(
    "query", [query for row in GLANCE.splitlines()[4:] for query in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
)
def test_what_the_table_shows_parses(query: str) -> None:
    if not query.startswith("#"):
        parse(query, TERMS)


def test_what_is_said_to_be_an_error_is_one() -> None:
    for query in ("NOT football", "NOT a OR b"):
        assert [finding.level for finding in lint(parse(query), query)].count("error") == 1
