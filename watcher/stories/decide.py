"""Whether an item is a copy of a known story.

Copies are told by containment, the shared hashes over those of the smaller set: a copy that was cut to a third is
wholly contained in its original and yet resembles it little. What two texts of one site share is mostly their
template, so there the rule is strict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from watcher.model import Candidate, Item, Reason, Story
from watcher.stories import headlines
from watcher.stories.headlines import differ, names, numbers
from watcher.stories.shingles import SHORT_TEXT, at_one_level, begins, extent, signature, spread, whole_hash
from watcher.text.fold import words

Copies = Literal["text", "url", "off"]

TITLE_COUNTS = 30  # words; a text under this is compared with its title
SENTENCE = 5  # words; less says nothing
SHARED = 3  # hashes that two texts must share
CONTAINED = 0.5  # between sites: a copy, whatever its passages
FEW = 12  # hashes; under this chance weighs more, and so it does between a title and a sentence and others of one event
FEW_CONTAINED = 0.6
LOOSELY = 0.3  # between sites: a copy only where what is shared is spread over the text; else they quote the same
SPREAD = 0.7
LOOSE_TEXT = 48  # words; in less nothing can be spread
SAME_SITE_CONTAINED = 0.9
SAME_PAGE = 0.4  # within one site, at one URL
ROUND_UP = 3  # stories in one item; or two, neither of which is half of it
NAME = 4  # letters; shorter words of a title name nothing
ALONE = 0.3  # of what a title names; if so much of it stands in one of two short texts alone, they have two subjects
PART = 3  # times longer is a text that holds another as a part,
PART_BEGINS = 0.1  # which stands further on in it, and not at its beginning, where a cut copy does


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which story an item belongs to: None opens a new one. `detail` says in words what decided it."""

    story: Story | None
    reason: Reason
    detail: str


def story_text(item: Item) -> str:
    """The text by which an item is compared: its body, else its summary; with the title where there is little."""
    text = max(item.body, item.summary, key=len)
    return f"{item.title}\n{text}" if _is_short(text) else text


def signature_of(item: Item) -> frozenset[int]:
    """The signature of an item: that of its text, and one hash of its whole title, by which short items are found."""
    hashes = signature(story_text(item))
    return hashes | {title_hash(item)} if headlines.read(item.title, item.outlet).text else hashes


def title_hash(item: Item) -> int:
    """The hash of an item's whole title: one that two stories share is enough to compare them."""
    return whole_hash(headlines.read(item.title, item.outlet).text)


def decide(item: Item, hashes: frozenset[int], candidates: Sequence[Candidate], copies: Copies = "text") -> Verdict:
    """Whether `item`, whose signature is `hashes`, is a copy of one of `candidates`.

    `hashes` and the candidates' hashes come without those that many stories share. `copies` is the source's setting:
    judge by text and URL, by URL only, or never.
    """
    if copies == "off":
        return Verdict(None, Reason.NEW_STORY, "copies: off")
    new = _Side(item, hashes)
    found = [(copy, known) for known in candidates if (copy := _judge(new, known, copies)) is not None]
    by_url = [(copy, known) for copy, known in found if copy.reason is Reason.SAME_URL]
    if not by_url and _is_round_up(new, parts := _parts(new.hashes, candidates)):
        titles = "; ".join(part.story.title for part, _ in parts[:ROUND_UP])
        return Verdict(None, Reason.ROUND_UP, f"contains {len(parts)} stories: {titles}")
    if not found:
        detail = f"unlike the {len(candidates)} that share words with it" if candidates else "nothing shares its words"
        return Verdict(None, Reason.NEW_STORY, detail)
    copy, known = max(by_url or found, key=lambda pair: pair[0].weight)
    return Verdict(known.story, copy.reason, f"{copy.detail} with {known.story.title!r}")


@dataclass(frozen=True, slots=True)
class _Copy:
    reason: Reason
    weight: tuple[float, int]  # share and number of the hashes in common
    detail: str


class _Side:
    """What is compared of an item, worked out once."""

    def __init__(self, item: Item, hashes: frozenset[int]) -> None:
        self.item = item
        self.headline = headlines.read(item.title, item.outlet)
        self.title_hash = whole_hash(self.headline.text)
        self.hashes = hashes - {self.title_hash}
        self.text = max(item.body, item.summary, key=len)
        self.short = _is_short(self.text)

    def near(self, hashes: frozenset[int]) -> bool:
        """Whether it shares enough with `hashes` to be looked at more closely."""
        return self.title_hash in hashes or len(self.hashes & hashes) >= SHARED


def _judge(new: _Side, known: Candidate, copies: Copies) -> _Copy | None:
    if not known.same_url and (copies == "url" or not new.near(known.hashes)):
        return None
    old = _Side(known.item, known.hashes)
    mine, theirs = at_one_level(new.hashes, old.hashes)
    shared, size = len(mine & theirs), min(len(mine), len(theirs))
    contained = shared / size if size else 0.0
    same_site = _same_site(new.item, old.item)
    same_title = bool(new.headline.text) and new.headline.text == old.headline.text
    if known.same_url and (not same_site or _same_page(new, old, contained, same_title)):
        return _Copy(Reason.SAME_URL, (contained, shared), "the same URL")
    if copies == "url":
        return None
    if same_site:
        same = _reposted(new, old, contained, shared, same_title)
    else:
        same = _copied(new, old, shared, size) or (same_title and _titled_alike(new, old, shared))
        same = (
            same
            and not _other_subjects(new, old)
            and not (PART * size <= max(len(mine), len(theirs)) and _is_part(new, old))
        )
    numbered = same_site or new.short or old.short
    if not same or differ(new.headline, old.headline, numbered=numbered) or _named_differ(new.item, old.item):
        return None
    title = "the same title, " if same_title else ""
    return _Copy(Reason.SAME_TEXT, (contained, shared), f"{title}{shared} of {size} hashes shared")


def _copied(new: _Side, old: _Side, shared: int, size: int) -> bool:
    """Whether two sites' texts are one, however it was cut and edited."""
    if shared < SHARED or shared < LOOSELY * size:
        return False
    few = size < FEW or new.short or old.short
    if shared >= (FEW_CONTAINED if few else CONTAINED) * size:
        return True
    one, other = story_text(new.item), story_text(old.item)
    return min(extent(one), extent(other)) >= LOOSE_TEXT and spread(one, other) >= SPREAD


def _is_part(new: _Side, old: _Side) -> bool:
    """Whether the shorter text is one of several in the longer: it stands further on, under a title of its own."""
    if _titles_agree(set(new.headline.shape), set(old.headline.shape)):
        return False
    return begins(story_text(new.item), story_text(old.item)) >= PART_BEGINS


def _other_subjects(new: _Side, old: _Side) -> bool:
    """Whether each title names what its own text alone tells of: two short texts share a template then, or a footer."""
    if min(extent(story_text(new.item)), extent(story_text(old.item))) >= SHORT_TEXT:
        return False
    titles = [{word for word in words(side.item.title) if len(word) >= NAME or word.isdecimal()} for side in (new, old)]
    texts = [set(words(side.text)) for side in (new, old)]
    named = [title & text for title, text in zip(titles, texts, strict=True)]
    if not any(named) and new.short and old.short:  # the texts tell of neither: they say where to read on
        named = titles
    alone = [
        mine.difference(words(other.item.title), words(other.text))
        for mine, other in zip(named, (old, new), strict=True)
    ]
    return all(found and len(found) >= ALONE * len(mine) for found, mine in zip(alone, named, strict=True))


def _titled_alike(new: _Side, old: _Side, shared: int) -> bool:
    """Whether one title of two sites is one text: where one of them has hardly more than the title."""
    if not new.headline.telling or not (new.short or old.short):
        return False
    return bool(shared) or not new.text or not old.text


def _same_page(new: _Side, old: _Side, contained: float, same_title: bool) -> bool:
    """Whether one URL within a site is one article: some feeds give all their entries the address of one page."""
    if urlsplit(new.item.url).fragment != urlsplit(old.item.url).fragment:
        return False
    if new.short or old.short:
        return same_title and _overlap(new.text, old.text) >= SAME_PAGE
    return contained >= SAME_PAGE


def _reposted(new: _Side, old: _Side, contained: float, shared: int, same_title: bool) -> bool:
    """Whether two texts of one site are one, and not two of a template."""
    if new.short or old.short:
        return same_title and len(words(new.text)) >= SENTENCE and words(new.text) == words(old.text)
    same_text = shared >= SHARED and contained >= SAME_SITE_CONTAINED and numbers(new.text) == numbers(old.text)
    return same_text and _titles_agree(set(new.headline.shape), set(old.headline.shape))


def _titles_agree(one: set[str], other: set[str]) -> bool:
    return 2 * len(one & other) >= min(len(one), len(other))


def _overlap(one: str, other: str) -> float:
    """The containment of two short texts; 1.0 where one is too short to tell."""
    mine, theirs = at_one_level(signature(one), signature(other))
    size = min(len(mine), len(theirs))
    return len(mine & theirs) / size if size else 1.0


def _is_short(text: str) -> bool:
    return len(text.split(None, TITLE_COUNTS)) <= TITLE_COUNTS


def _same_site(one: Item, other: Item) -> bool:
    return bool(one.source and one.source == other.source) or bool(one.outlet and one.outlet == other.outlet)


def _named_differ(one: Item, other: Item) -> bool:
    """Whether each text names a version or an advisory that the other does not."""
    mine, theirs = names(story_text(one)), names(story_text(other))
    return bool(mine - theirs) and bool(theirs - mine)


def _is_round_up(new: _Side, parts: Sequence[tuple[Candidate, float]]) -> bool:
    """Whether an item is several stories side by side, and not one that two others were cut from."""
    if len(parts) >= ROUND_UP:
        return True
    shape = set(new.headline.shape)
    return len(parts) == 2 and all(
        share < 0.5 and not _titles_agree(shape, set(headlines.read(part.story.title).shape)) for part, share in parts
    )


def _parts(hashes: frozenset[int], candidates: Sequence[Candidate]) -> list[tuple[Candidate, float]]:
    """Candidates that stand in the item side by side, and how much of it each is.

    Each is mostly within it, and no two are mostly in the same place.
    """
    found: list[tuple[Candidate, frozenset[int], float]] = []
    for known in candidates:
        mine, theirs = at_one_level(hashes, known.hashes)
        within = mine & theirs
        part = len(within) >= SHARED and len(within) >= len(theirs) / 2 and len(theirs) <= 0.7 * len(mine)
        if part and all(len(within & other) < min(len(within), len(other)) / 2 for _, other, _ in found):
            found.append((known, within, len(within) / len(mine)))
    return [(known, share) for known, _, share in found]
