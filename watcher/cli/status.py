"""Is it well: daemon, sources, queue, last alerts, lag."""

from __future__ import annotations

from typing import Any

import typer

from watcher.cli import common
from watcher.cli.alerts import rows_of

app = typer.Typer()

ALIVE = 60.0  # seconds since a daemon's last sign of life
LATE = 300.0  # seconds that due work may wait


@app.command()
def status(
    config: common.ConfigOption = None, secrets: common.SecretsOption = None, json: common.JsonOption = False
) -> None:
    """Say whether watcher is well. Exits with 1 where no daemon is running or due work is not being done."""
    found = common.run(_status(common.load_config(config, secrets)))
    if json:
        common.print_json(found)
    else:
        _show(found)
    if not found["well"]:
        raise typer.Exit(1)


async def _status(config: Any) -> dict[str, Any]:
    from watcher.model import DeliveryState
    from watcher.sources.health import State, health, outage

    async with common.opened(config) as store, store.read() as tx:
        now = store.now()
        workers = [one for one in await tx.workers.list() if now - one.seen_at < ALIVE]
        sources = await tx.sources.list()
        deliveries = await tx.deliveries.counts()
        alerts = await rows_of(tx, await tx.alerts.list(5))
        waiting = await tx.claims.backlog()
    names = {source.id: source.name for source in config.sources.values()}
    states = [(names.get(one.state.id, one.state.id), one, health(one, now)) for one in sources]
    lag = max((row.late for row in waiting.values()), default=0.0)
    return {
        "well": bool(workers) and lag < LATE,
        "workers": [
            {"id": one.id, "version": one.version, "up_seconds": round(now - one.started_at)} for one in workers
        ],
        "sources": {
            "active": len(sources),
            "polled": sum(one.polled_at is not None for one in sources),
            "failing": [{"source": name, "error": one.state.error} for name, one, _ in states if one.state.failures],
            "states": {state.value: sum(found.state is state for _, _, found in states) for state in State},
            "unwell": [
                {"source": name, "state": found.state.value, "why": found.why}
                for name, _, found in states
                if found.state is not State.OK
            ],
            "network_out": outage(sources, now),
        },
        "queues": {queue.value: {"due": row.due, "late_seconds": round(row.late)} for queue, row in waiting.items()},
        "deliveries": {state.value: deliveries.get(state, 0) for state in DeliveryState},
        "alerts": [{"rule": one["rule"], "title": one["title"], "at": one["at"]} for one in alerts],
        "lag_seconds": round(lag),
    }


def _show(found: dict[str, Any]) -> None:
    if found["workers"]:
        for worker in found["workers"]:
            typer.echo(f"running: {worker['id']}, version {worker['version']}, up {common.ago(worker['up_seconds'])}")
    else:
        typer.echo("not running: no daemon has given a sign of life in the last minute")
    sources = found["sources"]
    states = ", ".join(f"{count} {state}" for state, count in sources["states"].items() if count)
    typer.echo(f"sources: {sources['active']}{': ' if states else ''}{states}")
    if sources["network_out"]:
        typer.echo("  nearly no source can be reached: the network or the name server here is out")
    for one in sources["unwell"]:
        typer.echo(f"  {one['source']}: {one['state']}: {one['why']}")
    late = f", {common.ago(found['lag_seconds'])} behind" if found["lag_seconds"] > 1 else ""
    queues = ", ".join(f"{row['due']} {name}" for name, row in found["queues"].items())
    typer.echo(f"due now: {queues}{late}")
    typer.echo(f"messages: {', '.join(f'{count} {state}' for state, count in found['deliveries'].items())}")
    for alert in found["alerts"]:
        typer.echo(f"  {alert['at']}  {alert['rule']}: {alert['title']}")
