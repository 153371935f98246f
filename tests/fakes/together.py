"""All fakes on one event loop in one thread."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme
from aiohttp import web

from tests.fakes.mail import FakeMail
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

CHILD = Path(__file__).parent / "child"
HOSTS = ("api.telegram.org", "hooks.slack.com", "slack.com")


class Fakes:
    """Telegram, Slack and a mail server; `with` starts and stops them. `directory` takes the CA's certificate."""

    def __init__(self, directory: Path) -> None:
        self.telegram, self.slack, self.mail = FakeTelegram(), FakeSlack(), FakeMail()
        self.hooks: list[Any] = []  # what was posted to `hook_url`, a service without markup
        self.hook_requests: list[tuple[dict[str, str], bytes]] = []
        self.hook_status = 200  # what it answers
        authority = trustme.CA()
        self._certificate = authority.issue_cert(*HOSTS, "localhost", "127.0.0.1")
        self._authority_file = directory / "test-ca.pem"
        authority.cert_pem.write_to_path(str(self._authority_file))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fakes", daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(20)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    async def _start(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate.configure_cert(context)
        app = web.Application(client_max_size=1 << 22)
        app.router.add_route("*", "/{path:.*}", self._route)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        server: Any = site._server
        self.port = server.sockets[0].getsockname()[1]
        await self.mail.start(context)

    async def _stop(self) -> None:
        await self.mail.stop()
        await self._runner.cleanup()

    async def _route(self, request: web.Request) -> web.StreamResponse:
        host = request.host.partition(":")[0]
        if host == "api.telegram.org":
            return await self.telegram.handle(request)
        if host in ("hooks.slack.com", "slack.com"):
            return await self.slack.handle(request)
        self.hook_requests.append((dict(request.headers), await request.read()))
        if self.hook_status != 200:
            headers = {429: {"Retry-After": "7"}, 307: {"Location": "/elsewhere"}}.get(self.hook_status, {})
            return web.Response(status=self.hook_status, text="no", headers=headers)
        self.hooks.append(await request.json())
        return web.Response(text="thanks")

    def environment(self) -> dict[str, str]:
        """What a child process needs in its environment to meet the fakes."""
        path = os.pathsep.join(filter(None, [str(CHILD), os.environ.get("PYTHONPATH", "")]))
        authority = str(self._authority_file)
        return {
            "PYTHONPATH": path,
            "WATCHER_TEST_HOSTS": ",".join(f"{host}={self.port}" for host in HOSTS),
            "REQUESTS_CA_BUNDLE": authority,
            "SSL_CERT_FILE": authority,
            "NO_PROXY": "*",
        }

    def install(self, monkeypatch: Any) -> None:
        """Let this process meet the fakes, for as long as `monkeypatch` lasts."""
        real = socket.getaddrinfo

        def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            return real("127.0.0.1", self.port, *args, **kwargs) if host in HOSTS else real(host, port, *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NO_PROXY"):
            monkeypatch.setenv(name, self.environment()[name])

    def mail_url(self, *recipients: str, query: str = "") -> str:
        """A channel URL for the fake mail server."""
        to = ",".join(recipients)
        return f"mailto://127.0.0.1:{self.mail.port}?from=watcher@watch.example&to={to}{query}"

    @property
    def hook_url(self) -> str:
        """A channel URL for a service without markup: whatever it posts lands in `hooks`."""
        return f"jsons://localhost:{self.port}/hook"


TELEGRAM_TOKEN = "123456789:AAcanary-telegram-token_abcdefghijk"
SLACK_URL = "slack://T0CANARY00/B0CANARY00/canaryslackwebhooktoken1"
SLACK_PATH = "/services/T0CANARY00/B0CANARY00/canaryslackwebhooktoken1"


def telegram_url(*chats: int | str) -> str:
    return f"tgram://{TELEGRAM_TOKEN}/" + "/".join(str(chat) for chat in chats)
