"""Values for the store's tests, and rows of each queue."""

from __future__ import annotations

import itertools
from typing import Any

from sqlalchemy import update

from tests.clock import START
from watcher.model import (
    Alert,
    AlertState,
    Delivery,
    Item,
    Message,
    Queue,
    Reason,
    Story,
    Style,
    Target,
    derive_id,
)
from watcher.store import Store
from watcher.store.tables import subscription

HUB = "https://hub.example/"
NUMBERS = itertools.count()


def item(name: str, source: str = "wire", **values: Any) -> Item:
    defaults: dict[str, Any] = {"title": f"Title {name}", "body": f"Body {name}", "url": f"https://example.org/{name}"}
    return Item(id=name, source=source, **{**defaults, **values})


def story(name: str, first_item: str = "", **values: Any) -> Story:
    defaults: dict[str, Any] = {"opened_at": START, "seen_at": START, "event": name, "title": f"Story {name}"}
    return Story(id=name, first_item=first_item or f"{name}-item", **{**defaults, **values})


def alert(name: str, rule: str = "rule", story: str = "story", **values: Any) -> Alert:
    defaults: dict[str, Any] = {"state": AlertState.WAITING, "reason": Reason.FIRST_SIGHT, "created_at": START}
    return Alert(id=name, rule=rule, story=story, **{"item": "item", **defaults, **values})


def delivery(name: str, **values: Any) -> Delivery:
    defaults: dict[str, Any] = {
        "group": "group",
        "channel": "desk",
        "target": Target("target", "…1234"),
        "part": 0,
        "message": Message("A title", "A body", Style.TELEGRAM, thread="story"),
        "alerts": ("alert",),
        "next_try": START,
        "created_at": START,
    }
    return Delivery(id=name, **{**defaults, **values})


async def put_source(store: Store, *names: str, due: float = START) -> None:
    await store.write(lambda tx: tx.sources.sync([(name, due, "feed", "address") for name in names], START))


async def put_subscription(store: Store, *names: str, due: float = START) -> None:
    """Subscriptions that are to be asked for at `due`."""

    async def work(tx: Any) -> None:
        for name in names:
            await tx.subscriptions.want(name, (HUB, f"https://{name}.example/feed"), lambda: f"{next(NUMBERS)}")

    await store.write(work)
    await store.write(
        lambda tx: tx.subscriptions._run(update(subscription).where(subscription.c.id.in_(names)).values(due=due))
    )


async def put_alert(store: Store, name: str, channel: str = "desk", flush_at: float = START, **values: Any) -> str:
    async def work(tx: Any) -> str:
        await tx.alerts.add(alert(name, story=f"story of {name}"))
        return await tx.groups.put(channel, "alert", "event", flush_at, name, now=tx.now, **values)  # type: ignore[no-any-return]

    return await store.write(work)


async def put_work(store: Store, queue: Queue, *names: str, due: float = START) -> list[str]:
    """Rows of `queue` that are due at `due`; their ids."""
    if queue is Queue.SOURCE:
        await put_source(store, *names, due=due)
        return list(names)
    if queue is Queue.ITEM:
        items = [item(name) for name in names]
        await store.write(lambda tx: tx.items.add(items, now=START, baseline=False, read_at=due))
        return list(names)
    if queue is Queue.DELIVERY:
        await store.write(lambda tx: tx.deliveries.add([delivery(name, next_try=due) for name in names]))
        return list(names)

    if queue is Queue.SUBSCRIPTION:
        await put_subscription(store, *names, due=due)
        return list(names)

    async def groups(tx: Any) -> list[str]:
        ids = []
        for name in names:
            await tx.alerts.add(alert(name))
            ids.append(await tx.groups.put("desk", "alert", name, due, name, now=START))
        return ids

    return await store.write(groups)


def group_id(channel: str, kind: str, key: str) -> str:
    return derive_id("group", channel, kind, key)
