"""The command line: quick, lazy, and with exit statuses that mean something."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import watcher.cli
from watcher.cli import NOT_COMMANDS, app, summary
from watcher.config import load

FILES = [file for file in Path(watcher.cli.__file__).parent.glob("*.py") if file.stem not in NOT_COMMANDS]


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("WATCHER_CONFIG", "WATCHER_SECRETS_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_help_imports_no_command_and_no_heavy_library() -> None:
    code = "import sys\nfrom watcher.cli import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert not loaded & {"pydantic", "yaml", "aiohttp", "apprise", "sqlalchemy", "rich", "watcher.cli.check"}
    for file in FILES:
        assert file.stem in done.stdout


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_commands_first_line_is_its_help(file: Path) -> None:
    assert len(summary(file)) > 10
    assert file.read_text(encoding="utf-8").splitlines()[0].endswith('."""')


@pytest.mark.parametrize("name", ["check", "schema", "init"])
def test_each_command_has_help(name: str) -> None:
    code, out, _ = run(name, "--help")
    assert code == 0
    assert out.startswith("Usage:")


def test_version_and_unknown_commands() -> None:
    assert run("--version")[:2] == (0, f"watcher {watcher.__version__}\n")
    code, _, err = run("chek")
    assert code == 2
    assert "check" in err


def test_check_says_what_is_fine(tmp_path: Path) -> None:
    (tmp_path / "watcher.yaml").write_text("channels: {a: {url: 'console://'}}\nrules: {r: {query: Bamako}}\n")
    assert run("check") == (0, "1 channel, 0 sources, 1 rule: fine\n", "")
    assert run("check", "--json")[:2] == (0, "[]\n")


def test_check_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("channels: {a: {url: 'console://', lmit: 1/h}}\nrules: {r: {query: (Bamako}}\n")
    code, out, err = run("check", "--config", str(file))
    assert (code, err) == (2, "")
    assert f"{file}:1:35: error: unknown key" in out
    assert out.endswith("2 errors\n")
    code, out, _ = run("check", "-c", str(file), "--json")
    assert code == 2
    problems = json.loads(out)
    assert [problem["line"] for problem in problems] == [1, 2]
    assert list(problems[0]) == ["file", "line", "column", "level", "message", "hint"]


def test_warnings_alone_are_no_failure(tmp_path: Path) -> None:
    (tmp_path / "watcher.yaml").write_text("rules: {r: {query: Bamako}}\n")
    code, out, _ = run("check")
    assert code == 0
    assert out.endswith("0 channels, 0 sources, 1 rule: 1 warning\n")


def test_where_the_configuration_is_looked_for(tmp_path: Path) -> None:
    code, out, _ = run("check")
    assert code == 2
    assert "watcher init" in out
    (tmp_path / "watcher.yaml").write_text("rules: {r: {query: Bamako}}\n")
    assert "1 rule" in run("check")[1]
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "a.yaml").write_text("rules: {r: {query: Bamako}, s: {query: Niamey}}\n")
    assert "2 rules" in run("check")[1]
    os.environ["WATCHER_CONFIG"] = "watcher.yaml"
    try:
        assert "1 rule" in run("check")[1]
    finally:
        del os.environ["WATCHER_CONFIG"]


def test_init_writes_what_checks_clean(tmp_path: Path) -> None:
    code, out, _ = run("init", "mine", "--pack", "security", "--pack", "africa-sahel")
    assert code == 0
    names = ["watcher.yaml", "security.yaml", "africa-sahel.yaml", "watcher.schema.json"]
    assert out.splitlines() == [f"mine/{name}" for name in names]
    assert run("check", "--config", "mine") == (0, run("check", "--config", "mine")[1], "")
    assert run("check", "--config", "mine")[1].endswith(": fine\n")
    assert set(load(tmp_path / "mine", {}).channels) == {"screen"}
    for name in names[:3]:
        assert "$schema=watcher.schema.json" in (tmp_path / "mine" / name).read_text().splitlines()[0]


def test_init_with_a_list_of_terms(tmp_path: Path) -> None:
    code, out, _ = run("init", "mine", "--pack", "terms/countries")
    assert (code, out.splitlines()[1]) == (0, "mine/terms-countries.yaml")
    file = tmp_path / "mine" / "terms-countries.yaml"
    assert file.read_text(encoding="utf-8").splitlines()[0].endswith("$schema=watcher.schema.json")
    assert "country.mali" in load(tmp_path / "mine", {}).terms


def test_a_pack_goes_beside_a_configuration_that_is_there(tmp_path: Path) -> None:
    assert run("init")[0] == 0
    mine = (tmp_path / "config" / "watcher.yaml").read_text(encoding="utf-8")
    code, out, _ = run("init", "--pack", "terms/countries")
    assert (code, out.splitlines()) == (0, ["config/terms-countries.yaml"])
    assert (tmp_path / "config" / "watcher.yaml").read_text(encoding="utf-8") == mine
    assert "country.mali" in load(tmp_path / "config", {}).terms
    code, _, err = run("init", "--pack", "terms/countries")
    assert code == 2
    assert "already there: config/terms-countries.yaml" in err


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "watcher.yaml").write_text("mine")
    code, out, err = run("init")
    assert (code, out) == (2, "")
    assert "already there" in err
    assert [file.name for file in (tmp_path / "config").iterdir()] == ["watcher.yaml"]
    assert (tmp_path / "config" / "watcher.yaml").read_text() == "mine"


def test_init_without_words_can_be_run_at_once(tmp_path: Path) -> None:
    assert run("init")[0] == 0
    assert run("check")[1].endswith(": fine\n")


def test_the_packs_are_listed() -> None:
    code, out, _ = run("init", "--list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        "africa-sahel", "business", "russia-ukraine", "science", "security", "technology", "world",
        "terms/actors", "terms/countries",
    ]  # fmt: skip
    code, _, err = run("init", "--pack", "nosuch")
    assert code == 2
    assert "africa-sahel" in err


def test_schema_is_json() -> None:
    code, out, _ = run("schema")
    assert code == 0
    assert json.loads(out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_check_says_which_files_it_did_not_read_where_nothing_is_watched(tmp_path: Path) -> None:
    (tmp_path / "watcher.yaml").write_text("channels: {screen: {url: 'console://'}}\n")
    assert "Only" not in run("check")[1]
    (tmp_path / "world.yaml").write_text("sources: {a: {feed: 'https://example.org/'}}\nrules: {r: {query: a}}\n")
    _, said, _ = run("check")
    assert said.splitlines()[-1] == (
        "Only watcher.yaml was read. Beside it: world.yaml; --config . reads them together."
    )
    assert "1 source, 1 rule" in run("check", "--config", ".")[1]
