"""How each style writes: its template, its way of escaping, and what a message of it may hold."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watcher.alerting.clean import flat
from watcher.alerting.excerpt import Excerpt
from watcher.model import Style

if TYPE_CHECKING:
    from jinja2 import Environment

OWN = Path(__file__).parent / "templates"
BOLD, DIM, CYAN, RESET = "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[0m"
MARK_STYLE = "background:#fdf0b5;color:inherit;font-weight:600;padding:0 2px;border-radius:3px"

_TAG = re.compile(r"<[^>]*>")
_MENTION = r"<(?:!(?:here|channel|everyone|subteam\^[A-Z0-9]+)|@[UW][A-Z0-9]+)>"
MENTIONS = re.compile(rf"{_MENTION}(?: +{_MENTION})*")  # docs.slack.dev, formatting message text
TELEGRAM_TEXT = 4096  # after tags and entities are read; in UTF-16 code units, which are never fewer than characters
TELEGRAM_RAW = 9000  # text and tags together are cut near 9,500


def _telegram_size(text: str) -> int:
    """How much of TELEGRAM_TEXT the message takes, or more than that where its markup is too long."""
    if len(text) > TELEGRAM_RAW:
        return TELEGRAM_TEXT + len(text)
    return len(html.unescape(_TAG.sub("", text)).encode("utf-16-le")) // 2


def _octets(text: str) -> int:
    return len(text.encode())


def _html(text: str) -> str:
    return html.escape(text, quote=True)


def _slack(text: str) -> str:
    """Slack's own rule, and no more: & < > are control characters (docs.slack.dev, formatting message text)."""
    return html.escape(text, quote=False)


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True)
class Writing:
    """One way of writing a message."""

    template: str
    escape: Callable[[str], str]
    mark: tuple[str, str]  # what stands around a matched word
    size: Callable[[str], int]
    limit: int  # of one message, as `size` counts
    longest: int = 10_000  # of one alert, as `size` counts
    parts: int = 1  # at most so many messages for a digest
    listed: int = 200  # at most so many entries
    between: str = "\n\n"  # entries
    gap: str = "\n"  # a rule's heading and its first entry
    marks_words_only: bool = False  # marks only act between spaces or punctuation


EMAIL_HTML = Writing("email.html", _html, (f'<mark style="{MARK_STYLE}">', "</mark>"), _octets, 90_000, between="\n")
STYLES: dict[Style, Writing] = {
    Style.TELEGRAM: Writing(
        "telegram.html", _html, ("<b>", "</b>"), _telegram_size, TELEGRAM_TEXT, TELEGRAM_TEXT, parts=3
    ),
    # One section holds 3,000 characters; the transport makes sections of the text's paragraphs. In all about 13,200.
    Style.SLACK: Writing("slack.txt", _slack, ("*", "*"), len, 12_000, 2800, parts=3, marks_words_only=True),
    Style.EMAIL: Writing("email.txt", _as_it_is, ("*", "*"), _octets, 90_000),
    Style.CONSOLE: Writing("console.txt", _as_it_is, (BOLD, RESET), len, 100_000),
    # Services differ; the strictest of the common ones takes 2,000 characters, after an escaping of its own.
    Style.PLAIN: Writing("plain.txt", _as_it_is, ("*", "*"), len, 1500, 1500, parts=3),
}


class Sheet:
    """A style's template with its macros as methods. Whatever they return is ready to be sent."""

    def __init__(self, environment: Environment, writing: Writing) -> None:
        self._module: Any = environment.get_template(writing.template).module

    def alert(self, entry: Any) -> str:
        """One alert by itself."""
        return self._write("alert", entry)

    def head(self, heading: str, explanation: str) -> str:
        """What stands over several alerts."""
        return self._write("head", heading, explanation)

    def rule(self, rules: Sequence[str], count: int) -> str:
        """What stands over the alerts of one rule, or of the same few."""
        return self._write("rule", rules, count)

    def entry(self, entry: Any) -> str:
        """One alert among several."""
        return self._write("entry", entry)

    def more(self, count: int) -> str:
        """That there are `count` more alerts, and where to find them."""
        return self._write("more", count)

    def note(self, title: str, lines: Sequence[str]) -> str:
        """A message that is no alert."""
        return self._write("note", title, lines)

    def page(self, subject: str, preheader: str, body: str) -> str:
        """The whole HTML document of an e-mail around what the others wrote."""
        from markupsafe import Markup  # noqa: PLC0415 - comes with jinja2

        return self._write("page", subject, preheader, Markup(body))  # noqa: S704 - made by the other macros

    def _write(self, macro: str, *values: Any) -> str:
        return str(getattr(self._module, macro)(*values)).strip()


def sheet(writing: Writing, templates: Path | None) -> Sheet:
    """The template of `writing`: the user's, where the folder `templates` has one of that name, or ours.

    Raises jinja2.TemplateError where it cannot be read. A file that was changed is read again.
    """
    changed = () if templates is None else tuple(sorted(file.stat().st_mtime_ns for file in templates.glob("*")))
    return _sheet(writing, templates, changed)


@lru_cache(maxsize=64)
def _sheet(writing: Writing, templates: Path | None, changed: tuple[int, ...]) -> Sheet:
    return Sheet(_environment(writing, templates), writing)


def _environment(writing: Writing, templates: Path | None) -> Environment:
    from jinja2 import FileSystemLoader, StrictUndefined  # noqa: PLC0415 - heavy: only where something is rendered
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415
    from markupsafe import Markup  # noqa: PLC0415

    def finalize(value: Any) -> Any:
        """Every value that a template writes comes through here, so that none is forgotten."""
        if isinstance(value, Markup):
            return value
        return Markup(writing.escape(flat(str(value))))  # noqa: S704 - this is the escaping

    def with_marks(text: Excerpt) -> Markup:
        return Markup(_marked(text, writing))  # noqa: S704 - each piece was escaped

    def mention(text: str) -> Any:
        """Only what calls somebody in Slack passes as markup, wherever a template puts it."""
        return Markup(text) if MENTIONS.fullmatch(text) else text  # noqa: S704 - nothing else is in it

    folders = [OWN] if templates is None else [templates, OWN]
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["marked"] = with_marks
    environment.filters["mention"] = mention
    codes = {"BOLD": BOLD, "DIM": DIM, "CYAN": CYAN, "RESET": RESET}
    environment.globals.update({name: Markup(code) for name, code in codes.items()})  # noqa: S704 - our own
    return environment


def _marked(text: Excerpt, writing: Writing) -> str:
    """The excerpt escaped, with its marked words set off."""
    opening, closing = writing.mark
    pieces = text.pieces
    out = []
    for number, (piece, is_marked) in enumerate(pieces):
        before = pieces[number - 1][0] if number else ""
        after = pieces[number + 1][0] if number + 1 < len(pieces) else ""
        acts = not (before[-1:].isalnum() or after[:1].isalnum() or opening in piece)
        escaped = writing.escape(flat(piece))
        out.append(opening + escaped + closing if is_marked and (acts or not writing.marks_words_only) else escaped)
    return "".join(out)
