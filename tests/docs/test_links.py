"""What the documents point to is there."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.paths import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)|src=\"(?!https?://)([^\"]+)\"")
# A file of the project in backticks, such as `watcher/store/tables.py`.
PATH = re.compile(r"`((?:watcher|tests|docs|deploy|config|seeds|benchmarks)/[a-z0-9_./-]*\.[a-z]+)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_and_paths_lead_somewhere(document: Path) -> None:
    text = document.read_text()
    links = [document.parent / (one or other) for one, other in LINK.findall(text)]
    paths = [ROOT / path for path in PATH.findall(text)]
    assert [str(path) for path in links + paths if not path.exists()] == []


def test_every_dependency_has_its_page() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[\[<>=;~! ]", line)[0].lower() for line in project["dependencies"]}
    pages = "\n".join(path.read_text().lower() for path in (ROOT / "docs/decisions").glob("*.md"))
    assert {name for name in names if name not in pages and name.replace("_", "-") not in pages} == set()


def test_every_command_is_listed_in_the_documents() -> None:
    commands = {path.stem for path in (ROOT / "watcher/cli").glob("*.py")} - {"__init__", "common"}
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    assert {name for name in commands if f"watcher {name}" not in text} == set()
