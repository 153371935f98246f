"""`search: gdelt` and `search: google`: news from outlets that you have no source for, found by a rule's query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self
from urllib.parse import urlencode

from pydantic import Field, PrivateAttr, model_validator

from watcher import log
from watcher.model import Item, SourceState
from watcher.sources.base import Hints, Outcome, Poll, Source, Tools
from watcher.sources.conditional import hash_of

if TYPE_CHECKING:
    from watcher.query import Node

PARSE = "watcher.sources.search_results"
PARSE_DEADLINE = 10.0  # seconds
LONGEST = {"gdelt": 1000, "google": 1000}  # characters of a query
GAP = {"gdelt": 6.0, "google": 10.0}  # seconds between two questions of all searches together; GDELT allows one in 5
EVERY = 900.0  # seconds: GDELT is brought up to date so often
RECORDS = 250  # the most that GDELT gives
DAY = 86400.0
_LANGUAGES = {"en": "en-US", "pt": "pt-PT", "zh": "zh-CN", "es": "es-ES"}
_COUNTRIES = {
    "en": "US",
    "uk": "UA",
    "cs": "CZ",
    "el": "GR",
    "ja": "JP",
    "ko": "KR",
    "zh": "CN",
    "ar": "EG",
    "sv": "SE",
}

logger = log.get("sources")


class Search(Source):
    """A search for what a rule looks for. The service is asked as much of the query as it can express.

    `gdelt` (the GDELT project's document API) gives the last day's articles in 65 languages, with their addresses.
    `google` (Google News) gives headlines and outlets; its links lead to the article only in a browser, so a headline
    of an outlet is one item, and the rule is judged on headlines alone.
    """

    kind: ClassVar[str] = "search"
    sites: ClassVar[dict[str, str]] = {
        "gdelt": "https://api.gdeltproject.org/api/v2/doc/doc",
        "google": "https://news.google.com/rss/search",
    }

    search: Literal["gdelt", "google"] = Field(description="The service that is asked.")
    rule: str = Field(min_length=1, description="The rule whose query is searched for.")

    _query: str = PrivateAttr("")

    @model_validator(mode="before")
    @classmethod
    def _links(cls, data: Any) -> Any:
        """Google's links lead to no article, so they are not followed."""
        if isinstance(data, dict) and data.get("search") == "google":
            return {"full_text": "never"} | data
        return data

    @property
    def address(self) -> str:
        """The service's address."""
        return self.sites[self.search]

    def bound(self, rules: Mapping[str, Node]) -> Self:
        """The same source with its rule's query compiled. Raises ValueError where the service cannot be asked it."""
        from watcher.sources.search_query import compile_query, gdelt_term, google_term  # noqa: PLC0415

        if self.rule not in rules:
            raise ValueError(f'there is no rule "{self.rule}"')
        term = gdelt_term if self.search == "gdelt" else google_term
        copy = self.named(self.name)
        try:
            copy._query = compile_query(rules[self.rule], term).text(LONGEST[self.search])
        except ValueError as error:
            raise ValueError(f"rule {self.rule}: {error}") from None
        return copy

    def question(self, state: SourceState, now: float) -> str:
        """The URL that is asked: what came since the last success, an hour more, a week at most."""
        hours = min(max(int((now - (state.last_success or now - DAY)) / 3600) + 2, 2), 168)
        if self.search == "gdelt":
            asked = {
                "query": self._query, "mode": "artlist", "format": "json", "sort": "datedesc",
                "maxrecords": str(RECORDS), "timespan": f"{hours}h",
            }  # fmt: skip
        else:
            lang = self.lang or "en"
            country = _COUNTRIES.get(lang, lang.upper())
            asked = {
                "q": f"{self._query} when:{hours}h", "hl": _LANGUAGES.get(lang, lang), "gl": country,
                "ceid": f"{country}:{lang}",
            }  # fmt: skip
        return f"{self.address}?{urlencode(asked)}"

    async def poll(self, state: SourceState, tools: Tools) -> Poll:
        """Ask the service once. Raises ParseError with its own words where it refuses the query."""
        from dataclasses import replace  # noqa: PLC0415

        now = tools.clock.now()
        request = replace(self.request(self.question(state, now)), gap=GAP[self.search])
        response = await tools.fetch.get(request)
        body_hash = hash_of(response.body)
        hints = Hints(ttl=EVERY)
        if body_hash == state.body_hash:
            return Poll(
                Outcome.SAME_BODY, body_hash=body_hash, cache=state.cache, hints=hints, elapsed=response.elapsed
            )
        found: list[Any] = await tools.workers.run(
            f"{PARSE}:{self.search}", response.body, response.url, self.id, now, deadline=PARSE_DEADLINE
        )
        if self.search == "gdelt" and len(found) >= RECORDS:
            logger.warning("more was found than the service gives", source=self.name, rule=self.rule, given=len(found))
        items = tuple(Item(*values) for values in found)
        return Poll(Outcome.PARSED, items=items, body_hash=body_hash, hints=hints, elapsed=response.elapsed)

    def named(self, name: str) -> Self:
        """The same source under the name that the configuration gives it."""
        copy = super().named(name)
        copy._query = self._query
        return copy
