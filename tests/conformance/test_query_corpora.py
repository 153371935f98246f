"""Queries as analysts and librarians write them: each parses, or fails with a place and a reason."""

import json
from pathlib import Path

import pytest

from tests.paths import CORPORA
from watcher.errors import QueryError
from watcher.query import parse

QUERIES = CORPORA / "queries"
# The least share that parses, by file: the rest uses what this language says it has not (weights, ranges, tags in
# brackets, fields of a library's catalogue), or is broken on purpose.
LEAST = {
    "analyst_handpicked.jsonl": 0.7,
    "aurora_sdg_scopus.jsonl": 0.85,
    "luwak_monitor.jsonl": 0.6,
}

pytestmark = pytest.mark.skipif(not QUERIES.exists(), reason="no corpora here")


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.jsonl")), ids=lambda path: path.name)
def test_parses_or_says_why(path: Path) -> None:
    rows = [json.loads(line)["query"] for line in path.read_text(encoding="utf-8").splitlines()]
    parsed = 0
    for query in rows:
        try:
            node = parse(query)
        except QueryError as error:
            assert 1 <= error.column <= len(query) + 1
            assert error.message
            continue
        parsed += 1
        assert parse(str(node)) == node
    assert parsed / len(rows) >= LEAST.get(path.name, 0)
