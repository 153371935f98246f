"""The stories and events of many items at once, in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from watcher.model import Candidate, Item, Reason, Report, Story, derive_id
from watcher.stories.decide import decide, signature_of
from watcher.stories.event import COMMON as COMMON_WORD
from watcher.stories.event import Outline, Relation, outline, relate
from watcher.text.urls import canonical

COMMON = 5  # a hash that more stories than this share is boilerplate or a set phrase
LOOK_AT = 20  # stories, those with the most shared hashes
REPORTS = 10
EVENT_WINDOW = 6 * 3600.0  # between the dates of two reports of one event, where both have one


@dataclass(frozen=True, slots=True)
class Grouped:
    """What an item is part of: its story; and where that one reports what an earlier story does, why that is so."""

    story: Story
    relation: Relation | None


def group_file(items: Iterable[Item]) -> dict[str, str]:
    """The story of each item, by item id, as if the items had come in one after the other."""
    return {id_: grouped.story.id for id_, grouped in group_items(items).items()}


def group_items(items: Iterable[Item]) -> dict[str, Grouped]:
    """The story and the event of each item, by item id, as if the items had come in one after the other.

    It goes over them twice: the first pass learns which hashes many stories share, the second does without them.
    """
    known = [(item, canonical(item.url), signature_of(item)) for item in items]
    learned = _Index(events=False)
    for item, url, hashes in known:
        learned.add(item, url, hashes)
    common = learned.common()
    index = _Index(events=True)
    for item, url, hashes in known:
        index.add(item, url, hashes - common)
    return index.of_item


class _Index:
    """Stories by the hashes of their first items, and by the words of their titles."""

    def __init__(self, *, events: bool) -> None:
        self.events = _Events() if events else None
        self.of_item: dict[str, Grouped] = {}
        self.stories: list[Candidate] = []
        self.by_hash: defaultdict[int, list[int]] = defaultdict(list)
        self.by_url: dict[str, int] = {}
        self.grouped: dict[str, Grouped] = {}

    def add(self, item: Item, url: str, hashes: frozenset[int]) -> None:
        verdict = decide(item, hashes, self._candidates(url, hashes))
        if verdict.story is not None:
            self.of_item[item.id] = self.grouped[verdict.story.id]
            return
        story = self._story(item)
        relation = None
        if self.events is not None and verdict.reason is not Reason.ROUND_UP:
            story, relation = self.events.add(item, story)
        self.of_item[item.id] = self.grouped[story.id] = Grouped(story, relation)
        self._open(story, item, url, hashes)

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

    def _story(self, item: Item) -> Story:
        story_id, when = derive_id("story", item.id), item.published or 0.0
        return Story(story_id, item.id, item.title, when, when, story_id, (item.outlet,) if item.outlet else ())

    def _open(self, story: Story, item: Item, url: str, hashes: frozenset[int]) -> None:
        place = len(self.stories)
        self.stories.append(Candidate(story, item, hashes))
        if url:
            self.by_url.setdefault(url, place)
        for value in hashes:
            self.by_hash[value].append(place)


class _Events:
    """Reports by the words of their titles."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.by_word: defaultdict[int, list[int]] = defaultdict(list)
        self.holders: defaultdict[int, set[str]] = defaultdict(set)  # the events that have a word in a title

    def add(self, item: Item, story: Story) -> tuple[Story, Relation | None]:
        """The story with its event, and the relation that gave it that one."""
        said = outline(item)
        held = {word: len(self.holders[word]) for word in said.words if word in self.holders}
        said = said.without({word for word, events in held.items() if events >= COMMON_WORD})
        relation = relate(item, said, held, self._near(said, story))
        if relation is not None:
            story = replace(story, event=relation.story.event)
        for word in said.title:
            self.by_word[word].append(len(self.reports))
            self.holders[word].add(story.event)
        self.reports.append(Report(story, said.marked))
        return story, relation

    def _near(self, said: Outline, story: Story) -> list[Report]:
        votes = Counter(place for word in said.title for place in self.by_word.get(word, ()))
        places = [place for place, _ in votes.most_common() if self._at_once(self.reports[place].story, story)]
        return [self.reports[place] for place in places[:REPORTS]]

    def _at_once(self, one: Story, other: Story) -> bool:
        dated = one.opened_at and other.opened_at
        return not dated or abs(one.opened_at - other.opened_at) <= EVENT_WINDOW
