"""One POST of ours to a service, and what came of it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from watcher.errors import Failure, TransportError

TIMEOUT = 30.0  # s, in all
MOST = 65536  # bytes of an answer that are read


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered; `content` is the JSON object in its body, or empty."""

    status: int
    text: str
    retry_after: float | None = None
    content: Mapping[str, Any] = field(default_factory=dict)


async def post_json(
    url: str,
    content: Mapping[str, Any] | str,
    *,
    headers: Mapping[str, str] | None = None,
    masked: Callable[[str], str] = str,
    seconds: float = TIMEOUT,
) -> Answer:
    """POST a JSON document, following no redirect.

    Raises TransportError where there was no answer: transient where the request cannot have been received, else
    ambiguous. What is said passes through `masked`. It takes `seconds` at most.
    """
    import aiohttp  # noqa: PLC0415 - only where it is sent with

    body = content if isinstance(content, str) else json.dumps(content)
    sent = {"Content-Type": "application/json", "User-Agent": "watcher", **(headers or {})}
    # The authorities are read anew each time, so that a renewed bundle needs no restart.
    context = await asyncio.to_thread(ssl.create_default_context)
    connector = aiohttp.TCPConnector(ssl=context, force_close=True)
    limits = aiohttp.ClientTimeout(total=seconds, sock_connect=10.0)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=limits, trust_env=False) as session,
            session.post(url, data=body.encode(), headers=sent, allow_redirects=False) as response,
        ):
            text = (await response.content.read(MOST)).decode("utf-8", "replace")
            return Answer(response.status, text, _seconds(response.headers.get("Retry-After", "")), _object(text))
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise TransportError(Failure.TRANSIENT, masked(f"no connection: {type(error).__name__}")) from None
    except aiohttp.InvalidURL:
        raise TransportError(Failure.PERMANENT, "the address is no URL") from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise TransportError(Failure.AMBIGUOUS, masked(f"no answer: {type(error).__name__}")) from None


def _seconds(value: str) -> float | None:
    return float(value) if value.strip().isdigit() else None


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
