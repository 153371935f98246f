"""When a delivery that failed is tried again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from watcher.errors import Failure
from watcher.model import Reason

FIRST_WAIT = 10.0
LONGEST_WAIT = 3600.0
LONGEST_RETRY_AFTER = 7 * 86400.0  # a service that says more than this is misread
TRANSIENT_FOR = 3 * 86400.0  # how long a channel may be down before its messages are given up
AMBIGUOUS_FOR = 86400.0  # sooner for what may have arrived: every further try may repeat it
FEWEST_TRIES = 12  # before a message is given up


@dataclass(frozen=True, slots=True)
class Dead:
    """The delivery is not tried again."""

    reason: Reason


def next_try(
    failure: Failure, attempts: int, first_try: float, now: float, retry_after: float | None, rng: Random
) -> float | Dead:
    """The time of the next try of a delivery that has failed `attempts` times (at least once), or that it is dead.

    The longest wait doubles from 20 s up to an hour and the wait is drawn evenly between 10 s and it ("full jitter";
    Brooker, "Exponential Backoff and Jitter", AWS 2015), so that what failed together does not come back together.
    `retry_after`, in seconds, is what the service asked for: never sooner, and a little later.
    """
    if failure is Failure.PERMANENT:
        return Dead(Reason.REFUSED)
    patience = AMBIGUOUS_FOR if failure is Failure.AMBIGUOUS else TRANSIENT_FOR
    wait = rng.uniform(FIRST_WAIT, min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempts, 30)))
    if retry_after is not None:
        asked = min(max(retry_after, 0.0), LONGEST_RETRY_AFTER)
        wait = max(wait, asked * rng.uniform(1.0, 1.05) + 0.5)
    # Time alone says little: a machine that slept for days has hardly tried.
    if now - first_try >= patience and attempts >= FEWEST_TRIES:
        return Dead(Reason.GAVE_UP)
    return now + wait
