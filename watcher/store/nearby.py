"""The stories and events around a batch of items: what the store had, and what the batch's own items add to it.

The items of one poll are judged one after the other, each seeing what those before it did, with a few statements for
all of them: what may matter is read first, kept here, and written together at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import chain

from watcher.model import Candidate, Item, Report, Story

COMMON = 20  # stories; a hash that so many share is boilerplate
COMMON_WORD = 32  # events; a word that so many have in a title says nothing of any
CANDIDATES = 20  # the best by shared hashes
BY_URL = 5  # the latest of one canonical URL
REPORTS = 6  # the best by shared words of the title

FILED = 32  # hashes under which a story is filed at least, where its text has so many
BOILERPLATE = 0.25  # of the hashes that could be known to be common, if so many are, there is more of it

_NEW = 2**62  # numbers from here on stand for stories that are not written yet


@dataclass(frozen=True, slots=True)
class Sought:
    """What stories are looked up by: a canonical URL, hashes, and those of them of which one is enough."""

    url: str = ""
    hashes: Collection[int] = ()
    sure: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up gives: stories that an item may be a copy of, and which of its hashes many stories share.

    The candidates' hashes are those that tell (see `telling`).
    """

    candidates: tuple[Candidate, ...] = ()
    common: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of an item's words."""

    reports: tuple[Report, ...] = ()  # stories whose titles hold some of its title
    held: Mapping[int, int] = field(default_factory=dict)  # how many events hold a word in a title, also of others
    common: frozenset[int] = frozenset()  # its words that so many events hold that they say nothing of any


@dataclass(frozen=True, slots=True)
class Opened:
    """A story to be written: with the hashes of its text, and of its outline what describes it."""

    story: Story
    hashes: frozenset[int]
    filed: frozenset[int]  # under these it is found
    words: frozenset[int] | None = None  # marked; None where it does not describe its event
    title: frozenset[int] = frozenset()


def filed(hashes: Collection[int]) -> frozenset[int]:
    """Those of a text's hashes under which its story is found: of many those that 8 divides, or else 4 or 2.

    A row for each hash of a short text, which keeps all of them, would be most of what a new item costs the store.
    """
    return _divided(hashes, _mask(hashes))


def asked(hashes: Collection[int]) -> frozenset[int]:
    """Those by which known stories are looked for: some that it is not filed under, as a shorter text's may be."""
    return _divided(hashes, _mask(hashes) >> 1)


def _mask(hashes: Collection[int]) -> int:
    """The bits that are 0 in the hashes under which a text is filed."""
    return next((mask for mask in (7, 3, 1) if sum([not hash_ & mask for hash_ in hashes]) >= FILED), 0)


def _divided(hashes: Collection[int], mask: int) -> frozenset[int]:
    return frozenset([hash_ for hash_ in hashes if not hash_ & mask])


def telling(hashes: frozenset[int], common: AbstractSet[int]) -> frozenset[int]:
    """Those of a text's hashes by which it is compared: none that many stories share.

    That is known of hashes under which stories are filed. Where many of these are common, so are others that nobody
    filed: then the text is compared by what those can tell of that are divided by as much.
    """
    shared = hashes & common
    mask = next((mask for mask in (7, 3, 1) if not any(hash_ & mask for hash_ in shared)), 0)
    if not mask or not shared:
        return hashes - shared
    known = _divided(hashes, mask)
    return (hashes if len(shared) < BOILERPLATE * len(known) else known) - shared


class Nearby:
    """The stories around a batch of items. `holders` are of each hash the numbers of its stories."""

    def __init__(self, holders: dict[int, list[int]], at_url: dict[str, list[int]], least: int) -> None:
        self._holders = holders
        self._at_url = at_url
        self._least = least
        self._known: dict[int, Candidate] = {}
        self._numbers: dict[str, int] = {}
        self.opened: dict[str, Opened] = {}
        self.joined: dict[str, Story] = {}

    def learn(self, known: Mapping[int, Candidate]) -> None:
        """What the store has of the stories of these numbers."""
        self._known |= known
        self._numbers |= {one.story.id: number for number, one in known.items()}

    def near(self, sought: Sought) -> tuple[set[int], set[int], frozenset[int]]:
        """The numbers of the best by URL and by hashes, and which of the hashes are common."""
        common: set[int] = set()
        certain: set[int] = set()
        shared: dict[int, int] = {}
        for hash_ in self._holders.keys() & sought.hashes:
            numbers = self._holders[hash_]
            if len(numbers) >= COMMON:
                common.add(hash_)
                continue
            for number in numbers:
                shared[number] = shared.get(number, 0) + 1
            if hash_ in sought.sure:
                certain.update(numbers)
        near = [number for number, count in shared.items() if count >= self._least or number in certain]
        best = sorted(near, key=lambda number: (-shared[number], -number))[:CANDIDATES]
        at_url = sorted(self._at_url.get(sought.url, ()), reverse=True)[:BY_URL] if sought.url else ()
        return set(at_url), set(best), frozenset(common)

    def look_up(self, sought: Sought) -> Found:
        """Stories that an item may be a copy of, oldest first."""
        by_url, by_text, common = self.near(sought)
        candidates = []
        for number in sorted(by_url | by_text):
            known = self._known.get(number)
            if known is not None:
                hashes = telling(known.hashes, common)
                candidates.append(replace(known, hashes=hashes, same_url=number in by_url))
        return Found(tuple(candidates), common)

    def current(self, story: Story) -> Story:
        """A story with what the batch's items added to it."""
        return self.joined.get(story.id, story)

    def open(self, opened: Opened, item: Item, url: str) -> None:
        """Let later items of the batch find a new story."""
        number = _NEW + len(self.opened)
        self.opened[opened.story.id] = opened
        self.learn({number: Candidate(opened.story, item, opened.hashes)})
        for hash_ in opened.filed:
            self._holders.setdefault(hash_, []).append(number)
        self._at(url, number)

    def join(self, story: Story, outlet: str, url: str, now: float) -> Story:
        """Count an item as a copy of a story; the story as it is then."""
        joined = copied(self.current(story), outlet, now)
        number = self._numbers[story.id]
        self._known[number] = replace(self._known[number], story=joined)
        self._at(url, number)
        if story.id in self.opened:
            self.opened[story.id] = replace(self.opened[story.id], story=joined)
        self.joined[story.id] = joined
        return joined

    def _at(self, url: str, number: int) -> None:
        if url and number not in self._at_url.setdefault(url, []):
            self._at_url[url].append(number)


class Hearing:
    """The events around a batch of items: of each word how many events hold it, and of rare ones which stories.

    `rows` are of each rare word of a title its stories and their events; `held` are the counts of the other words.
    """

    def __init__(self, held: dict[int, int], rows: Iterable[Sequence[int]], rare: Iterable[int]) -> None:
        self._stories: dict[int, list[int]] = {word: [] for word in rare}
        self._events: dict[int, set[int]] = {word: set() for word in rare}
        self._reports: dict[int, Report] = {}
        self._describing: Counter[str] = Counter()
        for word, number, event in rows:
            self._stories[word].append(number)
            self._events[word].add(event)
        self.held = held | {word: len(events) for word, events in self._events.items()}

    def learn(self, reports: Mapping[int, Report]) -> None:
        """What the store has of the reports of these numbers."""
        self._reports |= reports

    def best(self, title: Collection[int]) -> list[int]:
        """The numbers of the stories whose titles share most of the rare words of `title`, then the latest."""
        rare = [word for word in title if 0 < self.held.get(word, 0) < COMMON_WORD]
        shared = Counter(chain.from_iterable([self._stories.get(word, ()) for word in rare]))
        best = sorted([(count, number) for number, count in shared.items()], reverse=True)
        return [number for _, number in best[:REPORTS]]

    def heard(self, words: Collection[int], title: Collection[int], nearby: Nearby | None = None) -> Heard:
        """What is known of an item's words."""
        if not title:
            return Heard()
        reports = [self._reports[number] for number in self.best(title) if number in self._reports]
        if nearby is not None and nearby.joined:
            reports = [replace(report, story=nearby.current(report.story)) for report in reports]
        held = self.held
        common = frozenset([word for word in words if held.get(word, 0) >= COMMON_WORD])
        return Heard(tuple(reports), held, common)

    def describing(self, event: str) -> int:
        """How many stories of the batch describe an event."""
        return self._describing[event]

    def describe(self, opened: Opened, event: int) -> None:
        """Let later items of the batch find a report; `event` is the number of its event."""
        number = _NEW + len(self._reports)
        self._describing[opened.story.event] += 1
        self._reports[number] = Report(opened.story, opened.words or frozenset())
        for word in opened.title:
            self._stories[word].append(number)
            events = self._events[word]
            events.add(event)
            self.held[word] = len(events)


def copied(story: Story, outlet: str, now: float) -> Story:
    """A story with one more copy, seen at `now`."""
    outlets: Sequence[str] = story.outlets
    if outlet and outlet not in outlets:
        outlets = (*outlets, outlet)
    return replace(story, outlets=tuple(outlets), seen_at=max(story.seen_at, now))
