"""What a flush tells: the waiting alerts with what the store knows of them, as a notice and as deliveries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from zoneinfo import ZoneInfo

from watcher.alerting.excerpt import excerpt
from watcher.alerting.notice import Earlier, Notice, Told
from watcher.alerting.render import NAMED_JOINED, render
from watcher.config import Channel
from watcher.model import (
    Alert,
    Claim,
    Coverage,
    Delivery,
    Group,
    Item,
    Message,
    Silence,
    Story,
    Target,
    Update,
    derive_id,
)
from watcher.pipeline.services import Services
from watcher.store import HELD, Tx
from watcher.stories import coverage
from watcher.transports import Transport, transport_for

CAUSES = {HELD: HELD, "limit": "limit"}  # digests that nobody ordered, by the key of their group


@dataclass(frozen=True, slots=True)
class Post:
    """How a channel is sent to: its transport, and its recipients."""

    transport: Transport
    url: str
    targets: tuple[Target, ...]


async def post_of(channel: Channel) -> Post:
    """How `channel` is sent to. Raises TransportError where its URL is unusable."""
    url = channel.url.get_secret_value()
    await transport_for(url).ready(url)
    return _post(url)


@lru_cache(maxsize=256)
def _post(url: str) -> Post:
    """As `post_of`, once its transport is ready; a URL is read once, not with every flush."""
    transport = transport_for(url)
    return Post(transport, url, tuple(target for target, _ in transport.targets(url)))


@dataclass(frozen=True, slots=True)
class News:
    """What a group has to tell now, and what it told before."""

    alerts: tuple[Alert, ...]
    earlier: tuple[Alert, ...]
    items: Mapping[str, Item]
    stories: Mapping[str, Story]
    reach: Mapping[str, Coverage] = field(default_factory=dict)  # who reports it, by event
    headlines: Mapping[str, str] = field(default_factory=dict)  # items' titles now, where others were told

    def without(self, ids: Collection[str]) -> News:
        """The same without these alerts."""
        return replace(
            self,
            alerts=tuple(alert for alert in self.alerts if alert.id not in ids),
            earlier=tuple(alert for alert in self.earlier if alert.id not in ids),
        )

    def known(self, alerts: Iterable[Alert]) -> list[Alert]:
        """Those of which item and story are there."""
        return [alert for alert in alerts if alert.item in self.items and alert.story in self.stories]

    def outlets(self) -> list[str]:
        """Who reports what is told now and was told before, in order of appearance."""
        found: dict[str, None] = {}
        for alert in self.known([*self.earlier, *self.alerts]):
            found |= dict.fromkeys([self.items[alert.item].outlet, *self.stories[alert.story].outlets])
        return [outlet for outlet in found if outlet]

    @property
    def new_story(self) -> bool:
        """Whether a story is told that was not told before."""
        return bool({alert.story for alert in self.alerts} - {alert.story for alert in self.earlier})

    @property
    def updates(self) -> tuple[Update, ...]:
        """What is told of changes of what was told before."""
        return tuple(alert.update for alert in self.alerts if alert.update is not None)

    @property
    def answers(self) -> bool:
        """Whether it is a reply to what was told before, and no message of its own."""
        apart = bool(self.updates) and len(self.updates) == len(self.alerts)
        return not (apart and all(update.how == "alert" for update in self.updates))


async def gather(tx: Tx, claim: Claim[Group]) -> News:
    """What the claimed group has to tell."""
    alerts = await tx.alerts.get(await tx.groups.members(claim))
    earlier: list[Alert] = []
    if claim.row.kind == "alert" and claim.row.flush_no:
        waiting = {alert.id for alert in alerts}
        earlier = [alert for alert in await tx.alerts.for_group(claim.id) if alert.id not in waiting]
    return await news_of(tx, alerts, earlier)


async def news_of(tx: Tx, alerts: Sequence[Alert], earlier: Sequence[Alert] = ()) -> News:
    """These alerts, with what the store knows of them."""
    items = await tx.items.get([alert.item for alert in (*alerts, *earlier)])
    stories = await tx.stories.get([alert.story for alert in (*alerts, *earlier)])
    outlets = await tx.events.outlets({story.event for story in stories.values()})
    reach = {event: coverage(each) for event, each in outlets.items()}
    return News(tuple(alerts), tuple(earlier), items, stories, reach, await tx.versions.headlines(items))


def silenced(news: News, silences: Sequence[Silence], channel: str) -> dict[str, Silence]:
    """By alert, the silence that holds it back: of those in force, the one that ends last."""
    held: dict[str, Silence] = {}
    for silence in sorted(silences, key=lambda one: one.until):
        for alert in (*news.alerts, *news.earlier):
            item = news.items.get(alert.item)
            names = {"rule": alert.rule, "source": item.source if item else "", "channel": channel}
            if names.get(silence.kind) == silence.name:
                held[alert.id] = silence
    return held


def told(services: Services, news: News, alerts: Iterable[Alert]) -> tuple[Told, ...]:
    """Alerts as they are to be told."""
    return tuple(
        _told(services, alert, news.items[alert.item], news.stories[alert.story], news.reach)
        for alert in news.known(alerts)
    )


def _told(services: Services, alert: Alert, item: Item, story: Story, reach: Mapping[str, Coverage]) -> Told:
    rule = services.rules.get(alert.rule)
    return Told(
        alert=alert.id,
        rule=rule.name if rule is not None else alert.rule,
        priority=rule.priority if rule is not None else "normal",
        story=story.id,
        title=item.title,
        url=item.url,
        outlet=item.outlet or item.source,
        published=item.published,
        seen=story.opened_at,
        excerpt=excerpt(item, alert.spans),
        title_spans=tuple(span for span in alert.spans if span.field == "title"),
        others=tuple(outlet for outlet in story.outlets if outlet != item.outlet),
        note=alert.note,
        mention=rule.mention if rule is not None else "",
        reach=reach.get(story.event),
        update=alert.update,
    )


def notice(
    services: Services, group: Group, channel: Channel, news: News, now: float, remarks: tuple[str, ...] = ()
) -> Notice:
    """What the channel is told now: a first message, a follow-up on what it was told, or a digest."""
    earlier = None
    if news.earlier:
        joined = tuple(outlet for outlet in news.outlets() if outlet not in group.outlets)
        first = next(iter(news.known(news.earlier)), None)
        title = news.items[first.item].title if first else ""
        headline = news.headlines.get(first.item, "") if first else ""
        earlier = Earlier(title, joined, headline, news.reach.get(event_of(group)))
    cause = "silence" if group.key.startswith("silence:") else CAUSES.get(group.key, "")
    cause = cause if group.kind == "digest" else ""
    return Notice(
        channel=channel.name,
        kind=group.kind,
        told=told(services, news, news.alerts),
        timezone=ZoneInfo(channel.timezone),
        now=now,
        cause=cause,
        since=min((alert.created_at for alert in news.alerts), default=None) if cause else None,
        remarks=remarks,
        thread=event_of(group),
        earlier=earlier,
    )


def event_of(group: Group) -> str:
    """The event that a group tells of; "" for groups of all sorts."""
    return group.key.partition(":")[2] if group.kind == "alert" else ""


def first_again(services: Services, group: Group, notice: Notice, news: News, first: Collection[str]) -> Notice:
    """The event's first message as it would be written today: with the outlets and rules that joined since."""
    alerts = [alert for alert in news.earlier if alert.id in first]
    stories = {alert.story for alert in alerts}
    since = [
        alert
        for alert in (*news.earlier, *news.alerts)
        if alert.id not in first and alert.story in stories and alert.update is None
    ]
    known = news.known([*alerts, *since])
    again = [
        replace(one, title=headline, title_spans=()) if (headline := news.headlines.get(alert.item)) else one
        for one, alert in zip(told(services, news, known), known, strict=True)
    ]
    retitled = any(alert.item in news.headlines for alert in known)
    grown = growth(group.first_outlets, len(news.outlets()), retitled)
    if again and grown:
        again[0] = replace(again[0], note=f"{again[0].note} · {grown}" if again[0].note else grown)
    return replace(notice, told=tuple(again), earlier=None, named=NAMED_JOINED)


def growth(before: int, now: int, retitled: bool) -> str:
    """How an event has grown since its first message: "3 → 11 outlets, headline changed"; "" where it has not."""
    more = f"{before} → {now} outlets" if 0 < before < now else ""
    return ", ".join(filter(None, [more, "headline changed" if retitled else ""]))


def deliveries(
    claim: Claim[Group],
    channel: Channel,
    post: Post,
    notice: Notice,
    again: Notice | None,
    handles: Mapping[str, str],
    now: float,
) -> list[Delivery]:
    """The group's messages, each part for each target; where it has a handle in reply, or with `again` as an edit."""
    style = post.transport.style(post.url)
    parts = render(notice, style, channel.templates)
    edited = render(again, style, channel.templates) if again is not None else []

    def one(target: Target, part: int, message: Message, edits: str = "", answers: str = "") -> Delivery:
        return Delivery(
            id=derive_id(claim.id, str(claim.row.flush_no), channel.name, target.key, str(part)),
            group=claim.id,
            channel=channel.name,
            target=target,
            part=part,
            message=message,
            alerts=tuple(told.alert for told in notice.told),
            next_try=now,
            created_at=now,
            edits=edits,
            answers=answers,
        )

    made: list[Delivery] = []
    for target in post.targets:
        if edited and target.key in handles:
            made.append(one(target, 0, edited[0], handles[target.key]))
        else:
            answers = handles.get(target.key, "")
            made += [one(target, part, message, answers=answers) for part, message in enumerate(parts)]
    return made


def silence_remark(silence: Silence | None) -> tuple[str, ...]:
    """What is said of the silence that held back what is told now."""
    if silence is None:
        return ()
    what = "this channel" if silence.kind == "channel" else f"{silence.kind} {silence.name}"
    return (f"The silence on {what} has ended{f' ({silence.note})' if silence.note else ''}.",)
