"""What is published where and when: drawn from a seed, so that every run differs and any run can be had again."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from watcher.demo import content
from watcher.demo.content import Outlet, Piece

LAST = 17.0  # seconds after the first live publication, about; then the show is over


@dataclass(frozen=True, slots=True)
class Release:
    """`piece` goes online at `outlet`, `at` seconds after the daemon has seen every feed once."""

    at: float
    outlet: Outlet
    piece: Piece


def before(rng: Random) -> list[tuple[Outlet, Piece]]:
    """What stands on the sites when the daemon first sees them: nothing that any rule wants, at every outlet."""
    pieces = [*content.OTHERS[:3], content.TRAPS[0]]
    rng.shuffle(pieces)
    return list(zip(content.OUTLETS, pieces, strict=True))


def live(rng: Random) -> list[Release]:
    """What comes in while the daemon runs, in the order of time.

    The wire story breaks at three outlets within two seconds, in any order, and is put up again by one of them once
    it has been told; everything else comes at any time, anywhere.
    """
    carriers = rng.sample(content.OUTLETS, 3)
    copies = [content.WIRE, content.WIRE_TRACKED, content.WIRE_CUT]
    start = rng.uniform(1.0, 3.0)
    found = [
        Release(start + rng.uniform(0.0, 2.0), outlet, piece) for outlet, piece in zip(carriers, copies, strict=True)
    ]
    found.append(Release(LAST, carriers[0], content.WIRE_AGAIN))
    rest = [content.HALVORSEN, content.GEOLOGY, content.OTHERS[3], *content.TRAPS[1:]]
    found += [Release(rng.uniform(1.0, 9.0), rng.choice(content.OUTLETS), piece) for piece in rest]
    return sorted(found, key=lambda release: release.at)
