"""`feed: URL`: RSS, RDF, Atom and JSON Feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from watcher import log
from watcher.errors import ParseError
from watcher.model import Item, SourceState
from watcher.sources import conditional
from watcher.sources.base import HttpUrl, Outcome, Poll, Source, Tools
from watcher.sources.hub import may_subscribe, named_by_headers

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
        cache = {**hints, "seen": parsed["seen"], "flaw": parsed["flaw"]}
        if parsed["flaw"] and not state.cache.get("flaw"):
            logger.info("feed broken", source=self.name, flaw=parsed["flaw"])
        hub = named_by_headers(got.response.headers, got.response.url) or parsed["hub"]
        if hub and may_subscribe(self):
            cache["hub"] = list(hub)
        return got.parsed(
            tuple(Item(*values) for values in parsed["items"]),
            title=parsed["title"],
            listed=tuple(parsed["listed"]),
            cache=cache,
            **hints,
        )

    async def pushed(self, body: bytes, content_type: str, state: SourceState, tools: Tools) -> Poll:
        """What a hub pushed: the feed, or its new entries alone, read as the body of a poll is.

        Raises ParseError where that cannot be read, or where its entries might get other ids than in the whole feed: a
        poll must find out then what is new.
        """
        url, known = self.poll_url(state), state.cache.get("seen", "")
        arguments = (body, content_type, url, self.id, tools.clock.now(), known)
        parsed: dict[str, Any] = await tools.workers.run(PARSE, *arguments, deadline=PARSE_DEADLINE)
        by, _, _ = parsed["seen"].partition(" ")
        if not by or by != known.partition(" ")[0]:
            raise ParseError("what was pushed might be known by other ids than in the feed")
        items = tuple(Item(*values) for values in parsed["items"])
        return Poll(Outcome.PARSED, items=items, listed=tuple(parsed["listed"]), cache=state.cache)

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
