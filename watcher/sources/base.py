"""What every kind of source has: the common keys of its configuration, and what a poll takes and gives."""

from __future__ import annotations

import base64
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from watcher.model import Item, SourceState
from watcher.text import cron
from watcher.text.duration import Duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watcher.clock import Clock
    from watcher.fetch import Client, Request
    from watcher.query import Node
    from watcher.workers import Workers

ADOPT_AFTER = 5  # polls in a row that must be redirected permanently to one place before it is polled instead

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Outcome(StrEnum):
    """What a poll found."""

    NOT_MODIFIED = "not modified"  # the server said 304
    SAME_BODY = "same body"  # byte for byte what the last poll brought
    PARSED = "parsed"


@dataclass(frozen=True, slots=True)
class Hints:
    """What the server and the feed say about when to come back, and what the feed's own dates say."""

    max_age: float | None = None  # seconds that the response stays fresh, by Cache-Control or Expires
    ttl: float | None = None  # seconds, by the feed's ttl or syn:updatePeriod
    per_day: float | None = None  # items a day, by the dates of the last week's


@dataclass(frozen=True, slots=True)
class Poll:
    """What one poll of a source gave."""

    outcome: Outcome
    items: tuple[Item, ...] = ()  # those that may be new
    title: str = ""
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    permanent_url: str | None = None
    hints: Hints = Hints()
    cache: dict[str, Any] = field(default_factory=dict)  # comes back as SourceState.cache after PARSED
    elapsed: float = 0.0  # seconds that the fetch took
    listed: tuple[str, ...] = ()  # ids of all items that there are, where `items` leaves out some; () where it is all

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all items that there are."""
        return self.listed or tuple(item.id for item in self.items)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a source polls with."""

    fetch: Client
    workers: Workers
    clock: Clock


def http_url(text: str) -> str:
    """`text` as it is, where it is a URL that can be fetched; else ValueError says why not."""
    text = text.strip()
    if re.search(r"[\x00-\x20\x7f\\]", text):
        raise ValueError("a URL holds no blank, backslash or control character")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("this is no valid URL") from None
    if parts.scheme.lower() not in ("http", "https"):
        raise ValueError("expected a URL that starts with https:// or http://")
    if not parts.hostname or port == 0:
        raise ValueError("the URL names no host")
    return text


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs have scheme, host and port in common (RFC 6454)."""

    def origin(url: str) -> tuple[str, str, int]:
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        return scheme, (parts.hostname or "").rstrip("."), parts.port or (443 if scheme == "https" else 80)

    if one == other:  # as in most polls
        return True
    try:
        return origin(one) == origin(other)
    except ValueError:
        return False


def _header_value(value: SecretStr) -> SecretStr:
    if re.search(r"[\x00-\x1f\x7f]", value.get_secret_value()):
        raise ValueError("a line break or control character cannot be sent in a header")
    return value


def _header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a header")
    return name


def _proxy(value: SecretStr) -> SecretStr:
    scheme, _, rest = value.get_secret_value().partition("://")
    if scheme.lower() in ("socks", "socks4", "socks4a", "socks5"):
        raise ValueError("a SOCKS proxy is written socks5h://host:port: names are resolved by the proxy")
    if scheme.lower() == "socks5h":
        http_url(f"http://{rest}")
        if not urlsplit(f"http://{rest}").port:
            raise ValueError("a SOCKS proxy is written with its port: socks5h://127.0.0.1:9050")
        return value
    http_url(value.get_secret_value())
    return value


HttpUrl = Annotated[str, AfterValidator(http_url), Field(json_schema_extra={"format": "uri"})]
HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[SecretStr, AfterValidator(_header_value)]


OnUpdate = Literal["ignore", "alert", "reply"]


class Auth(BaseModel):
    """How a source is logged in to: `basic: "user:password"` or `bearer: TOKEN`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)

    basic: HeaderValue | None = None
    bearer: HeaderValue | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.basic is None) == (self.bearer is None):
            raise ValueError('expected either basic: "user:password" or bearer: TOKEN')
        if self.basic is not None and ":" not in self.basic.get_secret_value():
            raise ValueError('basic is written as "user:password"')
        return self

    def header(self) -> str:
        """The value of the Authorization header (RFC 7617, RFC 6750)."""
        if self.basic is not None:
            return "Basic " + base64.b64encode(self.basic.get_secret_value().encode()).decode()
        assert self.bearer is not None
        return f"Bearer {self.bearer.get_secret_value()}"


_CODE = "([a-z]{2,3})?"


def _code(text: object) -> object:
    """What may be a language's code; else ValueError in words that say what is one."""
    if isinstance(text, str) and not re.fullmatch(_CODE, text):
        raise ValueError("expected a language's code of two or three letters, as en or uk")
    return text


class Source(BaseModel, ABC):
    """A source: its configuration, and how it is polled. Each kind is a subclass with a field named like `kind`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)

    kind: ClassVar[str] = ""
    needs: ClassVar[str] = ""  # a setting that must be on for it

    every: Literal["auto"] | Annotated[Duration, Field(ge=1)] = Field(
        "auto", description="How often it is polled; auto learns it from the source."
    )
    min: Annotated[Duration, Field(ge=1)] | None = Field(None, description="The shortest interval of `every: auto`.")
    max: Annotated[Duration, Field(ge=1)] | None = Field(None, description="The longest interval of `every: auto`.")
    cron: str | None = Field(None, description="When it is polled, as a cron time, instead of `every`.")
    timezone: str = Field("UTC", description="The time zone of `cron`.")
    tags: tuple[str, ...] = Field((), description="Names for groups of sources; rules choose them as tag:NAME.")
    full_text: Literal["auto", "always", "never"] = Field(
        "auto", description="Whether items' links are followed for the whole article."
    )
    headers: dict[HeaderName, HeaderValue] = Field({}, description="HTTP headers, for this source's own host only.")
    auth: Auth | None = Field(None, description="HTTP authentication, for this source's own host only.")
    cookies: dict[HeaderName, HeaderValue] = Field({}, description="Cookies, for this source's own host only.")
    user_agent: str | None = Field(None, min_length=1, pattern=r"^[ -~]+$", description="Instead of watcher's own.")
    proxy: Annotated[SecretStr, AfterValidator(_proxy)] | None = Field(
        None, description="A proxy: http://, https:// or, for .onion addresses too, socks5h://."
    )
    lang: Annotated[str, BeforeValidator(_code)] = Field(
        "", pattern=f"^{_CODE}$", description="The language of its items, as en or uk."
    )
    outlet: str = Field("", description="Who publishes it, where the items' own addresses do not say.")
    copies: Literal["text", "url", "off"] = Field("text", description="What makes two of its items one story.")
    first_poll: Literal["digest", "alert", "silent"] = Field(
        "digest", description="What is told of the items that the first poll finds."
    )
    on_update: OnUpdate = Field(
        "ignore",
        description="When the text of what was told changes in substance: nothing, a new message, or a follow-up.",
    )
    max_age: Duration | None = Field(None, description="Older items are never told; default: settings.max_age.")
    was: str = Field("", description="The name that this source had before, so that it stays what it was.")

    _name: str = PrivateAttr("")

    @field_validator("min", "max")
    @classmethod
    def _bounds(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is None:
            return None
        if info.data.get("every", "auto") != "auto":
            raise ValueError("`min` and `max` bound `every: auto`; here the time is given")
        if info.field_name == "max" and value < (info.data.get("min") or 0.0):
            raise ValueError("`max` is shorter than `min`")
        return value

    @field_validator("cron")
    @classmethod
    def _cron(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        if info.data.get("every", "auto") != "auto":
            raise ValueError("a source has `every` or `cron`, not both")
        if info.data.get("min") or info.data.get("max"):
            raise ValueError("`min` and `max` bound `every: auto`; `cron` gives the times itself")
        cron.check(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str, info: ValidationInfo) -> str:
        if expression := info.data.get("cron"):
            cron.check(expression, value)
        return value

    def named(self, name: str) -> Self:
        """The same source under the name that the configuration gives it."""
        copy = self.model_copy()
        copy._name = name
        return copy

    def bound(self, rules: Mapping[str, Node]) -> Self:
        """The same source, knowing the rules' queries by name. Raises ValueError where its own will not do."""
        return self

    @property
    def name(self) -> str:
        """What the configuration calls it now."""
        return self._name

    @property
    def id(self) -> str:
        """Its stable name, which ids are derived from."""
        return self.was or self._name

    @property
    def address(self) -> str:
        """The URL that it is polled at."""
        return str(getattr(self, self.kind))

    @abstractmethod
    async def poll(self, state: SourceState, tools: Tools) -> Poll:
        """Ask once what is there. Raises FetchError and ParseError."""

    def request(
        self, url: str, *, state: SourceState | None = None, robots: bool = False, accept: str | None = None
    ) -> Request:
        """A request for `url` as this source makes it, with the validators of `state`.

        Headers, auth, cookies and user_agent go along to the origin of the source's own address only; the proxy is
        used for all.
        """
        from watcher.fetch import Request  # noqa: PLC0415 - aiohttp is heavy, and reading a configuration needs none

        extra: dict[str, Any] = {"accept": accept} if accept else {}
        if same_origin(url, self.address):
            extra |= {
                "headers": {name: value.get_secret_value() for name, value in self.headers.items()},
                "auth": self.auth.header() if self.auth else None,
                "cookies": {name: value.get_secret_value() for name, value in self.cookies.items()},
                "user_agent": self.user_agent,
            }
        return Request(
            url=url,
            etag=state.etag if state else None,
            last_modified=state.last_modified if state else None,
            proxy=self.proxy.get_secret_value() if self.proxy else None,
            robots=robots,
            **extra,
        )

    def poll_url(self, state: SourceState) -> str:
        """Where to poll now: where permanent redirects led often enough, as long as that works; else its address."""
        if state.redirect_to and state.redirects >= ADOPT_AFTER and not state.failures:
            return state.redirect_to
        return self.address
