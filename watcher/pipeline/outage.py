"""A network that is out, and back: who backed off by it is asked again at once, not an hour later.

While nearly every source fails by DNS or the network (`sources.health.outage`), one of them is tried each minute. The
first that answers brings the others back, spread over a while so that neither the network nor a host is overrun.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from watcher import log
from watcher.pipeline.services import Services
from watcher.sources.health import NETWORK, by_network
from watcher.store import SourceStatus, Tx

BACK = "network.back"  # the subject that remembers when sources were last made due
SPREAD = 60.0  # seconds over which they are tried again, at least
A_SECOND = 20.0  # of them

logger = log.get("health")


def probe(statuses: Sequence[SourceStatus], told: dict[str, str], now: float, rng: Random) -> dict[str, float]:
    """While the network is told to be out: a source that fails by it, to be tried now; none where one is due anyway."""
    failing = [one.state for one in statuses if by_network(one)] if NETWORK in told else []
    if not failing or any(state.next_due <= now for state in failing):
        return {}
    return {rng.choice(failing).id: now}


async def answered(services: Services) -> None:
    """A source that had failed has answered: where the network was out, try again the others that failed by it."""
    store = services.store
    async with store.read() as tx:
        told, last = await tx.health.told(), await tx.health.since(BACK)
        if NETWORK not in told or (last is not None and tx.now - last < SPREAD):
            return
        failing = [one.state.id for one in await tx.sources.list() if by_network(one)]
        now = tx.now
    spread = max(SPREAD, len(failing) / A_SECOND)
    due = {id_: now + services.rng.uniform(0.0, spread) for id_ in failing}

    async def work(tx: Tx) -> None:
        await tx.health.tell({BACK: BACK}, now)
        await tx.sources.hasten(due)

    await store.write(work)
    logger.info("the network is back: sources are tried again", sources=len(failing), within=f"{spread:.0f}s")
