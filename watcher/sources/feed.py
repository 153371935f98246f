"""`feed: URL`: RSS, RDF, Atom and JSON Feed."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from watcher import log
from watcher.errors import ParseError
from watcher.model import Item, SourceState
from watcher.sources.base import Hints, HttpUrl, Outcome, Poll, Source, Tools
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
        from watcher.fetch.validators import freshness  # noqa: PLC0415 - brings aiohttp

        response = await tools.fetch.get(self.request(self.poll_url(state), state=state))
        known = Hints(freshness(response.headers), state.cache.get("ttl"), state.cache.get("per_day"))
        if response.status == 304:
            return Poll(
                Outcome.NOT_MODIFIED,
                etag=response.etag,
                last_modified=response.last_modified,
                body_hash=state.body_hash,
                permanent_url=response.permanent_url,
                hints=known,
                cache=state.cache,
                elapsed=response.elapsed,
            )
        body_hash = blake2b(response.body, digest_size=16).hexdigest()
        if body_hash == state.body_hash:
            return Poll(
                Outcome.SAME_BODY,
                etag=response.etag,
                last_modified=response.last_modified,
                body_hash=body_hash,
                permanent_url=response.permanent_url,
                hints=known,
                cache=state.cache,
                elapsed=response.elapsed,
            )
        parsed = await self._parse(response, state.cache.get("seen", ""), tools)
        if parsed["dropped"]:
            logger.warning("feed cut", source=self.name, kept=len(parsed["listed"]), dropped=parsed["dropped"])
        cache = {"ttl": parsed["ttl"], "per_day": parsed["per_day"], "seen": parsed["seen"]}
        hub = named_by_headers(response.headers, response.url) or parsed["hub"]
        if hub and may_subscribe(self):
            cache["hub"] = list(hub)
        return Poll(
            Outcome.PARSED,
            items=tuple(Item(*values) for values in parsed["items"]),
            title=parsed["title"],
            etag=response.etag,
            last_modified=response.last_modified,
            body_hash=body_hash,
            permanent_url=response.permanent_url,
            hints=Hints(known.max_age, parsed["ttl"], parsed["per_day"]),
            listed=tuple(parsed["listed"]),
            cache=cache,
            elapsed=response.elapsed,
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
