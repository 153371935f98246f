"""URLs as the client takes them: which are refused, and how they are shown without their secrets."""

from __future__ import annotations

import re

from yarl import URL

from watcher.errors import FetchError, FetchKind
from watcher.text.references import masked

_SECRET_NAME = re.compile(r"key|token|secret|pass|auth|sig|cred|session", re.IGNORECASE)
_VALUE = re.compile(r"([?&;])([^=&;#]+)=([^&;#]+)")
_USERINFO = re.compile(r"(?<=//)[^/?#@]*@")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")


def checked(text: str) -> URL:
    """`text` as a URL that may be fetched, without its fragment; user and password stay in it.

    An ASCII URL is kept byte for byte (signed addresses break when they are quoted anew). Raises
    FetchError(FORBIDDEN_URL) for any scheme but http and https, and for a backslash or a control character, which
    parsers of URLs read differently.
    """
    text = text.strip()
    if _UNSAFE.search(text):
        raise _forbidden(text, "a backslash or a control character does not belong in a URL")
    try:
        url = URL(text, encoded=text.isascii() and " " not in text).with_fragment(None)
        if url.raw_host and url.raw_host != url.raw_host.lower():
            url = url.with_host(url.raw_host.lower())
        port = url.port
    except ValueError:
        raise _forbidden(text, "this is no valid URL") from None
    if url.scheme not in ("http", "https"):
        raise _forbidden(text, f"only http and https are fetched, not {url.scheme or 'a URL without a scheme'}")
    if not url.host or not port:
        raise _forbidden(text, "the URL names no host")
    return url


def shown(text: str) -> str:
    """`text` fit for logs and errors: no user, no password, no value that is named like a secret or was a reference."""

    def mask(found: re.Match[str]) -> str:
        return f"{found[1]}{found[2]}=***" if _SECRET_NAME.search(found[2]) else found[0]

    return masked(_VALUE.sub(mask, _USERINFO.sub("", text[:2000])))


def origin(url: URL) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 6454): what a source's credentials are bound to."""
    return url.scheme, (url.host or "").lower().rstrip("."), url.port or 0


def is_socks(proxy: str | None) -> bool:
    """Whether a proxy is asked by SOCKS rather than by HTTP."""
    return proxy is not None and proxy.lower().startswith("socks5h://")


def _forbidden(text: str, message: str) -> FetchError:
    return FetchError(FetchKind.FORBIDDEN_URL, shown(re.sub(r"[\x00-\x1f\x7f]", "?", text)), message)
