"""A conditional GET, as every kind that polls one address makes it: unchanged, or a body that is to be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from watcher.sources.base import Hints, Outcome, Poll, Source, Tools

if TYPE_CHECKING:
    from watcher.fetch import Response
    from watcher.model import Item, SourceState


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came. `unchanged` is the poll's result where there is nothing new to read."""

    response: Response
    base: Poll  # everything but what the body says
    unchanged: bool

    def parsed(
        self,
        items: tuple[Item, ...],
        *,
        title: str = "",
        cache: dict[str, Any],
        listed: tuple[str, ...] = (),
        **hints: float | None,
    ) -> Poll:
        """The poll's result for a body that was read."""
        return replace(
            self.base,
            outcome=Outcome.PARSED,
            items=items,
            title=title,
            cache=cache,
            listed=listed,
            hints=replace(self.base.hints, **hints),
        )


async def fetch(
    source: Source, state: SourceState, tools: Tools, *, accept: str | None = None, robots: bool = False
) -> Fetched:
    """Ask `source`'s address with the validators of `state`. Raises FetchError."""
    from watcher.fetch.validators import freshness  # noqa: PLC0415 - brings aiohttp, which reading a file needs not

    request = source.request(source.poll_url(state), state=state, robots=robots, accept=accept)
    response = await tools.fetch.get(request)
    not_modified = response.status == 304
    body_hash = state.body_hash if not_modified else hash_of(response.body)
    base = Poll(
        Outcome.NOT_MODIFIED if not_modified else Outcome.SAME_BODY,
        etag=response.etag,
        last_modified=response.last_modified,
        body_hash=body_hash,
        permanent_url=response.permanent_url,
        hints=Hints(freshness(response.headers), state.cache.get("ttl"), state.cache.get("per_day")),
        cache=state.cache,
        elapsed=response.elapsed,
    )
    return Fetched(response, base, not_modified or body_hash == state.body_hash)


def hash_of(body: bytes) -> str:
    """What the store compares bodies by."""
    return blake2b(body, digest_size=16).hexdigest()
