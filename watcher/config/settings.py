"""The `settings` section: what holds for the whole process."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, WithJsonSchema
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from watcher.text.duration import Duration

if TYPE_CHECKING:
    from watcher.config.secrets import Lookup
    from watcher.fetch import FetchSettings

DAY = 86400.0
PREFIX = "WATCHER_"
DEFAULT_STORE = "sqlite:///watcher.db"

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|kB|KB|MB|GB)")
_UNITS = {"B": 1, "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3}


def parse_size(text: str | int) -> int:
    """Bytes that `text` names, as in 500kB, 10MB, 5GB (powers of 1000). Raises ValueError."""
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    found = _SIZE.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        raise ValueError("a size is written as 500kB, 10MB or 5GB")
    return int(float(found[1]) * _UNITS[found[2]])


def check_timezone(name: str) -> str:
    """`name`, if it is a time zone's. Raises ValueError."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'there is no time zone "{name}"; names are like Europe/Kyiv or UTC') from None
    return name


def system_timezone(env: Mapping[str, str]) -> str:
    """The name of the system's time zone: TZ, else where /etc/localtime leads, else UTC."""
    linked = os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    for name in (env.get("TZ", "").lstrip(":"), linked):
        try:
            if name:
                return check_timezone(name)
        except ValueError:
            continue
    return "UTC"


Size = Annotated[
    int,
    BeforeValidator(parse_size),
    Field(gt=0),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*(B|kB|KB|MB|GB)$", "examples": ["10MB"]}),
]
Timezone = Annotated[str, AfterValidator(check_timezone)]
Period = Annotated[Duration, Field(gt=0)]


def _check_store(url: str) -> str:
    scheme = url.partition("://")[0].partition("+")[0]
    if scheme not in {"sqlite", "postgresql", "postgres"}:
        raise ValueError("expected sqlite:///PATH/TO/FILE.db or postgresql://USER@HOST/DATABASE")
    return url


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, and no error repeats what was written."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)


class Fetch(Section):
    """How sources and articles are fetched."""

    contact: str = Field("", description="A mail or web address in the User-Agent, so that a site can reach you.")
    timeout: Period = Field(30.0, description="For one request in all, redirects and body included.")
    max_body: Size = Field(10_000_000, description="The most of a body that is read, after decompression.")
    concurrency: int = Field(200, ge=1, le=10_000, description="Requests at once, over all hosts.")
    per_host: int = Field(2, ge=1, le=16, description="Requests at once to one host.")
    host_gap: Duration = Field(1.0, description="Time between two requests to one host.")

    def client(self) -> FetchSettings:
        """The same, as the fetch client takes it."""
        from watcher.fetch import FetchSettings  # noqa: PLC0415 - brings aiohttp, which reading a file does not need

        return FetchSettings(**self.model_dump())


class Retention(Section):
    """How long the store keeps what it has seen. Alerts are kept for good."""

    text: Period = Field(14 * DAY, description="The text of items that made no alert.")
    items: Period = Field(60 * DAY, description="Items that their source no longer lists.")
    deliveries: Period = Field(90 * DAY, description="Messages that were sent or given up.")


def _heartbeat(value: SecretStr) -> SecretStr:
    if value.get_secret_value() and not re.match(r"https?://[^/\s\\]+[^\s\\]*$", value.get_secret_value()):
        raise ValueError("expected a URL that starts with https:// or http://")
    return value


class Health(Section):
    """Who hears when a source dies, and who watches the watcher."""

    notify: tuple[str, ...] = Field((), description="Names of channels that are told when a source fails or recovers.")
    heartbeat: Annotated[SecretStr, AfterValidator(_heartbeat)] = Field(
        SecretStr(""), description="A URL that is fetched each minute while polls and deliveries keep up."
    )


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if value and not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("expected an address and a port, as in 127.0.0.1:8080")
    return value


def _public_url(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^/\s\\@?#]+(/[^\s\\?#]*)?", value):
        raise ValueError("expected a URL that starts with https:// or http://, without user, ? and #")
    return value


class Web(Section):
    """What listens for hubs, and for who asks whether watcher is well."""

    listen: Annotated[str, AfterValidator(_listen)] = Field(
        "", description="The address and port to listen at, as 127.0.0.1:8080; none: nothing listens."
    )


class Log(Section):
    """What is logged, on standard error."""

    format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: for people on a terminal, JSON lines elsewhere."
    )
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")


class Settings(BaseSettings):
    """What holds for the whole process."""

    model_config = SettingsConfigDict(
        extra="forbid", hide_input_in_errors=True, frozen=True, env_prefix=PREFIX, env_nested_delimiter="__"
    )

    store: Annotated[str, AfterValidator(_check_store)] = Field(
        DEFAULT_STORE, repr=False, description="Where everything is kept: sqlite:///PATH or postgresql://user@host/db."
    )
    timezone: Timezone = Field("UTC", description="For quiet hours, digests and times shown; default: the system's.")
    max_age: Period = Field(2 * DAY, description="An item older than this makes no alert.")
    allow_commands: bool = Field(False, description="Whether sources may run programs (`command:`).")
    fetch: Fetch = Field(Fetch(), description="How sources and articles are fetched.")
    retention: Retention = Field(Retention(), description="How long the store keeps what it has seen.")
    health: Health = Field(Health(), description="Who hears when a source dies.")
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        "", description="Where the world reaches `web`; set, feeds whose hubs push (WebSub) are subscribed to."
    )
    web: Web = Field(Web(), description="What listens for hubs.")
    log: Log = Field(Log(), description="What is logged.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `build` passes in: nothing is read from the process behind its back."""
        return (init_settings,)


class _Variables(EnvSettingsSource):
    """pydantic-settings' reading of environment variables, over any mapping."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self.variables.items()}


def build(written: dict[str, Any], lookup: Lookup) -> Settings:
    """The settings: environment variables before secret files before what is `written` in YAML.

    Raises pydantic.ValidationError, or pydantic_settings.SettingsError where a variable is not the JSON it must be.
    """
    files = {name: lookup.get(name) or "" for name in lookup.names() if name.upper().startswith(PREFIX)}
    values: dict[str, Any] = {}
    for source in (written, _Variables(files)(), _Variables(lookup.env)()):
        values = _merge(values, source)
    return Settings(**values)


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over` put over it, section by section."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def environment(folder: Path) -> dict[str, str]:
    """The process's environment over what a `.env` file in `folder` sets."""
    from dotenv import dotenv_values  # noqa: PLC0415 - for commands only

    file = folder / ".env"
    set_in_file = dotenv_values(file, interpolate=False) if file.is_file() else {}
    return {**{name: value for name, value in set_in_file.items() if value is not None}, **os.environ}
