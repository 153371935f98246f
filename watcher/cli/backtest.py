"""What a rule or query would have caught in the stored items."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watcher.cli import common
from watcher.errors import QueryError

if TYPE_CHECKING:
    from watcher.config import Config
    from watcher.model import Item
    from watcher.pipeline.backtest import Found, Hit, Miss
    from watcher.query import Node

app = typer.Typer(add_completion=False)

BAR = 40  # characters of the longest bar


@app.command()
def backtest(
    what: Annotated[str, typer.Argument(metavar="RULE|QUERY", help="A rule of the configuration, or a query.")],
    query: Annotated[
        str | None, typer.Option("--query", help="For RULE: its new query, compared with the one in force.")
    ] = None,
    since: common.SinceOption = "7d",
    config: common.ConfigOption = None,
    secrets: common.SecretsOption = None,
    json: common.JsonOption = False,
) -> None:
    """Show what a rule or query would have caught in the stored items: hits a day, samples, hits an outlet.

    Where nothing is stored yet, the sources are asked for what they list now, and nothing is written. A query that
    catches nothing is shown its nearest misses. Exits with 1 where nothing was caught.
    """
    loaded = common.load_config(config, secrets)
    node, before, sources = _nodes(loaded, what, query)
    found, origin = common.run(_run(loaded, node, before, sources, common.seconds(since)))
    if json:
        common.print_json(_json(found, origin))
    else:
        _show(found, origin, since)
    if not found.hits:
        raise typer.Exit(1)


def _nodes(config: Config, what: str, query: str | None) -> tuple[Node, Node | None, Collection[str]]:
    """The query, the one in force beside it, and the ids of the sources that it reads."""
    from watcher.query import inflected

    everything = {source.id for source in config.sources.values()}
    rule = config.rules.get(what)
    if rule is None:
        if query is not None:
            known = ", ".join(config.rules) or "none"
            raise typer.BadParameter(f"there is no rule {what}; rules: {known}", param_hint="RULE")
        common.say_if_nearly_a_rule(what, config.rules)
        return _parse(what, config), None, everything
    reads = {source.id for source in config.sources.values() if rule.id in config.rules_for(source)}
    if query is None:
        return rule.node, None, reads
    return inflected(_parse(query, config), rule.forms, rule.stem or ""), rule.node, reads


def _parse(query: str, config: Config) -> Node:
    from watcher.cli.match import problem_of
    from watcher.query import parse

    try:
        return parse(query, config.terms)
    except QueryError as error:
        common.print_problems([problem_of(query, error)], sys.stderr)
        raise typer.Exit(2) from error


async def _run(
    config: Config, node: Node, before: Node | None, sources: Collection[str], span: float
) -> tuple[Found, dict[str, Any]]:
    from watcher.clock import SystemClock
    from watcher.pipeline.backtest import Backtest

    now = SystemClock().now()
    since = now - span
    test = Backtest(node, before, since, now, config.settings.timezone)
    tags = {source.id: tuple(source.tags) for source in config.sources.values()}
    failed: list[str] = []
    stored = False
    async for item, seen in _stored(config, since):
        stored = True
        if seen is not None and (item.source in sources or item.source not in tags):
            test.look(item, tags.get(item.source, ()), seen)
    if not stored:
        typer.echo("The store holds no items yet: asking the sources what they list now.", err=True)
        async for item in _listed(config, since, failed):
            if item.source in sources:
                test.look(item, tags[item.source], now)
        for one in failed:
            typer.echo(f"not read: {one}", err=True)
    return test.finish(), {"from": "store" if stored else "sources", "failed": failed}


def _has_store(config: Config) -> bool:
    """Whether there is a store to read: looking must not make one."""
    scheme, _, path = config.settings.store.partition(":///")
    return not scheme.startswith("sqlite") or Path(path).exists()


async def _stored(config: Config, since: float) -> AsyncIterator[tuple[Item, float | None]]:
    """The stored items with the time at which they were first seen; one older one without, where none is newer."""
    if not _has_store(config):
        return
    async with common.opened(config.settings) as store, store.read() as tx:
        async for one in tx.items.texts(since):
            yield one.item, one.first_seen
        for one in await tx.items.list(1):
            yield one.item, None


async def _listed(config: Config, since: float, failed: list[str]) -> AsyncIterator[Item]:
    from random import Random

    from watcher.clock import SystemClock
    from watcher.fetch import Client
    from watcher.pipeline.backtest import present
    from watcher.sources import Tools
    from watcher.workers import Workers

    clock = SystemClock()
    async with (
        Client(config.settings.fetch.client(), config.private_hosts, clock, Random()) as fetch,
        Workers() as workers,
    ):
        async for _, item in present(config, Tools(fetch=fetch, workers=workers, clock=clock), failed):
            if item.published is None or item.published >= since:
                yield item


# --- what is printed --------------------------------------------------------------------------------------------------


def _json(found: Found, origin: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = {
        **origin,
        "items": found.items,
        "hits": found.hits,
        "days": found.days,
        "outlets": dict(found.outlets.most_common()),
        "samples": [_hit(hit) for hit in reversed(found.samples)],
    }
    if found.before is not None:
        value["in_force"] = {
            "hits": found.before,
            "gained": found.gained,
            "lost": found.lost,
            "gains": [_hit(hit) for hit in reversed(found.gains)],
            "losses": [_hit(hit) for hit in reversed(found.losses)],
        }
    if not found.hits:
        value["nearest"] = [_item(miss) | {"notes": list(miss.notes)} for miss in found.misses]
    return value


def _item(one: Hit | Miss) -> dict[str, Any]:
    item = one.item
    return {
        "id": item.id,
        "title": item.title,
        "url": item.url,
        "outlet": item.outlet,
        "source": item.source,
        "at": common.iso(one.at),
    }


def _hit(hit: Hit) -> dict[str, Any]:
    from watcher.alerting.excerpt import excerpt

    found = excerpt(hit.item, hit.spans)
    return _item(hit) | {"excerpt": found.text, "marks": [list(mark) for mark in found.marks]}


def _show(found: Found, origin: dict[str, Any], since: str) -> None:
    where = "stored items" if origin["from"] == "store" else "items that the sources list now"
    typer.echo(f"{found.hits} of {found.items} {where} of the last {since}")
    most = max(found.days.values(), default=0)
    for day, hits in found.days.items():
        bar = "█" * max(round(BAR * hits / most), 1) if hits else ""
        typer.echo(f"  {day}  {bar}{' ' if bar else ''}{hits}")
    if found.before is not None:
        typer.echo(f"\nThe rule in force: {found.before} hits; {found.gained} gained, {found.lost} lost")
        _samples("gained", reversed(found.gains))
        _samples("lost", reversed(found.losses))
    if found.outlets:
        typer.echo("\nBy outlet:")
        for outlet, hits in found.outlets.most_common(10):
            typer.echo(f"  {hits:5}  {outlet}")
        _samples("The last hits", reversed(found.samples))
    elif found.misses:
        typer.echo("\nNothing was caught. Nearest:")
        for miss in found.misses:
            typer.echo(f"  {miss.item.title}\n    {miss.item.url}")
            for note in miss.notes[:4]:
                typer.echo(f"    {note}")


def _samples(heading: str, hits: Iterable[Hit]) -> None:
    """Hits with the words that decided them marked, where the terminal can."""
    from rich.console import Console
    from rich.text import Text

    from watcher.alerting.excerpt import excerpt

    console = Console(highlight=False, soft_wrap=True)
    shown = list(hits)
    if shown:
        console.print(f"\n{heading}:", markup=False)
    for hit in shown:
        found = excerpt(hit.item, hit.spans)
        console.print(Text(f"  {common.iso(hit.at)}  {hit.item.outlet or hit.item.source}: {hit.item.title}"))
        text = Text("    " + found.text)
        for start, end in found.marks:
            text.stylize("bold reverse", start + 4, end + 4)
        console.print(text)
