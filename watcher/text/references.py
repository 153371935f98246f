"""What stood as `${NAME}` in the configuration: what is shown says the name, and never the value."""

from __future__ import annotations

from urllib.parse import quote

SHORTEST = 4  # letters; what has fewer is no secret, and stands in every sentence

_names: dict[str, str] = {}  # of each value, as it is written and as it stands in a URL


def remember(value: str, name: str) -> None:
    """Let `masked` put `${name}` in the place of `value`, for as long as the process lives."""
    if len(value) >= SHORTEST:
        _names[value] = _names[quote(value)] = f"${{{name}}}"


def masked(text: str) -> str:
    """`text` with the reference in the place of each value."""
    for value in sorted(_names, key=len, reverse=True):
        text = text.replace(value, _names[value])
    return text
