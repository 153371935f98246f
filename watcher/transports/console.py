"""Alerts on standard output, which logs never use."""

from __future__ import annotations

import asyncio
import re
import sys
import threading

from watcher.errors import Failure, TransportError
from watcher.model import Message, Style, Target, derive_id
from watcher.transports.base import Receipt, Transport

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_one_at_a_time = threading.Lock()


class ConsoleTransport(Transport):
    """`console://`: a framed alert on a terminal; plain text with a blank line after it elsewhere."""

    schemes = frozenset({"console"})

    def style(self, url: str) -> Style:
        """How messages to `url` are written."""
        return Style.CONSOLE

    def check(self, url: str) -> str | None:
        """What is wrong with `url`."""
        return None if url.strip().lower() in ("console://", "console:///") else "console:// takes nothing after it"

    def targets(self, url: str) -> list[tuple[Target, str]]:
        """The one recipient."""
        return [(Target(derive_id("target", "console"), "console"), url)]

    async def send(self, url: str, message: Message, delivery_id: str) -> Receipt:
        """Print `message`. A reader that is slow or gone holds up nothing else."""
        try:
            await asyncio.to_thread(_print, message)
        except (OSError, ValueError) as error:  # ValueError: standard output was closed
            raise TransportError(Failure.TRANSIENT, f"standard output: {error}") from None
        return Receipt("printed")


def _print(message: Message) -> None:
    with _one_at_a_time:
        if sys.stdout.isatty():
            _print_framed(message)
        else:
            sys.stdout.write(_ANSI.sub("", message.body) + "\n\n")
        sys.stdout.flush()


def _print_framed(message: Message) -> None:
    from rich.console import Console  # noqa: PLC0415 - not needed where nobody looks
    from rich.panel import Panel  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=sys.stdout)
    console.print(Panel(Text.from_ansi(message.body), border_style="dim", width=min(console.width, 100)))
