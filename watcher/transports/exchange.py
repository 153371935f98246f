"""The HTTP exchange beneath an Apprise plugin: recorded, and what it means.

Apprise tells success or failure and no more. Status, body and Retry-After are taken where all of its plugins that use
`requests` pass: the transport adapter, wrapped once for the process. Who asked is found through a context variable, so
that sends in different threads do not mix and other users of `requests` are not touched.
"""

from __future__ import annotations

import json
import logging
import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from watcher.errors import Failure, TransportError

if TYPE_CHECKING:
    import requests

BODY = 4096  # characters of an answer that are kept
PERMANENT = frozenset({400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 422})
# Slack's Web API answers 200 to everything; these of its errors pass (docs.slack.dev, chat.postMessage).
SLACK_PASSING = (
    "ratelimited",
    "rate_limited",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
)


@dataclass(slots=True)
class Exchange:
    """What happened on the wire during one send; of several requests, the last."""

    status: int | None = None
    body: str = ""
    retry_after: float | None = None
    failure: Failure | None = None  # of a request without an answer
    error: str = ""
    requests: int = 0
    hosts: list[str] = field(default_factory=list)


current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
_installing = threading.Lock()
# Held by who imports Apprise: of two threads that do at once, one finds modules that are half loaded.
loading = threading.Lock()


def silence_apprise() -> None:
    """Close the loggers that print URLs with their tokens: Apprise's (in a warning, too) and urllib3's."""
    for name in ("apprise", "urllib3.connectionpool"):
        logging.getLogger(name).disabled = True


def install() -> None:
    """Wrap the adapter of `requests`, once."""
    import requests  # noqa: PLC0415 - only where Apprise sends

    with _installing:
        plain = requests.adapters.HTTPAdapter.send
        if getattr(plain, "records_exchanges", False):
            return

        @wraps(plain)
        def send(self: Any, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            exchange = current.get()
            if exchange is None:
                return plain(self, request, *args, **kwargs)
            return _recorded(exchange, request, lambda: plain(self, request, *args, **kwargs))

        send.records_exchanges = True  # type: ignore[attr-defined]  # a mark on the function itself
        requests.adapters.HTTPAdapter.send = send  # type: ignore[method-assign]  # the wrapping that this is for


def _recorded(exchange: Exchange, request: requests.PreparedRequest, send: Any) -> requests.Response:
    import requests  # noqa: PLC0415 - loaded before

    host = urlsplit(request.url or "").hostname or ""
    exchange.requests += 1
    exchange.hosts.append(host)
    exchange.status, exchange.body, exchange.retry_after, exchange.failure = None, "", None, None
    try:
        response: requests.Response = send()
        exchange.status = response.status_code
        exchange.body = response.text[:BODY]  # reads it now: a loss here is a loss of the answer
    except requests.RequestException as error:
        exchange.failure, exchange.error = _lost(error), f"{host}: {_cause(error)}"
        raise
    exchange.retry_after = _seconds(response.headers.get("Retry-After", ""))
    if response.is_redirect and not _may_follow(request, response):
        exchange.failure, exchange.error = Failure.TRANSIENT, f"{host}: redirects elsewhere ({response.status_code})"
        raise requests.TooManyRedirects("refused")
    return response


def _may_follow(request: requests.PreparedRequest, response: requests.Response) -> bool:
    """A message goes only to the host that the user named, and whole: other redirects make a GET of a POST."""
    old = urlsplit(request.url or "")
    new = urlsplit(urljoin(request.url or "", response.headers.get("Location", "")))
    whole = response.status_code in (307, 308) or request.method in ("GET", "HEAD")
    return whole and new.hostname == old.hostname and new.scheme in ("https", old.scheme)


def _lost(error: Exception) -> Failure:
    """Whether the request can have been received: what failed before it was sent can be sent again without a doubt."""
    import requests  # noqa: PLC0415 - loaded before
    from urllib3.exceptions import NewConnectionError  # noqa: PLC0415

    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.ProxyError)):
        return Failure.TRANSIENT
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(reason, NewConnectionError):  # refused, unreachable, no such name
        return Failure.TRANSIENT
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        return Failure.PERMANENT
    return Failure.AMBIGUOUS


def _cause(error: Exception) -> str:
    """What went wrong in words that hold no URL: the innermost error's own, as far as it is the system's."""
    import requests  # noqa: PLC0415 - loaded before

    if isinstance(error, requests.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "no trusted TLS connection"
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    names = {"NameResolutionError": "no such host", "NewConnectionError": "connection refused or unreachable"}
    return names.get(type(reason).__name__, "connection lost")


def _seconds(value: str) -> float | None:
    """Retry-After as seconds from now (RFC 9110, 10.2.3): a number or a date."""
    value = value.strip()
    if value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return max(0.0, ((when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())


def failure_of(exchange: Exchange, service: str) -> TransportError:
    """What a send that Apprise calls failed means for the next try."""
    if exchange.failure is not None:
        return TransportError(exchange.failure, exchange.error)
    if exchange.status is None:
        return TransportError(Failure.TRANSIENT, f"{service}: failed without saying why")
    answer = _document(exchange.body)
    said = answer.get("description") or answer.get("error") or answer.get("message") or exchange.body
    text = " ".join(f"{exchange.status} {said if isinstance(said, str) else exchange.body}".split())[:300]
    parameters = answer.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    moved_to = parameters.get("migrate_to_chat_id")
    if isinstance(moved_to, int):
        return TransportError(Failure.TRANSIENT, text, moved_to=str(moved_to))
    waits = [parameters.get("retry_after"), answer.get("retry_after"), exchange.retry_after]
    retry_after = next((float(wait) for wait in waits if isinstance(wait, (int, float))), None)
    if exchange.status == 200 and service == "slack":
        failure = Failure.TRANSIENT if answer.get("error") in SLACK_PASSING else Failure.PERMANENT
    else:
        failure = Failure.PERMANENT if exchange.status in PERMANENT else Failure.TRANSIENT
    return TransportError(failure, text, retry_after=retry_after)


def _document(body: str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
