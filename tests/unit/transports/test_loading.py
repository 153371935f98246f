"""Apprise is imported by one thread at a time: of two that do at once, one finds it half loaded."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from watcher.transports import apprise, email
from watcher.transports.exchange import loading


@pytest.mark.parametrize("load", [email._load, apprise._apprise])
def test_who_imports_it_waits_for_who_does(load: Callable[[], Any]) -> None:
    load()  # so that the second time takes no time
    thread = threading.Thread(target=load.__wrapped__)  # type: ignore[attr-defined]
    with loading:
        thread.start()
        thread.join(0.1)
        assert thread.is_alive()
    thread.join(10.0)
    assert not thread.is_alive()
