"""Print the JSON Schema of the configuration files, for editors."""

from __future__ import annotations

import json

import typer

app = typer.Typer(add_completion=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema (2020-12) of the configuration files.

    An editor that knows YAML checks and completes a file that begins with
    `# yaml-language-server: $schema=watcher.schema.json`.
    """
    from watcher.config.schema import schema

    typer.echo(json.dumps(schema(), ensure_ascii=False, indent=2))
