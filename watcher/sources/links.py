"""`links: URL`: new links on a listing page."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from watcher.errors import ParseError
from watcher.model import Item, SourceState
from watcher.sources import conditional
from watcher.sources.base import HttpUrl, Poll, Source, Tools
from watcher.sources.select import check_selector

FIND = "watcher.sources.link_finder:find_items"
FIND_DEADLINE = 15.0  # seconds


class Links(Source):
    """A page that lists articles: each link that was not there before is an item, and its article is read.

    Without `select` the links that lead to articles are told from menus by their addresses, their texts and where they
    stand. A page on which no link is found any more is an error, so that a new design does not go unnoticed.
    """

    kind: ClassVar[str] = "links"

    links: HttpUrl = Field(description="The address of a page that lists articles.")
    select: Annotated[str, AfterValidator(check_selector)] | None = Field(
        None, description="The links, or what holds them, by CSS or XPath; default: those that look like articles."
    )

    async def poll(self, state: SourceState, tools: Tools) -> Poll:
        """Fetch with the last validators (robots.txt obeyed), and find the links in a worker."""
        from watcher.extract import content_type, refuse_challenge  # noqa: PLC0415 - with aiohttp's, only for polling
        from watcher.fetch.client import ACCEPT_PAGE  # noqa: PLC0415

        got = await conditional.fetch(self, state, tools, accept=ACCEPT_PAGE, robots=True)
        if got.unchanged:
            return got.base
        response = got.response
        _, charset = content_type(response.headers.get("Content-Type", ""))
        try:
            found: dict[str, Any] = await tools.workers.run(
                FIND,
                response.body,
                charset,
                response.url,
                self.id,
                self.select,
                tools.clock.now(),
                deadline=FIND_DEADLINE,
            )
        except ParseError:
            refuse_challenge(response)
            raise
        return got.parsed(tuple(Item(*values) for values in found["items"]), title=found["title"], cache={})
