"""Silences: hold back what a rule, source or channel would tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watcher.cli import common

if TYPE_CHECKING:
    from watcher.config import Config
    from watcher.model import Silence

app = typer.Typer(add_completion=False)


@app.command()
def silence(
    rule: Annotated[
        str | None, typer.Argument(help="A rule; or `list`, or `end` with a silence's id.", show_default=False)
    ] = None,
    id_: Annotated[str | None, typer.Argument(metavar="[ID]", help="With `end`.", show_default=False)] = None,
    source: Annotated[str | None, typer.Option("--source", help="Silence a source instead.")] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="Silence a channel instead.")] = None,
    duration: Annotated[str, typer.Option("--for", help="For how long: 30m, 2h, 7d.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why, for those who read the list.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="With `list`: those that have ended, too.")] = False,
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
    json: common.JsonOption = False,
) -> None:
    """Silence a rule, a source or a channel for a time, list silences, or end one.

    What a silence holds back is kept, and told in one message when it ends.
    """
    loaded = common.load_config(config, secrets)
    named = [("rule", rule), ("source", source), ("channel", channel)]
    if rule == "end" and not (source or channel):
        _end(loaded, id_)
    elif (rule in (None, "list") or rule is None) and not (source or channel):
        _list(loaded, everything, json)
    elif sum(1 for _, name in named if name) != 1 or id_ is not None:
        raise typer.BadParameter("name one rule, or one --source, or one --channel")
    else:
        kind, name = next((kind, name) for kind, name in named if name)
        _add(loaded, kind, name, duration, reason, json)


def _add(config: Config, kind: str, name: str, duration: str, reason: str, json: bool) -> None:
    known: dict[str, str] = {
        "rule": {one.name: one.id for one in config.rules.values()},
        "source": {one.name: one.id for one in config.sources.values()},
        "channel": {one: one for one in config.channels},
    }[kind]
    if name not in known:
        raise typer.BadParameter(f"there is no {kind} {name}; there are: {', '.join(sorted(known)) or 'none'}")
    if not duration:
        raise typer.BadParameter("say for how long, as in --for 2h")
    row = common.run(_store(config, kind, known[name], common.seconds(duration), reason))
    if json:
        common.print_json(row)
    else:
        typer.echo(f"{kind} {name} is silent until {row['until']}. To end it sooner: watcher silence end {row['id']}")


async def _store(config: Config, kind: str, name: str, seconds: float, reason: str) -> dict[str, Any]:
    from watcher.model import Silence, derive_id

    async with common.opened(config.settings) as store:
        now = store.now()
        new = Silence(derive_id("silence", kind, name, repr(now))[:12], name, now + seconds, now, reason, kind)
        await store.write(lambda tx: tx.silences.add(new))
        return _row(new, now)


def _list(config: Config, everything: bool, json: bool) -> None:
    async def load() -> list[dict[str, Any]]:
        async with common.opened(config.settings) as store, store.read() as tx:
            now = store.now()
            return [_row(one, now) for one in await tx.silences.list(None if everything else now)]

    rows = common.run(load())
    if json:
        common.print_json(rows)
        return
    for row in rows:
        said = f" · {row['reason']}" if row["reason"] else ""
        typer.echo(
            f"{row['id']}  {row['kind']} {row['name']} {'until' if row['active'] else 'ended'} {row['until']}{said}"
        )
    typer.echo(f"{len(rows)} silences.")


def _row(silence: Silence, now: float) -> dict[str, Any]:
    return {
        "id": silence.id,
        "kind": silence.kind,
        "name": silence.name,
        "from": common.iso(silence.created_at),
        "until": common.iso(silence.until),
        "active": silence.until > now,
        "reason": silence.note,
    }


def _end(config: Config, id_: str | None) -> None:
    if id_ is None:
        raise typer.BadParameter("name the silence to end; `watcher silence list` lists them")

    async def end() -> bool:
        async with common.opened(config.settings) as store:
            return await store.write(lambda tx: tx.silences.end(id_))

    if not common.run(end()):
        typer.echo(f"there is no silence {id_} in force; `watcher silence list` lists them", err=True)
        raise typer.Exit(1)
    typer.echo("Ended. What it held back is told now.")
