"""DELIVER: send one message to one target by its channel's transport."""

from __future__ import annotations

from functools import partial

from watcher import log
from watcher.alerting.group import Limit, after_spending
from watcher.alerting.retry import Dead, next_try
from watcher.config import Channel
from watcher.errors import Failure, TransportError
from watcher.model import Claim, Delivery, Reason
from watcher.pipeline.services import LATER, Counts, Services
from watcher.store import ChannelState, Tx
from watcher.transports import Receipt, Transport, transport_for

PATIENCE = 5.0  # seconds that a message waits here for its turn at a service that takes so many a second

logger = log.get("deliver")


async def deliver(services: Services, claim: Claim[Delivery]) -> Counts:
    """Send the claimed delivery once and write down what the channel answered.

    The try is written down before the message goes out, so that a crash in between is seen as one that may have been
    received. Raises LeaseLost where another worker took the delivery over meanwhile.
    """
    delivery, store = claim.row, services.store
    channel = services.config.channels.get(delivery.channel)
    if channel is None and await services.is_behind():
        later = store.now() + LATER
        await store.write(lambda tx: tx.deliveries.postpone(claim, later, Reason.CHANNEL_REMOVED))
        return Counts(retrying=1)
    if channel is None:
        await store.write(lambda tx: tx.deliveries.dead(claim, Reason.CHANNEL_REMOVED, ""))
        logger.error("dead letter", channel=delivery.channel, reason=Reason.CHANNEL_REMOVED.value)
        return Counts(dead=1)
    if channel.withheld:
        later = store.now() + LATER
        await store.write(lambda tx: tx.deliveries.postpone(claim, later, Reason.CHANNEL_WITHHELD))
        return Counts(retrying=1)
    try:
        transport, address = await _address(channel, delivery)
    except TransportError as error:
        later, answer = store.now() + LATER, error.answer
        await store.write(lambda tx: tx.deliveries.postpone(claim, later, Reason.CHANNEL_UNUSABLE))
        logger.error("the channel's url cannot be used", channel=channel.name, error=answer)
        return Counts(retrying=1)
    if address is None:
        await store.write(lambda tx: tx.deliveries.dead(claim, Reason.TARGET_REMOVED, ""))
        logger.error("dead letter", channel=channel.name, reason=Reason.TARGET_REMOVED.value)
        return Counts(dead=1)
    return await _send(services, claim, channel, transport, address)


async def _address(channel: Channel, delivery: Delivery) -> tuple[Transport, str | None]:
    """How the delivery is sent, and the URL of its one recipient; None where the channel no longer names it."""
    url = channel.url.get_secret_value()
    transport = transport_for(url)
    await transport.ready(url)
    return transport, {target.key: one for target, one in transport.targets(url)}.get(delivery.target.key)


async def _send(
    services: Services, claim: Claim[Delivery], channel: Channel, transport: Transport, address: str
) -> Counts:
    delivery, store = claim.row, services.store

    rates = tuple(Limit(count, seconds) for count, seconds in transport.rates(address))

    async def begin(tx: Tx) -> tuple[ChannelState, float] | None:
        """The target's state, and when its service takes the message; None where that is not soon."""
        now, target = store.now(), delivery.target.key
        state = await tx.channels.get(channel.name, target)
        if state.hold_until > now:
            await tx.deliveries.postpone(claim, state.hold_until, Reason.CHANNEL_HELD)
            return None
        turn = await _turn(tx, rates, target, now) if rates else now
        if turn > now + PATIENCE:
            await tx.deliveries.postpone(claim, turn, Reason.SERVICE_RATE)
            return None
        if turn <= now:
            await tx.deliveries.begin(claim, now)
        return state, turn

    begun = await store.write(begin)
    if begun is None:
        return Counts(retrying=1)
    state, turn = begun
    if turn > store.now():
        await services.clock.sleep(turn - store.now())
        await store.write(lambda tx: tx.deliveries.begin(claim, store.now()))
    if state.moved_to:
        address = transport.retarget(address, state.moved_to)
    try:
        receipt = await _hand_over(transport, address, delivery)
    except TransportError as error:
        return await _failed(services, claim, error, state.moved_to)
    now = store.now()

    async def sent(tx: Tx) -> None:
        await tx.deliveries.sent(claim, receipt.answer, now, receipt.handle)
        if state.refused is not None:
            await tx.channels.refuse(channel.name, delivery.target.key, None, now)
        if state.failing is not None:
            await tx.channels.works(channel.name, delivery.target.key)

    await store.write(sent)
    logger.info("sent", channel=channel.name, target=delivery.target.label, title=delivery.message.title)
    return Counts(sent=1)


async def _turn(tx: Tx, rates: tuple[Limit, ...], target: str, now: float) -> float:
    """When the service takes one more message for the target; taken from its rates where that is soon."""
    tokens = await tx.channels.tokens("", "rate", target)
    turn = after_spending(rates, tokens, now, ahead=PATIENCE).wait_until or now
    if turn <= now + PATIENCE:
        await tx.channels.set_tokens(
            "", "rate", after_spending(rates, tokens, turn, ahead=PATIENCE).tokens, now, target
        )
    return turn


async def _hand_over(transport: Transport, address: str, delivery: Delivery) -> Receipt:
    """Send the message: in the place of an earlier one, else in reply to it, where that is still there."""
    edit = partial(transport.edit, address, delivery.edits, delivery.message)
    reply = partial(transport.reply, address, delivery.edits or delivery.answers, delivery.message, delivery.id)
    for attempt in (edit,) * bool(delivery.edits) + (reply,) * bool(delivery.edits or delivery.answers):
        try:
            return await attempt()
        except TransportError as error:
            if error.failure is not Failure.PERMANENT:
                raise
    return await transport.send(address, delivery.message, delivery.id)


async def _failed(services: Services, claim: Claim[Delivery], error: TransportError, known_move: str | None) -> Counts:
    delivery, store, now = claim.row, services.store, services.store.now()
    attempts = delivery.attempts + 1
    if error.moved_to is not None and error.moved_to != known_move:
        moved_to = error.moved_to

        async def move(tx: Tx) -> None:
            await tx.channels.move(delivery.channel, delivery.target.key, moved_to)
            await tx.deliveries.retry(claim, now, error.answer, ambiguous=False)

        await store.write(move)
        return Counts(retrying=1)
    again = next_try(error.failure, attempts, delivery.first_try or now, now, error.retry_after, services.rng)
    if isinstance(again, Dead):

        async def dead(tx: Tx) -> None:
            await tx.deliveries.dead(claim, again.reason, error.answer)
            if error.failure is Failure.PERMANENT:
                await tx.channels.refuse(delivery.channel, delivery.target.key, error.answer, now)

        await store.write(dead)
        logger.error("dead letter", channel=delivery.channel, target=delivery.target.label, answer=error.answer)
        return Counts(dead=1)

    async def retry(tx: Tx) -> None:
        await tx.deliveries.retry(claim, again, error.answer, ambiguous=error.failure is Failure.AMBIGUOUS)
        down = await tx.channels.failed(delivery.channel, delivery.target.key, delivery.id)
        if down or error.retry_after is not None:  # the matter of the whole target, not of this message
            await tx.channels.stop(delivery.channel, delivery.target.key, again)

    await store.write(retry)
    logger.warning(
        "not sent",
        channel=delivery.channel,
        target=delivery.target.label,
        answer=error.answer,
        failure=error.failure.value,
        again_in=f"{again - now:.0f}s",
    )
    return Counts(retrying=1)
