"""Alerts: what was found, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watcher.cli import common

if TYPE_CHECKING:
    from watcher.model import Alert, Coverage, Item, Story
    from watcher.store import Tx

app = typer.Typer(add_completion=False)


@app.command()
def alerts(
    alert: Annotated[str | None, typer.Argument(help="An alert's id: show it whole.", show_default=False)] = None,
    rule: Annotated[str | None, typer.Option("--rule", help="Only of this rule.")] = None,
    since: common.SinceOption = "7d",
    limit: common.LimitOption = 50,
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
    json: common.JsonOption = False,
) -> None:
    """List alerts, newest first, or show one with its deliveries."""
    loaded = common.load_settings(config, secrets)
    if alert is not None:
        _one(common.run(_load_one(loaded, alert)), json)
        return
    rows = common.run(_load(loaded, rule, common.seconds(since), limit))
    if json:
        common.print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['at']}  {row['state']:8} {row['rule']}: {row['title']}")
        more = f", also in {', '.join(row['others'])}" if row["others"] else ""
        more += f" · {_reach(row)}" if _reach(row) else ""
        messages = ", ".join(f"{number} {state}" for state, number in row["messages"].items())
        sent = f" · messages: {messages}" if messages else ""
        typer.echo(f"    {row['id']}  {row['outlet']}{more} · {row['reason']}{sent}")
    typer.echo(f"{common.count(len(rows), 'alert')} in the last {since}.")


async def _load(settings: Any, rule: str | None, since: float, limit: int) -> list[dict[str, Any]]:
    async with common.opened(settings) as store, store.read() as tx:
        found = await tx.alerts.list(limit, rule=rule, since=store.now() - since)
        return await rows_of(tx, found)


async def rows_of(tx: Tx, found: Sequence[Alert]) -> list[dict[str, Any]]:
    """Alerts as `--json` prints them, with what their items and stories say."""
    from watcher.stories import coverage

    items = await tx.items.get([alert.item for alert in found])
    stories = await tx.stories.get([alert.story for alert in found])
    outlets = await tx.events.outlets({story.event for story in stories.values()})
    rows = []
    for alert in found:
        messages = Counter(one.state.value for one in await tx.deliveries.of_alert(alert.id))
        story = stories.get(alert.story)
        reach = coverage(outlets[story.event]) if story else None
        rows.append(_row(alert, items.get(alert.item), story, reach) | {"messages": dict(messages)})
    return rows


def _row(alert: Alert, item: Item | None, story: Story | None, reach: Coverage | None) -> dict[str, Any]:
    from watcher.alerting.document import reach_of, update_of

    outlet = item.outlet if item is not None else ""
    return {
        "id": alert.id,
        "rule": alert.rule,
        "state": alert.state.value,
        "reason": alert.reason.value,
        "at": common.iso(alert.created_at),
        "title": item.title if item is not None else "",
        "url": item.url if item is not None else "",
        "outlet": outlet,
        "others": [other for other in story.outlets if other != outlet] if story is not None else [],
        "story": alert.story,
        "reach": reach_of(reach),
        "note": alert.note,
        "update": update_of(alert.update),
    }


def _reach(row: dict[str, Any]) -> str:
    """Who reports the event, in words, where it is more than one."""
    from watcher.model import Coverage

    reach = row["reach"]
    return str(Coverage(reach["own"], reach["copies"])) if reach and reach["outlets"] > 1 else ""


async def _load_one(settings: Any, alert_id: str) -> dict[str, Any]:
    from watcher.errors import StoreError

    async with common.opened(settings) as store, store.read() as tx:
        found = await tx.alerts.get([alert_id])
        if not found:
            raise StoreError(f"there is no alert {alert_id}; `watcher alerts` lists them")
        row = (await rows_of(tx, found))[0]
        deliveries = await tx.deliveries.of_alert(alert_id)
        item = (await tx.items.get([found[0].item]))[found[0].item]
    return row | {
        "published": common.iso(item.published),
        "summary": item.summary,
        "text": item.body,
        "matched": [
            {"field": span.field, "text": getattr(item, span.field)[span.start : span.end]} for span in found[0].spans
        ],
        "explanation": found[0].explanation,
        "deliveries": [common.delivery_row(one) for one in deliveries],
    }


def _one(row: dict[str, Any], json: bool) -> None:
    if json:
        common.print_json(row)
        return
    from watcher.query import Verdict

    typer.echo(f"{row['rule']}: {row['title']}\n{row['url']}")
    typer.echo(f"{row['outlet']} · published {row['published'] or 'undated'} · alert of {row['at']}")
    typer.echo(f"{row['state']}: {row['reason']}" + (f" ({row['note']})" if row["note"] else ""))
    typer.echo(f"matched: {', '.join(sorted({one['text'] for one in row['matched']}))}")
    if row["explanation"]:
        for line in Verdict.from_json(row["explanation"]).lines():
            typer.echo(f"    {line}")
    if row["others"]:
        typer.echo(f"also in {', '.join(row['others'])}")
    if reach := _reach(row):
        typer.echo(reach)
    if row["update"]:
        typer.echo(f"update of {row['update']['of']}:")
        for edit in row["update"]["edits"]:
            typer.echo("\n".join(f"    {sign} {text}" for sign, text in zip("−+", edit.values(), strict=True) if text))
    for one in row["deliveries"]:
        typer.echo(common.delivery_line(one))
