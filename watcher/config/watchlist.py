"""The watch list: channels and rules as they are written, and what follows from their own words.

Sources are written in the same files; their models are the kinds in `watcher/sources/`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from watcher.alerting.group import Limit, check_digest, parse_limits, parse_quiet
from watcher.alerting.styles import MENTIONS
from watcher.config.settings import Period, Section, Timezone
from watcher.sources.base import OnUpdate
from watcher.text.duration import Duration

if TYPE_CHECKING:
    from watcher.query import Node

CHAT_LIMIT = "20/h"
MAIL_LIMIT = "10/h, 100/d"
WEBHOOK_LIMIT = "60/m"
HIGH_LIMIT = "60/h"  # the ceiling for rules of high priority


def _joined(value: Any) -> Any:
    """A list of limits as one text."""
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _limits(text: str) -> str:
    parse_limits(text)
    return text


def _quiet(text: str) -> str:
    parse_quiet(text)
    return text


def _digest(text: str) -> str:
    check_digest(text)
    return text


def _mention(text: str) -> str:
    if text and not MENTIONS.fullmatch(text):
        raise ValueError("a mention is written as Slack has it: <!here>, <!channel>, <@U0123456789>, <!subteam^S012>")
    return text


_LIMIT_SCHEMA = {"type": "string", "pattern": r"^\d+\s*/\s*[mhd](\s*,\s*\d+\s*/\s*[mhd])*$", "examples": ["20/h"]}
_QUIET_SCHEMA = {"type": "string", "pattern": r"^\d\d?:\d\d\s*-\s*\d\d?:\d\d$", "examples": ["23:00-07:00"]}
Limits = Annotated[
    str,
    BeforeValidator(_joined),
    AfterValidator(_limits),
    WithJsonSchema({"anyOf": [_LIMIT_SCHEMA, {"type": "array", "items": _LIMIT_SCHEMA}]}),
]
Quiet = Annotated[str, AfterValidator(_quiet), WithJsonSchema(_QUIET_SCHEMA)]
Mention = Annotated[str, AfterValidator(_mention), Field(examples=["<!here>"])]
Digest = Annotated[str, AfterValidator(_digest), Field(examples=["0 7 * * mon-fri", "6h"])]


class Named(Section):
    """A part of the watch list that has a name, which is its key in the file."""

    _name: str = PrivateAttr("")

    @property
    def name(self) -> str:
        """What its key in the file is."""
        return self._name


def _several(value: Any) -> Any:
    """One text as a list of it."""
    return [value] if isinstance(value, str) else value


_FORM_SCHEMA = {"type": "string", "enum": ["ru", "ar"]}
Forms = Annotated[
    tuple[Literal["ru", "ar"], ...],
    BeforeValidator(_several),
    WithJsonSchema({"anyOf": [_FORM_SCHEMA, {"type": "array", "items": _FORM_SCHEMA}]}),
]
Stem = Literal["ar", "da", "de", "en", "es", "fi", "fr", "hu", "it", "nl", "no", "pt", "ro", "ru", "sv", "tr"]


class Webhook(Section):
    """A program of the user's that is told."""

    url: SecretStr = Field(description="Where alerts are posted as JSON: https://… or http://….")
    secret: SecretStr = Field(SecretStr(""), description="What the posts are signed with; none: they are not.")


def _url_or_webhook(schema: dict[str, Any]) -> None:
    schema["required"] = [name for name in schema.get("required", []) if name != "url"]
    schema["anyOf"] = [{"required": ["url"]}, {"required": ["webhook"]}]


class Channel(Named):
    """Where people hear."""

    model_config = ConfigDict(json_schema_extra=_url_or_webhook)

    _withheld: bool = PrivateAttr(False)

    url: SecretStr = Field(description="console://, mailto://…, or any Apprise URL.")
    webhook: Webhook | None = Field(None, description="Instead of `url`: a program of yours, told in JSON.")
    digest: Digest = Field("", description="One message per cron time, or per duration, not one an alert.")
    quiet: Quiet = Field("", description="Hours in which nothing is told; what came is told at their end.")
    limit: Limits = Field("", description="At most so many messages; the rest is told in one later.")
    group_wait: Duration = Field(5.0, description="How long copies that come in together are gathered.")
    group_interval: Period = Field(600.0, description="How long what follows on the same event is gathered.")
    timezone: Timezone = Field(
        "UTC", description="For quiet hours, digests and times shown; default: settings.timezone."
    )
    templates: Path | None = Field(None, description="A directory of templates that replace the built-in ones.")

    @property
    def withheld(self) -> bool:
        """The URL is not known, for it holds a secret that is not kept in the store: deliveries wait."""
        return self._withheld

    def named(self, name: str, *, withheld: bool = False) -> Self:
        """The channel with its name."""
        self._name, self._withheld = name, withheld
        return self

    def limits(self, *, high: bool) -> tuple[Limit, ...]:
        """What holds for messages of rules of high priority, or of others: `limit`, else the default of the service."""
        scheme = self.url.get_secret_value().partition("://")[0].lower()
        if scheme == "console" and not self.limit:
            return ()
        usual = {"mailto": MAIL_LIMIT, "mailtos": MAIL_LIMIT, "webhook": WEBHOOK_LIMIT}.get(scheme, CHAT_LIMIT)
        return parse_limits(HIGH_LIMIT if high else self.limit or usual)

    @model_validator(mode="before")
    @classmethod
    def _webhook_as_url(cls, data: Any) -> Any:
        """A webhook is one more way to send, and is known by a URL of its own."""
        webhook = data.get("webhook") if isinstance(data, dict) else None
        if not isinstance(webhook, dict):
            return data
        if str(data.get("url", "")).startswith("withheld:"):
            return {key: value for key, value in data.items() if key != "webhook"}
        if "url" in data:
            raise ValueError("a channel has a url or a webhook, not both")
        from watcher.transports.webhook import webhook_url  # noqa: PLC0415 - only where there is one

        return {**data, "url": webhook_url(str(webhook.get("url", "")), str(webhook.get("secret", "")))}

    @field_validator("templates")
    @classmethod
    def _beside_the_configuration(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is None:
            return None
        folder: Path = (info.context or {}).get("base", Path()) / value
        if not folder.is_dir():
            raise ValueError("there is no such directory of templates (the path is relative to the configuration)")
        return folder


class Wording(Named):
    """In which forms the words of a query match, besides the one that is written."""

    forms: Forms = Field((), description="ru: names in all their cases. ar: words with what is written on to them.")
    stem: Stem | None = Field(None, description="Words match by their stem in this language.")


class Rule(Wording):
    """What is looked for, and who hears of it."""

    _node: Any = PrivateAttr(None)

    query: str = Field(description="What a text must hold: see the query language.")
    notify: tuple[str, ...] = Field((), description="Names of channels; default: every channel.")
    sources: tuple[str, ...] = Field((), description="Names of sources, or tag:NAME; default: every source.")
    priority: Literal["normal", "high"] = Field(
        "normal", description="high: told at once, through quiet hours and digests."
    )
    min_outlets: int = Field(1, ge=1, le=100, description="Tell only once so many different outlets report the event.")
    min_copies: int = Field(1, ge=1, le=100, description="Tell only once so many different outlets carry the one text.")
    on_update: OnUpdate | None = Field(
        None, description="When the text of what was told changes in substance; default: the source's on_update."
    )
    mention: Mention = Field("", description="Whom an alert calls in Slack: <!here>, <!channel>, <@U0123456789>.")
    was: str | None = Field(None, description="The rule's earlier name, so that what it has told is not told again.")

    def named(self, name: str, node: Node) -> Self:
        """The rule with its name and its query, parsed."""
        self._name, self._node = name, node
        return self

    @property
    def id(self) -> str:
        """The name that the store knows it by: it outlives a renaming that says `was`."""
        return self.was or self.name

    @property
    def node(self) -> Node:
        """The query, parsed."""
        node: Node = self._node
        return node
