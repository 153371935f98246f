"""`${NAME}`, `${NAME:-default}` and `$$`, expanded in values after the YAML was read."""

from __future__ import annotations

import re
from typing import Any

from watcher.config.nodes import File, Node, Scalar, Sequence
from watcher.config.report import Report
from watcher.config.secrets import Lookup

_DOLLAR = re.compile(
    r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\}|(?P<broken>\{))", re.ASCII
)


class Expander:
    """Turns nodes into plain values with references expanded; what it put in is never to be shown."""

    def __init__(self, lookup: Lookup, report: Report) -> None:
        self.lookup = lookup
        self.report = report

    def value(self, file: File, node: Node) -> Any:
        """The node as text, lists and dicts. Withheld values, and what holds nothing else, are left out."""
        if isinstance(node, Scalar):
            return self.text(file, node)
        if isinstance(node, Sequence):
            return [self.value(file, item) for item in node.items if not is_withheld(item)]
        return {key: self.value(file, item) for key, (_, item) in node.entries.items() if not is_withheld(item)}

    def text(self, file: File, node: Scalar) -> str:
        """The scalar's text, expanded. A reference to nothing is a problem at its place, and stays as it is."""
        if "$" not in node.value:
            return node.value

        def put(found: re.Match[str]) -> str:
            if found["dollar"]:
                return "$"
            if found["broken"]:
                self._complain(file, node, found, "this ${ is no reference", "write ${NAME}, or $$ for a dollar sign")
                return found[0]
            value = self.lookup.get(found["name"])
            if not value and found["default"] is not None:
                value = found["default"]
            if value is None:
                self._complain(
                    file, node, found, f"{found['name']} is not set",
                    f"set it in the environment, or put it into a file {found['name']} in the secrets directory",
                )  # fmt: skip
                return found[0]
            self.report.hide(value, f"${{{found['name']}}}")
            return value

        return _DOLLAR.sub(put, node.value)

    def references(self, node: Scalar) -> list[tuple[str, str]]:
        """The names that the scalar refers to and that are set, each with its value."""
        names = [found["name"] for found in _DOLLAR.finditer(node.value) if found["name"]]
        return [(name, value) for name in names if (value := self.lookup.get(name))]

    def _complain(self, file: File, node: Scalar, found: re.Match[str], message: str, hint: str) -> None:
        self.report.add(file, file.index_in(node, found.start()), message, hint)


def is_withheld(node: Node) -> bool:
    """Whether all that the node held was a secret, which was taken out."""
    if isinstance(node, Scalar):
        return node.withheld
    inner = node.items if isinstance(node, Sequence) else [item for _, item in node.entries.values()]
    return bool(inner) and all(is_withheld(item) for item in inner)


def has_withheld(node: Node) -> bool:
    """Whether a secret was taken out somewhere under the node."""
    if isinstance(node, Scalar):
        return node.withheld
    inner = node.items if isinstance(node, Sequence) else [item for _, item in node.entries.values()]
    return any(has_withheld(item) for item in inner)
