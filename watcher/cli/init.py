"""Write a starting configuration."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

import watcher
from watcher.errors import ConfigError

app = typer.Typer(add_completion=False)

PACKAGE = Path(watcher.__file__).parent
SCHEMA = "watcher.schema.json"
_SCHEMA_LINE = re.compile(rf"\$schema=[./]*config/{re.escape(SCHEMA)}")


def packs() -> dict[str, Path]:
    """The starter packs by name, from the installed package or from a checkout beside it."""
    for folder in (PACKAGE / "seeds", PACKAGE.parent / "seeds"):
        if folder.is_dir():
            found = {file.stem: file for file in sorted(folder.glob("*.yaml"))}
            return found | {f"terms/{file.stem}": file for file in sorted(folder.glob("terms/*.yaml"))}
    return {}


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to write it; made if it is not there.")] = Path(
        "config"
    ),
    pack: Annotated[
        list[str] | None,
        typer.Option("--pack", help="A starter pack: sources and rules, or terms. May be given several times."),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List the packs and write nothing.")] = False,
) -> None:
    """Write a starting configuration into DIR, with comments, that runs as it is; or packs beside one that is there.

    Nothing is overwritten.
    """
    known = packs()
    if show:
        width = max(map(len, known), default=0)
        for name, file in known.items():
            typer.echo(f"{name:{width}}  {_about(file)}")
        return
    files: dict[Path, str] = {}
    beside = bool(pack) and (folder / "watcher.yaml").exists()  # packs for a configuration that is there
    if not beside:
        files[folder / "watcher.yaml"] = (PACKAGE / "config" / "starter.yaml").read_text(encoding="utf-8")
    for name in pack or ["world"]:
        if name not in known:
            raise ConfigError.of("--pack", f"there is no pack {name}", "packs: " + ", ".join(known))
        text = known[name].read_text(encoding="utf-8")
        files[folder / f"{name.replace('/', '-')}.yaml"] = _SCHEMA_LINE.sub(f"$schema={SCHEMA}", text, count=1)
    if not (beside and (folder / SCHEMA).exists()):
        files[folder / SCHEMA] = _schema()
    there = [str(file) for file in files if file.exists()]
    if there:
        raise ConfigError.of(folder, f"already there: {', '.join(there)}", "nothing was written; choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            with file.open("x", encoding="utf-8") as out:
                out.write(text)
    except OSError as error:
        raise ConfigError.of(folder, f"cannot be written: {error.strerror}") from None
    for file in files:
        typer.echo(str(file))
    typer.echo(f"Look into them, then: watcher check --config {folder}; watcher run --config {folder}", err=True)


def _about(file: Path) -> str:
    """What a pack is about: its second line."""
    return file.read_text(encoding="utf-8").splitlines()[1].lstrip("# ")


def _schema() -> str:
    from watcher.config.schema import schema

    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"
