"""The JSON Schema (2020-12) of the configuration files, from the models that read them."""

from __future__ import annotations

from typing import Any, get_args

from pydantic.json_schema import models_json_schema

from watcher.config.settings import Settings
from watcher.config.watchlist import Channel, Rule, Stem
from watcher.text.duration import format_duration

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_REFERENCE = {"type": "string", "pattern": r"\$\{"}  # ${NAME} may stand for any value
_NUMBER = {"type": "string", "pattern": r"^\d+(\.\d+)?$|\$\{"}  # and a number may be quoted
_QUERY = {"type": ["string", "number", "boolean"], "description": "A query: best in a | block or in single quotes."}

_FORM = {"type": "string", "enum": ["ru", "ar"]}
_TERM = {
    "type": "object",
    "description": "A query with the forms in which its words match, or a query a language.",
    "properties": {
        "query": _QUERY,
        "forms": {
            "description": "ru: names in all their cases. ar: words with what is written on to them.",
            "anyOf": [_FORM, {"type": "array", "items": _FORM}],
        },
        "stem": {"description": "Words match by their stem in this language.", "enum": list(get_args(Stem))},
    },
    "patternProperties": {"^[a-z]{2,3}$": _QUERY},
    "additionalProperties": False,
}


def schema() -> dict[str, Any]:
    """The schema of one file; every section may be missing from it."""
    from watcher.sources import kinds  # noqa: PLC0415 - brings what the kinds need

    sources = [kind for _, kind in sorted(kinds().items())]
    models: list[Any] = [Settings, Channel, Rule, *sources]
    references, generated = models_json_schema([(model, "validation") for model in models])
    of = {model: references[model, "validation"] for model in models}
    return {
        "$schema": DIALECT,
        "title": "watcher's configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "settings": {**of[Settings], "description": "What holds for the whole process."},
            "channels": _named(of[Channel], "Where people hear."),
            "sources": _named({"oneOf": [of[kind] for kind in sources]}, "What is read."),
            "terms": _named({"anyOf": [_QUERY, _TERM]}, "Named parts of queries, used as @name."),
            "rules": _named(of[Rule], "What is looked for, and who hears of it."),
        },
        "$defs": {name: _as_written(model) for name, model in sorted(generated["$defs"].items())},
    }


def _named(value: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": ["object", "null"], "description": description, "additionalProperties": value}


def _as_written(schema: Any) -> Any:
    """The schema of a value as YAML holds it: a text may look like a number, and a reference may stand for anything."""
    if isinstance(schema, list):
        return [_as_written(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    if "anyOf" in schema and len(choices) < len(schema["anyOf"]):  # what is not wanted is left out, not null
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        return _as_written({**choices[0], **rest} if len(choices) == 1 else {"anyOf": choices, **rest})
    written = {
        key: {name: _as_written(inner) for name, inner in value.items()} if key == "properties" else _as_written(value)
        for key, value in schema.items()
        if key not in ("title", "default", "examples", "enum", "const")
    }
    for key in ("enum", "const", "examples"):
        if key in schema:
            written[key] = schema[key]
    if (default := _default(schema)) is not None:
        written["default"] = default
    free_text = schema.get("type") == "string" and not {"enum", "const", "pattern"} & schema.keys()
    if free_text:
        written["type"] = ["string", "number", "boolean"]
    elif schema.get("type") in ("string", "integer", "number", "boolean"):
        outer = {key: written.pop(key) for key in ("description", "default") if key in written}
        return {**outer, "anyOf": [written, _REFERENCE if schema["type"] == "string" else _NUMBER]}
    return written


def _default(schema: dict[str, Any]) -> Any:
    """The default as one would write it; None where there is nothing to show, or the description tells it."""
    default = schema.get("default") if "default:" not in schema.get("description", "") else None
    if isinstance(default, float):
        return format_duration(default) if schema.get("type") == "string" else default
    if isinstance(default, int) and schema.get("type") == "string":
        return f"{default // 10**6}MB"
    return default if isinstance(default, int | str) and default != "" else None
