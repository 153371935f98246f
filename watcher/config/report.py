"""Collects what is wrong with a configuration, with its place, its line and a hint, and without secrets."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache

from pydantic import BaseModel

from watcher.config.nodes import File, Node
from watcher.config.secrets import Mask
from watcher.config.settings import Settings
from watcher.config.watchlist import Channel
from watcher.errors import ConfigError, Problem

QUERY_HINT = "write the query in a | block or in single quotes"


def near(word: str, known: Iterable[str], say: str = "known: ") -> str:
    """A hint for an unknown `word`: the near name, or else all of them where they are few."""
    names = sorted(known)
    if found := get_close_matches(word, names, n=1, cutoff=0.6):
        return f"did you mean {found[0]}?"
    return say + ", ".join(names) if 0 < len(names) <= 20 else ""


@cache
def known_keys() -> dict[str, frozenset[str]]:
    """The keys that settings, channels and sources have."""
    from watcher.sources import kinds  # noqa: PLC0415 - only where there is a problem, or something to read

    def keys(*models: type[BaseModel]) -> frozenset[str]:
        return frozenset(field.alias or name for model in models for name, field in model.model_fields.items())

    return {"settings": keys(Settings), "channels": keys(Channel), "sources": keys(*kinds().values())}


class Report:
    """The problems found so far."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._hidden: dict[str, str] = {}
        self._masks: dict[str, Mask] = {}

    def hide(self, text: str, instead: str) -> None:
        """Let no message repeat `text`. What has less than four letters is no secret, and stands in every sentence."""
        if len(text) >= 4:
            self._hidden.setdefault(text, instead)
            self._hidden.setdefault(repr(text)[1:-1], instead)

    def add(self, file: File, index: int, message: str, hint: str = "", level: str = "error") -> None:
        """Note a problem at an index of the file's text."""
        line, column = file.place(index)
        mask = self._masks.get(file.path) or self._masks.setdefault(file.path, Mask(file, known_keys()))
        self.problems.append(
            Problem(file.path, line, column, self._clean(message), self._clean(hint), level, mask.line(line))
        )

    def add_at(self, file: File, node: Node, message: str, hint: str = "", level: str = "error") -> None:
        """Note a problem at the start of a node."""
        self.add(file, node.start, message, hint, level)

    def add_elsewhere(self, place: str, message: str, hint: str = "", level: str = "error") -> None:
        """Note a problem that no line of a file is to blame for: the environment, a whole file."""
        self.problems.append(Problem(place, 0, 0, self._clean(message), self._clean(hint), level))

    def _clean(self, text: str) -> str:
        for value in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(value, self._hidden[value])
        return text

    @property
    def warnings(self) -> list[Problem]:
        """The problems that do not stop anything."""
        return [problem for problem in self.problems if problem.level == "warning"]

    def raise_errors(self) -> None:
        """Raise ConfigError with every problem, in the order of the files, if one of them is an error."""
        if any(problem.level == "error" for problem in self.problems):
            raise ConfigError(sorted(self.problems, key=lambda p: (p.file, p.line, p.column)))
