"""The HTTP client: one GET at a time, every hop of it checked, bounded in bytes and in time."""

from __future__ import annotations

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Collection, Mapping
from dataclasses import replace
from http import HTTPStatus
from random import Random
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from multidict import CIMultiDict
from yarl import URL

from watcher import __version__
from watcher.clock import Clock
from watcher.errors import FetchError, FetchKind, HostBusy
from watcher.fetch import decode, failures, validators
from watcher.fetch.challenge import READ, challenger
from watcher.fetch.dns import Resolver
from watcher.fetch.exchange import FetchSettings, Request, Response
from watcher.fetch.guard import Hop, current_hop, guarded_socket, is_public
from watcher.fetch.hosts import Busy, HostGate
from watcher.fetch.robots import MAX_BYTES, Robots
from watcher.fetch.urls import checked, is_socks, origin, shown

MAX_REDIRECTS = 10
_REDIRECT = (301, 302, 303, 307, 308)
_PERMANENT = (301, 308)
_REPEATED = (307, 308)  # what was posted is posted again (RFC 9110, 15.4.8 and 15.4.9)
_HOLD = 600.0  # how long a 429 without Retry-After holds its host, in seconds
_CHUNKS = 4096  # of a body, from which on they must hold
_CHUNK = 16  # bytes on average: a chunk costs the event loop as much as kilobytes do
_IDLE = 5.0  # seconds that a connection is kept for the next feed or article of its host; by TLS one takes 0.1 MB
_UNTIMED = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)

# asyncio takes a buffer of this size for every TLS connection, its own of 256 kB: 150 MB for 500 idle ones. Bodies of
# megabytes are read twice as fast with a smaller one, too.
SSLProtocol.max_size = 64 * 1024


class Client:
    """GETs within FetchSettings, one gate per host. An asynchronous context manager; one per process."""

    def __init__(
        self,
        settings: FetchSettings,
        private_hosts: Collection[str],
        clock: Clock,
        rng: Random,
        *,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`private_hosts`: the hosts that the user wrote, which alone may be at private addresses."""
        self.settings = settings
        self.allow_private(private_hosts)
        self.patient = False  # whether get() waits for a turn at a host however long that takes
        self._clock = clock
        self._gate = HostGate(settings.per_host, settings.host_gap, clock, rng)
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._robots: dict[str | None, Robots] = {}
        self._socks: dict[str, aiohttp.ClientSession] = {}
        self._resolver = resolver
        self._tls = tls
        contact = " ".join(settings.contact.split())
        self._user_agent = f"watcher/{__version__}" + (f" (+{contact})" if contact else "")

    def allow_private(self, hosts: Collection[str]) -> None:
        """Let `hosts`, and no others, be at private addresses from now on."""
        self._private = frozenset(host.lower().strip("[]").rstrip(".") for host in hosts)

    async def __aenter__(self) -> Self:
        self._dns = self._resolver or Resolver()
        connector = aiohttp.TCPConnector(
            limit=self.settings.concurrency,
            resolver=self._dns,
            ttl_dns_cache=60,
            keepalive_timeout=_IDLE,
            ssl=self._tls or ssl.create_default_context(),
            socket_factory=guarded_socket,
        )
        self._session = _session(connector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in (self._session, *self._socks.values()):
            await session.close()
        await self._dns.close()

    async def get(self, request: Request) -> Response:
        """Get `request`, or post its form.

        A 304 is a Response; every other status but 2xx raises FetchError, as does all that fails. Raises HostBusy,
        before anything was sent, where too many requests wait for the host already.
        """
        return await _Exchange(self, request, self.settings.max_body).run()

    def session(self, proxy: str | None) -> aiohttp.ClientSession:
        """The session that requests through `proxy` are made with: SOCKS is a matter of connecting, not of HTTP."""
        if not is_socks(proxy):
            return self._session
        assert proxy is not None
        if proxy not in self._socks:
            from watcher.fetch.socks import connector  # noqa: PLC0415 - few need it

            tls = self._tls or ssl.create_default_context()
            self._socks[proxy] = _session(connector(proxy, self.settings.concurrency, tls))
        return self._socks[proxy]

    def robots(self, proxy: str | None) -> Robots:
        """The robots.txt files as they are seen through `proxy`."""

        async def fetch(url: str) -> bytes:
            request = Request(url, proxy=proxy, accept="text/plain, */*;q=0.1")
            return (await _Exchange(self, request, MAX_BYTES, cut=True).run()).body

        return self._robots.setdefault(proxy, Robots(fetch, self._clock))


def _session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=_UNTIMED,
        auto_decompress=False,
        trust_env=False,
        max_line_size=16384,
        max_field_size=16384,
    )


class _Exchange:
    """One request and its redirects."""

    def __init__(self, client: Client, request: Request, cap: int, *, cut: bool = False) -> None:
        self._client = client
        self._request = request
        self._cap = cap
        self._cut = cut
        self._spent = 0.0
        self._url = checked(request.url)
        self._home = origin(self._url)
        self._userinfo = (self._url.user, self._url.password)
        self._url = self._first = self._url.with_user(None)

    async def run(self) -> Response:
        seen: set[URL] = set()
        permanent = True
        while True:
            if self._url in seen or len(seen) > MAX_REDIRECTS:
                raise self._error(FetchKind.REDIRECTS, self._too_far(len(seen)))
            seen.add(self._url)
            if self._request.robots:
                where = str(self._url.origin())
                await self._client.robots(self._request.proxy).check(where, str(self._url))
            answer = await self._hop()
            if isinstance(answer, Response):
                break
            status, target = answer
            permanent = permanent and status in _PERMANENT and (self._url.scheme, target.scheme) != ("https", "http")
            self._url = target
        if len(seen) == 1 or not permanent:
            return answer
        return replace(answer, permanent_url=answer.url)

    async def _hop(self) -> Response | tuple[int, URL]:
        """One request: its response, or the status and the target of a redirect."""
        client = self._client
        key = f"{self._url.host}:{self._url.port}"
        # Only the first hop can be sent away, the others have begun.
        patient = client.patient or self._cut or self._url is not self._first
        try:
            async with client._gate.enter(key, self._request.gap, patient=patient), client._slots:
                if held := client._gate.held(key):
                    raise FetchError(
                        FetchKind.RATE_LIMITED,
                        shown(str(self._url)),
                        f"the host asked to be left alone for {held:.0f} s more",
                        retry_after=held,
                    )
                return await self._timed(key)
        except Busy as busy:
            raise HostBusy(FetchKind.RATE_LIMITED, shown(str(self._url)), str(busy), retry_after=busy.later) from None

    async def _timed(self, key: str) -> Response | tuple[int, URL]:
        """The request within what is left of its time, from a socket that the guard has looked at."""
        client, hop = self._client, self._guard()
        token = current_hop.set(hop)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(max(client.settings.timeout - self._spent, 0.001)):
                return await self._ask(key)
        except FetchError:
            raise
        except failures.EXPECTED as error:
            if hop.refused:
                raise self._error(
                    FetchKind.FORBIDDEN_ADDRESS,
                    f"{hop.host} is at {hop.refused}, which is no public address; only hosts that the "
                    "configuration names may be private",
                ) from None
            kind, message = failures.describe(error, client.settings.timeout)
            raise self._error(kind, message) from None  # its own words may hold the whole URL
        finally:
            current_hop.reset(token)
            self._spent += loop.time() - started

    def _guard(self) -> Hop:
        if self._request.proxy is not None:
            return Hop(URL(self._request.proxy).host or "", private=True)
        host = (self._url.host or "").lower().rstrip(".")
        return Hop(host, private=host in self._client._private)

    async def _ask(self, key: str) -> Response | tuple[int, URL]:
        proxy = self._request.proxy
        if (self._url.host or "").rstrip(".").endswith(".onion"):
            if not is_socks(proxy):  # RFC 7686: such a name must never reach a resolver
                raise self._error(
                    FetchKind.FORBIDDEN_URL, "an .onion address needs `proxy: socks5h://…`, as Tor offers"
                )
        elif proxy is not None:
            await self._check_behind_proxy()
        form = self._request.form
        async with self._client.session(proxy).request(
            "GET" if form is None else "POST",
            self._url,
            data=form,
            headers=self._headers(),
            allow_redirects=False,
            proxy=None if is_socks(proxy) else proxy,
        ) as response:
            status, headers = response.status, response.headers
            if status in _REDIRECT and "Location" in headers:
                if form is not None and status not in _REPEATED:
                    raise self._error(FetchKind.REDIRECTS, f"a form was answered by a redirect (HTTP {status})")
                return status, self._target(headers["Location"])
            if status == HTTPStatus.NOT_MODIFIED and (self._request.etag or self._request.last_modified):
                return self._response(status, headers, b"")
            if 200 <= status < 300:
                return self._response(status, headers, await self._body(response))
            raise await self._refusal(key, response)

    async def _check_behind_proxy(self) -> None:
        """The proxy connects for us, so the target is resolved and checked here first."""
        host = (self._url.host or "").lower().rstrip(".")
        if host in self._client._private:
            return
        try:
            addresses = await self._client._dns.resolve(host, self._url.port or 0)
        except OSError:
            raise self._error(FetchKind.DNS, "the host's name does not resolve") from None
        for found in addresses:
            if not is_public(found["host"]):
                raise self._error(FetchKind.FORBIDDEN_ADDRESS, f"{host} is at {found['host']}, no public address")

    def _headers(self) -> CIMultiDict[str]:
        request = self._request
        headers = CIMultiDict(
            {"User-Agent": self._client._user_agent, "Accept": request.accept, "Accept-Encoding": decode.ACCEPTED}
        )
        if request.etag:
            headers["If-None-Match"] = request.etag
        if request.last_modified:
            headers["If-Modified-Since"] = request.last_modified
        if origin(self._url) != self._home:
            return headers
        if request.user_agent:
            headers["User-Agent"] = request.user_agent
        if request.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in request.cookies.items())
        user, password = self._userinfo
        if request.auth:
            headers["Authorization"] = request.auth
        elif user is not None:
            headers["Authorization"] = aiohttp.encode_basic_auth(user, password or "")
        for name, value in request.headers.items():
            headers[name] = value
        return headers

    def _target(self, location: str) -> URL:
        location = location.strip()
        if "\\" in location:
            raise self._error(FetchKind.FORBIDDEN_URL, "redirected to a URL with a backslash")
        try:
            joined = self._url.join(URL(location, encoded=location.isascii() and " " not in location))
        except ValueError:
            raise self._error(FetchKind.FORBIDDEN_URL, "redirected to what is no URL") from None
        try:
            target = checked(str(joined))
        except FetchError as error:
            raise self._error(error.kind, f"redirected to {error.url}: {error.message}") from None
        if target.user is not None or target.password is not None:
            raise self._error(FetchKind.FORBIDDEN_URL, "redirected to a URL with a user name in it")
        return target

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        encoding = response.headers.get("Content-Encoding", "")
        length = response.content_length
        if length is not None and length > self._cap and not encoding and not self._cut:
            raise self._too_large()
        try:
            body, size, chunks = decode.Body(encoding, self._cap, cut=self._cut), 0, 0
            async for piece, _ in response.content.iter_chunks():
                size, chunks = size + len(piece), chunks + 1
                if chunks > _CHUNKS and size < chunks * _CHUNK:
                    raise self._error(FetchKind.PROTOCOL, "the body comes in thousands of chunks of a few bytes each")
                for _ in body.steps(piece):
                    await asyncio.sleep(0)
                if body.full:
                    break
            return body.finish()
        except decode.TooLarge:
            raise self._too_large() from None
        except decode.Undecodable as error:
            raise self._error(FetchKind.ENCODING, f"the body cannot be decompressed: {error}") from None

    async def _refusal(self, key: str, response: aiohttp.ClientResponse) -> FetchError:
        status, headers = response.status, response.headers
        wait = validators.retry_after(headers, self._client._clock.now())
        if status == HTTPStatus.TOO_MANY_REQUESTS or (status == HTTPStatus.SERVICE_UNAVAILABLE and wait):
            self._client._gate.hold(key, _HOLD if wait is None else wait)
        guard = ""
        if status in (403, 405, 429, 503):
            guard = challenger(headers, await self._glimpse(response))
        phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
        message = f"HTTP {status} {phrase}".strip()
        if guard:
            message += f": {guard} takes watcher for a robot and shows a challenge instead of the page"
        return self._error(failures.of_status(status, bool(guard)), message, status=status, retry_after=wait)

    async def _glimpse(self, response: aiohttp.ClientResponse) -> bytes:
        """The start of a refusal's body, as far as it can be had."""
        try:
            body = decode.Body(response.headers.get("Content-Encoding", ""), READ, cut=True)
            async for piece in response.content.iter_any():
                body.feed(piece)
                if body.full:
                    break
        except (decode.Undecodable, aiohttp.ClientError):
            return b""
        return bytes(body.data)

    def _response(self, status: int, headers: Mapping[str, str], body: bytes) -> Response:
        kept = self._request if status == HTTPStatus.NOT_MODIFIED else Request("")
        return Response(
            url=str(self._url),
            status=status,
            headers=headers,
            body=body,
            etag=validators.validator(headers, "ETag") or kept.etag,
            last_modified=validators.validator(headers, "Last-Modified") or kept.last_modified,
            permanent_url=None,
            elapsed=self._spent,
        )

    def _too_large(self) -> FetchError:
        return self._error(FetchKind.TOO_LARGE, f"the body is longer than {self._cap:,} bytes")

    def _too_far(self, hops: int) -> str:
        if hops > MAX_REDIRECTS:
            return f"more than {MAX_REDIRECTS} redirects"
        return "the redirects go in a circle; perhaps the site wants cookies"

    def _error(
        self, kind: FetchKind, message: str, *, status: int | None = None, retry_after: float | None = None
    ) -> FetchError:
        url = shown(str(self._url))
        asked = shown(self._request.url)
        if url != asked and origin(self._url) != self._home:
            message += f" (redirected from {asked})"
        return FetchError(kind, url, message, status=status, retry_after=retry_after)
