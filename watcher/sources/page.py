"""`page: URL`: a change of a web page, or of the part of it that `select` names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from watcher.errors import ParseError
from watcher.model import Item, SourceState, derive_id
from watcher.sources import conditional
from watcher.sources.base import HttpUrl, Poll, Source, Tools
from watcher.sources.select import check_selector

if TYPE_CHECKING:
    from watcher.fetch import Response

READ = "watcher.sources.page_reader:read_page"
READ_DEADLINE = 15.0  # seconds
MAX_LINES = 5000  # of a page that are remembered
HOLD = 10.0  # seconds after which a change must still be there
FLAPPING = 86400.0  # seconds for which what comes back was never gone
GAP = "⋯"  # stands between added lines that are apart on the page


def _pattern(text: str) -> str:
    import re2  # noqa: PLC0415 - only where a page is watched

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"this is no regular expression (RE2): {reason}") from None
    return text


class Page(Source):
    """A web page. Its first poll is the baseline and gives no item; each change after it gives one.

    The item's title is the page's, its body the lines that were not there before, in the page's order. They must still
    be there when the page is fetched once more. What only disappeared makes no item, nor what comes back within a day.
    A refusal, a challenge, an error page or a page without the selected part is an error and no change.
    """

    kind: ClassVar[str] = "page"

    page: HttpUrl = Field(description="The address of the page.")
    select: Annotated[str, AfterValidator(check_selector)] | None = Field(
        None, description="The part that is watched, by CSS or XPath; default: the page's article."
    )
    ignore: tuple[Annotated[str, AfterValidator(_pattern)], ...] = Field(
        (), description="Regular expressions (RE2): what they match is no change, such as a clock or a counter."
    )
    # Every change of a page has the page's own URL, and says in full what it says.
    copies: Literal["text", "url", "off"] = Field("off", description="What makes two of its items one story.")
    full_text: Literal["auto", "always", "never"] = Field(
        "never", description="Whether items' links are followed for the whole article."
    )

    async def poll(self, state: SourceState, tools: Tools) -> Poll:
        """Fetch with the last validators (robots.txt obeyed), and compare with what was seen before."""
        from watcher.fetch.exchange import ACCEPT_PAGE  # noqa: PLC0415 - brings aiohttp, only for polling

        got = await conditional.fetch(self, state, tools, accept=ACCEPT_PAGE, robots=True)
        if got.unchanged:
            return got.base
        shown = await self.read(got.response, tools, state)
        lines: list[list[str]] = shown["lines"][:MAX_LINES]
        now = tools.clock.now()
        marks, gone = state.cache.get("lines"), _gone(state.cache, now)
        items: tuple[Item, ...] = ()
        if marks is not None:
            known = {*marks, *gone}
            added = [mark for mark, _ in lines if mark not in known]
            if added:
                held = await self._still_there(added, tools, state)
                items = self._item(state, shown, added_text(lines, frozenset(held)), now)
                # What did not hold was never there: it is told once it does, so the next poll reads the page again.
                lines = [line for line in lines if line[0] in known or line[0] in held]
                if len(held) < len(added):
                    got = replace(got, base=replace(got.base, etag=None, last_modified=None, body_hash=None))
        cache = {"lines": [mark for mark, _ in lines], "gone": gone_now(marks or (), gone, lines, now)}
        return got.parsed(items, title=shown["title"], cache=cache)

    async def _still_there(self, added: list[str], tools: Tools, state: SourceState) -> list[str]:
        """Those of the new lines that the page still shows after HOLD seconds."""
        from watcher.fetch.exchange import ACCEPT_PAGE  # noqa: PLC0415

        await tools.clock.sleep(HOLD)
        response = await tools.fetch.get(self.request(self.poll_url(state), robots=True, accept=ACCEPT_PAGE))
        again = {mark for mark, _ in (await self.read(response, tools, state))["lines"]}
        return [mark for mark in added if mark in again]

    async def read(self, response: Response, tools: Tools, state: SourceState) -> dict[str, Any]:
        """What the page shows. Raises where what came is not the page: that is no change of it."""
        from watcher.extract import content_type, refuse_challenge  # noqa: PLC0415

        kind, charset = content_type(response.headers.get("Content-Type", ""))
        shown: dict[str, Any] = await tools.workers.run(
            READ, response.body, kind, charset, response.url, self.select, list(self.ignore), deadline=READ_DEADLINE
        )
        if shown["length"] < 600:
            refuse_challenge(response)
        if not shown["length"]:
            raise ParseError("the page shows no text" + (f" at `select: {self.select}`" if self.select else ""))
        if shown["error"] and not set(state.cache.get("lines", ())) & {mark for mark, _ in shown["lines"]}:
            raise ParseError(f"this looks like an error page and not like the page: {shown['error']}")
        return shown

    def _item(self, state: SourceState, shown: Mapping[str, Any], body: str, now: float) -> tuple[Item, ...]:
        from watcher.text.urls import host, outlet, without_user  # noqa: PLC0415 - brings the list of public suffixes

        if not body:
            return ()
        # The same change may come again another time (a status that goes down, up and down), so the time of the last
        # one tells them apart; it stands still until this one is recorded.
        key = derive_id("change", body, repr(state.last_new))
        return (
            Item(
                id=derive_id("item", self.id, key),
                source=self.id,
                title=shown["title"] or self.name,
                body=body,
                url=without_user(self.address),
                outlet=outlet(self.address),
                lang=shown["lang"] or "und",
                published=now,
                key=key,
                site=host(self.address),
            ),
        )


def added_text(lines: Sequence[Sequence[str]], added: frozenset[str]) -> str:
    """The added ones of a page's lines (mark, text), once each; GAP where others stand between them."""
    blocks: list[list[str]] = []
    told: set[str] = set()
    follows = False
    for mark, text in lines:
        new = mark in added and mark not in told
        if new:
            told.add(mark)
            if not follows:
                blocks.append([])
            blocks[-1].append(text)
        follows = new
    return f"\n\n{GAP}\n\n".join("\n\n".join(block) for block in blocks)


def _gone(cache: Mapping[str, Any], now: float) -> dict[str, float]:
    """The lines that disappeared not long ago, and when each was last seen."""
    return {mark: seen for mark, seen in cache.get("gone", {}).items() if now - seen < FLAPPING}


def gone_now(
    before: Sequence[str], gone: Mapping[str, float], lines: Sequence[Sequence[str]], now: float
) -> dict[str, float]:
    """`gone` after a poll that shows `lines`, where the poll before showed the marks `before`; the latest are kept."""
    here = {mark for mark, _ in lines}
    found = {mark: seen for mark, seen in gone.items() if mark not in here}
    found |= {mark: round(now) for mark in before if mark not in here}
    return dict(list(found.items())[-MAX_LINES:])
