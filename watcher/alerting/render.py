"""Alerts in words: what a channel is sent, in the way that its service wants it written.

Every style has one template file (e-mail has two) of macros that write one part each; here the parts are put
together and kept within what the service takes. What a feed said is only ever a value in a template: it is cleaned and
escaped on its way out, whether or not the template thinks of it, and it is cut before it is escaped, so that a message
never ends within a tag or an entity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from watcher import log
from watcher.alerting import document
from watcher.alerting.clean import cut, link, one_line, visible
from watcher.alerting.excerpt import Excerpt, marked
from watcher.alerting.notice import Earlier, Notice, Told
from watcher.alerting.styles import EMAIL_HTML, STYLES, Sheet, Writing, sheet
from watcher.model import Coverage, Message, Style

logger = log.get("render")

LONGEST_TITLE = 250
LONGEST_SUBJECT = 150
NAMED_RULES = 8
LONGEST_NAME = 80
NAMED_JOINED = 60
HEADINGS = {
    "held": " while this channel could not be reached",
    "limit": " over this channel's limit",
    "silence": " that a silence held back",
}
SIGNS = ("−", "+")  # before what was said, and before what is said now
FEW = 5  # so many alerts in one message still show their sentences in chats


@dataclass(frozen=True, slots=True)
class Entry:
    """A story in a message, as templates see it: all text is on one line and nothing is escaped yet."""

    number: int
    rules: tuple[str, ...]  # names of the rules that matched it
    urgent: bool
    title: Excerpt
    url: str  # "" or http(s), with nothing in it that could end a link
    outlet: str
    when: str
    excerpt: Excerpt
    others: tuple[str, ...]  # as many other outlets as are named
    more_others: int  # how many more there are
    notes: tuple[str, ...]
    brief: bool  # one of many
    mention: str = ""  # markup of Slack's, not to be escaped
    reach: str = ""  # who reports the event, "4 outlets: 2 copies, 2 own reports"; "" where it is one
    changes: tuple[tuple[str, str], ...] = ()  # of an update: a sign, − for what was said and + for what is, and that
    alerts: int = field(default=1)

    @property
    def other_count(self) -> int:
        """How many other outlets carry the story."""
        return len(self.others) + self.more_others

    @property
    def elsewhere(self) -> bool:
        """Whether others report it, too."""
        return bool(self.reach or self.other_count)

    def shorter(self, length: int) -> Entry:
        """The same with no text longer than `length` characters, and without its link where that is longer."""
        url = self.url if len(self.url) <= length * 4 else ""
        others = self.others[: max(1, length // 50)]
        rules = tuple(cut(rule, length) for rule in self.rules[: max(1, length // 20)])
        return replace(
            self,
            rules=rules,
            title=self.title.cut(length),
            url=url,
            outlet=cut(self.outlet, length),
            excerpt=self.excerpt.cut(length),
            others=tuple(cut(other, length) for other in others),
            more_others=self.other_count - len(others),
            notes=tuple(cut(note, length) for note in self.notes[:2]),
            changes=tuple((sign, cut(text, length)) for sign, text in self.changes[: max(2, length // 50)]),
        )


def render(notice: Notice, style: Style, templates: Path | None = None) -> list[Message]:
    """Write `notice` as one or several messages, in the order in which they are to be sent.

    `templates` is the user's folder, whose files replace ours by name; where one of them fails, that is logged and the
    message is written with ours, because an alert in the wrong dress is better than none.
    """
    if templates is not None:
        try:
            return _render(notice, style, templates)
        except Exception as error:  # a user's template can raise whatever it likes
            logger.error("template failed; using ours", channel=notice.channel, folder=str(templates), error=str(error))
    return _render(notice, style, None)


def note(title: str, text: str, style: Style) -> list[Message]:
    """Write a message that is no alert, e.g. about the watcher's own health. Lines of `text` stay lines."""
    if style is Style.JSON:
        return [document.note(cut(one_line(title), LONGEST_SUBJECT), text)]
    writing = STYLES[style]
    lines = [one_line(line) for line in text.splitlines() if visible(line)]
    own = sheet(writing, None)
    pages: list[str] = []
    current: list[str] = []
    for line in lines:
        shown = cut(line, writing.limit // 8)
        if current and writing.size(own.note(title, [*current, shown])) > writing.limit:
            pages.append(own.note(title, current))
            current = []
        current.append(shown)
    pages.append(own.note(title, current))
    subject = cut(one_line(title), LONGEST_SUBJECT)
    if style is not Style.EMAIL:
        return [Message(subject, page, style) for page in pages]
    page = sheet(EMAIL_HTML, None)
    html = page.page(subject, "", page.note(title, lines))
    return [Message(subject, "\n".join([one_line(title), "", *lines]), style, html=html)]


def _render(notice: Notice, style: Style, templates: Path | None) -> list[Message]:
    entries = _entries(notice)
    subject = _subject(notice, entries, style)
    thread = notice.thread or (notice.told[0].story if len({told.story for told in notice.told}) == 1 else "")
    if style is Style.JSON:
        return [document.write(notice, subject, thread)]
    writing = STYLES[style]
    own = sheet(writing, templates)
    if style is not Style.EMAIL:
        parts, _ = _compose(notice, entries, writing, own)
        numbers = [f" ({number}/{len(parts)})" if len(parts) > 1 else "" for number in range(1, len(parts) + 1)]
        return [
            Message(subject + number, part, style, thread=thread) for part, number in zip(parts, numbers, strict=True)
        ]
    html = sheet(EMAIL_HTML, templates)
    (body,), shown = _compose(notice, entries, EMAIL_HTML, html)
    (text,), _ = _compose(notice, entries, replace(writing, listed=shown), own)  # both parts name the same
    preheader = _preheader(entries[0]) if len(entries) == 1 else _explanation(notice) if notice.earlier else ""
    return [Message(subject, text, style, html=html.page(subject, preheader, body), thread=thread)]


def _preheader(entry: Entry) -> str:
    """What a list of mails shows beside the subject."""
    return entry.changes[-1][1] if entry.changes else entry.excerpt.text


def _compose(notice: Notice, entries: Sequence[Entry], writing: Writing, own: Sheet) -> tuple[list[str], int]:
    """The message's parts, and how many of the entries they name."""
    if len(entries) == 1 and _single(notice):
        return [_fitting(entries[0], own.alert, writing, writing.longest)], 1
    most = 1 if notice.kind == "alert" else writing.parts
    share = min(writing.longest, writing.limit // 3)
    parts: list[str] = []
    current = own.head(_heading(notice, entries), _explanation(notice))
    rules: tuple[str, ...] = ()
    left = sum(entry.alerts for entry in entries)
    for index, entry in enumerate(entries):
        piece = _fitting(entry, own.entry, writing, share)
        if entry.rules != rules:
            alike = sum(1 for other in entries[index:] if other.rules == entry.rules)
            piece = own.rule(entry.rules, alike) + writing.gap + piece
        longer = f"{current}{writing.between}{piece}" if current else piece
        last = len(parts) + 1 == most
        closing = f"{writing.between}{own.more(left)}" if last and index + 1 < len(entries) else ""
        if index == writing.listed or (last and writing.size(longer + closing) > writing.limit):
            return [*parts, f"{current}{writing.between}{own.more(left)}"], index
        if writing.size(longer) > writing.limit:
            parts.append(current)
            longer = piece
        current, rules = longer, entry.rules
        left -= entry.alerts
    return [*parts, current], len(entries)


def _fitting(entry: Entry, write: Callable[[Entry], str], writing: Writing, most: int) -> str:
    """What `write` makes of the entry, whose own texts are cut until that is no longer than `most`."""
    text, length = write(entry), LONGEST_TITLE * 2
    while writing.size(text) > most and length > 20:
        length //= 2
        text = write(entry.shorter(length))
    return text


def _entries(notice: Notice) -> list[Entry]:
    """One entry a story, by rule: the rule with most first; of a rule, stories in most outlets first, then newest.

    A story of which a rule tells for the first time, while another tells of an update, has two.
    """
    updated = {(told.story, told.rule) for told in notice.told if told.update}
    of_updates = {story for story, _ in updated}
    by_story: dict[tuple[str, bool], list[Told]] = {}
    for told in notice.told:  # what a rule tells for the first time stands beside the update of what another one told
        is_first = told.story in of_updates and (told.story, told.rule) not in updated
        by_story.setdefault((told.story, is_first), []).append(told)
    stories = [(tuple(dict.fromkeys(told.rule for told in group)), group) for group in by_story.values()]
    sizes: dict[tuple[str, ...], int] = {}
    for rules, _ in stories:
        sizes[rules] = sizes.get(rules, 0) + 1
    stories.sort(key=lambda one: (-sizes[one[0]], one[0], -len(one[1][0].others), -one[1][0].seen))
    brief = len(stories) > FEW
    together = bool(_shared_reach(notice))
    return [_entry(number, rules, group, notice, brief, together) for number, (rules, group) in enumerate(stories, 1)]


def _entry(
    number: int, rules: tuple[str, ...], group: Sequence[Told], notice: Notice, brief: bool, together: bool
) -> Entry:
    told = next((one for one in reversed(group) if one.update), group[0])  # as it is now
    url = link(told.url)
    spans = [span for one in group for span in one.title_spans]
    title = marked(told.title, spans) if visible(told.title) else Excerpt(one_line(told.url) or "(no title)")
    others = tuple(cut(one_line(other), LONGEST_NAME) for other in told.others)
    best = max(group, key=lambda one: len(one.excerpt.marks))
    return Entry(
        number=number,
        rules=_names(rules),
        urgent=any(one.priority == "high" for one in group),
        title=title.cut(LONGEST_TITLE),
        url=url,
        outlet=cut(one_line(told.outlet), LONGEST_NAME),
        when=_when(told, notice),
        excerpt=best.excerpt,
        others=others[: notice.named],
        more_others=len(others[notice.named :]),
        notes=tuple(dict.fromkeys(cut(one_line(one.note), LONGEST_TITLE) for one in group if one.note)),
        brief=brief,
        mention=" ".join(dict.fromkeys(one.mention for one in group if one.mention)),
        reach="" if together else _reach(told.reach),  # said once, over all of them
        changes=_changes(group),
        alerts=len(group),
    )


def _reach(reach: Coverage | None) -> str:
    return str(reach) if reach is not None and reach.outlets > 1 else ""


def _shared_reach(notice: Notice) -> str:
    """Who reports the one event that several stories or a follow-up are about: said once, over all of them."""
    several = len({told.story for told in notice.told}) > 1
    if notice.kind != "alert" or not (several or not _single(notice)):
        return ""
    return _reach(notice.earlier.reach if notice.earlier else notice.told[0].reach)


def _changes(group: Sequence[Told]) -> tuple[tuple[str, str], ...]:
    """What changed of a story since it was told, each change once."""
    edits = dict.fromkeys(edit for one in group if one.update for edit in one.update.edits)
    signed = [(sign, one_line(text)) for edit in edits for sign, text in zip(SIGNS, edit, strict=True)]
    return tuple((sign, cut(text, LONGEST_TITLE)) for sign, text in signed if visible(text))


def _single(notice: Notice) -> bool:
    """Whether one story stands for itself, without a heading that says why it comes now."""
    return not notice.cause and not notice.remarks and (notice.earlier is None or notice.only_updates)


def _names(rules: tuple[str, ...]) -> tuple[str, ...]:
    more = (_more(len(rules) - NAMED_RULES),) if len(rules) > NAMED_RULES else ()
    return tuple(cut(one_line(rule), LONGEST_NAME) for rule in rules[:NAMED_RULES]) + more


def _more(rules: int) -> str:
    return f"{rules} more rule{'' if rules == 1 else 's'}"


def _when(told: Told, notice: Notice) -> str:
    moment = told.published if told.published is not None else told.seen
    try:
        local = datetime.fromtimestamp(moment, notice.timezone)
    except (ValueError, OverflowError, OSError):  # a feed's date that no calendar has
        return ""
    today = datetime.fromtimestamp(notice.now, notice.timezone)
    day = f"{local.day} {local:%b}" if local.year == today.year else f"{local.day} {local:%b %Y}"
    zone = local.tzname() or ""
    zone = f"UTC{zone}" if zone[:1] in "+-" else zone
    return f"{'' if told.published is not None else 'seen '}{day}, {local:%H:%M} {zone}"


def _subject(notice: Notice, entries: Sequence[Entry], style: Style) -> str:
    names = tuple(dict.fromkeys(rule for entry in entries for rule in entry.rules))
    shown = ", ".join(names[:3]) + (f" and {_more(len(names) - 3)}" if len(names) > 3 else "")
    replies = any(told.update is None or told.update.how == "reply" for told in notice.told) or not notice.told
    if notice.earlier is not None and style is Style.EMAIL and replies:  # mail clients thread by the subject, too
        return cut(f"Re: [{shown}] {one_line(notice.earlier.title)}", LONGEST_SUBJECT)
    if len(entries) == 1 and _single(notice):
        updated = "Update: " if notice.only_updates else ""
        return cut(f"[{shown}] {updated}{entries[0].title}", LONGEST_SUBJECT)
    return cut(f"[{shown}] {_heading(notice, entries)}", LONGEST_SUBJECT)


def _heading(notice: Notice, entries: Sequence[Entry]) -> str:
    if notice.kind == "baseline":
        return f"{len(entries)} stories were there already"
    if notice.earlier is not None:
        return _more_of_it(notice, notice.earlier, entries)
    if notice.only_updates and not notice.cause and notice.kind == "alert":
        return _updates(entries)
    alerts = sum(entry.alerts for entry in entries)
    counted = f"{alerts} alert{'s' if alerts > 1 else ''}"
    counted = counted if alerts == len(entries) else f"{counted} on {len(entries)} stor{_y(len(entries))}"
    return counted + HEADINGS.get(notice.cause, "")


def _y(count: int) -> str:
    return "y" if count == 1 else "ies"


def _updates(entries: Sequence[Entry]) -> str:
    return f"{len(entries)} update{'s' if len(entries) > 1 else ''}"


def _more_of_it(notice: Notice, earlier: Earlier, entries: Sequence[Entry]) -> str:
    if earlier.outlets:
        return f"Also reported by {len(earlier.outlets)}"
    if notice.only_updates:
        return _updates(entries)
    return f"{len(entries)} more report{'s' if len(entries) > 1 else ''} of it"


def _explanation(notice: Notice) -> str:
    said = [*notice.remarks, *filter(None, [_shared_reach(notice)])]
    if notice.kind == "baseline":
        said.append(
            "Your rules match them in what the sources held at the first look. What is new comes as it happens."
        )
    if notice.earlier is not None:
        names = [cut(one_line(outlet), LONGEST_NAME) for outlet in notice.earlier.outlets]
        more = f" and {len(names) - NAMED_JOINED} more" if len(names) > NAMED_JOINED else ""
        said += [", ".join(names[:NAMED_JOINED]) + more] if names else []
        now = cut(one_line(notice.earlier.headline), LONGEST_TITLE)
        said.append(f"Told before: {cut(one_line(notice.earlier.title), LONGEST_TITLE)}")
        said += [f"The headline is now: {now}"] if now else []
    if notice.cause and notice.since is not None:
        said.append(f"The oldest came {age(notice.now - notice.since)} ago.")
    return " · ".join(said)


def age(seconds: float) -> str:
    """A span of time in words, in one unit."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = round(seconds / size)
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
