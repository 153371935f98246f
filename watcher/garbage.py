"""Python's cyclic collector, and C's memory, in a process that holds much for long and makes few cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 20_000  # objects more than there were at the last look; a poll leaves about four until it is written down

KEPT = 8 << 20  # bytes


@contextmanager
def uncollected() -> Iterator[None]:
    """Without garbage collection, which only costs where much is made and nothing thrown away."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settle() -> None:
    """Keep what there is now out of every later collection, and collect more seldom.

    By its defaults the collector looks at all young objects at every 700th, and at the whole configuration and its
    compiled rules again and again: 40% of what polling 10,000 sources cost. After a reload it is told so again: what
    the old configuration left is collected first. See `gc.freeze` in Python's manual.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)


def keep_freed() -> None:
    """Let the C library keep KEPT bytes that were freed, for what is asked for next.

    Else the columns of a batch of documents are given back to the system and asked of it anew for the next batch, which
    doubles what matching costs. glibc raises its bound to the largest block that it has given back, and keeps twice as
    much from then on (mallopt(3)); elsewhere this does nothing.
    """
    block = bytes(KEPT // 2)
    del block
