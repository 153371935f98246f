"""Settings: environment before .env before secrets before YAML."""

from pathlib import Path

import pytest

from tests.unit.config.configs import bad, good, write
from watcher.config import environment, load, load_settings
from watcher.config.settings import parse_size, system_timezone
from watcher.errors import ConfigError

YAML = "settings:\n  max_age: 1d\n  fetch: {contact: yaml, per_host: 3}\n"


def test_which_source_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONTACT", "TIMEOUT", "HOST_GAP", "CONCURRENCY"):
        monkeypatch.delenv(f"WATCHER_FETCH__{name}", raising=False)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "WATCHER_FETCH__CONTACT").write_text("secret\n")
    (secrets / "watcher_fetch__timeout").write_text("10s\n")
    (secrets / "WATCHER_FETCH__HOST_GAP").write_text("9s\n")
    (secrets / "OTHER").write_text("x")
    file = write(tmp_path, YAML)

    fetch = load_settings(file, {}, secrets).fetch
    assert (fetch.contact, fetch.per_host, fetch.timeout, fetch.host_gap) == ("secret", 3, 10.0, 9.0)

    (tmp_path / ".env").write_text("WATCHER_FETCH__CONTACT=dotenv\nWATCHER_FETCH__TIMEOUT='11s'\nIGNORED\n")
    fetch = load_settings(file, environment(tmp_path), secrets).fetch
    assert (fetch.contact, fetch.per_host, fetch.timeout, fetch.host_gap) == ("dotenv", 3, 11.0, 9.0)

    monkeypatch.setenv("WATCHER_FETCH__CONTACT", "environment")
    fetch = load_settings(file, environment(tmp_path), secrets).fetch
    assert (fetch.contact, fetch.per_host, fetch.timeout, fetch.host_gap) == ("environment", 3, 11.0, 9.0)


def test_dotenv_serves_references_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK", raising=False)
    (tmp_path / ".env").write_text("HOOK=json://example.org/a$b\n")
    config = good(tmp_path, "channels: {a: {url: '${HOOK}'}}\n", environment(tmp_path))
    assert config.channels["a"].url.get_secret_value() == "json://example.org/a$b"


def test_a_whole_section_as_json(tmp_path: Path) -> None:
    file = write(tmp_path, YAML)
    fetch = load_settings(file, {"WATCHER_FETCH": '{"timeout": "7s"}'}).fetch
    assert (fetch.timeout, fetch.per_host) == (7.0, 3)


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({"WATCHER_FETCH__TIMEOUT": "soon"}, "WATCHER_FETCH__TIMEOUT"),
        ({"WATCHER_FETCH__TIMOUT": "5s"}, "WATCHER_FETCH__TIMOUT"),
        ({"WATCHER_FETCH": '{"timeout": "soon"}'}, "WATCHER_FETCH"),
        ({"WATCHER_FETCH": "{"}, "environment"),
        ({"watcher_max_age": "soon"}, "watcher_max_age"),
    ],
)
def test_a_wrong_variable_is_named_and_not_shown(tmp_path: Path, env: dict[str, str], named: str) -> None:
    [problem] = bad(tmp_path, YAML, env)
    assert named in problem.file
    assert "soon" not in str(problem)


@pytest.mark.parametrize(
    ("written", "store"),
    [
        ("sqlite:///var/w.db", "sqlite:///{}/var/w.db"),
        ("sqlite:///../w.db", "sqlite:///{0.parent}/w.db"),
        ("sqlite+aiosqlite:///w.db", "sqlite+aiosqlite:///{}/w.db"),
        ("sqlite:////var/lib/w.db", "sqlite:////var/lib/w.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql://me@db/w", "postgresql://me@db/w"),
    ],
)
def test_a_relative_store_is_relative_to_the_configuration(tmp_path: Path, written: str, store: str) -> None:
    file = write(tmp_path, f"settings: {{store: '{written}'}}\n")
    assert load_settings(file, {}).store == store.format(tmp_path)
    assert load_settings(tmp_path, {"WATCHER_STORE": written}).store == store.format(tmp_path)


def test_the_store_beside_the_configuration_is_the_default(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, ""), {}).store == f"sqlite:///{tmp_path}/watcher.db"


def test_the_systems_time_zone() -> None:
    assert system_timezone({"TZ": "Asia/Tokyo"}) == "Asia/Tokyo"
    assert system_timezone({"TZ": ":Asia/Tokyo"}) == "Asia/Tokyo"
    assert system_timezone({"TZ": "nonsense"}) == system_timezone({})


def test_sizes() -> None:
    assert [parse_size(text) for text in ("5B", "1.5kB", "10 MB", "2GB")] == [5, 1500, 10_000_000, 2_000_000_000]
    for text in ("10", "MB", "10MiB", "-1MB"):
        with pytest.raises(ValueError, match="a size is written as"):
            parse_size(text)


def test_settings_that_are_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no time zone"):
        load_settings(write(tmp_path, "settings: {timezone: Kyiv}\n"), {})


def test_a_variable_that_sets_nothing_is_linted(tmp_path: Path) -> None:
    env = {"WATCHER_STORES": "x", "WATCHER_FECTH__TIMEOUT": "5s", "WATCHER_CONFIG": "c", "WATCHER_BOT_TOKEN": "t"}
    warnings = good(tmp_path, "settings: {max_age: 2d}", env).warnings
    assert [(warning.file.split()[-1], warning.hint) for warning in warnings] == [
        ("WATCHER_STORES", "did you mean WATCHER_STORE?"),
        ("WATCHER_FECTH__TIMEOUT", "did you mean WATCHER_FETCH?"),
    ]


def test_a_file_that_was_emptied_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("\n# nothing\n")
    with pytest.raises(ConfigError, match="holds no configuration"):
        load(tmp_path, {})
