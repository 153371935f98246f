"""Writing configurations and looking at what is wrong with them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from watcher.config import Config, load
from watcher.errors import ConfigError, Problem


def write(folder: Path, text: str, name: str = "watcher.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def good(folder: Path, text: str, env: Mapping[str, str] | None = None, secrets: Path | None = None) -> Config:
    return load(write(folder, text), env or {}, secrets)


def bad(folder: Path, text: str, env: Mapping[str, str] | None = None) -> list[Problem]:
    """The errors of a configuration that cannot be used."""
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text), env or {})
    return [problem for problem in caught.value.problems if problem.level == "error"]


def at(problem: Problem, text: str) -> str:
    """What stands in `text` from the problem's place to the end of the line."""
    return text.splitlines()[problem.line - 1][problem.column - 1 :]
