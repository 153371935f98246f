"""`command: PROGRAM`: a program that prints items, for what no other kind can read."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from watcher.errors import ParseError
from watcher.model import Item, SourceState
from watcher.sources.base import Outcome, Poll, Source, Tools
from watcher.sources.conditional import hash_of

PARSE = "watcher.sources.command:parse_output"
PARSE_DEADLINE = 10.0  # seconds
DEADLINE = 60.0  # seconds that the program may take
MAX_OUTPUT = 10_000_000  # bytes
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")  # of the environment, which may hold secrets


def _words(value: Any) -> Any:
    """The words of a command line, as a shell would part them; nothing else of a shell."""
    if not isinstance(value, str):
        return value
    try:
        return shlex.split(value)
    except ValueError as error:
        raise ValueError(f"this is no command line: {error}") from None


def _some(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words or not words[0]:
        raise ValueError("expected a program and its arguments")
    return words


class Command(Source):
    """A program that prints items as JSON Lines: `{"id": …, "title": …, "url": …}`, as in an items file.

    It is run without a shell, with PATH, HOME and the language of the environment, and nothing else of it. It must end
    with status 0 within a minute; else what it last said on standard error is the source's error.
    """

    kind: ClassVar[str] = "command"
    needs: ClassVar[str] = "allow_commands"

    command: Annotated[
        tuple[str, ...],
        BeforeValidator(_words),
        AfterValidator(_some),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    ] = Field(description="A program and its arguments, as one line or as a list; it prints items as JSON Lines.")

    @property
    def address(self) -> str:
        """The program: its arguments may hold secrets."""
        return self.command[0]

    async def poll(self, state: SourceState, tools: Tools) -> Poll:
        """Run the program, and read what it printed in a worker. Raises ParseError."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        output = await self._run()
        elapsed = loop.time() - started
        body_hash = hash_of(output)
        if body_hash == state.body_hash:
            return Poll(Outcome.SAME_BODY, body_hash=body_hash, cache=state.cache, elapsed=elapsed)
        found = await tools.workers.run(PARSE, output, self.address, self.id, deadline=PARSE_DEADLINE)
        items = tuple(Item(*values) for values in found)
        return Poll(Outcome.PARSED, items=items, body_hash=body_hash, elapsed=elapsed)

    async def _run(self) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={name: os.environ[name] for name in _INHERITED if name in os.environ},
                start_new_session=True,  # so that what it starts can be ended with it
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "its words cannot be passed on"
            raise ParseError(f"{self.address} cannot be started: {reason}") from None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.timeout(DEADLINE):
                async with asyncio.TaskGroup() as both:
                    printed = both.create_task(_read(process.stdout, MAX_OUTPUT))
                    said = both.create_task(_read(process.stderr, None))
                status = await process.wait()
        except* TimeoutError:
            raise ParseError(f"{self.address} was ended: it did not end by itself within {DEADLINE:.0f} s") from None
        except* _TooMuch:
            raise ParseError(f"{self.address} was ended: it printed more than {MAX_OUTPUT:,} bytes") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(TimeoutError):  # where something got away with the pipes
                async with asyncio.timeout(5.0):
                    await asyncio.gather(_read(process.stdout, None), _read(process.stderr, None), process.wait())
        if status:
            lines = said.result().decode("utf-8", "replace").split("\n")
            last = next((line.strip() for line in reversed(lines) if line.strip()), "")
            raise ParseError(f"{self.address} ended with status {status}" + (f": {last[:300]}" if last else ""))
        return printed.result()


class _TooMuch(Exception):
    """More was printed than is read."""


async def _read(stream: asyncio.StreamReader, limit: int | None) -> bytes:
    """All of a stream, or its last 4 kB where there is no limit. Raises _TooMuch past the limit."""
    read = bytearray()
    while piece := await stream.read(65536):
        read += piece
        if limit is None:
            del read[:-4096]
        elif len(read) > limit:
            raise _TooMuch
    return bytes(read)


def parse_output(output: bytes, name: str, source: str) -> list[tuple[Any, ...]]:
    """The items in a program's output, as plain values; for workers. Raises ParseError that names the line."""
    import io  # noqa: PLC0415 - for workers only, as all below
    from dataclasses import replace  # noqa: PLC0415

    from watcher.errors import ConfigError  # noqa: PLC0415
    from watcher.model import derive_id  # noqa: PLC0415
    from watcher.sources.items_file import parse_items  # noqa: PLC0415

    try:
        found = list(parse_items(io.BytesIO(output), name))
    except ConfigError as error:
        problem = error.problems[0]
        raise ParseError(f"line {problem.line} of what {name} printed: {problem.message}") from None
    made = [replace(item, id=derive_id("item", source, item.id), key=item.id, source=source) for item in found]
    return [tuple(getattr(item, field) for field in item.__slots__) for item in made]
