"""`json: URL`: an API that answers JSON, taken apart with JMESPath (https://jmespath.org)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from watcher.errors import ParseError
from watcher.model import Item, SourceState
from watcher.sources import conditional
from watcher.sources.base import HttpUrl, Poll, Source, Tools

PARSE = "watcher.sources.json_parser:parse_json"
PARSE_DEADLINE = 10.0  # seconds
ACCEPT = "application/json, text/json;q=0.9, */*;q=0.1"


def _expression(text: str) -> str:
    import jmespath  # noqa: PLC0415 - only where an API is watched
    from jmespath.exceptions import JMESPathError  # noqa: PLC0415

    try:
        jmespath.compile(text)
    except JMESPathError as error:
        first = str(error).splitlines()[0]
        raise ValueError(f"this is no JMESPath expression: {first}") from None
    return text


Expression = Annotated[str, AfterValidator(_expression)]


class Fields(BaseModel):
    """Where an item's fields are: a JMESPath expression each, from the item."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)

    id: Expression | None = Field(None, description="What identifies the item; default: its url.")
    title: Expression | None = Field("title", description="The title.")
    url: Expression | None = Field("url", description="The link.")
    published: Expression | None = Field(
        None, description="The date: ISO 8601, RFC 2822, or seconds or milliseconds since 1970."
    )
    summary: Expression | None = Field(None, description="A short text, plain or HTML.")
    body: Expression | None = Field(None, description="The whole text, plain or HTML.")
    author: Expression | None = Field(None, description="Who wrote it.")
    lang: Expression | None = Field(None, description="The language, as en or uk.")
    tags: Expression | None = Field(None, description="A list of tags, or one tag.")


class JsonApi(Source):
    """An API. `items` names the list in its answer, `map` where each item's fields are."""

    kind: ClassVar[str] = "json"

    json_: HttpUrl = Field(alias="json", description="The address that answers JSON.")
    items: Expression = Field(
        "@", description="Where the list of items is, in JMESPath: articles[], or @ for the whole."
    )
    map: Fields = Field(
        Fields(), description="Where each item's fields are, in JMESPath: {title: headline, url: link}."
    )

    @property
    def address(self) -> str:
        """The URL that it is polled at."""
        return self.json_

    async def poll(self, state: SourceState, tools: Tools) -> Poll:
        """Fetch with the last validators; take the answer apart in a worker."""
        got = await conditional.fetch(self, state, tools, accept=ACCEPT)
        if got.unchanged:
            return got.base
        response = got.response
        try:
            found: dict[str, Any] = await tools.workers.run(
                PARSE,
                response.body,
                response.url,
                self.id,
                self.items,
                self.map.model_dump(exclude_none=True),
                tools.clock.now(),
                deadline=PARSE_DEADLINE,
            )
        except ParseError:
            from watcher.extract import refuse_challenge  # noqa: PLC0415

            refuse_challenge(response)
            raise
        items = tuple(Item(*values) for values in found["items"])
        return got.parsed(items, cache={"per_day": found["per_day"]}, per_day=found["per_day"])
