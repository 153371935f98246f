"""Terms and rules' queries, parsed, with every error and finding at its place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from watcher.config import nodes
from watcher.config.entries import Entry, is_empty, kind_of
from watcher.config.nodes import File, Scalar
from watcher.config.report import QUERY_HINT, Report
from watcher.errors import QueryError

if TYPE_CHECKING:
    from watcher.query import Node

_COMMENT = re.compile(r"(?:^|(?<=\s))#(?=\s|$)")
_QUOTED = re.compile(r'"[^"]*"')


class BrokenTermError(Exception):
    """A query names a term that has an error of its own, which is reported where the term is."""


class Terms(Mapping[str, "Node"]):
    """The named terms, each parsed when it is first asked for, so that they may stand in any order."""

    def __init__(self, entries: Mapping[str, Entry], report: Report) -> None:
        self._entries = entries
        self._report = report
        self._parsed: dict[str, Node | None] = {}
        self._open: list[str] = []

    def __getitem__(self, name: str) -> Node:
        if name not in self._parsed:
            entry = self._entries[name]
            if name in self._open:
                circle = " → ".join([*self._open[self._open.index(name) :], name])
                self._report.add_at(entry.file, entry.node, f"the term names itself: {circle}")
                raise BrokenTermError
            self._open.append(name)
            try:
                self._parsed[name] = parse_at(entry, entry.node, self, self._report)
            finally:
                self._open.pop()
        node = self._parsed[name]
        if node is None:
            raise BrokenTermError
        return node

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def parse_all(self) -> dict[str, Node]:
        """Every term that has no error; the errors are reported."""
        found = {}
        for name in self._entries:
            try:
                found[name] = self[name]
            except BrokenTermError:
                continue
        return found


def parse_at(entry: Entry, node: nodes.Node, terms: Terms, report: Report) -> Node | None:
    """The query that is written at `node`; None where it has errors, which are reported."""
    from watcher.query import lint, parse  # noqa: PLC0415 - brings RE2, which reading settings does not need

    if not isinstance(node, Scalar) or is_empty(node):
        found = "nothing" if isinstance(node, Scalar) else kind_of(node)
        report.add_at(entry.file, node, f"expected a query, and YAML reads {found} here", QUERY_HINT)
        return None
    if not _whole(entry.file, node, report):
        return None
    try:
        parsed = parse(node.value, terms)
    except QueryError as error:
        report.add(entry.file, entry.file.index_in(node, error.column - 1), error.message, error.hint)
        return None
    except BrokenTermError:
        return None
    sound = True
    for finding in lint(parsed, node.value):
        place = entry.file.index_in(node, finding.column - 1)
        report.add(entry.file, place, finding.message, finding.hint, finding.level)
        sound = sound and finding.level != "error"
    return parsed if sound else None


def _whole(file: File, node: Scalar, report: Report) -> bool:
    """Whether the query's value is what its writer sees: a comment sign can cut it without a word."""
    if node.style == "":
        cut = re.compile(r"[ \t]+#").match(file.text, node.end)
        if cut:
            report.add(file, cut.end() - 1, "YAML ends the query before this #", QUERY_HINT)
        return not cut
    if node.style == "|":
        return True
    bare = _QUOTED.sub(lambda found: "_" * len(found[0]), node.value)
    comment = _COMMENT.search(bare)
    if comment:
        place = file.index_in(node, comment.start())
        report.add(file, place, "in a folded or quoted query a # comment would swallow what follows", QUERY_HINT)
    return not comment
