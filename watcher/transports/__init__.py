"""Ways to send: one file each. A new one is a new file with a subclass of Transport; nothing registers it."""

from __future__ import annotations

import inspect
import pkgutil
from functools import lru_cache
from importlib import import_module

from watcher.errors import Failure, TransportError
from watcher.transports.base import Receipt, Transport

__all__ = ["Receipt", "Transport", "check_url", "transport_for"]


@lru_cache(maxsize=1)
def _by_scheme() -> dict[str, Transport]:
    found: dict[str, Transport] = {}
    for module in pkgutil.iter_modules(__path__):
        members = vars(import_module(f"{__name__}.{module.name}")).values()
        for member in members:
            if inspect.isclass(member) and issubclass(member, Transport) and not inspect.isabstract(member):
                transport = member()
                found.update(dict.fromkeys(member.schemes, transport))
    return found


def transport_for(url: str) -> Transport:
    """The transport that sends to `url`. Raises TransportError where there is none."""
    transport = _find(url)
    if transport is None:
        raise TransportError(Failure.PERMANENT, _unknown(url))
    return transport


def check_url(url: str) -> str | None:
    """What is wrong with a channel's URL, without its secrets; None if nothing is seen at a glance."""
    transport = _find(url)
    return _unknown(url) if transport is None else transport.check(url)


def _find(url: str) -> Transport | None:
    by_scheme = _by_scheme()
    for transport in by_scheme.values():
        if transport.prefixes and url.strip().lower().startswith(transport.prefixes):
            return transport
    return by_scheme.get(_scheme(url))


def _scheme(url: str) -> str:
    scheme, separator, _ = url.strip().partition("://")
    return scheme.lower() if separator else ""


def _unknown(url: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only for an error

    scheme = _scheme(url)
    if not scheme:
        return "a channel's URL begins with a scheme, as in tgram://, slack://, mailtos:// or console://"
    near = get_close_matches(scheme, _by_scheme(), 1)
    hint = (
        f"; did you mean {near[0]}://?" if near else "; see https://appriseit.com/services/ for the services there are"
    )
    return f"no way to send to {scheme[:30]}://{hint}"
