"""Queries as analysts and librarians write them: each parses, or fails with a place and a reason.

The page on the query language says of each collection how many parse; `pytest -s` prints the table anew.
"""

import json
import re
from pathlib import Path

import pytest

from tests.paths import CORPORA, ROOT
from watcher.errors import QueryError
from watcher.query import parse

QUERIES = CORPORA / "queries"
PAGE = (ROOT / "docs" / "query-language.md").read_text(encoding="utf-8")
SHARES = dict(re.findall(r"^\| `(\w+)` \| (\d+ of \d+) \|", PAGE, re.MULTILINE))
HAS_NO_HINT = 0.05  # of the errors: what is said is all there is to say

pytestmark = pytest.mark.skipif(not QUERIES.exists(), reason="no corpora here")


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.jsonl")), ids=lambda path: path.stem)
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
    print(f"| `{path.stem}` | {parsed} of {len(rows)} |")
    assert SHARES[path.stem] == f"{parsed} of {len(rows)}"


def test_errors_say_what_to_write() -> None:
    bare = total = 0
    for path in QUERIES.glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                parse(json.loads(line)["query"])
            except QueryError as error:
                total += 1
                bare += not error.hint
    assert total > 100
    assert bare / total < HAS_NO_HINT
