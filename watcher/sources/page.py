"""`page: URL`: a change of a web page, or of the part of it that `select` names."""

from __future__ import annotations

from hashlib import blake2b
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from watcher.errors import ParseError
from watcher.model import Item, SourceState, derive_id
from watcher.sources.base import Hints, HttpUrl, Outcome, Poll, Source, Tools

READ = "watcher.sources.page:read_page"
READ_DEADLINE = 15.0  # seconds
MAX_LINES = 5000  # of a page that are remembered


def _selector(text: str) -> str:
    from cssselect import SelectorError, parse  # noqa: PLC0415 - only where a page is watched

    try:
        parse(text)
    except SelectorError as error:
        raise ValueError(f"this is no CSS selector: {error}") from None
    return text


class Page(Source):
    """A web page. Its first poll is the baseline and gives no item; each change after it gives one.

    The item's title is the page's, its body the paragraphs that were not there at the last poll, in the page's order.
    What only disappeared makes no item. A refusal, a challenge or a page without the selected part is an error and no
    change.
    """

    kind: ClassVar[str] = "page"

    page: HttpUrl = Field(description="The address of the page.")
    select: Annotated[str, AfterValidator(_selector)] | None = Field(
        None, description="The part that is watched, as a CSS selector; default: the page's article."
    )
    # Every change of a page has the page's own URL, and says in full what it says.
    copies: Literal["text", "url", "off"] = Field("off", description="What makes two of its items one story.")
    full_text: Literal["auto", "always", "never"] = Field(
        "never", description="Whether items' links are followed for the whole article."
    )

    async def poll(self, state: SourceState, tools: Tools) -> Poll:
        """Fetch with the last validators (robots.txt obeyed), and compare with what the last poll saw."""
        from watcher.extract import content_type  # noqa: PLC0415 - with aiohttp's below, only for polling
        from watcher.fetch.client import ACCEPT_PAGE  # noqa: PLC0415
        from watcher.fetch.validators import freshness  # noqa: PLC0415

        request = self.request(self.poll_url(state), state=state, robots=True, accept=ACCEPT_PAGE)
        response = await tools.fetch.get(request)
        same = response.status == 304
        body_hash = state.body_hash if same else blake2b(response.body, digest_size=16).hexdigest()
        got: dict[str, Any] = {
            "etag": response.etag,
            "last_modified": response.last_modified,
            "permanent_url": response.permanent_url,
            "hints": Hints(freshness(response.headers)),
            "body_hash": body_hash,
            "cache": state.cache,
            "elapsed": response.elapsed,
        }
        if same or body_hash == state.body_hash:
            return Poll(Outcome.NOT_MODIFIED if same else Outcome.SAME_BODY, **got)
        kind, charset = content_type(response.headers.get("Content-Type", ""))
        title, lang, lines = await tools.workers.run(
            READ, response.body, kind, charset, response.url, self.select, deadline=READ_DEADLINE
        )
        self._check(response, lines)
        marks = [_mark(line) for line in lines[:MAX_LINES]]
        got["cache"] = {"lines": marks}
        items: tuple[Item, ...] = ()
        if "lines" in state.cache:
            before = frozenset(state.cache["lines"])
            added = [line for line, mark in zip(lines, marks, strict=False) if mark not in before]
            if added:
                items = (self._item(state, title, lang, added, tools.clock.now()),)
        return Poll(Outcome.PARSED, items=items, title=title, **got)

    def _check(self, response: Any, lines: list[str]) -> None:
        """Raise where what came is not the page: that is no change of it."""
        from watcher.extract import refuse_challenge  # noqa: PLC0415

        if sum(map(len, lines)) < 600:
            refuse_challenge(response)
        if not lines:
            raise ParseError("the page shows no text" + (f" at `select: {self.select}`" if self.select else ""))

    def _item(self, state: SourceState, title: str, lang: str, added: list[str], now: float) -> Item:
        from watcher.text.urls import host, outlet  # noqa: PLC0415 - brings the list of public suffixes

        body = "\n\n".join(added)
        # The same change may come again another time (a status that goes down, up and down), so the time of the last
        # one tells them apart; it stands still until this one is recorded.
        key = derive_id("change", body, repr(state.last_new))
        return Item(
            id=derive_id("item", self.id, key),
            source=self.id,
            title=title or self.name,
            body=body,
            url=self.address,
            outlet=outlet(self.address),
            lang=lang or "und",
            published=now,
            key=key,
            site=host(self.address),
        )


def _mark(line: str) -> str:
    return blake2b(line.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def read_page(body: bytes, kind: str, charset: str, url: str, select: str | None) -> tuple[str, str, list[str]]:
    """Title, language and the paragraphs of a page, or of its part `select`; for workers.

    Without `select` it is the page's article, or all of its text where it has none. Raises ParseError where `body` is
    no text or has no such part.
    """
    from watcher.extract import decode, extract  # noqa: PLC0415
    from watcher.text.html import to_text  # noqa: PLC0415

    text = decode(body, charset)
    if kind.startswith("text/") and kind not in ("text/html", "text/xml"):
        plain = text if isinstance(text, str) else text.decode("utf-8", "replace")
        return "", "", _lines(plain)
    if kind and not kind.startswith("text/") and "xml" not in kind:
        raise ParseError(f"this is {kind}, no web page")
    article = extract(body, url, charset)
    if select is None:
        markup = text if isinstance(text, str) else text.decode("latin-1")
        return article.title, article.lang, _lines(article.text or to_text(markup))
    return article.title, article.lang, _lines(to_text(_selected(text, select)))


def _selected(page: str | bytes, select: str) -> str:
    import lxml.html  # noqa: PLC0415
    from trafilatura.utils import load_html  # noqa: PLC0415 - knows the ways in which lxml refuses a page

    tree = load_html(page)
    parts = tree.cssselect(select) if tree is not None else []
    if not parts:
        raise ParseError(f"nothing on the page fits `select: {select}`")
    return "\n".join(lxml.html.tostring(part, encoding="unicode", with_tail=False) for part in parts)


def _lines(text: str) -> list[str]:
    return [line for part in text.splitlines() if (line := " ".join(part.split()))]
