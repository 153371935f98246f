"""`telegram: NAME`: a public channel, read from its preview on the web, without an account."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from watcher import log
from watcher.errors import FetchError, FetchKind
from watcher.model import Item, SourceState
from watcher.sources import conditional
from watcher.sources.base import Poll, Source, Tools

PARSE = "watcher.sources.telegram_parser:parse_channel"
PARSE_DEADLINE = 10.0  # seconds
MAX_PAGES = 10  # of about twenty posts that one poll goes back

logger = log.get("sources")


def _name(text: str) -> str:
    """A channel's name out of the forms that people copy: @name, t.me/name, https://t.me/s/name."""
    text = text.strip()
    found = re.fullmatch(r"(?:(?:https?://)?(?:t\.me|telegram\.me)/(?:s/)?)?@?([A-Za-z]\w{3,31})/?", text, re.ASCII)
    if not found:
        raise ValueError(
            "expected a public channel's name of 4 to 32 letters, digits and _, as in https://t.me/NAME (private "
            "channels cannot be read)"
        )
    return found[1]


class Telegram(Source):
    """A public Telegram channel. Each post is an item; its first line is the title.

    The preview shows the last twenty posts; a poll goes back from there to the last post that was seen.
    """

    kind: ClassVar[str] = "telegram"
    site: ClassVar[str] = "https://t.me"

    telegram: Annotated[str, AfterValidator(_name)] = Field(description="The name of a public channel.")
    full_text: Literal["auto", "always", "never"] = Field(
        "never", description="Whether items' links are followed for the whole article."
    )

    @property
    def address(self) -> str:
        """The URL that it is polled at."""
        return f"{self.site}/s/{self.telegram}"

    def poll_url(self, state: SourceState) -> str:
        """Always its address: a redirect leads to a page that shows no posts."""
        return self.address

    async def poll(self, state: SourceState, tools: Tools) -> Poll:
        """Fetch the last posts, and those before them until the last one that was seen.

        Raises FetchError where the channel shows no preview: it is private, was renamed, or turned it off.
        """
        got = await conditional.fetch(self, state, tools)
        if got.unchanged:
            return got.base
        page = await self._parse(got.response.body, tools)
        if not page["channel"]:
            from watcher.extract import refuse_challenge  # noqa: PLC0415

            refuse_challenge(got.response)
            message = f"there is no preview of a public channel {self.telegram}: check the name; private ones have none"
            raise FetchError(FetchKind.CLIENT, self.address, message, status=got.response.status)
        title, per_day = page["title"], page["per_day"]
        last: int | None = state.cache.get("last")
        posts: dict[int, tuple[Any, ...]] = dict(page["posts"])
        pages = 1
        while last is not None and page["before"] and page["posts"] and min(posts) > last + 1:
            if pages == MAX_PAGES:
                logger.warning("posts missed", source=self.name, after=last, before=min(posts))
                break
            oldest = min(posts)
            page = await self._parse((await tools.fetch.get(self._before(page["before"]))).body, tools)
            posts = {**dict(page["posts"]), **posts}
            pages += 1
            if min(posts) >= oldest:
                break
        items = tuple(Item(*posts[number]) for number in sorted(posts, reverse=True))
        newest = max(posts, default=last or 0)
        return got.parsed(
            items, title=title, cache={"last": max(newest, last or 0), "per_day": per_day}, per_day=per_day
        )

    def _before(self, number: int) -> Any:
        return self.request(f"{self.address}?before={number}")

    async def _parse(self, body: bytes, tools: Tools) -> dict[str, Any]:
        found: dict[str, Any] = await tools.workers.run(
            PARSE, body, self.telegram, self.id, tools.clock.now(), deadline=PARSE_DEADLINE
        )
        return found
