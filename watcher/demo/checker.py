"""What had to be told, worked out from the sites' own list of what they published, against what was told.

It knows nothing of how the daemon decides: the labels of content.py say which text a piece carries and which rules
it is for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from watcher.demo.site import Publication


@dataclass(frozen=True, slots=True)
class Told:
    """One alert that the daemon told: by which rule, with the address of which article, and who else carries it."""

    rule: str
    url: str
    outlet: str
    others: frozenset[str] = frozenset()


def differences(published: Iterable[Publication], told: Iterable[Told], screen: str) -> list[str]:
    """In sentences, how `told` and the text on the `screen` differ from what had to be told; empty where they agree."""
    published = list(published)
    by_link = {one.link: one for one in published}
    expected = expect(published)
    got: Counter[tuple[str, str]] = Counter()
    found = []
    for alert in told:
        piece = by_link.get(alert.url)
        if piece is None:
            found.append(f"{alert.rule} told {alert.url}, which was never published")
            continue
        key = (alert.rule, piece.piece.story)
        got[key] += 1
        if key not in expected:
            found.append(f"{alert.rule} told “{piece.piece.title}”, which it must not match")
        elif {alert.outlet, *alert.others} != expected[key]:
            others = ", ".join(sorted(expected[key] - {piece.outlet.domain})) or "none"
            found.append(f"“{piece.piece.title}” should name these other outlets: {others}")
    for rule, story in expected:
        title = next(one.piece.title for one in published if one.piece.story == story)
        if got[rule, story] != 1:
            found.append(f"{rule} told “{title}” {got[rule, story]} times, not once")
    return found + _on_screen(published, expected, screen)


def expect(published: Iterable[Publication]) -> Mapping[tuple[str, str], set[str]]:
    """One alert per rule and story, and the outlets that carry the story."""
    expected: dict[tuple[str, str], set[str]] = {}
    for one in published:
        for rule in one.piece.rules:
            expected.setdefault((rule, one.piece.story), set()).add(one.outlet.domain)
    return expected


def _on_screen(published: list[Publication], expected: Mapping[tuple[str, str], set[str]], screen: str) -> list[str]:
    wanted = {story for _, story in expected}
    text = " ".join(screen.split())
    seen = {one.piece.story for one in published if one.piece.title in text}
    missing = [f"nothing on the screen about {story!r}" for story in sorted(wanted - seen)]
    return missing + [f"the screen speaks of {story!r}, which nobody asked for" for story in sorted(seen - wanted)]
