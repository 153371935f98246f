"""What is made of pieces of text, remembered, as news says most things in the same words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

LONGEST = 40  # characters of a piece that is remembered: unspaced scripts make pieces that do not come again


class Memo(dict[str, T], Generic[T]):
    """Of each piece of text what `work` makes of it, worked out when it is not known.

    At most `most` are kept, those that were met last: an older half, and a newer one into which the older go that are
    met again.
    """

    def __init__(self, work: Callable[[str], T], most: int) -> None:
        super().__init__()
        self._work = work
        self._half = most // 2
        self._older: dict[str, T] = {}

    def __missing__(self, piece: str) -> T:
        found = self._older.get(piece)
        if found is None:
            found = self._work(piece)
        if len(piece) <= LONGEST:
            if len(self) >= self._half:
                self._older = dict(self)
                self.clear()
            self[piece] = found
        return found
