"""URLs as identities: one form for one page, and who published it.

The canonical form follows RFC 3986 §6 (case, percent-encoding, dot segments, default port) and goes beyond it where
news addresses need it: it is an identity to compare, not an address to fetch.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urljoin, urlsplit

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

# Parameters that say how a reader came, never what is read; lower case.
_TRACKING_PREFIXES = (
    "utm_", "mtm_", "matomo_", "piwik_", "pk_", "hsa_", "at_campaign", "at_custom", "at_medium", "__twitter_", "trk_",
    "_bta_", "amp_", "vero_", "itm_", "sms_", "tw_", "fb_", "guce_", "ns_", "gad_", "_branch_", "oly_",
)  # fmt: skip
_TRACKING = frozenset(
    "fbclid gclid gclsrc gbraid wbraid dclid srsltid gpromocode gqt twclid yclid ymclid _openstat msclkid"
    " ttclid ndclid scclid sccid usqp aoh rtid irclickid vmcid li_fat_id mc_cid mc_eid _ga _gl _ke _kx mkwid"
    " pcrid ef_id s_kwcid s_cid dm_i epik igshid igsh si campid cmpid cmp ocid ftag icid ncid mkt_tok"
    " rb_clickid wickedid gdfms gdftrk gdffi mkevt mkcid mkrid redirect_log_mongo_id redirect_mongo_id"
    " sb_referer_host smid smtyp guccounter traffic_source xtor sharetoken share_source aftr_source spm"
    " partnerid partner_source clickid affiliate this_affiliate ref_src ref_url from_rss feedtype ito taid"
    " outputtype".split()
)
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_KEPT = "!$&'()*+,;=:@/%"  # what a path may hold as it is

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_SURROGATE = re.compile("[\ud800-\udfff]")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_AMP_PATH = re.compile(r"(?<=.)/amp(?:\.html)?/?$|\.amp(?=\.html$)")
_AMP_CACHED = re.compile(r"/(?:amp|[cvwi])/(?:s/)?(?=[^/]+\.[^/]+(?:/|$))")
_IP = re.compile(r"\d+(?:\.\d+){3}|.*:.*")
_LABELS = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


def canonical(url: str) -> str:
    """One form for all addresses of a page; "" where `url` is no http(s) URL. Idempotent.

    The scheme becomes https, the host lower case (IDNA) without `www.`, `m.`, `mobile.` or `amp.` before a registrable
    domain; default ports, user and password, the fragment (but `#!…`, which names a page), doubled slashes, a slash at
    the end and AMP's path endings go, as do tracking parameters; the others are sorted. The path's case is kept. Of an
    address in an AMP cache the publisher's is taken. Whose rule is followed where: docs/decisions/canonical-urls.md.
    """
    return _canonical(url) if len(url) <= 8192 else ""


@lru_cache(maxsize=4096)
def _canonical(url: str) -> str:
    parts = _split(url)
    if parts is None:
        return ""
    name, port, path, query, fragment = parts
    path = _path(path)  # first, as what an AMP cache's holds is told by it
    if (inner := _within_amp(name, path)) and _split(inner):
        return _canonical(f"{inner}?{query}" if query else inner)
    name = _bare_host(name)
    place = f"[{name}]" if ":" in name else name
    if port and port not in (80, 443):
        place += f":{port}"
    fields = _query(query)
    kept = "#" + _quoted(fragment) if fragment.startswith("!") else ""
    return f"https://{place}{path}{'?' + fields if fields else ''}{kept}"


def _within_amp(name: str, path: str) -> str:
    """The publisher's address in one of an AMP cache or viewer, where the path holds it whole; else ""."""
    if name.endswith(".cdn.ampproject.org") or name in ("www.google.com", "google.com"):
        found = _AMP_CACHED.match(path)
        return f"https://{path[found.end() :]}" if found else ""
    return ""


def _split(url: str) -> tuple[str, int, str, str, str] | None:
    """Host (ASCII), port (0: none is written), path, query and fragment of an http(s) URL."""
    url = _CONTROL.sub("", url).strip()
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port or 0
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or "\\" in parts.netloc:
        return None
    name = _ascii_host(name.rstrip("."))
    return (name, port, parts.path, parts.query, parts.fragment) if name else None


def _ascii_host(name: str) -> str:
    """The host in ASCII (RFC 5891); "" where it cannot be one."""
    if not name.isascii():
        try:
            import idna  # noqa: PLC0415 - rarely needed

            name = idna.encode(name, uts46=True).decode("ascii")
        except (UnicodeError, ValueError):
            return ""
    name = name.lower()
    return name if _LABELS.fullmatch(name) or (":" in name and _IP.fullmatch(name)) else ""


def _bare_host(name: str) -> str:
    """Without the labels that only say for which screen, as long as a registrable domain is left."""
    while True:
        label, _, rest = name.partition(".")
        if label in ("www", "m", "mobile", "amp") and _registrable(rest):
            name = rest
        else:
            return name


def _path(path: str) -> str:
    path = re.sub(r"/{2,}", "/", path.replace("\\", "/"))
    path = _dotless(_quoted(path)).rstrip("/")
    while (shorter := _AMP_PATH.sub("", path).rstrip("/")) != path:
        path = shorter
    return path


def _dotless(path: str) -> str:
    """RFC 3986 §5.2.4: without `.` and `..` segments."""
    if "/." not in path:
        return path
    out: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del out[-1:]
        elif segment != ".":
            out.append(segment)
    return "/" + "/".join(out)


def _query(query: str) -> str:
    """The parameters that name the page, sorted."""
    query = query.replace("&amp;", "&").replace("&#038;", "&")
    fields = [field for field in query.split("&") if field.strip("=") and not _tracks(field)]
    return "&".join(sorted(_quoted(field.replace("+", "%20")) for field in fields))


def _tracks(field: str) -> bool:
    name = field.partition("=")[0].lower()
    return name in _TRACKING or name.startswith(_TRACKING_PREFIXES) or (name == "amp" and field[3:] in ("", "=", "=1"))


def _quoted(text: str) -> str:
    """Percent-encoding in one form (RFC 3986 §6.2.2): upper case, and none where none is needed."""

    def one(found: re.Match[str]) -> str:
        code = int(found[1], 16)
        return chr(code) if code in _UNRESERVED else found[0].upper()

    text = _SURROGATE.sub("\ufffd", _STRAY_PERCENT.sub("%25", _ESCAPE.sub(one, text)))
    return text if text.isalnum() and text.isascii() else quote(text, safe=_KEPT + "?#[]|~")


# --- who published it -----------------------------------------------------------------------------------------------

# Hosts where many publish, each under a path of its own: how many segments name one.
_BY_PATH = {
    "t.me": 1, "telegram.me": 1, "medium.com": 1, "x.com": 1, "twitter.com": 1, "facebook.com": 1, "instagram.com": 1,
    "tiktok.com": 1, "threads.net": 1, "threads.com": 1, "vk.com": 1, "ok.ru": 2, "linkedin.com": 2, "github.com": 1,
    "gitlab.com": 1, "bsky.app": 2, "dzen.ru": 1, "patreon.com": 1, "rumble.com": 2, "odysee.com": 1, "vc.ru": 1,
    "habr.com": 3, "dev.to": 1, "sites.google.com": 2, "mastodon.social": 1, "soundcloud.com": 1, "weibo.com": 1,
    "mp.weixin.qq.com": 2, "open.substack.com": 2, "substack.com": 1, "telegra.ph": 1, "hackernoon.com": 1,
    "reddit.com": 2,
}  # fmt: skip
# Hosts where each publishes under a host of their own, which the public suffix list does not name.
_BY_HOST = frozenset(
    "substack.com medium.com livejournal.com tumblr.com over-blog.com beehiiv.com hatenablog.com hatenablog.jp"
    " typepad.com posthaven.com ghost.io buttondown.email skyrock.com canalblog.com blogspot.com wordpress.com".split()
)
# Hosts that carry what others publish.
_AGGREGATORS = frozenset(
    "news.google.com google.com news.yahoo.com bing.com msn.com flipboard.com smartnews.com newsbreak.com feedly.com"
    " feedburner.com feedproxy.google.com feeds.feedburner.com news.ycombinator.com allafrica.com ground.news"
    " newsnow.co.uk apple.news upday.com inoreader.com rsshub.app biztoc.com memeorandum.com"
    " techmeme.com slashdot.org digg.com pocket.co getpocket.com lobste.rs news.mail.ru rambler.ru".split()
)


def outlet(url: str) -> str:
    """Who publishes `url`: the registrable domain, or host and path where many publish on one host.

    "" where it is an aggregator's, which speaks for nobody, or no http(s) URL. Registrable domains are the Public
    Suffix List's, with its private part, so that each blog of a host counts.
    """
    parts = _split(url)
    if parts is None:
        return ""
    name = _bare_host(parts[0])
    if _IP.fullmatch(name):
        return name
    domain = _registrable(name) or name
    if name in _AGGREGATORS or (domain in _AGGREGATORS and name in (domain, f"news.{domain}")):
        return ""
    if domain in _BY_HOST and name != domain and name not in _BY_PATH:
        return name
    return _account(name if name in _BY_PATH else domain, parts[2], parts[3])


def without_user(url: str) -> str:
    """`url` without the user and password that may stand before its host."""
    return re.sub(r"^(\w+://)[^/?#]*@", r"\1", url)


def has_domain(host: str) -> bool:
    """Whether a host has a registrable domain: an address and a bare name of a local network have none."""
    name = _bare_host(host)
    return not _IP.fullmatch(name) and bool(_registrable(name))


def _account(place: str, path: str, query: str) -> str:
    """Host and account where `place` is one that many publish on; else `place`."""
    segments = [segment for segment in path.split("/") if segment]
    if place in ("youtube.com", "youtu.be"):
        if segments and segments[0].startswith("@"):
            return f"youtube.com/{segments[0].lower()}"
        if len(segments) > 1 and segments[0] in ("channel", "c", "user"):
            return f"youtube.com/{segments[0]}/{segments[1]}"
        channel = dict(parse_qsl(query)).get("channel_id", "") if segments[:1] == ["feeds"] else ""
        return f"youtube.com/channel/{channel}" if channel else "youtube.com"
    depth = _BY_PATH.get(place, 0)
    if place in ("t.me", "telegram.me"):
        place = "t.me"
        segments = segments[1:] if segments[:1] == ["s"] else segments
    if place == "reddit.com" and segments[:1] == ["r"]:
        return ""
    if place == "bsky.app" or len(segments) < depth:
        depth = min(depth, len(segments))
    return "/".join([place, *(segment.lower() for segment in segments[:depth])])


def host(url: str) -> str:
    """The host name of an http(s) URL, lower case, in ASCII; "" where there is none."""
    parts = _split(url)
    return parts[0] if parts else ""


def words_of(url: str) -> str:
    """What an address says in words, for want of a title: /2027/river-rises-88.html gives "river rises"."""
    segments = [segment for segment in unquote(urlsplit(url).path).split("/") if segment]
    last = re.sub(r"\.[a-z]{1,5}$", "", segments[-1]) if segments else ""
    found = [word for word in re.split(r"[\W_]+", last) if word and not word.isdigit()]
    return " ".join(found) if len(found) >= 2 else ""


def resolve(base: str, link: str) -> str:
    """`link` as found in a page or feed at `base`, absolute (RFC 3986 §5); "" where that is no http(s) URL."""
    link = _CONTROL.sub("", link).strip()
    if not link:
        return ""
    try:
        whole = urljoin(base, link)
    except ValueError:
        return ""
    return whole if _split(whole) is not None else ""


@lru_cache(maxsize=4096)
def _registrable(name: str) -> str:
    """The public suffix and the label before it; "" where `name` is a suffix itself or an IP address."""
    if _IP.fullmatch(name):
        return ""
    return _suffixes().privatesuffix(name) or ""


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - reads its list when imported

    return PublicSuffixList(accept_unknown=True)
