import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from watcher.cli import app
from watcher.config import load
from watcher.config.opml import read_opml, write_opml
from watcher.errors import ConfigError

OPML = """<?xml version="1.0" encoding="UTF-8"?><opml version="1.0"><head><title>Mine</title></head><body>
<outline text="West Africa"><outline text="Sahel">
<outline type="rss" text="Lake Town: News!"
xmlUrl="https://lake.example/feed?a=1&amp;b=[2]"/>
</outline><outline type="rss" title="Hill Post" text="x"
xmlUrl="https://hill.example/rss" category="/daily,/Big Papers"/></outline>
<outline type="rss" text="Hill Post" xmlUrl="https://other.example/rss"/><outline type="rss" text="Bad" xmlUrl="file:///etc/passwd"/>
<outline text="Old" xmlUrl="https://un.example/feed"/></body></opml>"""


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "a.yaml").write_text(
        "settings: {store: 'sqlite:///w.db'}\nsources: {un: {feed: 'https://un.example/feed', tags: [world, un]}}\n"
    )
    (tmp_path / "mine.opml").write_text(OPML)
    return tmp_path / "config"


def test_import_makes_tags_of_folders_and_touches_no_other_file(folder: Path) -> None:
    before = (folder / "a.yaml").read_bytes()
    code, out, err = run("sources", "import", "mine.opml")
    assert (code, out.split()) == (0, ["lake-town-news", "hill-post", "hill-post-2"])
    assert "file:///etc/passwd: expected a URL" in err
    assert "https://un.example/feed: already there" in err
    sources = load(folder, {}).sources
    assert sources["lake-town-news"].address == "https://lake.example/feed?a=1&b=[2]"
    assert sources["lake-town-news"].tags == ("west-africa", "sahel")
    assert sources["hill-post"].tags == ("west-africa", "daily", "big-papers")
    assert (folder / "a.yaml").read_bytes() == before
    assert sorted(file.name for file in folder.iterdir()) == ["a.yaml", "sources-added.yaml"]
    assert run("sources", "import", "mine.opml")[0] == 1
    assert load(folder, {}).sources.keys() == sources.keys()


def test_export_and_import_again(folder: Path) -> None:
    run("sources", "import", "mine.opml")
    code, out, _ = run("sources", "export")
    assert code == 0
    found = {outline.address: outline.tags for outline in read_opml(out.encode(), "x")}
    assert found == {source.address: source.tags for source in load(folder, {}).sources.values()}
    assert write_opml([]).startswith("<opml")


def test_add(folder: Path) -> None:
    assert run("sources", "add", "https://www.lake.example/feed", "--tag", "local")[1] == "lake\n"
    assert run("sources", "add", "https://hill.example/feed", "--name", "Hill")[1] == "hill\n"
    assert load(folder, {}).sources["lake"].tags == ("local",)
    assert run("sources", "add", "ftp://hill.example/feed")[0] == 1


def test_a_single_file_is_not_added_to(folder: Path) -> None:
    code, _, err = run("sources", "add", "https://hill.example/feed", "--config", str(folder / "a.yaml"))
    assert code == 2
    assert "into a directory" in err


def test_listing_and_showing(folder: Path) -> None:
    assert [row["source"] for row in json.loads(run("sources", "--json")[1])] == ["un"]
    assert json.loads(run("sources", "un", "--json")[1])["kind"] == "feed"
    assert run("sources", "un")[1].startswith("un ")
    assert run("sources", "nosuch")[0] == 2


@pytest.mark.parametrize("data", [b"", b"<rss/>", b"<html><body>no", b'{"a": 1}'])
def test_what_is_no_opml(data: bytes) -> None:
    with pytest.raises(ConfigError, match="no OPML"):
        read_opml(data, "x")


def test_entities_of_an_opml_are_not_read() -> None:
    bomb = b'<!DOCTYPE o [<!ENTITY f SYSTEM "file:///etc/passwd">]><opml><outline text="&f;" xmlUrl="https://a.example/"/></opml>'
    assert all("root" not in outline.title for outline in read_opml(bomb, "x"))


def test_a_name_that_is_nearly_a_sources_is_suggested(folder: Path) -> None:
    code, _, err = run("sources", "UNN")
    assert code == 2
    assert "there is no source UNN; did you mean un?" in " ".join(err.replace("│", " ").split())
