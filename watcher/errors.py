"""Every error that watcher raises on purpose.

    WatcherError
    ├── ConfigError            the user's files or environment; carries Problem values with file, line and column
    ├── QueryError             a rule's query does not parse; carries the column and what was expected
    ├── FetchError             a source or article could not be fetched; `kind` says how
    │   └── HostBusy           not asked at all: too many requests wait for the host
    ├── ParseError             what was fetched is not what it should be
    │   └── WorkerError        a worker process was killed at its deadline, ran out of memory, or died
    ├── TransportError         a channel did not take a message; permanent, transient or ambiguous
    └── StoreError             the store cannot be opened or used
        ├── StoreBusy          another daemon holds this store
        └── LeaseLost          the claim whose result was to be written is no longer ours

The messages are for people: they name the file, line, column or URL, what was expected, and what to do. None holds a
secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

SHOWN = 100  # characters of an offending line


class WatcherError(Exception):
    """The root of all errors that watcher raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in the user's files. Lines and columns count from 1; 0 means that the place is not known."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    level: str = "error"  # or "warning"
    source_line: str = ""  # the offending line, secrets masked; shown with a caret under `column`

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        text = f"{place}: {self.level}: {self.message}"
        if self.source_line:
            line, at = _around(self.source_line, max(self.column - 1, 0))
            text += f"\n    {line}\n    {' ' * at}^"
        if self.hint:
            text += f"\n    {self.hint}"
        return text


def _around(line: str, at: int) -> tuple[str, int]:
    """What a terminal has room for of a line around index `at`, and where that stands in it."""
    if len(line) <= SHOWN:
        return line, at
    start = max(min(at - SHOWN // 2, len(line) - SHOWN), 0)
    before, after = "…" if start else "", "…" if start + SHOWN < len(line) else ""
    return f"{before}{line[start : start + SHOWN]}{after}", len(before) + at - start


class ConfigError(WatcherError):
    """The configuration cannot be used; `problems` lists everything found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))

    @classmethod
    def of(cls, file: Path | str, message: str, hint: str = "") -> ConfigError:
        """One problem with a whole file."""
        return cls([Problem(str(file), 0, 0, message, hint)])


class QueryError(WatcherError):
    """A query does not parse. `column` counts characters from 1, over the whole query text, newlines included."""

    def __init__(self, message: str, column: int, hint: str = "", length: int = 1) -> None:
        self.message = message
        self.column = column
        self.hint = hint
        self.length = length
        super().__init__(f"column {column}: {message}" + (f" ({hint})" if hint else ""))


class FetchKind(StrEnum):
    """How a fetch failed."""

    NETWORK = "network"  # refused, reset, no route
    DNS = "dns"
    TIMEOUT = "timeout"
    TLS = "tls"
    FORBIDDEN_ADDRESS = "forbidden address"  # the address guard
    FORBIDDEN_URL = "forbidden url"  # scheme, backslash, credentials across a redirect
    REDIRECTS = "redirects"  # too many, or a loop
    TOO_LARGE = "too large"
    ENCODING = "encoding"  # the body does not decode as its Content-Encoding says
    BLOCKED = "blocked"  # a challenge page or a refusal meant for robots
    ROBOTS = "robots"  # robots.txt says no
    GONE = "gone"  # 410
    RATE_LIMITED = "rate limited"  # 429
    CLIENT = "http 4xx"
    SERVER = "http 5xx"
    PROTOCOL = "protocol"  # not HTTP, broken framing, absurd headers


class FetchError(WatcherError):
    """A fetch failed. `retry_after` is in seconds from now, where the server said so."""

    def __init__(
        self, kind: FetchKind, url: str, message: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        self.kind = kind
        self.url = url
        self.message = message
        self.status = status
        self.retry_after = retry_after
        super().__init__(f"{url}: {message}")


class HostBusy(FetchError):
    """Nothing was asked: too many requests wait for a turn at the host. There is one in `retry_after` seconds."""


class ParseError(WatcherError):
    """What was fetched cannot be read as what the configuration says it is."""


class WorkerError(ParseError):
    """A worker process did not finish its job: killed at its deadline, out of memory, or dead."""


class Failure(StrEnum):
    """What a failed send means for the next try."""

    PERMANENT = "permanent"  # the same message to the same target will never be taken
    TRANSIENT = "transient"  # not taken; trying later can help
    AMBIGUOUS = "ambiguous"  # perhaps taken: lost after the request went out


class TransportError(WatcherError):
    """A channel did not take a message.

    `answer` is what the service said (one line, no secret); `retry_after` is in seconds from now; `moved_to` is the
    target's new address where the service told it (Telegram's migrate_to_chat_id).
    """

    def __init__(
        self, failure: Failure, answer: str, *, retry_after: float | None = None, moved_to: str | None = None
    ) -> None:
        self.failure = failure
        self.answer = answer
        self.retry_after = retry_after
        self.moved_to = moved_to
        super().__init__(f"{failure}: {answer}")


class StoreError(WatcherError):
    """The store cannot be opened or used."""


class StoreBusy(StoreError):
    """Another daemon holds this store; the message names it."""


class LeaseLost(StoreError):
    """The claim whose result was to be written is no longer ours: another worker has it. Nothing was written."""
