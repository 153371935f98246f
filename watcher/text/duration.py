"""Durations as users write them: `30s`, `5m`, `2h`, `7d`, `1h30m`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
LONGEST = 10 * 366 * 86400.0

_PART = r"[0-9]+(?:\.[0-9]+)?(?:ms|[smhdw])"
_WHOLE = re.compile(rf"(?:{_PART})+")
_SPLIT = re.compile(r"([0-9.]+)(ms|[smhdw])")


def parse_duration(text: str | float) -> float:
    """The seconds that `text` names; a number is taken as seconds that were worked out already.

    Raises ValueError that says what was expected.
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        if not 0 <= text <= LONGEST:
            raise ValueError("a duration is a number of seconds from 0 up to ten years")
        return float(text)
    compact = text.replace(" ", "") if isinstance(text, str) else ""
    if not _WHOLE.fullmatch(compact):
        if compact.isdigit():
            raise ValueError(f"a duration needs a unit: {compact}s, {compact}m, {compact}h or {compact}d")
        raise ValueError("a duration is written as 30s, 5m, 2h, 7d or 1h30m")
    seconds = sum(float(number) * UNITS[unit] for number, unit in _SPLIT.findall(compact))
    if seconds > LONGEST:
        raise ValueError("a duration of more than ten years is surely a slip")
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest way to write `seconds` that loses nothing above a second: 5400 is `1h30m`."""
    rest = max(0, round(seconds))
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(rest, int(UNITS[unit]))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


# For pydantic models: written as a duration, held as float seconds.
Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    Field(ge=0),
    WithJsonSchema({"type": "string", "pattern": f"^({_PART})+$", "examples": ["30s", "5m", "2h", "7d"]}),
]
