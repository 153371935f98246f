"""URLs as the client takes them: which are refused, and how they are shown without their secrets."""

from __future__ import annotations

import re

from yarl import URL

from watcher.errors import FetchError, FetchKind

SHORTEST = 6  # characters of a value that is hidden
LONGEST = 10_000  # characters of a URL that are looked at

_hidden: dict[str, str] = {}  # of each value, as it stands in URLs, the reference

_SECRET_NAME = re.compile(r"key|token|secret|pass|auth|sig|cred|session", re.IGNORECASE)
_VALUE = re.compile(r"([?&;])([^=&;#]+)=([^&;#]+)")
_USERINFO = re.compile(r"(?<=//)[^/?#@]*@")
_HOST = re.compile(r"\w+://[^/?#]*")
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


def hide(value: str, name: str) -> None:
    """Have `shown` put `${name}` where `value` stands behind a URL's host, for as long as the process lives.

    What is short, or a host, stands in many an address and is no secret.
    """
    if len(value) < SHORTEST:
        return
    _hidden.update(dict.fromkeys(_forms(value), f"${{{name}}}"))


def _forms(value: str) -> set[str]:
    """A value as it stands in URLs behind their host: of one that is a URL itself what follows its host."""
    if value.lower().startswith(("http://", "https://")):
        try:
            url = checked(value)
        except FetchError:
            return set()
        whole = value.partition("://")[2].partition("/")[2]
        return {form for form in (whole, url.raw_path_qs.lstrip("/")) if len(form) >= SHORTEST}
    encoded = value.isascii() and " " not in value
    try:  # as `checked` makes them
        path = str(URL(f"http://h/{value}", encoded=encoded)).removeprefix("http://h/")
        query = URL(f"http://h/?q={value}", encoded=encoded).raw_query_string.removeprefix("q=")
    except ValueError:
        return {value}
    return {form for form in (value, path, query) if form}


def _references(text: str) -> str:
    """`text` with the reference in the place of each hidden value behind its host."""
    if not _hidden:
        return text
    longest_first = "|".join(map(re.escape, sorted(_hidden, key=len, reverse=True)))
    start = _HOST.match(text)
    at = start.end() if start else 0
    return text[:at] + re.sub(longest_first, lambda found: _hidden[found[0]], text[at:])


def shown(text: str) -> str:
    """`text` fit for logs and errors: no user, no password, no value that is named like a secret or was a reference."""

    def mask(found: re.Match[str]) -> str:
        return f"{found[1]}{found[2]}=***" if _SECRET_NAME.search(found[2]) else found[0]

    return _VALUE.sub(mask, _references(_USERINFO.sub("", text[:LONGEST])))[:2000]


def origin(url: URL) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 6454): what a source's credentials are bound to."""
    return url.scheme, (url.host or "").lower().rstrip("."), url.port or 0


def is_socks(proxy: str | None) -> bool:
    """Whether a proxy is asked by SOCKS rather than by HTTP."""
    return proxy is not None and proxy.lower().startswith("socks5h://")


def _forbidden(text: str, message: str) -> FetchError:
    return FetchError(FetchKind.FORBIDDEN_URL, shown(re.sub(r"[\x00-\x1f\x7f]", "?", text)), message)
