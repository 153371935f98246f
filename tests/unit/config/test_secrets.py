"""A secret is in no problem, no representation and nothing that goes to the store."""

from pathlib import Path

import pytest

from tests.unit.config.configs import bad, good, write
from watcher.config import load, restore
from watcher.config.nodes import read
from watcher.config.report import known_keys
from watcher.config.secrets import Lookup, Mask, holds_secret
from watcher.errors import ConfigError

S = "hunter2-Correct-Horse"


@pytest.mark.parametrize(
    ("path", "value", "secret"),
    [
        ("channels.a.url", "console://", False),
        ("channels.a.url", "mailto://example.org?to=you@example.org", False),
        ("channels.a.url", "mailtos://me:${PASSWORD}@example.org", False),
        ("channels.a.url", f"mailtos://me:{S}@example.org", True),
        ("channels.a.url", f"mailtos://example.org?user=me&pass={S}", True),
        ("channels.a.url", "json://localhost:8080/hook", False),
        ("channels.a.url", f"json://localhost/hook?+X-Token={S}", True),
        ("channels.a.url", "slack://aaa/bbb/ccc", True),
        ("channels.a.url", "${SLACK_URL}", False),
        ("channels.a.url", "tgram://${TOKEN}/12345", False),
        ("channels.a.url", f"discord://${{ID}}/{S}", True),
        ("channels.a.url", f"slack://${{TOKEN:-{S}}}", True),
        ("sources.a.headers.X-Api-Key", S, True),
        ("sources.a.headers.X-Api-Key", "Bearer ${KEY}", False),
        ("sources.a.headers.Accept", "text/html", False),
        ("sources.a.auth.basic", f"me:{S}", True),
        ("sources.a.auth.basic", "${LOGIN}", False),
        ("sources.a.cookies.session", S, True),
        ("sources.a.proxy", "http://127.0.0.1:8080", False),
        ("sources.a.proxy", f"http://me:{S}@127.0.0.1:8080", True),
        ("sources.a.feed", "https://example.org/feed?page=2", False),
        ("sources.a.feed", f"https://me:{S}@example.org/feed", True),
        ("sources.a.feed", f"https://example.org/feed?api_key={S}", True),
        ("sources.a.map.url", "link", False),
        ("settings.store", f"postgresql://me:{S}@db/watcher", True),
        ("settings.store", "postgresql://me:${PASSWORD}@db/watcher", False),
        ("settings.store", "sqlite:///x.db", False),
        ("rules.a.query", "url:example.org", False),
    ],
)
def test_what_is_a_secret(path: str, value: str, secret: bool) -> None:
    assert holds_secret(tuple(path.split(".")), value) is secret


BROKEN = f"""\
settings: {{store: "postgresql://me:{S}@db/w", bad: 1}}
chanels: {{a: {{url: "slack://{S}"}}}}
channels:
  a: {{url: "slack://{S}", bad: 1}} # was {S}
  token: {S}
  g: {{url:slack://{S}}}
  f: {{ulr: "slack://{S}"}}
  b: {{url: "{S}"}}
  c:
    url: &anchor >-
      json://x:{S}@example.org
    bad: 1
  d: {{url: "${{FROM_ENV}}", bad: 1}}
  e: {{url: 'console://', quiet: "${{FROM_ENV}}"}}
sources:
  s: {{feed: "https://me:{S}@example.org/", bad: 1, headers: {{X-Key: {S}}}, auth: {{basic: {S}}}}}
  t: {{feed: "ftp://me:{S}@example.org/"}}
  v: {S}
  y: {{feed: "https://example.org/", headers: {{X-Key:{S}}}, auth: {{basic:{S}}}}}
  w: {{fed: "https://example.org/", ulr: {S}, headers: {{X-Key: ok}}, headers: {{X-Key: {S}}}}}
  x: {{feed: "https://example.org/", heders: {{X-Key: {S}}}, tags: ["${{UNSET}}"]}}
  u: {{feed: "https://example.org/", lang: "${{FROM_ENV}}", headers: [{S}]}}
"""


def test_no_problem_shows_a_secret(tmp_path: Path) -> None:
    problems = bad(tmp_path, BROKEN, {"FROM_ENV": "expanded-from-the-environment"})
    assert len(problems) >= 20
    for problem in problems:
        assert S not in repr(problem)
        assert "expanded-from" not in repr(problem)
        if problem.source_line:
            line = BROKEN.splitlines()[problem.line - 1]
            assert len(problem.source_line) == len(line)  # the caret stands where it should


@pytest.mark.parametrize("syntax", ["  x: @bad\n", "  - x\n", "\tx\n", "  x: 'open\n", "  x: [1\n"])
def test_nor_where_the_yaml_is_broken(tmp_path: Path, syntax: str) -> None:
    lines = [f'  a: {{url: "slack://{S}"}}\n', f"  b:\n    headers:\n      X-Key: {S}\n", f"  url: {S}: x\n"]
    for line in lines:
        for text in (
            f"channels:\n{line}{syntax}",
            f"channels:\n{syntax}{line}",
            f"channels:\n{line.rstrip()} {syntax}",
        ):
            for problem in bad(tmp_path, text):
                assert S not in repr(problem)


def test_what_a_masked_line_still_shows() -> None:
    file = read("f", f'channels:\n  a: {{url: "slack://${{TOKEN}}/{S}", limit: 3}} # {S}\n')
    stars = "*" * len(S)
    assert Mask(file, known_keys()).line(2) == f'  a: {{url: "slack://${{TOKEN}}*{stars}", limit: 3}} # {stars}'


STORED = f"""\
# {S}
settings:
  store: "postgresql://me:{S}@db/watcher" # {S}
channels:
  screen: {{url: "console://"}}
  slack: {{url: "slack://{S}"}}
  block:
    url: |- # {S}
      discord://1/{S}

  env: {{url: "${{URL}}", limit: 7/h}}
sources:
  plain: {{feed: "https://example.org/", tags: [x]}}
  keyed: {{feed: "https://example.net/", headers: {{X-Key: {S}, Accept: text/html}}, auth: {{basic: "me:{S}"}}}}
  inside: {{feed: "https://me:{S}@example.com/"}}
rules:
  r:
    query: |
      # kept: this is the query's own
      Mali
    notify: [screen, slack, env]
"""


def test_what_is_stored_has_no_secret_and_comes_back(tmp_path: Path) -> None:
    env = {"URL": "json://example.org"}
    config = good(tmp_path, STORED, env)
    stored = config.storable()
    assert S not in repr(stored)
    assert stored["watcher.yaml"].count("\n") == STORED.count("\n")

    back = restore(stored, tmp_path / "watcher.yaml", env)
    assert back.withheld == {"slack", "block", "keyed", "inside"}
    assert [name for name, channel in back.channels.items() if channel.withheld] == ["slack", "block"]
    assert back.channels["env"].url.get_secret_value() == "json://example.org"
    assert back.sources["keyed"].headers.keys() == {"Accept"}
    assert back.rules["r"].query == config.rules["r"].query
    assert back.rules["r"].notify == ("screen", "slack", "env")
    assert back.settings.store == config.settings.store
    assert back.storable() == stored


def test_what_is_not_secret_is_stored_as_it_is(tmp_path: Path) -> None:
    text = "channels: {screen: {url: 'console://'}}\nrules:\n  r: {query: 'C# AND \"a # b\"'}\n"
    assert good(tmp_path, text).storable() == {"watcher.yaml": text}


def test_the_mark_of_a_secret_taken_out_means_nothing_in_a_file(tmp_path: Path) -> None:
    assert "tags" in bad(tmp_path, 'channels: {a: {url: !withheld ""}}\n')[0].message


def test_repr_hides_what_is_secret(tmp_path: Path) -> None:
    config = good(tmp_path, STORED, {"URL": f"json://me:{S}@example.org"})
    assert S not in repr((config.settings, config.channels, config.sources["keyed"], config.rules))


def test_where_a_name_is_looked_up(tmp_path: Path) -> None:
    for folder in ("chosen", "credentials"):
        (tmp_path / folder).mkdir()
    (tmp_path / "chosen" / "A").write_text("from chosen\n")
    (tmp_path / "credentials" / "A").write_text("from credentials")
    (tmp_path / "credentials" / "B").write_text("b\r\n")
    env = {"E": "from env", "B": "", "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    lookup = Lookup.of(env, tmp_path / "chosen")
    assert [lookup.get(name) for name in "AEBX"] == ["from chosen", "from env", "", None]
    del env["B"]
    assert lookup.get("B") == "b"
    assert Lookup.of({**env, "WATCHER_SECRETS_DIR": str(tmp_path / "chosen")}).get("A") == "from chosen"
    assert Lookup.of(env).get("A") == "from credentials"
    with pytest.raises(ConfigError, match="no such directory"):
        Lookup.of({}, tmp_path / "nowhere")


def test_secrets_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "BIG").write_bytes(b"x" * 100_000)
    (tmp_path / "BYTES").write_bytes(b"\xff\xfe")
    for name in ("BIG", "BYTES"):
        file = write(tmp_path, f"channels: {{a: {{url: '${{{name}}}'}}}}\n")
        with pytest.raises(ConfigError, match=name):
            load(file, {}, tmp_path)
