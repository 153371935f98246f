"""Which items are one story, in a file or in the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watcher.cli import common

if TYPE_CHECKING:
    from watcher.model import Item, Story
    from watcher.store.stories import StoredStory

app = typer.Typer(add_completion=False)

SHOWN = 2  # passages of a copy that the original has not


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

    With --items: the story and the event of each item of a file, `{"id", "story", "event"}` a line with --json, in the
    file's order; two outlets' own reports of one event are two stories of the same event. Without: the stored stories,
    newest first: who published each first, which outlets carry it in order of appearance, how long after and with what
    changes, and which other stories report the same event.
    """
    if items is not None:
        _of_file(items, json)
    else:
        common.run(_stored(common.load_settings(config, secrets), common.seconds(since), limit, json))


def _of_file(path: Path, json: bool) -> None:
    from watcher.sources.items_file import read_items
    from watcher.stories import group_items

    known = list(read_items(path))
    grouped = group_items(known)
    if json:
        for item in known:
            story = grouped[item.id].story
            common.print_line({"id": item.id, "story": story.id, "event": story.event})
        return
    members = defaultdict(list)
    for item in known:
        members[grouped[item.id].story.id].append(item)
    for copies in members.values():
        typer.echo(f"{len(copies):4}  {copies[0].title or copies[0].id}")
        if relation := grouped[copies[0].id].relation:
            typer.echo(f"      ~ {relation.story.title} ({relation.detail})")
        for copy in copies[1:]:
            typer.echo(f"      = {copy.outlet or copy.source or copy.id}: {copy.title or copy.id}")
    events = len({one.story.event for one in grouped.values()})
    stories = f"{common.count(len(members), 'story')} of {common.count(events, 'event')}"
    typer.echo(f"{common.count(len(known), 'item')}: {stories}.")


async def _stored(settings: Any, since: float, limit: int, json: bool) -> None:
    async with common.opened(settings) as store, store.read() as tx:
        now = store.now()
        found = await tx.stories.list(limit, now - since)
        events = {event: await tx.events.stories(event) for event in {one.story.event for one in found}}
    rows = [_row(one, events[one.story.event]) for one in found]
    if json:
        common.print_json(rows)
        return
    for row, one in zip(rows, found, strict=True):
        _print(row, common.ago(now - one.story.opened_at))
    typer.echo(f"{common.count(len(rows), 'story')} in the last {common.ago(since)}.")


def _row(one: StoredStory, of_event: Sequence[Story]) -> dict[str, Any]:
    """A story as `--json` prints it."""
    from watcher.stories import coverage

    story = one.story
    reach = coverage(each.outlets for each in of_event)
    members = list(zip(one.items, one.seen, strict=True))  # none: retention took them
    return {
        "id": story.id,
        "title": story.title,
        "event": story.event,
        "opened": common.iso(story.opened_at),
        "first": _publisher(one.items[0]) if members else None,
        "spread_seconds": round(story.seen_at - story.opened_at),
        "outlets": list(story.outlets),
        "items": [item.url or item.id for item in one.items],
        "alerts": one.alerts,
        "copies": [
            {
                "outlet": _publisher(item),
                "title": item.title,
                "url": item.url,
                "after_seconds": round(seen - one.seen[0]),
                "differs": _differs(one.items[0], item),
            }
            for item, seen in members[1:]
        ],
        "coverage": {"outlets": reach.outlets, "copies": reach.copies, "own_reports": reach.own},
        "related": [
            {"id": other.id, "title": other.title, "outlets": list(other.outlets)}
            for other in of_event
            if other.id != story.id
        ],
    }


def _publisher(item: Item) -> str:
    return item.outlet or item.source


def _differs(first: Item, copy: Item) -> dict[str, Any]:
    """What the copy has otherwise than the first item: its title, and passages of its text."""
    from watcher.stories import headlines
    from watcher.stories.difference import difference

    titles = [headlines.read(item.title, item.outlet).text for item in (first, copy)]
    before, after = (max(item.body, item.summary, key=len) for item in (first, copy))
    if not before or not after:  # texts are not kept for ever
        return {"title": titles[0] != titles[1], "dropped": 0, "kept": 0, "added": [], "edited": []}
    found = difference(before, after)
    return {
        "title": titles[0] != titles[1],
        "dropped": len(found.dropped),
        "kept": found.kept,
        "added": [sentence.written for sentence in found.added],
        "edited": [{"before": old.written, "after": new.written} for old, new in found.edited],
    }


def _print(row: dict[str, Any], opened: str) -> None:
    count = len(row["items"])
    typer.echo(f"{opened:>4} ago  {count:3} {'item ' if count == 1 else 'items'}  {row['title']}")
    if len(row["outlets"]) > 1:
        typer.echo(f"{'':10}carried by {', '.join(row['outlets'])}; spread over {common.ago(row['spread_seconds'])}")
    for copy in row["copies"]:
        typer.echo(f"{'':10}+{common.ago(copy['after_seconds']):<5} {copy['outlet']}: {_said(copy)}")
        for text in copy["differs"]["added"][:SHOWN]:
            typer.echo(f"{'':19}+ {common.shorten(text, 90)}")
    for other in row["related"]:
        typer.echo(f"{'':10}~ {', '.join(other['outlets'])}: {other['title']}")
    if row["related"]:
        reach = row["coverage"]
        typer.echo(f"{'':10}one event, {_counted(reach)}")


def _counted(reach: dict[str, int]) -> str:
    from watcher.stories import Coverage

    return str(Coverage(reach["own_reports"], reach["copies"]))


def _said(copy: dict[str, Any]) -> str:
    """In a few words what a copy has otherwise."""
    found = copy["differs"]
    parts = [f"as {common.shorten(copy['title'], 70)!r}"] if found["title"] else []
    total = found["kept"] + found["dropped"] + len(found["edited"])
    if found["dropped"]:
        parts.append(f"without {found['dropped']} of {total} passages")
    if found["edited"]:
        parts.append(f"{len(found['edited'])} edited")
    if found["added"]:
        parts.append(f"{len(found['added'])} added")
    return ", ".join(parts) or "the same"
