"""Terms and rules' queries, parsed, with every error and finding at its place in the file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from watcher.config import nodes
from watcher.config.entries import Entry, is_empty, kind_of, validate
from watcher.config.nodes import File, Scalar
from watcher.config.report import QUERY_HINT, Report, near
from watcher.config.watchlist import Wording
from watcher.errors import QueryError

if TYPE_CHECKING:
    from watcher.query import Node

_COMMENT = re.compile(r"(?:^|(?<=\s))#(?=\s|$)")
_QUOTED = re.compile(r'"[^"]*"')
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_TERM_KEYS = ("query", "forms", "stem")


class BrokenTermError(Exception):
    """A query names a term that has an error of its own, which is reported where the term is."""


class CircleError(BrokenTermError):
    """A term's query names a term that the term is a part of."""

    def __init__(self, name: str, circle: str) -> None:
        super().__init__(circle)
        self.name = name


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
                raise CircleError(name, circle)
            self._open.append(name)
            try:
                self._parsed[name] = self._parse(entry)
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

    def _parse(self, entry: Entry) -> Node | None:
        if not isinstance(entry.node, nodes.Mapping):
            return parse_at(entry, entry.node, self, self._report, term=True)
        languages = {key: value for key, (_, value) in entry.node.entries.items() if key not in _TERM_KEYS}
        query = entry.node.get("query")
        if not self._keys_fit(entry, languages):
            return None
        said = wording(entry, self._report)
        if query is not None:
            return parse_at(entry, query, self, self._report, said.forms, said.stem, term=True)
        return self._concept(entry, languages, said)

    def _keys_fit(self, entry: Entry, languages: Mapping[str, nodes.Node]) -> bool:
        """Report keys that a term does not have, or that do not go together."""
        assert isinstance(entry.node, nodes.Mapping)
        sound = True
        for key in languages:
            if not _LANGUAGE.fullmatch(key):
                hint = near(key, _TERM_KEYS, "expected a language such as en, or one of: ")
                self._report.add_at(entry.file, entry.node.entries[key][0], f'unknown key "{key}"', hint)
                sound = False
        if sound and ("query" in entry.node.entries) == bool(languages):
            place = entry.node.entries[next(iter(languages))][0] if languages else entry.key
            message = "a term has either one query or a query a language" if languages else '"query" is missing'
            self._report.add_at(
                entry.file, place, message, "as in {query: Нигер, forms: [ru]} or {en: Niger, ru: Нигер}"
            )
            sound = False
        return sound

    def _concept(self, entry: Entry, languages: Mapping[str, nodes.Node], said: Wording) -> Node | None:
        """A term with a query a language."""
        from watcher.query.ast import InLanguage, Or  # noqa: PLC0415 - as in parse_at

        found = []
        for language, value in languages.items():
            forms = [one for one in said.forms if one == language]
            stem = said.stem if said.stem == language else None
            parsed = parse_at(entry, value, self, self._report, forms, stem, term=True)
            if parsed is not None:
                found.append(InLanguage(language, parsed))
        if len(found) < len(languages):
            return None
        return found[0] if len(found) == 1 else Or(tuple(found))

    def parse_all(self) -> dict[str, Node]:
        """Every term that has no error; the errors are reported."""
        found = {}
        for name in self._entries:
            try:
                found[name] = self[name]
            except BrokenTermError:
                continue
        return found


def wording(entry: Entry, report: Report) -> Wording:
    """What a term or rule says of the forms in which its words match; nothing where that has errors."""
    assert isinstance(entry.node, nodes.Mapping)
    own = {key: pair for key, pair in entry.node.entries.items() if key in Wording.model_fields}
    data = {key: _plain(value) for key, (_, value) in own.items()}
    part = replace(entry, node=nodes.Mapping(entry.node.start, entry.node.end, own))
    return validate(Wording, part, data, report) or Wording()


def _plain(node: nodes.Node) -> object:
    if isinstance(node, nodes.Sequence):
        return [_plain(item) for item in node.items]
    return node.value if isinstance(node, Scalar) else {}


def parse_at(
    entry: Entry,
    node: nodes.Node,
    terms: Terms,
    report: Report,
    forms: Collection[str] = (),
    stem: str | None = None,
    *,
    term: bool = False,
) -> Node | None:
    """The query that is written at `node`, a `term`'s or a rule's; None where it has errors, which are reported."""
    from watcher.query import inflected, lint, named_in, parse  # noqa: PLC0415 - brings RE2, which reading settings does not need

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
    except BrokenTermError as error:
        if isinstance(error, CircleError):
            place = next(at for name, at in named_in(node.value) if name == error.name)
            report.add(entry.file, entry.file.index_in(node, place), f"the term names itself: {error}")
        return None
    sound = True
    for finding in lint(parsed, node.value, term=term, forms=forms):
        place = entry.file.index_in(node, finding.column - 1)
        report.add(entry.file, place, finding.message, finding.hint, finding.level)
        sound = sound and finding.level != "error"
    if not sound:
        return None
    return inflected(parsed, forms, stem or "") if forms or stem else parsed


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
