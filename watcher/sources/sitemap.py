"""`sitemap: URL`: a news sitemap, a plain one, or an index of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from watcher import log
from watcher.model import Item, SourceState
from watcher.sources import conditional
from watcher.sources.base import HttpUrl, Outcome, Poll, Source, Tools

PARSE = "watcher.sources.sitemap_parser:parse_sitemap"
PARSE_DEADLINE = 15.0  # seconds
ACCEPT = "application/xml, text/xml, application/gzip;q=0.9, text/plain;q=0.8, */*;q=0.1"
FILES = 5  # of an index that one poll reads
MAX_CHILDREN = 5000  # of an index that are remembered
MAX_NESTED = 500  # of an index within it

logger = log.get("sources")

Child = list[Any]  # address, lastmod in seconds since the epoch or None
Memory = dict[str, Any]  # of a file: its validators, what its index listed if it is one


class Sitemap(Source):
    """A sitemap. News sitemaps say title and date; of a plain one the address is told, and the article is read.

    Of an index the files that changed are read, the newest first, five a poll; of an index within it likewise.
    """

    kind: ClassVar[str] = "sitemap"

    sitemap: HttpUrl = Field(description="The address of a sitemap or of an index of them, gzip or not.")

    async def poll(self, state: SourceState, tools: Tools) -> Poll:
        """Fetch with the last validators, and parse in a worker; of an index, the files that changed likewise."""
        got = await conditional.fetch(self, state, tools, accept=ACCEPT)
        index: list[Child] = state.cache.get("index", [])
        if not got.unchanged:
            found = await self._parse(got.response.body, got.response.url, tools)
            if not found["children"]:
                return got.parsed(_items(found), cache={"per_day": found["per_day"]}, per_day=found["per_day"])
            index = newest_first(found["children"])[:MAX_CHILDREN]
        elif not index:
            return got.base
        return await self._poll_files(got, index, state, tools)

    async def _poll_files(self, got: conditional.Fetched, index: list[Child], state: SourceState, tools: Tools) -> Poll:
        seen: dict[str, Memory] = state.cache.get("files", {})
        listed = [*index, *(child for url, _ in index for child in seen.get(url, {}).get("index", ()))]
        # Those that are not read at the first poll count as seen: what they hold is no news.
        files = {url: seen.get(url) or ({"mod": mod} if not seen else {}) for url, mod in listed}
        top = {url for url, _ in index}
        items: list[Item] = []
        due = due_files(newest_first(listed), seen)
        changed = not got.unchanged
        for _ in range(FILES):
            if not due:
                break
            url, mod = due.pop(0)
            found = await self._read(url, mod, seen.get(url, {}), files, tools)
            changed = changed or found is not None or seen.get(url) != files[url]
            if found is None:
                continue
            items += _items(found)
            if found["children"] and url in top:
                due = _nested(files, url, newest_first(found["children"])[:MAX_NESTED], seen) + due
            elif found["children"]:
                logger.warning("an index within an index within an index is not read", source=self.name, sitemap=url)
        if not changed:
            return replace(got.base, outcome=Outcome.SAME_BODY)
        return got.parsed(tuple(items), cache={"index": index, "files": {k: v for k, v in files.items() if v}})

    async def _read(
        self, url: str, mod: float | None, before: Memory, files: dict[str, Memory], tools: Tools
    ) -> dict[str, Any] | None:
        """What a file of the index holds, None where it is as it was `before`; it is remembered in `files`."""
        known = SourceState(self.id, 0.0, before.get("etag"), before.get("last_modified"))
        response = await tools.fetch.get(self.request(url, state=known, accept=ACCEPT))
        body_hash = conditional.hash_of(response.body)
        same = response.status == 304 or body_hash == before.get("hash")
        files[url] = {
            "mod": mod,
            "etag": response.etag,
            "last_modified": response.last_modified,
            "hash": before.get("hash") if response.status == 304 else body_hash,
        }
        if same:
            files[url] |= {"index": before["index"]} if "index" in before else {}
            return None
        # A file that was passed over until now holds old addresses, too.
        undated = before.get("mod") if before and "hash" not in before else None
        return await self._parse(response.body, response.url, tools, undated)

    async def _parse(self, body: bytes, url: str, tools: Tools, undated: float | None = None) -> dict[str, Any]:
        found: dict[str, Any] = await tools.workers.run(
            PARSE, body, url, self.id, tools.clock.now(), undated, deadline=PARSE_DEADLINE
        )
        if found["urls"] > len(found["items"]):
            logger.debug("sitemap cut", source=self.name, kept=len(found["items"]), listed=found["urls"])
        return found


def _nested(files: dict[str, Memory], url: str, children: list[Child], seen: Mapping[str, Memory]) -> list[Child]:
    """Remember the files of an index within the index; those that are read now.

    When it is read for the first time, all that are not read now count as seen.
    """
    first = "index" not in seen.get(url, {})
    files[url]["index"] = children
    for child, mod in children:
        if child not in files:
            files[child] = {"mod": mod} if first else {}
    return due_files(children, seen)


def due_files(index: Sequence[Child], seen: Mapping[str, Mapping[str, Any]]) -> list[Child]:
    """The files of an index that are read now: those that say no date, or another one than before; FILES of them."""
    due = [child for child in index if child[1] is None or seen.get(child[0], {}).get("mod") != child[1]]
    return due[:FILES]


def newest_first(children: Sequence[Child]) -> list[Child]:
    """Files in the order in which news is to be expected in them: by date, then by name.

    Without dates: those that are called news or latest, then the highest numbers (archives count up: post-sitemap12,
    2027-01).
    """

    def order(child: Child) -> tuple[bool, float, bool, list[int]]:
        url, mod = child
        name = re.search(r"news|latest|recent|today", url.rsplit("/", 1)[-1], re.IGNORECASE)
        return mod is not None, mod or 0.0, name is not None, [int(part) for part in re.findall(r"\d{1,15}", url)]

    return sorted(children, key=order, reverse=True)


def _items(found: dict[str, Any]) -> tuple[Item, ...]:
    return tuple(Item(*values) for values in found["items"])
