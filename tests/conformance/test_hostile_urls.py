"""Ways to write a private address, each of which must be refused before anything is connected to."""

from __future__ import annotations

import json
import socket
from random import Random
from typing import Any

import pytest

from tests.clock import FakeClock
from tests.paths import CORPORA
from watcher.errors import FetchError, FetchKind
from watcher.fetch import Client, FetchSettings, Request

STRINGS = CORPORA / "hostile/strings.jsonl"
OURS = [
    "http://127.0.0.1/", "http://[::ffff:7f00:1]/", "http://0x7f000001/", "http://0177.0.0.1/", "http://[::]/",
    "http://10.0.0.1/", "http://[fe80::1%25eth0]/", "http://trap.example/", "HTTP://127.0.0.1/", "http:\\\\127.0.0.1/",
    "http://\t127.0.0.1/", "jar:http://127.0.0.1!/", "javascript:alert(1)", "http://[::1]:80:80/", "http://①②⑦.0.0.1/",
]  # fmt: skip


def hostile() -> list[str]:
    rows = [json.loads(line) for line in STRINGS.read_text().splitlines()] if STRINGS.exists() else []
    return OURS + [row["text"] for row in rows if row["kind"] == "url"]


class Trap:
    """Resolves numbers as the system does, and every name to this machine."""

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[dict[str, Any]]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        return [
            {"hostname": host, "host": str(a[0]), "port": port, "family": f, "proto": p, "flags": socket.AI_NUMERICHOST}
            for f, _, p, _, a in found
        ]

    async def close(self) -> None: ...


@pytest.mark.parametrize("url", hostile())
async def test_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: Any) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", connect)
    async with Client(FetchSettings(timeout=5.0), (), FakeClock(), Random(1), resolver=Trap()) as client:  # type: ignore[arg-type]
        with pytest.raises(FetchError) as caught:
            await client.get(Request(url))
    assert caught.value.kind in (FetchKind.FORBIDDEN_ADDRESS, FetchKind.FORBIDDEN_URL), caught.value
