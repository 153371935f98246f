"""What went wrong, in our words: from aiohttp's exceptions and from statuses."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from watcher.errors import FetchKind

# ValueError: what a hostile answer makes of a parser. Anything else is a bug of ours, and is raised as it is.
EXPECTED = (aiohttp.ClientError, HttpProcessingError, OSError, TimeoutError, ValueError)


class SocksError(aiohttp.ClientConnectionError):
    """A SOCKS proxy did not connect, in its own words."""


def describe(error: Exception, timeout: float) -> tuple[FetchKind, str]:
    """The kind and the words for what the client's own code, aiohttp or the system raised within `timeout` seconds."""
    for kinds, kind, words in _WORDS:
        if isinstance(error, kinds):
            return kind, words(error)
    if isinstance(error, TimeoutError) and not error.errno:
        return FetchKind.TIMEOUT, f"not done after {timeout:g} s"
    if isinstance(error, OSError):
        return FetchKind.NETWORK, f"the connection broke ({_system(error)})"
    return FetchKind.PROTOCOL, f"the exchange failed: {type(error).__name__}"


def of_status(status: int, challenged: bool) -> FetchKind:
    """The kind of a status that is no success."""
    if challenged:
        return FetchKind.BLOCKED
    if status == 410:
        return FetchKind.GONE
    if status == 429:
        return FetchKind.RATE_LIMITED
    if 400 <= status < 500:
        return FetchKind.CLIENT
    if 500 <= status < 600:
        return FetchKind.SERVER
    return FetchKind.PROTOCOL


def _system(error: Exception) -> str:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return getattr(cause, "strerror", None) or type(cause).__name__


def _first_line(text: str) -> str:
    return (text.splitlines() or ["unreadable"])[0][:120]


def _certificate(error: Exception) -> str:
    return str(getattr(error, "verify_message", "") or type(error).__name__)


# The first row that fits counts, so the more special classes stand first.
_WORDS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], FetchKind, Callable[[Any], str]], ...] = (
    (
        aiohttp.ClientConnectorDNSError,
        FetchKind.DNS,
        lambda error: f"the host's name does not resolve ({error.os_error.strerror or 'no answer'})",
    ),
    (
        aiohttp.ClientConnectorCertificateError,
        FetchKind.TLS,
        lambda error: f"its certificate is not trusted: {_certificate(error.certificate_error)}",
    ),
    ((aiohttp.ClientSSLError, ssl.SSLError), FetchKind.TLS, lambda _: "no TLS connection could be made"),
    (aiohttp.ClientHttpProxyError, FetchKind.NETWORK, lambda error: f"the proxy refused with HTTP {error.status}"),
    (
        aiohttp.ClientProxyConnectionError,
        FetchKind.NETWORK,
        lambda error: f"the proxy cannot be reached ({_system(error)})",
    ),
    (aiohttp.ClientConnectorError, FetchKind.NETWORK, lambda error: f"no connection ({_system(error)})"),
    (
        SocksError,
        FetchKind.NETWORK,
        lambda error: f"the SOCKS proxy did not connect: {_first_line(str(error))}",
    ),
    (
        aiohttp.ServerDisconnectedError,
        FetchKind.NETWORK,
        lambda _: "the server closed the connection without an answer",
    ),
    (
        aiohttp.ClientPayloadError,
        FetchKind.PROTOCOL,
        lambda _: "the connection ended before the whole body had come",
    ),
    (aiohttp.InvalidURL, FetchKind.FORBIDDEN_URL, lambda _: "this is no valid URL"),
    (
        (aiohttp.ClientResponseError, HttpProcessingError),
        FetchKind.PROTOCOL,
        lambda error: f"the answer is no proper HTTP: {_first_line(error.message)}",
    ),
)
