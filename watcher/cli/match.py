"""Whether a query matches a text, and why; rules on many items."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watcher.cli import common
from watcher.errors import ConfigError, Problem, QueryError

if TYPE_CHECKING:
    from watcher.model import Item
    from watcher.query import Explanation, Finding, Node

app = typer.Typer(add_completion=False)


@app.command()
def match(
    query: Annotated[
        str | None, typer.Argument(help="The query, in quotes; with --rules also a rule's name.", show_default=False)
    ] = None,
    text: Annotated[
        str | None,
        typer.Argument(help="A URL, a file (HTML or plain text), or - for standard input.", show_default=False),
    ] = None,
    rules: Annotated[Path | None, typer.Option("--rules", help="A watch list whose rules and terms are used.")] = None,
    items: Annotated[Path | None, typer.Option("--items", help="In bulk: a JSON Lines file of items.")] = None,
    url: Annotated[str, typer.Option("--url", help="For a file: the address it was at.")] = "",
    title: Annotated[str, typer.Option("--title", help="For plain text: its title.")] = "",
    json: common.JsonOption = False,
) -> None:
    """Say whether QUERY matches TEXT, and why: the text with the deciding words marked, and the tree of verdicts.

    Exits with 1 where it does not match. With --rules FILE, QUERY may name a rule of FILE, which is judged with its
    forms and stems, and may hold FILE's @terms. In bulk (--rules FILE --items FILE.jsonl) every item is matched against
    every rule: one line `{"id", "rules"}` an item, in the file's order.
    """
    if rules is not None and items is not None:
        if query is not None:
            raise typer.BadParameter("in bulk the queries are those of --rules; leave QUERY out")
        _bulk(rules, items, json)
        return
    if query is None or items is not None:
        raise typer.BadParameter("either QUERY and a text, or --rules FILE with --items FILE.jsonl")
    if text is None and (query.startswith(("http://", "https://")) or _is_file(query)):
        raise typer.BadParameter(f"{query} is a text: the query, or with --rules a rule's name, goes before it")
    if text is None and sys.stdin.isatty():
        raise typer.BadParameter("a text to match: a URL, a file, or - for standard input")
    _one(query, rules, text or "-", url, title, json)


def _is_file(name: str) -> bool:
    """Whether it names a file, by its suffix too: a word may be called as a file here is."""
    try:
        return bool(Path(name).suffix) and Path(name).is_file()
    except (OSError, ValueError):  # a long query is no file's name
        return False


def _bulk(rules: Path, items: Path, json: bool) -> None:
    from watcher.config import load_rules
    from watcher.query import Document, RuleSet
    from watcher.sources.items_file import read_items

    ruleset = RuleSet(load_rules(rules))
    write: Callable[[str, list[str]], None] = _json_line if json else _text_line
    broken: list[ConfigError] = []

    def well_formed() -> Iterator[Item]:
        try:
            yield from read_items(items)
        except ConfigError as error:  # said once what stands before it is matched
            broken.append(error)

    read, matched = tee(well_formed())
    for item, names in zip(read, ruleset.names_all(map(Document.of, matched)), strict=True):
        write(item.id, names)
    if broken:
        raise broken[0]


def _json_line(item_id: str, names: list[str]) -> None:
    common.print_line({"id": item_id, "rules": names})


def _text_line(item_id: str, names: list[str]) -> None:
    typer.echo(f"{item_id}: {', '.join(names) or '-'}")


def _one(query: str, rules: Path | None, text: str, url: str, title: str, json: bool) -> None:
    from watcher.config import load_rules
    from watcher.query import Document, explain, lint

    known = load_rules(rules) if rules else {}
    named = known.get(query)
    common.say_if_nearly_a_rule(query, known)
    node = named or _parsed(query, rules)
    findings = [] if named else [problem_of(query, finding) for finding in lint(node, query)]
    if any(finding.level == "error" for finding in findings):
        common.print_problems(findings, sys.stderr)
        raise typer.Exit(2)
    item = _item(text, url, title)
    explanation = explain(node, Document.of(item))
    if json:
        common.print_json(explanation.to_json())
    else:
        common.print_problems(findings, sys.stderr)
        _show(explanation, item)
    if not explanation.holds:
        raise typer.Exit(1)


def _parsed(query: str, rules: Path | None) -> Node:
    from watcher.config import load_terms
    from watcher.query import parse

    try:
        return parse(query, load_terms(rules) if rules else None)
    except QueryError as error:
        common.print_problems([problem_of(query, error)], sys.stderr)
        raise typer.Exit(2) from error


def problem_of(query: str, found: QueryError | Finding) -> Problem:
    """What is said of a query, at its place in it."""
    before = query[: found.column - 1]
    line, column = before.count("\n"), len(before) - before.rfind("\n")
    level = getattr(found, "level", "error")
    return Problem(
        "query", line + 1, column, found.message, found.hint, level, query.splitlines()[line] if query else ""
    )


def _item(text: str, url: str, title: str) -> Item:
    """The text as an item: an article out of a page, or plain text as it is."""
    from watcher.cli.preview import article_at, looks_like_feed, looks_like_page
    from watcher.model import Item

    if text.startswith(("http://", "https://")):
        return common.run(article_at(text))
    if text == "-":
        body = sys.stdin.buffer.read()
    else:
        try:
            body = Path(text).read_bytes()
        except OSError as error:
            raise typer.BadParameter(f"{text}: {error.strerror}") from error
        if looks_like_page(body) or looks_like_feed(body):
            return common.run(article_at(text, url))
    return Item(id=text, source="", title=title, body=body.decode("utf-8", "replace"), url=url)


def _show(explanation: Explanation, item: Item) -> None:
    """Verdict, tree and marked text, on a terminal with colours."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    verdict = Text("matches", "bold green") if explanation.holds else Text("does not match", "bold red")
    console.print(verdict)
    for line in explanation.lines():
        console.print(Text(line))
    for name in ("title", "summary", "body"):
        value: str = getattr(item, name)
        spans = [span for span in explanation.spans if span.field == name]
        if not spans and name != "title":
            continue
        marked = Text(value)
        for span in spans:
            marked.stylize("bold reverse", span.start, span.end)
        console.print()
        console.print(Text(f"{name}:", "dim"))
        console.print(_around(marked, [(span.start, span.end) for span in spans]))


def _around(text: Any, spans: list[tuple[int, int]], context: int = 120) -> Any:
    """What stands around the marks, so that a long article does not scroll the verdict away."""
    if len(text.plain) <= 600 or not spans:
        return text if len(text.plain) <= 600 else text[:600]
    shown: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        low, high = max(0, start - context), min(len(text.plain), end + context)
        if shown and low <= shown[-1][1]:
            shown[-1] = (shown[-1][0], max(high, shown[-1][1]))
        else:
            shown.append((low, high))
    result = text[:0]
    for low, high in shown[:8]:
        result = result + ("… " if low else "") + text[low:high] + (" …\n" if high < len(text.plain) else "\n")
    return result
