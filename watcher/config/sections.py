"""The sections of a configuration, each turned from nodes into checked models."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_settings import SettingsError

from watcher.config import nodes
from watcher.config.entries import Entry, entries, explain, references, validate, words
from watcher.config.expand import Expander, has_withheld, is_withheld
from watcher.config.nodes import File
from watcher.config.queries import Terms, parse_at
from watcher.config.report import Report, near
from watcher.config.secrets import Lookup
from watcher.config.settings import PREFIX, Settings, build, system_timezone
from watcher.config.watchlist import Channel, Rule

if TYPE_CHECKING:
    from watcher.sources import Source

WITHHELD_URL = "withheld://"
WITHHELD_ADDRESS = "https://withheld.invalid/"


class Sections:
    """Turns read files into models, section by section; what is wrong goes into the report.

    `withheld` gathers the channels and sources that lack a secret, `private_hosts` the hosts that sources were written
    with.
    """

    def __init__(self, files: list[File], folder: Path, lookup: Lookup, report: Report) -> None:
        self.files = files
        self.folder = folder
        self.lookup = lookup
        self.report = report
        self.expander = Expander(lookup, report)
        self.withheld: set[str] = set()
        self.private_hosts: set[str] = set()
        self.timezone_set = False

    def settings(self) -> Settings:
        """The settings; the defaults where they have problems."""
        self._lint_variables()
        found = entries(self.files, "settings", self.report)
        written = {
            name: self.expander.value(entry.file, entry.node)
            for name, entry in found.items()
            if not is_withheld(entry.node)
        }
        try:
            settings = build(written, self.lookup)
        except SettingsError:
            hint = f"or set its parts one by one, as in {PREFIX}FETCH__TIMEOUT=10s"
            self.report.add_elsewhere("environment", f"a whole section ({PREFIX}FETCH, …) must be JSON", hint)
            settings = Settings()
        except ValidationError as error:
            for details in error.errors(include_url=False):
                self._explain_setting(details, found)
            settings = Settings()
        update: dict[str, Any] = {"store": absolute_store(settings.store, self.folder)}
        self.timezone_set = "timezone" in settings.model_fields_set
        if not self.timezone_set:
            update["timezone"] = system_timezone(self.lookup.env)
        return settings.model_copy(update=update)

    def _lint_variables(self) -> None:
        """Warn of variables that look like settings and set nothing."""
        for name in self.lookup.env:
            first, nested, _ = name.removeprefix(PREFIX).lower().partition("__")
            if name.startswith(PREFIX) and first not in Settings.model_fields:
                meant = get_close_matches(first, Settings.model_fields, n=1, cutoff=0.8)
                if nested or meant:
                    hint = f"did you mean {PREFIX}{meant[0].upper()}?" if meant else ""
                    self.report.add_elsewhere(f"environment variable {name}", "sets nothing", hint, "warning")

    def _explain_setting(self, details: Any, found: Mapping[str, Entry]) -> None:
        """Report an error of the settings where the value came from: a variable, a secret's file, or the YAML."""
        loc = [str(part) for part in details["loc"]]
        names = {name.upper(): name for name in (*self.lookup.names(), *self.lookup.env)}
        for length in range(len(loc), 0, -1):
            name = names.get((PREFIX + "__".join(loc[:length])).upper())
            if name:
                self.report.add_elsewhere(f"environment variable or secret {name}", words(details)[0])
                return
        entry = found.get(loc[0])
        if entry is None:
            self.report.add_elsewhere("settings", f"{'.'.join(loc)}: {words(details)[0]}")
        elif details["type"] == "extra_forbidden" and len(loc) == 1:
            self.report.add_at(entry.file, entry.key, f'unknown key "{loc[0]}"', near(loc[0], Settings.model_fields))
        else:
            root = nodes.Mapping(entry.key.start, entries={entry.name: (entry.key, entry.node)})
            explain(details, Entry("settings", entry.file, entry.key, root), Settings, self.report)

    def channels(self, settings: Settings) -> dict[str, Channel]:
        """The channels that have no problem."""
        channels = {}
        for name, entry in entries(self.files, "channels", self.report).items():
            data = self.expander.value(entry.file, entry.node)
            withheld = has_withheld(entry.node)
            if isinstance(data, dict):
                self._lint_hours(entry, data, settings.timezone)
                data.setdefault("timezone", settings.timezone)
                if withheld:
                    data["url"] = WITHHELD_URL
            channel = validate(Channel, entry, data, self.report, base=self.folder)
            if channel is not None:
                channels[name] = channel.named(name, withheld=withheld)
                self._check_url(entry, channel)
            if withheld:
                self.withheld.add(name)
        return channels

    def health(self, settings: Settings) -> None:
        """Report channels that are to hear of the sources' health and are not there, and hubs that nobody would hear.

        The heartbeat may be private.
        """
        entry = entries(self.files, "settings", Report()).get("health")
        if entry is not None:
            known = entries(self.files, "channels", Report())
            references(entry, "notify", list(settings.health.notify), known, self.report, what="channel")
        if settings.public_url and not settings.web.listen:
            found = entries(self.files, "settings", Report()).get("public_url")
            hint = "write settings: {web: {listen: 127.0.0.1:8080}}, and let a reverse proxy lead there"
            remark = "hubs of feeds are told public_url, and nothing listens for what they push"
            if found is not None:
                self.report.add_at(found.file, found.key, remark, hint, "warning")
            else:
                self.report.add_elsewhere("settings", remark, hint, "warning")
        if host := urlsplit(settings.health.heartbeat.get_secret_value()).hostname:
            self.private_hosts.add(host)

    def _check_url(self, entry: Entry, channel: Channel) -> None:
        """Report what the transports say of a channel's URL, where it is known in full."""
        from watcher.transports import check_url  # noqa: PLC0415 - only where there are channels

        url = channel.url.get_secret_value()
        node = None
        if isinstance(entry.node, nodes.Mapping):
            node = entry.node.get("url") or entry.node.get("webhook")
        wrong = check_url(url) if not channel.withheld and "${" not in url else None
        if wrong and node is not None:
            self.report.hide(url, "…")
            self.report.add_at(entry.file, node, wrong)

    def _lint_hours(self, entry: Entry, data: dict[str, Any], system: str) -> None:
        """Warn of hours that are by the system's time zone for want of another."""
        for key in ("quiet", "digest"):
            node = entry.node.get(key) if isinstance(entry.node, nodes.Mapping) else None
            by_the_clock = node is not None and re.search(r"[ :]", str(data.get(key)))  # a digest every 6h is not
            if node is not None and by_the_clock and not self.timezone_set and "timezone" not in data:
                self.report.add_at(
                    entry.file, node, f"no time zone is set, so that {key} is by the system's: {system}",
                    "write settings: {timezone: Europe/Kyiv}, or timezone: on the channel", "warning",
                )  # fmt: skip

    def sources(self, settings: Settings) -> dict[str, Source]:
        """The sources that have no problem."""
        from watcher.sources import kinds  # noqa: PLC0415 - brings what the kinds need, which settings do not

        known = kinds()
        sources = {}
        for name, entry in entries(self.files, "sources", self.report).items():
            kind = self._kind(entry, known)
            if kind is None:
                continue
            data = self.expander.value(entry.file, entry.node)
            if "cron" in data:
                data.setdefault("timezone", settings.timezone)
            elif isinstance(entry.node, nodes.Mapping) and (zone := entry.node.get("timezone")):
                remark = "this is the time zone of `cron`, which is not given: it does nothing"
                self.report.add_at(entry.file, zone, remark, "", "warning")
            if has_withheld(entry.node):
                self.withheld.add(name)
                data.setdefault(kind.kind, WITHHELD_ADDRESS)
            source = validate(kind, entry, data, self.report, base=self.folder)
            if kind.needs and not getattr(settings, kind.needs):
                hint = f"write settings: {{{kind.needs}: true}} if you trust whoever writes these files"
                self.report.add_at(
                    entry.file, entry.key, f"`{kind.kind}:` is off unless settings.{kind.needs} is set", hint
                )
            if source is not None:
                sources[name] = source.named(name)
                if isinstance(entry.node, nodes.Mapping):
                    self._hide_references(entry.node.get(kind.kind))
                if host := urlsplit(source.address).hostname:
                    self.private_hosts.add(host)
        self._distinct({name: source.id for name, source in sources.items()}, "sources")
        self._lint_twins(sources)
        return sources

    def _hide_references(self, address: nodes.Node | None) -> None:
        """Let addresses be shown with the references that stand in this one, and not with their values."""
        found = self.expander.references(address) if isinstance(address, nodes.Scalar) else []
        if not found:
            return
        from watcher.fetch.urls import hide  # noqa: PLC0415 - few need it

        for name, value in found:
            hide(value, name)

    def _lint_twins(self, sources: Mapping[str, Source]) -> None:
        """Warn of a feed that two sources poll: each of its items is then two, of which the second is a copy.

        What they are sent may differ, as what two accounts see does.
        """
        first: dict[str, str] = {}
        twins: dict[str, str] = {}
        for name, source in sources.items():
            plain = source.kind == "feed" and not (source.auth or source.headers or source.cookies or source.proxy)
            if plain and (twin := first.setdefault(source.address, name)) != name:
                twins[name] = twin
        listed = entries(self.files, "sources", Report()) if twins else {}
        for name, twin in twins.items():
            remark = f'"{name}" polls the same feed as "{twin}"'
            self.report.add_at(listed[name].file, listed[name].key, remark, "take one away", "warning")

    def _kind(self, entry: Entry, known: Mapping[str, type[Source]]) -> type[Source] | None:
        """The kind of a source: the one key of it that names a kind."""
        if not isinstance(entry.node, nodes.Mapping):
            self.report.add_at(entry.file, entry.node, "expected a kind of source with its address, as in {feed: URL}")
            return None
        named = [key for key in entry.node.entries if key in known]
        if len(named) == 1:
            return known[named[0]]
        if named:
            second, _ = entry.node.entries[named[1]]
            self.report.add_at(entry.file, second, f"a source has one kind, and this one has {' and '.join(named)}")
        else:
            hint = next((found for key in entry.node.entries if "did" in (found := near(key, known))), "")
            expected = " or ".join(sorted(known))
            self.report.add_at(
                entry.file, entry.key, f'"{entry.name}" does not say what it is: expected {expected}', hint
            )
        return None

    def rules(self, terms: Terms, channels: Mapping[str, Channel]) -> dict[str, Rule]:
        """The rules that have no problem; one that names no channel tells every one."""
        known_channels = entries(self.files, "channels", Report())
        listed = entries(self.files, "sources", Report())
        known_sources = {*listed, *(f"tag:{tag}" for entry in listed.values() for tag in _tags(entry))}
        rules = {}
        for name, entry in entries(self.files, "rules", self.report).items():
            data = self._rule_data(entry, channels)
            references(entry, "notify", data.get("notify"), known_channels, self.report, what="channel")
            references(entry, "sources", data.get("sources"), known_sources, self.report, what="source")
            query = entry.node.get("query") if isinstance(entry.node, nodes.Mapping) else None
            rule = validate(Rule, entry, data, self.report)
            forms, stem = (rule.forms, rule.stem) if rule is not None else ((), None)
            node = parse_at(entry, query, terms, self.report, forms, stem) if query is not None else None
            if rule is not None and node is not None:
                rules[name] = rule.named(name, node)
        self._distinct({name: rule.id for name, rule in rules.items()}, "rules")
        return rules

    def bound(self, sources: dict[str, Source], rules: Mapping[str, Rule]) -> dict[str, Source]:
        """The sources, knowing the rules: a search asks for what one of them looks for."""
        queries = {name: rule.node for name, rule in rules.items()}
        found = {}
        for name, source in sources.items():
            try:
                found[name] = source.bound(queries)
                rule = rules.get(getattr(source, "rule", ""))
                if rule and rule.sources and {name, *(f"tag:{tag}" for tag in source.tags)}.isdisjoint(rule.sources):
                    raise ValueError(f"rule {rule.name} does not read it: add it to the rule's `sources`")
            except ValueError as error:
                entry = entries(self.files, "sources", Report())[name]
                self.report.add_at(entry.file, entry.key, f'"{name}": {error}')
        return found

    def _rule_data(self, entry: Entry, channels: Mapping[str, Channel]) -> dict[str, Any]:
        """What a rule says. References are expanded everywhere but in its query, where $ is a letter like others."""
        if not isinstance(entry.node, nodes.Mapping):
            return {}
        data: dict[str, Any] = {"notify": list(channels)}
        for key, (_, node) in entry.node.entries.items():
            if key != "query":
                data[key] = self.expander.value(entry.file, node)
            else:  # of another kind than text it has been reported
                data[key] = node.value if isinstance(node, nodes.Scalar) else ""
        return data

    def _distinct(self, ids: Mapping[str, str], section: str) -> None:
        """Report two names that the store would know by one."""
        for name, known_as in ids.items():
            if name != known_as and (known_as in ids or list(ids.values()).count(known_as) > 1):
                entry = entries(self.files, section, Report())[name]
                was = entry.node.get("was") if isinstance(entry.node, nodes.Mapping) else None
                self.report.add_at(
                    entry.file, was or entry.key, f'another of the {section} is, or was, "{known_as}"',
                    "`was` gives the one that was renamed; the other needs none",
                )  # fmt: skip


def _tags(entry: Entry) -> Iterator[str]:
    node = entry.node.get("tags") if isinstance(entry.node, nodes.Mapping) else None
    for item in node.items if isinstance(node, nodes.Sequence) else ():
        if isinstance(item, nodes.Scalar):
            yield item.value


def absolute_store(url: str, folder: Path) -> str:
    """The store's URL, with an SQLite file's path taken from `folder`, where it is a relative one."""
    scheme, separator, path = url.partition(":///")
    if not scheme.startswith("sqlite") or not path or path.startswith(("/", ":memory:", "file:")):
        return url
    return f"{scheme}{separator}{os.path.normpath(folder / path)}"
