"""Where items come from: one file per kind of source, each a class that is both its configuration and its behaviour.

A new kind is a new file in this folder with a Source class in it that names its `kind`; nothing else changes.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watcher.sources.base import Auth, Hints, Outcome, Poll, Source, Tools
else:

    def __getattr__(name: str) -> Any:
        """What `base` holds, when it is first asked for: workers import the parsers beside it, and need no pydantic."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.base"), name)


__all__ = ["Auth", "Hints", "Outcome", "Poll", "Source", "Tools", "kinds"]


@cache
def kinds() -> dict[str, type[Source]]:
    """The kinds of source by the key that names each in YAML, as found in this folder."""
    from watcher.sources.base import Source  # noqa: PLC0415 - see above

    found: dict[str, type[Source]] = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        for value in vars(loaded).values():
            if isinstance(value, type) and issubclass(value, Source) and value.__module__ == loaded.__name__:
                kind = vars(value).get("kind")
                if kind:
                    found[kind] = value
    return dict(sorted(found.items()))
