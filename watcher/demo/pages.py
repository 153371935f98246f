"""How the demo's sites write: article pages full of what is not the article, RSS 2.0 and Atom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

from watcher.demo.content import TEASERS, Outlet, Piece

Entry = tuple[Piece, float, str, str]  # piece, time of publication, link, GUID

# A whole page of any outlet holds every word of the demo's rules: only the article may count.
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title} | {site}</title>
<meta name="description" content="{summary}">
<meta property="og:type" content="article">
<meta property="og:site_name" content="{site}">
<meta property="article:published_time" content="{iso}">
</head>
<body>
<div class="cookie-banner" role="dialog">
  <p>We and our 412 partners use cookies to show you advertisements. You can change your choice at any time.</p>
  <button>Accept all</button> <button>Settings</button>
</div>
<header>
  <a class="logo" href="/">{site}</a>
  <nav class="menu">
    <ul>
      <li><a href="/africa">Africa</a>
        <ul>
          <li><a href="/africa/mali">Mali</a></li><li><a href="/africa/niger">Niger</a></li>
          <li><a href="/africa/burkina-faso">Burkina Faso</a></li><li><a href="/africa/somalia">Somalia</a></li>
        </ul>
      </li>
      <li><a href="/europe">Europe</a>
        <ul><li><a href="/europe/russia">Russia</a></li><li><a href="/europe/ukraine">Ukraine</a></li></ul>
      </li>
      <li><a href="/sport">Sport</a></li><li><a href="/weather">Weather</a></li><li><a href="/login">Log in</a></li>
    </ul>
  </nav>
</header>
<main>
  <article>
    <h1>{title}</h1>
    <p class="byline">By our correspondent · <time datetime="{iso}">{day}</time></p>
    {first}
    <aside class="related">
      <h3>Other topics of interest</h3>
      <ul>{teasers}</ul>
    </aside>
    {rest}
  </article>
  <section class="newsletter">
    <h3>The morning in five minutes</h3>
    <p>Get our newsletter with the best of {site}, every weekday at six. Unsubscribe whenever you like.</p>
    <form><input type="email" placeholder="Your address"><button>Sign up</button></form>
  </section>
  <section class="most-read">
    <h3>Most read</h3>
    <ol>{teasers}</ol>
  </section>
</main>
<footer>
  <p>© {site}. All rights reserved. <a href="/imprint">Imprint</a> · <a href="/privacy">Privacy</a> ·
  <a href="/jobs">Jobs</a> · <a href="/feed.xml">RSS</a></p>
  <p>Follow us, share this page, or read the full story in our app.</p>
</footer>
</body>
</html>
"""
_TEASER = '<li><a href="/{path}">{title}</a><span>Read more</span></li>'


def article(outlet: Outlet, piece: Piece, at: float) -> str:
    """The page of a piece, with the site's own furniture around it and a box in the middle of it."""
    when = datetime.fromtimestamp(at, UTC)
    paragraphs = [f"<p>{escape(paragraph)}</p>" for paragraph in piece.paragraphs]
    shown = [(title, path) for title, path in TEASERS if title != piece.title]
    return _PAGE.format(
        title=escape(piece.title),
        summary=escape(piece.summary),
        site=escape(outlet.name),
        iso=when.isoformat(timespec="seconds"),
        day=f"{when:%d %B %Y}",
        first="\n    ".join(paragraphs[:2]),
        rest="\n    ".join(paragraphs[2:]),
        teasers="".join(_TEASER.format(path=path, title=escape(title)) for title, path in shown),
    )


def rss(outlet: Outlet, home: str, entries: Iterable[Entry]) -> str:
    """An RSS 2.0 feed."""
    items = "".join(
        f"<item><title>{escape(piece.title)}</title><link>{escape(link)}</link>"
        f'<guid isPermaLink="false">{escape(guid)}</guid><description>{escape(piece.summary)}</description>'
        f"<pubDate>{format_datetime(datetime.fromtimestamp(at, UTC))}</pubDate></item>\n"
        for piece, at, link, guid in entries
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(outlet.name)}</title><link>{home}</link><description>News</description>\n{items}</channel></rss>\n"
    )


def atom(outlet: Outlet, home: str, entries: Iterable[Entry]) -> str:
    """An Atom feed (RFC 4287)."""
    listed = list(entries)
    newest = datetime.fromtimestamp(max((at for _, at, _, _ in listed), default=0.0), UTC).isoformat()
    items = "".join(
        f'<entry><id>urn:{escape(guid)}</id><title>{escape(piece.title)}</title><link href="{escape(link)}"/>'
        f"<updated>{datetime.fromtimestamp(at, UTC).isoformat()}</updated>"
        f"<published>{datetime.fromtimestamp(at, UTC).isoformat()}</published>"
        f"<summary>{escape(piece.summary)}</summary></entry>\n"
        for piece, at, link, guid in listed
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{home}</id><title>{escape(outlet.name)}</title><updated>{newest}</updated>\n{items}</feed>\n"
    )
