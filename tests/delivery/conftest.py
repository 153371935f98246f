from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import Fakes


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fakes]:
    """The services, met by this process under their own names."""
    with Fakes(tmp_path) as running:
        running.install(monkeypatch)
        yield running
