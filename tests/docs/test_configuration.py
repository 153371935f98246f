"""docs/configuration.md names every key, and every example in it loads; so do the example watch list and the packs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from tests.paths import CORPORA, ROOT
from watcher.config import Config, Settings, load
from watcher.config.entries import models_in
from watcher.config.schema import schema
from watcher.config.watchlist import Channel, Rule
from watcher.query import Document, RuleSet
from watcher.query.ast import InLanguage, Or
from watcher.sources import kinds

PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PACKS = sorted((ROOT / "seeds").glob("*.yaml"))
LISTS = sorted((ROOT / "seeds" / "terms").glob("*.yaml"))
FILES = [*PACKS, *LISTS, *sorted((ROOT / "config").glob("*.yaml")), ROOT / "watcher" / "config" / "starter.yaml"]


def remarks(config: Config) -> list[str]:
    return [problem.message for problem in config.warnings]


def keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name
        for inner in models_in(field.annotation):
            yield from keys(inner)


def written(text: str) -> Any:
    """A file as an editor's language server sees it."""
    return yaml.safe_load(text)


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    ("title", "model"),
    [("settings", Settings), ("channels", Channel), ("rules", Rule), *(("sources", kind) for kind in kinds().values())],
)
def test_every_key_is_documented(title: str, model: type[BaseModel]) -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", section(title), re.MULTILINE))
    assert set(keys(model)) <= documented


def test_no_key_is_documented_that_is_not_there() -> None:
    for title, models in {
        "settings": [Settings],
        "channels": [Channel],
        "rules": [Rule],
        "sources": list(kinds().values()),
    }.items():
        documented = set(re.findall(r"^\| `(\w+)` \|", section(title), re.MULTILINE))
        assert documented <= {key for model in models for key in keys(model)}, title


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 8


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_loads(example: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(example, encoding="utf-8")
    config = load(tmp_path, {"TZ": "UTC"})
    assert [remark for remark in remarks(config) if "no channels" not in remark] == []
    jsonschema.validate(written(example), schema())


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_shipped_file_keeps_to_the_schema_and_names_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    jsonschema.validate(written(text), schema())
    first = text.splitlines()[0]
    assert re.fullmatch(r"# yaml-language-server: \$schema=((\.\./)+config/)?watcher\.schema\.json", first)


def test_the_schema_refuses_what_is_wrong() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    for wrong in (
        "rulez: {}",
        "rules: {r: {}}",
        "rules: {r: {query: a, priority: higher}}",
        "channels: {c: {url: 'a://', quiet: 5}}",
        "sources: {s: {feed: 'https://example.org/', every: often}}",
        "settings: {fetch: {timout: 5s}}",
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(written(wrong), schema())
    for right in (
        "rules: {r: {query: 2024, min_outlets: '2', sources: [7]}}",
        "rules: {r: {query: a, priority: '${P}', min_outlets: '${N}'}}",
        "channels:\nsources: {s: {feed: 'https://example.org/', every: 5m}}",
    ):
        jsonschema.validate(written(right), schema())


def test_the_committed_schema_is_current() -> None:
    committed = json.loads((ROOT / "config" / "watcher.schema.json").read_text(encoding="utf-8"))
    assert committed == schema(), "write it anew: watcher schema > config/watcher.schema.json"


def test_the_example_watch_list_is_clean() -> None:
    config = load(ROOT / "config", {})
    assert remarks(config) == []
    assert config.rules["russia-sahel"].query == "Russia AND (Mali OR Niger OR Burkina Faso)\n"
    assert {channel.url.get_secret_value() for channel in config.channels.values()} == {"console://"}


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.stem)
def test_a_pack_loads_as_it_is(pack: Path) -> None:
    config = load(pack, {})
    assert config.sources
    assert config.rules
    assert remarks(config) == ["there are rules and no channels: nobody is told"]


@pytest.mark.parametrize("terms", LISTS, ids=lambda terms: terms.stem)
def test_a_list_of_terms_loads_as_it_is_in_four_languages(terms: Path) -> None:
    config = load(terms, {})
    assert remarks(config) == []
    for term in config.terms.values():
        assert isinstance(term, Or)
        assert [part.lang for part in term.children if isinstance(part, InLanguage)] == ["en", "fr", "ru", "ar"]


@pytest.mark.parametrize(
    ("text", "lang", "term"),
    [
        ("в Нигере", "ru", "country.niger"),
        ("в Нигерии", "ru", "country.nigeria"),
        ("وبمالي", "ar", "country.mali"),
        ("из Соединённых Штатов", "ru", "country.united-states"),
        ("на Соломоновых Островах", "ru", "country.solomon-islands"),
        ("на Филиппинах", "ru", "country.philippines"),
        ("au Tchad", "fr", "country.chad"),
        ("Burkina Faso’s army", "en", "country.burkina-faso"),
        ("ЧВК Вагнера", "ru", "group.wagner"),
        ("с Владимиром Зеленским", "ru", "leader.zelensky"),
        ("лидеры талибов", "ru", "group.taliban"),
    ],
)
def test_the_lists_find_what_they_name(text: str, lang: str, term: str) -> None:
    terms = {name: node for file in LISTS for name, node in load(file, {}).terms.items()}
    found = RuleSet(terms).names(Document(body=text, lang=lang))
    assert found == [term]


def test_all_packs_load_together() -> None:
    assert len(load(ROOT / "seeds", {}).rules) == sum(len(load(pack, {}).rules) for pack in PACKS)


@pytest.mark.skipif(not CORPORA.is_dir(), reason="needs the corpora")
def test_feeds_are_addresses_that_are_known() -> None:
    known = set((CORPORA / "feed_addresses.txt").read_text(encoding="utf-8").split())
    for path in (ROOT / "config", ROOT / "seeds"):
        assert {source.address for source in load(path, {}).sources.values()} <= known
