"""A watch list is read whole, and all that is wrong with it is said, each at its place."""

from pathlib import Path

import pytest

from tests.unit.config.configs import at, bad, good, write
from watcher.config import load, load_rules, load_settings
from watcher.errors import ConfigError
from watcher.query import Document, RuleSet

WHOLE = """\
settings:
  store: sqlite:///var/watcher.db
  timezone: Europe/Kyiv
  fetch: {contact: you@example.org, timeout: 30s, max_body: 10MB, concurrency: 200, per_host: 2, host_gap: 1s}

channels:
  ops: {url: "${OPS_URL}"}
  oncall: {url: "tgram://${TG_TOKEN}/${TG_CHAT}", limit: 20/h, quiet: "23:00-07:00", group_interval: 10m}
  morning: {url: "${MAIL_URL:-console://}", digest: "0 7 * * mon-fri"}
  screen: {url: "console://"}

sources:
  paper: {feed: https://example.org/feed, every: 5m, full_text: auto, tags: [ukraine]}
  other: {feed: https://example.net/feed, headers: {X-Api-Key: "${KEY}"}}

terms:
  sahel: Bamako OR Niamey OR Burkina Faso

rules:
  russia-sahel:
    query: Russia AND @sahel
    notify: [ops, oncall]
    sources: [paper, "tag:ukraine"]
    priority: high
    min_outlets: 1
  everything-else:
    query: |
      # a comment in a block
      ceasefire
"""
ENV = {
    "OPS_URL": "console://",
    "TG_TOKEN": "12345:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "TG_CHAT": "77",
    "KEY": "s3cret-key",
}


def test_a_whole_watch_list(tmp_path: Path) -> None:
    config = good(tmp_path, WHOLE, ENV)
    assert config.warnings == []
    assert config.settings.store == f"sqlite:///{tmp_path}/var/watcher.db"
    assert config.settings.fetch.max_body == 10_000_000
    assert config.channels["ops"].url.get_secret_value() == "console://"
    assert config.channels["oncall"].timezone == "Europe/Kyiv"
    assert config.channels["oncall"].group_interval == 600
    rule = config.rules["russia-sahel"]
    assert (rule.name, rule.id, rule.notify, rule.priority) == (
        "russia-sahel",
        "russia-sahel",
        ("ops", "oncall"),
        "high",
    )
    assert config.rules["everything-else"].notify == ("ops", "oncall", "morning", "screen")
    assert config.rules_for(config.sources["paper"]) == {"russia-sahel", "everything-else"}
    assert config.rules_for(config.sources["other"]) == {"everything-else"}
    assert config.private_hosts == {"example.org", "example.net"}
    assert config.files == {"watcher.yaml": WHOLE}
    assert set(config.terms) == {"sahel"}


def test_the_limits_of_a_channel(tmp_path: Path) -> None:
    config = good(
        tmp_path,
        'channels:\n  a: {url: "console://"}\n  b: {url: "mailto://x@example.org"}\n'
        '  c: {url: "json://example.org", limit: [5/m, 9/d]}\n',
    )
    assert config.channels["a"].limits(high=False) == ()
    assert [str(limit) for limit in config.channels["b"].limits(high=False)] == ["10/h", "100/d"]
    assert [str(limit) for limit in config.channels["c"].limits(high=False)] == ["5/m", "9/d"]
    assert [str(limit) for limit in config.channels["c"].limits(high=True)] == ["60/h"]


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("chanels: {}\n", "chanels", 'unknown key "chanels"', "did you mean channels?"),
        ("settings: {timezon: UTC}\n", "timezon:", 'unknown key "timezon"', "did you mean timezone?"),
        ("settings: {timezone: Kyiv}\n", "Kyiv", 'there is no time zone "Kyiv"', ""),
        ("settings:\n  fetch: {contcat: x}\n", "contcat", 'unknown key "contcat"', "did you mean contact?"),
        ("settings: {max_age: 2}\n", "2}", "a duration needs a unit", ""),
        ("settings: {fetch: {max_body: 10 MiB}}\n", "10 MiB", "a size is written as", ""),
        ("settings: {fetch: {per_host: many}}\n", "many", "expected a whole number", ""),
        ("settings: {log: {level: inf}}\n", "inf", "expected debug, info, warning or error", "did you mean info?"),
        ("settings: [a]\n", "[a]", 'expected keys with values under "settings", found a list', ""),
        ("channels:\n  a b: {url: 'console://'}\n", "a b", "a name is one word", ""),
        ("terms:\n  a/b: x\n", "a/b", "a term's name", ""),
        ("channels:\n  desk: console://\n", "console", 'expected keys with values for "desk", found a text', ""),
        ("channels:\n  desk: {limit: 3/h}\n", "desk", '"url" is missing', ""),
        ("channels:\n  desk: {url: nothing}\n", "nothing", "begins with a scheme", ""),
        ("channels:\n  d: {url: 'console://', quiet: 23:00}\n", "23:00}", "quiet hours are written as", ""),
        ("channels:\n  d: {url: 'console://', limit: 3}\n", "3}", "a limit is written as", ""),
        ("channels:\n  d: {url: 'console://', digest: 7 uhr}\n", "7 uhr", "five fields", ""),
        ("channels:\n  d: {url: 'console://', lmit: 3/h}\n", "lmit", 'unknown key "lmit"', "did you mean limit?"),
        ("channels:\n  d: {url: 'console://', url: 'x://'}\n", "url: 'x", '"url" is defined twice', "line 2"),
        ("sources:\n  s: {fed: https://example.org/}\n", "s: {", "does not say what it is", "did you mean feed?"),
        ("sources:\n  s: {feed: 'https://example.org/', evry: 5m}\n", "evry", "unknown key", "did you mean every?"),
        ("sources:\n  s: {feed: 'https://example.org/', every: 5}\n", "5}", "a duration needs a unit", ""),
        ("sources:\n  s: {feed: 'https://example.org/', every: 0s}\n", "0s", "expected at least 1s", ""),
        ("sources:\n  s: {feed: 'https://example.org/', lang: english}\n", "english", "as en or uk", ""),
        ("sources:\n  s: {feed: 'https://e.org/', cron: 0 7 * * 8}\n", "0 7", "no day of the week", ""),
        ("sources:\n  s: {feed: 'https://e.org/', min: 4h, max: 1h}\n", "1h", "shorter than `min`", ""),
        ("rules:\n  r: {notify: []}\n", "r: {", '"query" is missing', ""),
        ("rules:\n  r: {query: a, notify: desk}\n", "desk", "expected a list, such as [one, two], found a text", ""),
        ("rules:\n  r: {query: a, priority: hihg}\n", "hihg", "expected normal or high", "did you mean high?"),
        ("rules:\n  r: {query: a, min_outlets: 0}\n", "0}", "expected at least 1", ""),
        ("rules:\n  r: {query: a, min_outlets: two}\n", "two", "expected a whole number", ""),
        ("rules:\n  r: {query: [a]}\n", "[a]", "YAML reads a list here", "in a | block or in single quotes"),
        ("rules:\n  r: {query: {US}}\n", "{US}", "YAML reads keys with values here", "in single quotes"),
        ("rules:\n  r:\n    query: @sahel AND x\n", "@sahel", "cannot start with @", "in single quotes"),
        ("rules:\n  r:\n    query: {US} AND x\n", "AND x", "does not fit", "in single quotes"),
        ('rules:\n  r:\n    query: "x y" AND z\n', "AND z", "does not fit", "in single quotes"),
        ("rules:\n  r:\n    query: title: Mali\n", ": Mali", "a second", "in single quotes"),
        ("rules:\n  r: {query: x, query: y}\n", "query: y", '"query" is defined twice', "line 2"),
        ("rules:\n  r:\n\tquery: x\n", "\t", "a tab stands in the indentation", "indents with spaces"),
        ("terms:\n  t: @sahel AND x\n", "@sahel", "cannot start with @", "in single quotes"),
        ("rules:\n  r:\n    query: C# AND Mali # the Sahel\n", "# the", "YAML ends the query", "in a | block"),
        ("rules:\n  r:\n    query: >\n      Mali\n      # note\n      AND x\n", "# note", "swallow", "in a | block"),
        ("rules:\n  r:\n    query: 'Mali # note'\n", "# note", "swallow", "in a | block"),
        ("terms:\n  a: '@b'\n  b: 'x @a'\n", "@a'", "names itself: a → b → a", ""),
        ("terms:\n  a: |\n    x OR\n    y @a\n", "@a", "names itself: a → a", ""),
        ('terms:\n  a: "x\\u0020OR @b"\n  b: >-\n    y\n    OR @a\n', "@a", "names itself: a → b → a", ""),
        ("terms:\n  a: '@b'\n  b: {ru: 'x @c'}\n  c: {query: y @b}\n", "@b}", "names itself: b → c → b", ""),
        ("terms:\n  a: {query: x, from: [ru]}\n", "from", 'unknown key "from"', "did you mean forms?"),
        ("terms:\n  a: {query: x, russian: y}\n", "russian", 'unknown key "russian"', "a language such as en"),
        ("terms:\n  a: {query: x, ru: y}\n", "ru:", "either one query or a query a language", "as in"),
        ("terms:\n  a: {forms: [ru]}\n", "a:", '"query" is missing', "as in"),
        ("terms:\n  a: {query: x, forms: [ru, de]}\n", "de]", "ru", ""),
        ("terms:\n  a: {query: x, stem: xx}\n", "xx", "en", ""),
        ("terms:\n  a: {en: Mali, ru: }\n", "}", "expected a query", ""),
        ("terms:\n  a: {en: Mali, ru: [x]}\n", "[x]", "YAML reads a list here", ""),
        ("terms:\n  a:\n    en: Mali\n    ru: Мали AND AND x\n", "AND x", "found AND", ""),
        ("terms:\n  a:\n    en: Mali\n    ru: |\n      Мали OR\n      @nosuch\n", "@nosuch", "no term is named", ""),
        ("terms: {a: {en: x}}\nrules: {r: {query: 'site:@a'}}\n", "@a", "is no list of values for site", ""),
        ("rules: {r: {query: x, forms: [uk]}}\n", "uk", "ru", ""),
    ],
)
def test_one_problem_at_its_place(tmp_path: Path, text: str, place: str, message: str, hint: str) -> None:
    problems = bad(tmp_path, text)
    assert len(problems) == 1, problems
    assert message in problems[0].message
    assert hint in problems[0].hint
    assert at(problems[0], text).startswith(place)
    line = text.splitlines()[problems[0].line - 1]
    assert problems[0].source_line == line or "*" in problems[0].source_line


def test_a_near_name_for_each_reference(tmp_path: Path) -> None:
    text = """\
channels: {desk: {url: 'console://'}}
sources: {paper: {feed: 'https://example.org/', tags: [ukraine]}}
rules:
  r:
    query: Mali
    notify: [dsek]
    sources: [papre, "tag:ukrane", other]
"""
    problems = bad(tmp_path, text)
    assert [(p.message, p.hint) for p in problems] == [
        ('there is no channel "dsek"', "did you mean desk?"),
        ('there is no source "papre"', "did you mean paper?"),
        ('there is no source "tag:ukrane"', "did you mean tag:ukraine?"),
        ('there is no source "other"', "sources: paper, tag:ukraine"),
    ]
    assert [at(p, text)[:5] for p in problems] == ["dsek]", "papre", '"tag:', "other"]


def test_all_problems_at_once(tmp_path: Path) -> None:
    text = "settings: {max_age: x}\nchannels: {a: {}, b: {url: 'c://', k: 1}}\nrules: {r: {query: '(a'}}\nzzz: 1\n"
    assert {problem.line for problem in bad(tmp_path, text)} == {1, 2, 3, 4}


def test_a_name_in_two_files_names_both_places(tmp_path: Path) -> None:
    write(tmp_path, "channels:\n  desk: {url: 'console://'}\n", "a.yaml")
    write(tmp_path, "rules: {}\n\nchannels:\n  desk: {url: 'console://'}\n", "b.yaml")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {})
    [problem] = caught.value.problems
    assert (problem.file, problem.line) == (str(tmp_path / "b.yaml"), 4)
    assert f"{tmp_path / 'a.yaml'}:2" in problem.hint


def test_a_directory_is_read_together(tmp_path: Path) -> None:
    write(tmp_path, "channels:\n  desk: {url: 'console://'}\n", "a.yaml")
    write(tmp_path, "rules:\n  r: {query: Bamako, notify: [desk]}\n", "b.yaml")
    write(tmp_path, "rubbish: [", ".#b.yaml")
    write(tmp_path, "rules: {}\n", "c.yml")
    config = load(tmp_path, {})
    assert list(config.files) == ["a.yaml", "b.yaml"]
    assert config.rules["r"].notify == ("desk",)
    assert [problem.message for problem in config.warnings] == ["is not read"]


@pytest.mark.parametrize("make", [lambda folder: folder / "no.yaml", lambda folder: folder])
def test_nothing_there(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]  # a path from a path
    with pytest.raises(ConfigError):
        load(make(tmp_path), {})


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"rules: {r: {query: caf\xe9}}\n")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load(tmp_path, {})


def test_references_are_expanded_everywhere_but_in_queries(tmp_path: Path) -> None:
    text = (
        "channels: {a: {url: 'json://${HOST:-example.org}/$$1'}, b: {url: 'console://'}}\n"
        "rules: {r: {query: '\"$TICKER\"', notify: ['${WHERE}']}}\n"
    )
    config = good(tmp_path, text, {"WHERE": "b", "HOST": ""})
    assert config.channels["a"].url.get_secret_value() == "json://example.org/$1"
    assert config.rules["r"].notify == ("b",)
    assert config.rules["r"].query == '"$TICKER"'


def test_a_name_that_is_not_set(tmp_path: Path) -> None:
    text = "channels:\n  a: {url: 'json://${NOT_SET}/'}\n  b: {url: 'json://${1}'}\n"
    first, second = bad(tmp_path, text)
    assert (first.message, at(first, text)[:10]) == ("NOT_SET is not set", "${NOT_SET}")
    assert at(second, text).startswith("${1}")


def test_a_renamed_rule_keeps_its_id(tmp_path: Path) -> None:
    assert good(tmp_path, "rules: {new: {query: Mali, was: old}}\n").rules["new"].id == "old"
    text = "rules:\n  old: {query: Mali}\n  new: {query: Niger, was: old}\n"
    [problem] = bad(tmp_path, text)
    assert at(problem, text).startswith("old}")


def test_hours_without_a_time_zone_are_linted(tmp_path: Path) -> None:
    text = "channels:\n  a: {url: 'console://', quiet: '23:00-07:00'}\n  b: {url: 'console://', digest: 6h}\n"
    [warning] = good(tmp_path, text, {"TZ": "Asia/Tokyo"}).warnings
    assert "Asia/Tokyo" in warning.message
    assert good(tmp_path, "settings: {timezone: UTC}\n" + text).warnings == []


def test_a_feed_that_two_sources_poll_is_warned_of(tmp_path: Path) -> None:
    """Pages and lists may be read twice, for other parts of them."""
    text = (
        "sources:\n  a: {feed: 'https://example.org/f'}\n  b: {feed: 'https://example.org/f'}\n"
        "  c: {page: 'https://example.org/'}\n  d: {page: 'https://example.org/'}\n"
    )
    [warning] = good(tmp_path, text).warnings
    assert warning.message == '"b" polls the same feed as "a"'
    assert at(warning, text).startswith("b: ")


def test_findings_of_the_lint_are_warnings_at_their_place(tmp_path: Path) -> None:
    text = "channels: {a: {url: 'console://'}}\nrules:\n  r:\n    query: |\n      Mali\n      and Niger\n"
    warnings = good(tmp_path, text).warnings
    assert any(at(warning, text).startswith("and Niger") for warning in warnings)


def test_rules_alone(tmp_path: Path) -> None:
    file = write(
        tmp_path, "terms: {t: Mali}\nrules: {r: {query: '@t', notify: [nowhere]}, s: {query: Niger}}\nother: 1\n"
    )
    assert set(load_rules(file)) == {"r", "s"}
    with pytest.raises(ConfigError):
        load_rules(write(tmp_path, "rules: {r: {query: '(a'}}\n"))


def test_settings_alone_of_a_broken_file(tmp_path: Path) -> None:
    file = write(tmp_path, "settings: {store: 'sqlite:///x.db'}\nrules:\n  r: {query: @x}\n")
    assert load_settings(file, {}).store == f"sqlite:///{tmp_path}/x.db"


def test_ten_thousand_rules_are_read_in_seconds(tmp_path: Path) -> None:
    lines = [f"  r{n}:\n    query: Mali AND word{n}\n" for n in range(10_000)]
    config = good(tmp_path, "channels: {a: {url: 'console://'}}\nrules:\n" + "".join(lines))
    assert len(config.rules) == 10_000


CONCEPTS = """\
terms:
  mali: {en: Mali, fr: "Mali OR Bamako", ru: Мали OR Бамако, ar: مالي, forms: [ru, ar]}
  niger: {query: Нигер, forms: ru}
  attack: {query: attack, stem: en}
rules:
  mali: {query: '@mali NEAR/3 (coup OR переворот)'}
  niger: {query: '@niger'}
  attack: {query: '@attack NOT title:attack'}
  russia: {query: Россия AND lang:(ru OR und), forms: [ru]}
  walk: {query: walk, stem: en}
"""


@pytest.mark.parametrize(
    ("text", "lang", "rules"),
    [
        ("coup in Mali", "en", ["mali"]),
        ("coup in Mali", "und", ["mali"]),
        ("coup in Mali", "tr", []),
        ("coup à Bamako", "fr", ["mali"]),
        ("coup in Bamako", "en", []),
        ("переворот в Бамако", "und", ["mali"]),
        ("в Нигере", "ru", ["niger"]),
        ("в Нигерии", "ru", []),
        ("they attacked", "en", ["attack"]),
        ("с Россией", "ru", ["russia"]),
        ("с Россией", "uk", []),
        ("walking", "en", ["walk"]),
    ],
)
def test_terms_a_language_forms_and_stems(tmp_path: Path, text: str, lang: str, rules: list[str]) -> None:
    config = good(tmp_path, CONCEPTS)
    document = Document(body=text, lang=lang)
    assert config.ruleset.names(document) == rules
    assert RuleSet(load_rules(tmp_path)).names(document) == rules


def test_sources_that_the_same_rules_read_hold_one_set(tmp_path: Path) -> None:
    """Ten thousand sets of a thousand rules are 300 MB."""
    config = good(
        tmp_path,
        """
        channels: {screen: {url: "console://"}}
        sources:
          one: {feed: https://example.org/1, tags: [town]}
          two: {feed: https://example.org/2, tags: [town]}
          three: {feed: https://example.org/3}
        rules:
          all: {query: ferry}
          town: {query: harbour, sources: ["tag:town", three]}
          three: {query: bridge, sources: [three]}
        """,
    )
    one, two, three = (config.rules_for(config.sources[name]) for name in ("one", "two", "three"))
    assert one is two
    assert one == {"all", "town"}
    assert three == {"all", "town", "three"}


def test_a_time_zone_without_cron_is_warned_of(tmp_path: Path) -> None:
    text = "sources:\n  a: {feed: 'https://example.org/', timezone: Europe/Kyiv}\n"
    [warning] = good(tmp_path, text).warnings
    assert "does nothing" in warning.message
    assert at(warning, text).startswith("Europe/Kyiv")
