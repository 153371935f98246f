"""CHECKUP: tell the channels of `health.notify` what changed of the sources' health, and ping the heartbeat."""

from __future__ import annotations

from collections.abc import Sequence

from watcher import log
from watcher.alerting.render import note
from watcher.errors import FetchError, TransportError
from watcher.model import Delivery, Queue, derive_id
from watcher.pipeline.outage import probe
from watcher.pipeline.refusals import recipients, refusals
from watcher.pipeline.services import Services
from watcher.sources.health import Change, changes
from watcher.store import Tx
from watcher.transports import transport_for

EVERY = 60.0  # seconds between two checkups
DAILY = 86400.0  # seconds between two messages of what is not urgent
NOTES = "notes"  # the subject that remembers when the last of those went out
LATE = 300.0  # seconds that due work may wait while all is well
NAMED = 12  # changes that one message names

logger = log.get("health")


async def checkup(services: Services) -> int:
    """Put what changed since the last checkup into the outbox, in one message a channel; how many messages that makes.

    What is not urgent waits for the daily message. A change is written down as told in the transaction that holds its
    message, so that it is told once whatever happens, also where several workers look at once.
    """
    store = services.store
    async with store.read() as tx:
        statuses, told = await tx.sources.list(), await tx.health.told()
        channels = await tx.channels.list()
        notes, last = await tx.health.notes(), await tx.health.since(NOTES)
    now = store.now()
    names = {id_: source.name for id_, source in services.sources.items()}
    found = changes([one for one in statuses if one.state.id in names], names, told, now)
    changed, refusing = refusals(channels, services.config.channels, told)
    found += changed
    if trial := probe(statuses, told, now, services.rng):
        await store.write(lambda tx: tx.sources.hasten(trial))
    for change in found:
        if change.text:
            logger.warning("health", said=change.text)
    urgent = [change for change in found if change.urgent]
    lines = [change.text for change in urgent]
    daily = bool(notes) and (last is None or now - last >= DAILY)
    if daily:
        lines += [one.text for one in notes]
    heard = recipients(services.config.settings.health.notify, services.config.channels, refusing, changed)
    deliveries = await _messages(services, heard, _title(urgent), lines, now) if lines else []

    async def work(tx: Tx) -> int:
        if await tx.health.told() != told:
            return 0  # another worker was quicker: what is left is for the next checkup
        states = {change.subject: change.state for change in found}
        for change in found:
            if not change.urgent and change.text:
                await tx.health.note(change.subject, change.text, now)
        if daily:
            await tx.health.noted([one.id for one in notes])
            states[NOTES] = NOTES
        await tx.health.tell(states, now)
        return len(await tx.deliveries.add(deliveries))

    return await store.write(work, ingest=True) if found or daily else 0


def _title(urgent: Sequence[Change]) -> str:
    if not urgent:
        return "watcher: notes of the day"
    if len(urgent) == 1:
        return f"watcher: {urgent[0].text.partition(': ')[0]} {urgent[0].state or 'is well again'}"
    ill = sum(change.state is not None for change in urgent)
    well = len(urgent) - ill
    parts = [f"{ill} need a look" if ill else "", f"{well} well again" if well else ""]
    return "watcher: " + ", ".join(filter(None, parts))


async def _messages(
    services: Services, heard: Sequence[str], title: str, lines: Sequence[str], now: float
) -> list[Delivery]:
    """The message for every target of the channels in `heard`; a channel that cannot be used is left out."""
    more = [f"and {len(lines) - NAMED} more: see `watcher sources`"] if len(lines) > NAMED else []
    text = "\n".join([*lines[:NAMED], *more])
    group = derive_id("health", str(now), text)
    found = []
    for name in heard:
        channel = services.config.channels.get(name)
        if channel is None or channel.withheld:
            continue
        url = channel.url.get_secret_value()
        try:
            transport = transport_for(url)
            await transport.ready(url)
            targets = transport.targets(url)
        except TransportError as error:
            logger.error("the channel's url cannot be used", channel=name, error=error.answer)
            continue
        for target, _ in targets:
            for part, message in enumerate(note(title, text, transport.style(url))):
                found.append(
                    Delivery(
                        id=derive_id(group, name, target.key, str(part)),
                        group=group,
                        channel=name,
                        target=target,
                        part=part,
                        message=message,
                        next_try=now,
                        created_at=now,
                    )
                )
    return found


async def heartbeat(services: Services) -> bool:
    """Fetch `health.heartbeat`, so that whoever waits for it knows that all keeps up; whether it went out.

    It is left out while due work waits for longer than five minutes: the silence is the alarm.
    """
    from watcher.fetch import Request  # noqa: PLC0415 - as heavy as aiohttp

    url = services.config.settings.health.heartbeat.get_secret_value()
    if not url:
        return False
    async with services.store.read() as tx:
        backlog = await tx.claims.backlog()
    if any(backlog[queue].late > LATE for queue in (Queue.SOURCE, Queue.DELIVERY) if queue in backlog):
        logger.error("no heartbeat: due work waits for more than five minutes")
        return False
    try:
        await services.tools.fetch.get(Request(url, accept="*/*"))
    except FetchError as error:
        logger.warning("heartbeat not taken", kind=error.kind.value)  # its URL is a secret
        return False
    return True
