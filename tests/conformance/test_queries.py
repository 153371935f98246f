"""What the rule language means: every row of queries.yaml, through the presearch and through explain."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from watcher.errors import QueryError
from watcher.query import Document, RuleSet, explain, inflected, parse

TABLE: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("queries.yaml").read_text(encoding="utf-8")
)


def document(row: dict[str, Any]) -> Document:
    fields = dict(row.get("fields") or {"body": row["text"]})
    return Document(**{**fields, "tags": tuple(fields.get("tags", ()))})


@pytest.mark.parametrize("row", TABLE["rows"], ids=lambda row: f"{row['query']} | {row.get('text', row.get('fields'))}")
def test_verdict(row: dict[str, Any]) -> None:
    node = inflected(parse(row["query"]), row.get("forms", ()), row.get("stem", ""))
    item = document(row)
    matches = RuleSet({"rule": node}).match(item)
    assert bool(matches) is row["verdict"], row["why"]
    explanation = explain(node, item)
    assert explanation.holds is row["verdict"]
    if matches:
        assert matches[0].spans == explanation.spans


@pytest.mark.parametrize("row", TABLE["rows"], ids=lambda row: row["query"])
def test_text_of_the_tree_parses_to_it(row: dict[str, Any]) -> None:
    node = parse(row["query"])
    assert parse(str(node)) == node


@pytest.mark.parametrize("row", TABLE["errors"], ids=lambda row: row["query"])
def test_error(row: dict[str, Any]) -> None:
    with pytest.raises(QueryError) as caught:
        parse(row["query"])
    assert row["message"] in caught.value.message
    assert caught.value.column == row["column"]


def test_size() -> None:
    assert len(TABLE["rows"]) >= 300
    assert len(TABLE["errors"]) >= 50
