"""What is asked of the client, and what it gives: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ACCEPT_FEED = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, text/html;q=0.5, */*;q=0.1"
)
ACCEPT_PAGE = "text/html, application/xhtml+xml, application/xml;q=0.8, */*;q=0.1"


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """The limits of the client; times in seconds, sizes in bytes."""

    contact: str = ""  # where a site's owner reaches the one who runs this: a mail address or a URL
    timeout: float = 30.0  # for everything: connecting, all redirects, the whole body; not the wait for a turn
    max_body: int = 10_000_000  # decompressed
    concurrency: int = 200
    per_host: int = 2
    host_gap: float = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """What to get. Headers, auth, cookies and user_agent go to the URL's own origin only, never past a redirect."""

    url: str
    etag: str | None = None
    last_modified: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: str | None = field(default=None, repr=False)  # the value of the Authorization header
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy: str | None = field(default=None, repr=False)  # http://, https:// or socks5h://; used for every hop
    user_agent: str | None = None
    robots: bool = False  # ask robots.txt first
    accept: str = ACCEPT_FEED
    form: Mapping[str, str] | None = field(default=None, repr=False)  # posted as a form, instead of a GET
    gap: float = 0.0  # seconds to the next request to the same host, where it is more than FetchSettings.host_gap


@dataclass(frozen=True, slots=True)
class Response:
    """What came: a status of 2xx with its body, or 304 with none."""

    url: str  # after redirects
    status: int
    headers: Mapping[str, str]
    body: bytes
    etag: str | None  # of this response; of the request where a 304 repeats none
    last_modified: str | None
    permanent_url: str | None  # where permanent redirects alone led, and not from https to http
    elapsed: float  # seconds, waits for a turn not counted
