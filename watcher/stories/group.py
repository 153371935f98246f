"""The stories of many items at once, in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

from watcher.model import Candidate, Item, Story, derive_id
from watcher.stories.decide import decide, signature_of
from watcher.text.urls import canonical

COMMON = 5  # a hash that more stories than this share is boilerplate or a set phrase
LOOK_AT = 20  # stories, those with the most shared hashes


def group_file(items: Iterable[Item]) -> dict[str, str]:
    """The story of each item, by item id, as if the items had come in one after the other.

    It goes over them twice: the first pass learns which hashes many stories share, the second does without them.
    """
    known = [(item, canonical(item.url), signature_of(item)) for item in items]
    learned = _Index()
    for item, url, hashes in known:
        learned.add(item, url, hashes)
    common = learned.common()
    index = _Index()
    for item, url, hashes in known:
        index.add(item, url, hashes - common)
    return index.story_of


class _Index:
    """Stories by the hashes of their first items."""

    def __init__(self) -> None:
        self.story_of: dict[str, str] = {}
        self.stories: list[Candidate] = []
        self.by_hash: defaultdict[int, list[int]] = defaultdict(list)
        self.by_url: dict[str, int] = {}

    def add(self, item: Item, url: str, hashes: frozenset[int]) -> None:
        verdict = decide(item, hashes, self._candidates(url, hashes))
        self.story_of[item.id] = (verdict.story or self._open(item, url, hashes)).id

    def common(self) -> frozenset[int]:
        """What more than COMMON stories share. It counts stories, or a widely carried one would hide itself."""
        return frozenset(value for value, places in self.by_hash.items() if len(places) > COMMON)

    def _candidates(self, url: str, hashes: frozenset[int]) -> list[Candidate]:
        votes = Counter(place for value in hashes for place in self.by_hash.get(value, ()))
        places = [place for place, _ in votes.most_common(LOOK_AT)]
        at_url = self.by_url.get(url) if url else None
        if at_url is not None and at_url not in places:
            places.append(at_url)
        return [replace(self.stories[place], same_url=place == at_url) for place in places]

    def _open(self, item: Item, url: str, hashes: frozenset[int]) -> Story:
        story_id, when = derive_id("story", item.id), item.published or 0.0
        story = Story(story_id, item.id, item.title, when, when, story_id, (item.outlet,) if item.outlet else ())
        place = len(self.stories)
        self.stories.append(Candidate(story, item, hashes))
        if url:
            self.by_url.setdefault(url, place)
        for value in hashes:
            self.by_hash[value].append(place)
        return story
