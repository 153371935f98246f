"""Which links of a page lead to articles. For workers; the choice itself is pure.

A link is judged by three things: by its address (a slug of several words, a date, a long number; no section, tag or
login), its text (a headline has words), and where it stands (not in a menu, header or footer). Where
addresses say nothing, as on `/show/7`, the largest group of links that stand alike and read like headlines is taken.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from watcher.errors import ParseError
from watcher.sources.entries import Entry, to_items
from watcher.text.urls import canonical, outlet, resolve

MAX_LINKS = 500

_PART = re.compile(r"[^\W\d_]+")
_DATE = re.compile(r"/(?:19|20)\d\d[/-]?(?:0?[1-9]|1[0-2]|[a-z]{3})(?:[/-]?(?:[0-2]?\d|3[01]))?(?=[/-])", re.IGNORECASE)
_NUMBER = re.compile(r"(?<!\d)\d{5,}(?!\d)")
_QUERY_ID = re.compile(r"(?:^|[?&;])(?:\w*id|idx|no|seq|p|n|a|news|article|story|item)=\d+", re.IGNORECASE)
_FILE = re.compile(
    r"\.(?:jpe?g|png|gif|svg|webp|mp[34]|avi|mov|zip|rss|xml|json|css|js|ics|docx?|xlsx?|pptx?)$", re.IGNORECASE
)
_NO_ARTICLE = frozenset(
    "tag tags topic topics category categories cat kategorie rubrik author authors profile profiles user users people"
    " staff contributor contributors login signin sign-in signup sign-up register registration account subscribe"
    " subscription subscriptions newsletter newsletters about about-us contact contact-us contacts privacy"
    " privacy-policy terms terms-of-use terms-of-service terms-and-conditions cookie cookies cookie-policy legal"
    " imprint impressum advertise advertising advertise-with-us careers jobs search suche page pages archive archives"
    " help faq support feedback feed feeds rss sitemap site-map shop store cart checkout donate gallery galleries"
    " horoscope horoscopes games crosswords share print comment comments cgi-bin wp-admin wp-login.php"
    " user-agreement redaktion mediadaten podcasts hashtag membership members".split()
)
_MENU = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|submenu|footer|breadcrumbs?|social|share|sharing|cookies?|login"
    r"|sidebar-nav|masthead|toolbar|pagination|pager|copyright|legal|subscribe|newsletter|tags|tag-list|taglist)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)
_MENU_TAGS = frozenset(("nav", "footer", "form", "button", "select"))
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_MORE = re.compile(
    r"^(?:read|see|show|learn|load|view)\s+(?:more|all|full)\b|^(?:continue reading|mehr|weiterlesen)", re.I
)


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it stands on its page."""

    url: str
    text: str = ""
    place: str = ""  # tags and classes of what it stands in: links of one list have it in common
    menu: bool = False  # in a menu, a header's navigation, a footer, a form
    heading: bool = False  # in a heading, or around one


def find_items(body: bytes, charset: str, url: str, source: str, select: str | None, now: float) -> dict[str, Any]:
    """The articles that the page at `url` lists, as items of `source`. Raises ParseError where there is none."""
    from watcher.extract import decode  # noqa: PLC0415
    from watcher.sources.select import selected, tree_of  # noqa: PLC0415

    tree = tree_of(decode(body, charset))
    base = next((resolve(url, found.get("href") or "") for found in tree.iter("base")), "") or url
    if select is None:
        chosen = articles(links_of(tree, base), url)
        if not chosen:
            raise ParseError("no link on the page looks like an article's; say where they are with `select:`")
    else:
        chosen = merged(_selected_links(selected(tree, select), base))
        if not chosen:
            raise ParseError(f"what fits `select: {select}` holds no link")
    lang = tree.get("lang") or ""
    entries = [Entry(guid=canonical(link.url), url=link.url, title=link.text, lang=lang) for link in chosen[:MAX_LINKS]]
    items = to_items(source, entries, now)
    title = next((" ".join("".join(found.itertext()).split()) for found in tree.iter("title")), "")
    return {"title": title, "items": [tuple(getattr(item, name) for name in item.__slots__) for item in items]}


def articles(links: Sequence[Link], page: str) -> list[Link]:
    """Those of a page's links that lead to articles of its own site, in the page's order, each once."""
    own, here = outlet(page), canonical(page)
    candidates = [link for link in merged(links) if outlet(link.url) == own and canonical(link.url) != here]
    sure = [link for link in candidates if _is_article(link)]
    places = Counter(link.place for link in sure)
    likely = _largest_list(candidates) if len(sure) < 3 else [
        link for link in candidates if places[link.place] >= 3 and _is_headline(link) and len(link.text) > 15
    ]  # fmt: skip
    return [link for link in candidates if link in sure or link in likely]


def merged(links: Sequence[Link]) -> list[Link]:
    """One link for each address: a picture, a headline and "read more" often lead to the same article."""
    found: dict[str, Link] = {}
    for link in links:
        key = canonical(link.url)
        first = found.get(key)
        if first is None or (not link.menu and (first.menu or _worth(link) > _worth(first))):
            found[key] = link
    return list(found.values())


def _worth(link: Link) -> tuple[bool, bool, int]:
    return (not _MORE.search(link.text), link.heading, min(words(link.text), 20))


def words(text: str) -> int:
    """Words; in scripts that part none, two characters count as one."""
    return len(_PART.findall(text)) + len(_UNSPACED.findall(text)) // 2


def _is_article(link: Link) -> bool:
    shape = address_score(link.url)
    if link.menu or shape < 0:
        return False
    length = words(link.text)
    if shape >= 2:
        return length >= 2 or link.heading
    return shape == 1 and (length >= 4 or (link.heading and length >= 2))


def address_score(url: str) -> int:
    """How much an address looks like an article's: 2 surely, 1 perhaps, 0 does not say, -1 it is something else."""
    parts = urlsplit(url)
    path = unquote(parts.path)
    segments = [segment for segment in path.lower().split("/") if segment]
    if _FILE.search(path) or any(segment in _NO_ARTICLE for segment in segments[:-1]):
        return -1
    if parts.fragment.startswith(("comment", "respond")) or "/comment-page-" in path:
        return -1
    if not segments:
        return 1 if _QUERY_ID.search(parts.query) else -1
    last = re.sub(r"\.[a-z]{1,5}\d?$", "", segments[-1])
    if last in _NO_ARTICLE:
        return -1
    slug = len(_PART.findall(last))
    number = bool(_NUMBER.search(last)) or (last.isdigit() and len(last) >= 3)
    dated = bool(_DATE.search(path)) and not re.fullmatch(r"[\d/-]+", path)
    if slug >= 4 or (dated and slug >= 1) or (number and slug >= 2):
        return 2
    return 1 if slug == 3 or number or dated or _QUERY_ID.search(parts.query) else 0


def _is_headline(link: Link) -> bool:
    return not link.menu and address_score(link.url) >= 0 and words(link.text) >= 3


def _largest_list(candidates: Sequence[Link]) -> list[Link]:
    """The links that stand alike and hold the most text, where they read like headlines."""
    lists: dict[str, list[Link]] = defaultdict(list)
    for link in candidates:
        if not link.menu and address_score(link.url) >= 0:
            lists[link.place].append(link)
    best = max(lists.values(), key=lambda group: sum(words(link.text) for link in group), default=[])
    headlines = [link for link in best if _is_headline(link)]
    return headlines if len(headlines) >= 3 and len(headlines) * 2 >= len(best) else []


def links_of(tree: Any, base: str) -> list[Link]:
    """All links of a page, in its order."""
    return [link for element in tree.iter("a") if (link := _link(element, base)) is not None]


def _selected_links(parts: Sequence[Any], base: str) -> list[Link]:
    found = []
    for part in parts:
        if isinstance(part, str):  # an XPath that ends in @href
            url = resolve(base, part)
            owner = part.getparent() if hasattr(part, "getparent") else None
            if url:
                found.append((_link(owner, base) if owner is not None and owner.tag == "a" else None) or Link(url))
            continue
        anchors = [part] if part.tag == "a" else [*part.iter("a")] or [*part.iterancestors("a")][:1]
        found += [link for anchor in anchors if (link := _link(anchor, base)) is not None]
    return found


def _link(element: Any, base: str) -> Link | None:
    href = (element.get("href") or "").strip()
    url = resolve(base, href) if href and not href.startswith("#") else ""
    if not url:
        return None
    ancestors = [each for each in element.iterancestors() if isinstance(each.tag, str)]
    tags = [each.tag for each in ancestors[:3]]
    headings = [each for each in element.iter("h1", "h2", "h3", "h4", "h5") if _text(each)]
    heading = bool(headings) or any(re.fullmatch(r"h[1-6]", tag) for tag in tags)
    text = _text(headings[0] if headings else element)
    if not text:
        text = element.get("title") or element.get("aria-label") or ""
        text = text or next((image.get("alt") for image in element.iter("img") if image.get("alt")), "")
    place = "/".join(f"{each.tag}.{(each.get('class') or '').split(' ')[0]}" for each in [element, *ancestors[:3]])
    return Link(url, " ".join(text.split())[:500], place, any(map(_is_menu, [element, *ancestors])), heading)


def _text(element: Any) -> str:
    """The text of an element without that of scripts, and of noscript, which holds markup."""
    if element.tag in ("script", "style", "noscript", "template") or not isinstance(element.tag, str):
        return ""
    pieces = [element.text or ""]
    for child in element:
        pieces += (_text(child), child.tail or "")
    return " ".join(" ".join(pieces).split())


def _is_menu(element: Any) -> bool:
    if element.tag in ("body", "html", "main", "article"):
        return False
    if element.tag in _MENU_TAGS or element.get("role") in ("navigation", "menu", "contentinfo"):
        return True
    return bool(_MENU.search(f"{element.get('class') or ''} {element.get('id') or ''}"))
