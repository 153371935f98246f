"""Stories: near-duplicates told as one, in a file of items or in the store."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import typer

from watcher.cli import common

app = typer.Typer()


@app.command()
def stories(
    items: Annotated[
        Path | None, typer.Option("--items", help="A JSON Lines file of items; without it, the stored stories.")
    ] = None,
    since: common.SinceOption = "3d",
    limit: common.LimitOption = 50,
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
    json: common.JsonOption = False,
) -> None:
    """Show which items are one story.

    With --items: the story of each item of a file, `{"id", "story"}` a line with --json, in the file's order. Without:
    the stored stories, newest first, with the outlets that carry them in order of appearance.
    """
    if items is not None:
        _of_file(items, json)
    else:
        common.run(_stored(common.load_config(config, secrets), common.seconds(since), limit, json))


def _of_file(path: Path, json: bool) -> None:
    from watcher.sources.items_file import read_items
    from watcher.stories import group_file

    known = list(read_items(path))
    story_of = group_file(known)
    if json:
        for item in known:
            common.print_line({"id": item.id, "story": story_of[item.id]})
        return
    members = defaultdict(list)
    for item in known:
        members[story_of[item.id]].append(item)
    for copies in members.values():
        typer.echo(f"{len(copies):4}  {copies[0].title or copies[0].id}")
        for copy in copies[1:]:
            typer.echo(f"      = {copy.outlet or copy.source or copy.id}: {copy.title or copy.id}")
    typer.echo(f"{len(known)} items are {len(members)} stories.")


async def _stored(config: Any, since: float, limit: int, json: bool) -> None:
    async with common.opened(config) as store, store.read() as tx:
        found = await tx.stories.list(limit, store.now() - since)
        now = store.now()
    rows = [
        {
            "id": one.story.id,
            "title": one.story.title,
            "opened": common.iso(one.story.opened_at),
            "spread_seconds": round(one.story.seen_at - one.story.opened_at),
            "outlets": list(one.story.outlets),
            "items": [item.url or item.id for item in one.items],
        }
        for one in found
    ]
    if json:
        common.print_json(rows)
        return
    for row, one in zip(rows, found, strict=True):
        typer.echo(f"{common.ago(now - one.story.opened_at):>8}  {len(one.items):3} items  {row['title']}")
        if len(one.story.outlets) > 1:
            typer.echo(f"{'':10}carried by {', '.join(one.story.outlets)}")
    typer.echo(f"{len(rows)} stories in the last {common.ago(since)}.")
