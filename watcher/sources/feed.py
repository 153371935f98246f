"""`feed: URL`: RSS, RDF, Atom and JSON Feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from watcher import log
from watcher.errors import ParseError
from watcher.model import Item, SourceState
from watcher.sources import conditional
from watcher.sources.base import HttpUrl, Poll, Source, Tools

if TYPE_CHECKING:
    from watcher.fetch import Response

PARSE = "watcher.sources.feed_parser:parse_bytes"
PARSE_DEADLINE = 10.0  # seconds; feedparser takes 19 ms for a usual feed, minutes for a hostile one

logger = log.get("sources")


class Feed(Source):
    """A feed."""

    kind: ClassVar[str] = "feed"

    feed: HttpUrl = Field(description="The address of an RSS, Atom or JSON feed.")

    async def poll(self, state: SourceState, tools: Tools) -> Poll:
        """Fetch with the last validators; parse, in a worker, only a body that differs from the last one."""
        got = await conditional.fetch(self, state, tools)
        if got.unchanged:
            return got.base
        parsed = await self._parse(got.response, state.cache.get("seen", ""), tools)
        if parsed["dropped"]:
            logger.warning("feed cut", source=self.name, kept=len(parsed["listed"]), dropped=parsed["dropped"])
        hints = {"ttl": parsed["ttl"], "per_day": parsed["per_day"]}
        return got.parsed(
            tuple(Item(*values) for values in parsed["items"]),
            title=parsed["title"],
            listed=tuple(parsed["listed"]),
            cache={**hints, "seen": parsed["seen"]},
            **hints,
        )

    async def _parse(self, response: Response, seen: str, tools: Tools) -> dict[str, Any]:
        content_type = response.headers.get("Content-Type", "")
        try:
            parsed: dict[str, Any] = await tools.workers.run(
                PARSE,
                response.body,
                content_type,
                response.url,
                self.id,
                tools.clock.now(),
                seen,
                deadline=PARSE_DEADLINE,
            )
        except ParseError:
            from watcher.extract import refuse_challenge  # noqa: PLC0415

            refuse_challenge(response)
            raise
        return parsed
