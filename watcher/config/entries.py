"""From named nodes to checked models, every error at its place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from watcher.config import nodes
from watcher.config.nodes import File, Node, Scalar
from watcher.config.report import Report, near

M = TypeVar("M", bound=BaseModel)

_NAME = re.compile(r"[^\s:,@\x00-\x1f\x7f]+")
_TERM = re.compile(r"[\w.-]+")
_EXPECTED = {
    "string_type": "a text",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "list_type": "a list, such as [one, two]",
    "tuple_type": "a list, such as [one, two]",
    "set_type": "a list, such as [one, two]",
    "frozen_set_type": "a list, such as [one, two]",
    "dict_type": "keys with values",
    "mapping_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "path_type": "a path",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A named thing of one section, where it is written."""

    name: str
    file: File
    key: Scalar
    node: Node


def entries(files: list[File], section: str, report: Report) -> dict[str, Entry]:
    """What stands under `section` in all files, by name; a name in two places is a problem that names both."""
    found: dict[str, Entry] = {}
    for file in files:
        node = file.root.get(section) if isinstance(file.root, nodes.Mapping) else None
        if node is None or is_empty(node):
            continue
        if not isinstance(node, nodes.Mapping):
            report.add_at(file, node, f'expected keys with values under "{section}", found {kind_of(node)}')
            continue
        for name, (key, value) in node.entries.items():
            first = found.get(name)
            if first is not None:
                line, _ = first.file.place(first.key.start)
                hint = f"the first one is at {first.file.path}:{line}"
                report.add_at(file, key, f'"{name}" is defined twice in {section}', hint)
            elif section == "terms" and not _TERM.fullmatch(name):
                report.add_at(file, key, "a term's name is made of letters, digits, - . and _", "it is used as @name")
            elif section != "settings" and not _NAME.fullmatch(name):
                report.add_at(file, key, "a name is one word, without spaces, colons, commas and @", "use - or _")
            else:
                found[name] = Entry(name, file, key, value)
    return found


def is_empty(node: Node) -> bool:
    """Whether a key has nothing behind it."""
    return isinstance(node, Scalar) and not node.value and node.style == ""


def kind_of(node: Node) -> str:
    """What a node is, in words."""
    return {Scalar: "a text", nodes.Sequence: "a list", nodes.Mapping: "keys with values"}[type(node)]


def validate(model: type[M], entry: Entry, data: Any, report: Report, *, base: Path | None = None) -> M | None:
    """`data`, which is `entry`'s, as a `model`; None where it has problems. Its paths are relative to `base`."""
    if not isinstance(entry.node, nodes.Mapping):
        report.add_at(
            entry.file, entry.node, f'expected keys with values for "{entry.name}", found {kind_of(entry.node)}'
        )
        return None
    try:
        return model.model_validate(data, context={"base": base})
    except ValidationError as error:
        for details in distinct(error.errors(include_url=False), entry.node):
            explain(details, entry, model, report)
        return None


def distinct(errors: Iterable[ErrorDetails], node: Node) -> list[ErrorDetails]:
    """One error a value: where it may be one of several things, pydantic says of each why it is not that."""
    found: dict[object, ErrorDetails] = {}
    for details in errors:
        whole = details["type"] in ("extra_forbidden", "missing")
        key = details["loc"] if whole else id(_find(node, details["loc"])[0])
        if key not in found or details["type"] != "literal_error":
            found[key] = details
    return list(found.values())


def explain(details: ErrorDetails, entry: Entry, model: type[BaseModel], report: Report) -> None:
    """Report one of pydantic's errors in words for people, at its place."""
    loc = details["loc"]
    node, left = _find(entry.node, loc)
    if details["type"] == "extra_forbidden":
        key, colon, _ = str(loc[-1]).partition(":")
        hint = "a blank belongs behind a key's colon" if colon else near(key, _keys(model, loc[:-1]), "known keys: ")
        report.add_at(entry.file, _key_of(entry, loc) or node, f'unknown key "{key}"', hint)
    elif details["type"] == "missing":
        where = entry.key if len(loc) == 1 else node
        report.add_at(entry.file, where, f'"{loc[-1]}" is missing')
    else:
        message, hint = words(details, node)
        name = next((str(part) for part in reversed(left) if isinstance(part, str)), "")
        report.add_at(entry.file, node, f'"{name}": {message}' if name else message, hint)


def words(details: ErrorDetails, node: Node | None = None) -> tuple[str, str]:
    """One of pydantic's errors in words for people, and a hint; `node` is what it is about."""
    kind = details["type"]
    if kind == "extra_forbidden":
        return f'unknown key "{details["loc"][-1]}"', ""
    if kind in _EXPECTED:
        found = "" if node is None or kind.endswith("_parsing") else f", found {kind_of(node)}"
        return f"expected {_EXPECTED[kind]}{found}", ""
    if kind in ("literal_error", "enum"):
        expected = str(details.get("ctx", {}).get("expected", ""))
        written = node.value if isinstance(node, Scalar) else ""
        hint = near(written, re.findall(r"'([^']*)'", expected), "")
        return f"expected {expected.replace(chr(39), '')}", hint if "did you" in hint else ""
    if kind == "greater_than_equal":
        duration = isinstance(node, Scalar) and node.value[-1:].isalpha()
        return f"expected at least {details['ctx']['ge']:g}{'s' if duration else ''}", ""
    if kind == "value_error":
        return str(details.get("ctx", {}).get("error", details["msg"])), ""
    text = details["msg"]
    return text[:1].lower() + text[1:], ""


def _find(node: Node, loc: tuple[int | str, ...]) -> tuple[Node, list[int | str]]:
    """The deepest node that `loc` leads to, and the parts that it came by; pydantic's own parts are passed over."""
    came: list[int | str] = []
    for part in loc:
        if isinstance(node, nodes.Mapping) and (inner := node.get(str(part))) is not None:
            node = inner
        elif isinstance(node, nodes.Sequence) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
        else:
            continue
        came.append(part)
    return node, came


def _key_of(entry: Entry, loc: tuple[int | str, ...]) -> Scalar | None:
    parent, _ = _find(entry.node, loc[:-1])
    found = parent.entries.get(str(loc[-1])) if isinstance(parent, nodes.Mapping) else None
    return found[0] if found else None


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys of the model that `loc` leads to from `model`."""
    for part in loc:
        field = model.model_fields.get(str(part))
        if field is None:
            continue
        inner = next(models_in(field.annotation), None)
        if inner is None:
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field's annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def references(entry: Entry, key: str, data: Any, known: Collection[str], report: Report, *, what: str) -> None:
    """Report each name of the list that `entry` has under `key` that is not `known`; `data` is the list, expanded."""
    node = entry.node.get(key) if isinstance(entry.node, nodes.Mapping) else None
    if not isinstance(node, nodes.Sequence) or not isinstance(data, list):
        return
    for item, name in zip(node.items, data, strict=False):
        if isinstance(name, str) and name not in known:
            report.add_at(entry.file, item, f'there is no {what} "{name}"', near(name, known, f"{what}s: "))
