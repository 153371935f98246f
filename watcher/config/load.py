"""The configuration, read: files → nodes → checked models → one Config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from watcher.config import nodes
from watcher.config.entries import entries
from watcher.config.nodes import File, Scalar, read
from watcher.config.queries import Terms, parse_at, wording
from watcher.config.report import QUERY_HINT, Report, near
from watcher.config.secrets import Lookup, suspects, withhold
from watcher.config.sections import Sections
from watcher.config.settings import Settings, environment
from watcher.config.watchlist import Channel, Rule
from watcher.errors import ConfigError, Problem
from watcher.garbage import uncollected

if TYPE_CHECKING:
    from watcher.query import Node, RuleSet
    from watcher.sources import Source

SECTIONS = ("settings", "channels", "sources", "terms", "rules")


@dataclass(frozen=True)
class Config:
    """A checked configuration."""

    settings: Settings
    channels: dict[str, Channel]
    sources: dict[str, Source]
    rules: dict[str, Rule]
    terms: dict[str, Node]
    ruleset: RuleSet  # by the rules' ids
    files: dict[str, str]  # the text of each file, by its name, as it was read
    private_hosts: frozenset[str] = frozenset()  # hosts that were written as a source, which may be private ones
    withheld: frozenset[str] = frozenset()  # sources and channels that lack a secret; sources among them are not polled
    warnings: list[Problem] = field(default_factory=list)

    def rules_for(self, source: Source) -> frozenset[str]:
        """The ids of the rules that read `source`."""
        return self._rules_by_source[source.name]

    @cached_property
    def _rules_by_source(self) -> dict[str, frozenset[str]]:
        everywhere = frozenset(rule.id for rule in self.rules.values() if not rule.sources)
        named: dict[str, set[str]] = {}
        for rule in self.rules.values():
            for chosen in rule.sources:
                named.setdefault(chosen, set()).add(rule.id)
        shared: dict[frozenset[str], frozenset[str]] = {}  # one set for all that are read by the same rules
        found = {}
        for name, source in self.sources.items():
            own = frozenset[str]().union(
                *(named.get(key, ()) for key in (name, *(f"tag:{tag}" for tag in source.tags)))
            )
            if own not in shared:
                shared[own] = everywhere | own
            found[name] = shared[own]
        return found

    def storable(self) -> dict[str, str]:
        """The files' texts without comments and literal secrets, for the store. `restore` reads them back."""
        return {name: withhold(read(name, text, withheld=True)) for name, text in self.files.items()}


def configuration_files(path: Path) -> list[Path]:
    """The files that make up the configuration at `path`: itself, or a directory's `*.yaml`. Raises ConfigError."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ConfigError.of(path, "there is no such file or directory")
    return sorted(file for file in path.glob("*.yaml") if not file.name.startswith("."))


def load(
    path: Path,
    env: Mapping[str, str] | None = None,
    secrets_dir: Path | None = None,
    before: Config | None = None,
) -> Config:
    """Read and check the configuration at `path`, a YAML file or a directory of them.

    `env` is the process's environment over `.env` in the working directory unless given. Rules that stand unchanged in
    `before` are not compiled again. Raises ConfigError with every problem found.
    """
    report = Report()
    files = _read(path, report)
    if not files and not report.problems:
        report.add_elsewhere(str(path), "no *.yaml file here")
    elif not report.problems and not any(isinstance(file.root, nodes.Mapping) and file.root.entries for file in files):
        # A file that an editor could not write whole must not replace a watch list by nothing.
        report.add_elsewhere(str(path), "holds no configuration", "known keys: " + ", ".join(SECTIONS))
    with uncollected():
        return _assemble(files, path, _lookup(env, secrets_dir), report, before)


def load_settings(path: Path, env: Mapping[str, str] | None = None, secrets_dir: Path | None = None) -> Settings:
    """The settings alone, as far as they can be read: whatever else is wrong in the files does not matter.

    Raises ConfigError where the settings themselves have problems.
    """
    report = Report()
    files = _read(path, report)
    report.problems.clear()
    settings = Sections(files, _folder(path), _lookup(env, secrets_dir), report).settings()
    report.raise_errors()
    return settings


def load_rules(path: Path) -> dict[str, Node]:
    """The queries of a watch list's rules by name; only `rules` and `terms` are looked at. Raises ConfigError."""
    report = Report()
    files = _read(path, report)
    terms = Terms(entries(files, "terms", report), report)
    found = {}
    for name, entry in entries(files, "rules", report).items():
        node = entry.node.get("query") if isinstance(entry.node, nodes.Mapping) else None
        if node is None:
            report.add_at(entry.file, entry.key, '"query" is missing')
            continue
        said = wording(entry, report)
        if (parsed := parse_at(entry, node, terms, report, said.forms, said.stem)) is not None:
            found[name] = parsed
    report.raise_errors()
    return found


def load_terms(path: Path) -> dict[str, Node]:
    """A watch list's named terms; nothing else is looked at. Raises ConfigError."""
    report = Report()
    found = Terms(entries(_read(path, report), "terms", report), report).parse_all()
    report.raise_errors()
    return found


def restore(
    files: Mapping[str, str], path: Path, env: Mapping[str, str] | None = None, secrets_dir: Path | None = None
) -> Config:
    """The configuration from texts that `Config.storable` gave; `path` is where it was, for relative paths.

    Channels and sources whose secrets were not kept are there, and named in `withheld`. `settings.store`, whose
    password is not kept either, is what `load_settings` makes of the files at `path`. Raises ConfigError.
    """
    report = Report()
    read_files = [_check(read(name, text, withheld=True), report) for name, text in files.items()]
    config = _assemble(read_files, path, _lookup(env, secrets_dir), report)
    try:
        store = load_settings(path, env, secrets_dir).store
    except ConfigError:
        return config
    return replace(config, settings=config.settings.model_copy(update={"store": store}))


def _assemble(files: list[File], path: Path, lookup: Lookup, report: Report, before: Config | None = None) -> Config:
    """A Config of all sections. Raises ConfigError with every problem."""
    for file in files:
        _check_sections(file, report)
    parsed = [file for file in files if file.parsed]
    sections = Sections(parsed, _folder(path), lookup, report)
    settings = sections.settings()
    channels = sections.channels(settings)
    sections.health(settings)
    sources = sections.sources(settings)
    if parsed != files:  # what rules refer to may stand where nothing could be read
        report.raise_errors()
    terms = Terms(entries(files, "terms", report), report)
    parsed_terms = terms.parse_all()
    rules = sections.rules(terms, channels)
    sources = sections.bound(sources, rules)
    if rules and not channels:
        report.add_elsewhere(str(path), "there are rules and no channels: nobody is told", level="warning")
    report.raise_errors()

    from watcher.query import RuleSet  # noqa: PLC0415 - brings RE2, which reading settings does not need

    queries = {rule.id: rule.node for rule in rules.values()}
    return Config(
        settings=settings,
        channels=channels,
        sources=sources,
        rules=rules,
        terms=parsed_terms,
        ruleset=before.ruleset.reuse(queries) if before else RuleSet(queries),
        files={Path(file.path).name: file.text for file in files},
        private_hosts=frozenset(sections.private_hosts),
        withheld=frozenset(sections.withheld),
        warnings=report.warnings,
    )


def _folder(path: Path) -> Path:
    return (path if path.is_dir() else path.parent).absolute()


def _lookup(env: Mapping[str, str] | None, secrets_dir: Path | None) -> Lookup:
    return Lookup.of(environment(Path()) if env is None else env, secrets_dir)


def _read(path: Path, report: Report) -> list[File]:
    files = []
    for file in configuration_files(path):
        try:
            text = file.read_bytes().decode("utf-8")
        except OSError as error:
            report.add_elsewhere(str(file), f"cannot be read: {error.strerror}")
        except UnicodeDecodeError as error:
            report.add_elsewhere(str(file), f"is not UTF-8 text (byte {error.start + 1})")
        else:
            files.append(_check(read(str(file), text), report))
    for file in path.glob("*.yml"):
        report.add_elsewhere(str(file), "is not read", "only *.yaml files are: rename it", "warning")
    return files


def _check(file: File, report: Report) -> File:
    """Report what is wrong with a file as YAML."""
    for secret in suspects(file):
        report.hide(secret.value, "…")
    for complaint in file.complaints:
        line, _ = file.place(complaint.index)
        hint = QUERY_HINT if complaint.by_value and _in_query(file, line) else complaint.hint
        report.add(file, complaint.index, complaint.message, hint)
    return file


def _check_sections(file: File, report: Report) -> None:
    """Report what is no section."""
    if isinstance(file.root, nodes.Mapping):
        for name, (key, _) in file.root.entries.items():
            if name not in SECTIONS:
                report.add_at(file, key, f'unknown key "{name}"', near(name, SECTIONS, "known keys: "))
    elif file.root is not None and not (isinstance(file.root, Scalar) and not file.root.value):
        report.add_at(file, file.root, "expected keys with values", "known keys: " + ", ".join(SECTIONS))


def _in_query(file: File, number: int) -> bool:
    """Whether a line of a file that is no valid YAML seems to belong to a query or a term."""
    _, line = file.line(number)
    indent = len(line) - len(line.lstrip())
    if "query:" in line:
        return True
    for above in range(number - 1, 0, -1):
        _, other = file.line(above)
        words = other.strip()
        if words and len(other) - len(other.lstrip()) < indent:
            if words.startswith(("query:", "terms:")):
                return True
            indent = len(other) - len(other.lstrip())
    return False
