"""`sources-added.yaml`: what commands add to a configuration. No file that a person wrote is ever changed."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import ValidationError

from watcher.config.opml import Outline
from watcher.errors import ConfigError

FILE = "sources-added.yaml"
_HEAD = "# yaml-language-server: $schema=watcher.schema.json\n"
_HEAD += "# Written by `watcher sources add` and `import`.\n\nsources:\n"


def add_feeds(
    folder: Path, outlines: Sequence[Outline], names: Collection[str], addresses: Collection[str]
) -> tuple[list[str], list[str]]:
    """Add feeds to FILE in the configuration directory `folder`; `names` and `addresses` are what is there.

    Gives the names that were added, and what was left out and why. The file is replaced whole, or not at all. Raises
    ConfigError where the configuration is a single file, or cannot be written.
    """
    from watcher.sources import kinds  # noqa: PLC0415 - brings what the kinds need
    from watcher.sources.discover import name_for, quoted  # noqa: PLC0415

    if not folder.is_dir():
        hint = f"put {folder.name} into a directory, and name that with --config"
        raise ConfigError.of(folder, f"sources are added to {FILE} in a directory, and this is one file", hint)
    taken, known = set(names), set(addresses)
    lines, added, left_out = [], [], []
    for outline in outlines:
        if outline.address in known:
            left_out.append(f"{outline.address}: already there")
            continue
        try:
            kinds()["feed"].model_validate({"feed": outline.address})
        except ValidationError as error:
            reason = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
            left_out.append(f"{outline.address}: {reason}")
            continue
        name = name_of(outline.title, taken) or name_for(outline.address, taken)
        taken.add(name)
        known.add(outline.address)
        tags = f", tags: [{', '.join(map(quoted, outline.tags))}]" if outline.tags else ""
        lines.append(f"  {name}: {{feed: {quoted(outline.address)}{tags}}}\n")
        added.append(name)
    if lines:
        _append(folder / FILE, "".join(lines))
    return added, left_out


def name_of(title: str, taken: Collection[str]) -> str:
    """A name out of a feed's title that none of `taken` has; "" where the title has no letter."""
    name = "-".join(re.findall(r"[^\W_]+", title.lower())[:5])
    number, found = 2, name
    while found and found in taken:
        found, number = f"{name}-{number}", number + 1
    return found


def _append(file: Path, lines: str) -> None:
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else _HEAD
        if before and not before.endswith("\n"):
            before += "\n"
        scratch = file.with_name(f".{file.name}.new")
        scratch.write_text(before + lines, encoding="utf-8")
        scratch.replace(file)
    except OSError as error:
        raise ConfigError.of(file, f"cannot be written: {error.strerror}") from None
