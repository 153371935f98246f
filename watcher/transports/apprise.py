"""Everything that Apprise knows how to send to: over 120 services by URL.

Apprise builds the request; what it leaves to us is done here (docs/decisions/apprise.md): one recipient a URL, no
retry and no splitting of its own for the styles that we write, our text as it is, the answer from the wire, no
redirect to another host, no URL in any log. Its plugins block, so that they run in threads of their own.
"""

from __future__ import annotations

import asyncio
import contextvars
import html
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from watcher.errors import Failure, TransportError
from watcher.model import Message, Style, Target, derive_id
from watcher.transports.base import Receipt, Transport
from watcher.transports.exchange import Exchange, current, failure_of, install, loading, silence_apprise
from watcher.transports.schemes import APPRISE

THREADS = 16  # sends at once; one stuck for READ_TIMEOUT takes one of them
CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 20.0  # s; Apprise's own 4 s make doubtful sends of slow answers
# core.telegram.org/bots/faq: one message a second in a chat, 20 a minute in a group; a burst of 5 and 15 a minute keep
# to that in every minute. docs.slack.dev, rate limits: one message a second.
TELEGRAM_RATES: tuple[tuple[int, float], ...] = ((1, 1.0),)
TELEGRAM_GROUP_RATES = (*TELEGRAM_RATES, (5, 20.0))
SLACK_RATES = ((1, 1.0),)
SECTION, SECTIONS = 3000, 50  # characters of a Slack section, sections of a message

_SLACK_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
_TELEGRAM = re.compile(
    r"tgram://(?:bot)?[0-9]+(?::|%3A|/)[a-z0-9_-]+(?P<chats>[^?]*)(?:\?(?P<query>.*))?", re.IGNORECASE
)
_CHAT = re.compile(r"(-?[0-9]{1,32}|@?[a-z_][a-z0-9_-]+)(:[0-9]+)?", re.IGNORECASE)
# Apprise masks tokens where it knows them; in these URLs any part of the path can be one.
_OPEN_PATH = frozenset({"json", "jsons", "xml", "xmls", "form", "forms", "apprise", "apprises", "http", "https"})
_NO_CHAT = "the Telegram URL names no chat: expected tgram://BOT_TOKEN/CHAT_ID"
_MESSAGE_ID = re.compile(r'"message_id"\s*:\s*([0-9]+)')
_LINK = re.compile(r'<a href="([^"]*)">(.*?)</a>', re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_WHOLE = re.compile(r"<[^>]*>|&\w+;|.", re.DOTALL)


@lru_cache(maxsize=1)
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="apprise")


class AppriseTransport(Transport):
    """Any Apprise URL but e-mail's."""

    schemes = APPRISE | {"http", "https"}  # a service's own webhook address, e.g. https://hooks.slack.com/services/…

    def style(self, url: str) -> Style:
        """How messages to `url` are written: markup for the services whose markup we know, else plain text."""
        service = _service(url)
        return {"tgram": Style.TELEGRAM, "slack": Style.SLACK}.get(service, Style.PLAIN)

    def check(self, url: str) -> str | None:
        """What is wrong with `url`. Only a service's own web address needs Apprise for that."""
        service = _service(url)
        if service == "tgram":
            return _check_telegram(url)
        if service in ("http", "https"):
            return (
                None if _parsed(url) else f"{service}:// is a way to send only for addresses that a chat service gave"
            )
        if not url.partition("://")[2].strip("/"):
            return f"{service}:// needs its service's details; see https://appriseit.com/services/"
        return None

    async def ready(self, url: str) -> None:
        """Import Apprise and its plugins."""
        if _apprise.cache_info().currsize:
            return
        await asyncio.get_running_loop().run_in_executor(_executor(), _apprise)

    def targets(self, url: str) -> list[tuple[Target, str]]:
        """The recipients that `url` names. A service that takes all of them in one request counts as one."""
        whole = _plugin(url)
        parsed = _parsed(url) or {}
        service = str(parsed.get("schema", _service(url)))
        named = [str(target) for target in parsed.get("targets") or []]
        if service == "tgram" and not named:  # Apprise would ask the bot whom it has heard of, and send to the first
            raise TransportError(Failure.PERMANENT, _NO_CHAT)
        if len(whole) <= 1 or len(named) <= 1:
            return [(_target(service, named[0] if len(named) == 1 else "", whole), url)]
        one_each = [(name, _instance({**parsed, "targets": [name]})) for name in dict.fromkeys(named)]
        return [(_target(service, name, plugin), plugin.url()) for name, plugin in one_each]

    async def send(self, url: str, message: Message, delivery_id: str) -> Receipt:
        """Send `message` by the plugin that `url` names."""
        # A context of its own: the record of the exchange is found through it, in whatever thread the send runs.
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(_executor(), context.run, _send, url, message)

    def edits(self, url: str) -> bool:
        """Whether a message sent to `url` can be edited afterwards: Telegram's can."""
        return _service(url) == "tgram"

    async def edit(self, url: str, handle: str, message: Message) -> Receipt:
        """Edit a Telegram message."""
        from watcher.transports import bot_api  # noqa: PLC0415 - brings aiohttp

        return await bot_api.edit(url, handle, message, lambda text: _masked(url, text))

    async def reply(self, url: str, handle: str, message: Message, delivery_id: str) -> Receipt:
        """Reply to a Telegram message."""
        from watcher.transports import bot_api  # noqa: PLC0415 - brings aiohttp

        return await bot_api.reply(url, handle, message, lambda text: _masked(url, text))

    def rates(self, url: str) -> tuple[tuple[int, float], ...]:
        """What Telegram and Slack say they take; other services' limits are the channel's own `limit`."""
        service = _service(url)
        if service == "tgram":
            chat = next(iter((_parsed(url) or {}).get("targets") or [""]))
            return TELEGRAM_RATES if str(chat)[:1].isdigit() else TELEGRAM_GROUP_RATES
        return SLACK_RATES if service == "slack" else ()

    def retarget(self, url: str, moved_to: str) -> str:
        """The URL of one recipient, with the recipient's new address `moved_to`."""
        return str(_instance({**(_parsed(url) or {}), "targets": [moved_to]}).url())


def _service(url: str) -> str:
    scheme = url.strip().partition("://")[0].lower()
    return "slack" if scheme == "https" and urlsplit(url).hostname in _SLACK_HOSTS else scheme


def _check_telegram(url: str) -> str | None:
    found = _TELEGRAM.fullmatch(url.strip())
    if found is None:
        return "expected tgram://BOT_TOKEN/CHAT_ID, where the token is like 123456789:AbC-dEf"
    chats = [unquote(chat) for chat in found["chats"].split("/") if chat]
    chats += ",".join(parse_qs(found["query"] or "").get("to", [])).split(",")
    chats = [chat.strip() for chat in chats if chat.strip()]
    if not chats:
        return _NO_CHAT
    wrong = next((chat for chat in chats if not _CHAT.fullmatch(chat)), None)
    return f"{wrong[:40]!r} is no Telegram chat: expected a number, as in -1001234567890, or @name" if wrong else None


@lru_cache(maxsize=1)
def _apprise() -> Any:
    """The library, silenced, with its HTTP exchanges recorded; a second and 50 MB at first use."""
    with loading:
        silence_apprise()
        import apprise  # noqa: PLC0415 - heavy
        from apprise.manager_plugins import NotificationManager  # noqa: PLC0415

        NotificationManager().schemas()  # loads the plugins
        silence_apprise()
        install()
        return apprise


def _parsed(url: str) -> dict[str, Any] | None:
    """Apprise's reading of `url`; None where no plugin knows it."""
    _apprise()
    from apprise.plugins import url_to_dict  # noqa: PLC0415 - heavy

    return url_to_dict(url.strip()) or None


def _instance(parsed: dict[str, Any]) -> Any:
    """A plugin for what was read of a URL. Raises TransportError without a word of the URL in it."""
    apprise = _apprise()
    asset = apprise.AppriseAsset(app_id="watcher", app_desc="news alerts", app_url="", default_service_retry=0)
    service = str(parsed.get("schema", ""))
    try:
        plugin = apprise.Apprise.instantiate(dict(parsed), asset=asset, suppress_exceptions=False)
    except Exception:  # what Apprise raises quotes tokens, so nothing of it is passed on
        plugin = None
    if plugin is None:
        raise TransportError(Failure.PERMANENT, f"Apprise cannot use this {service}:// URL{_expected(service)}")
    query = parsed.get("qsd") or {}
    if "cto" not in query:
        plugin.socket_connect_timeout = CONNECT_TIMEOUT
    if "rto" not in query:
        plugin.socket_read_timeout = READ_TIMEOUT
    return plugin


def _expected(service: str) -> str:
    from apprise.manager_plugins import NotificationManager  # noqa: PLC0415 - loaded before

    manager = NotificationManager()
    templates = manager[service].templates if service in manager else ()
    shown = " or ".join(template.replace("{schema}", service) for template in templates[:2])
    return f": expected {shown}" if shown else ""


def _plugin(url: str) -> Any:
    parsed = _parsed(url)
    if parsed is None:
        service = _service(url)
        raise TransportError(Failure.PERMANENT, f"Apprise cannot read this {service}:// URL{_expected(service)}")
    return _instance(parsed)


def _target(service: str, name: str, plugin: Any) -> Target:
    # Of the recipient and not of the token: a token that was renewed still leads to what waits for this recipient.
    label = str(plugin.url(privacy=True)).partition("?")[0].rstrip("/")
    if service in _OPEN_PATH:
        scheme, _, rest = label.partition("://")
        label = f"{scheme}://{rest.partition('/')[0].rpartition('@')[2]}"
    return Target(derive_id("target", service, name.lower()), unquote(label))


def _send(url: str, message: Message) -> Receipt:
    exchange = Exchange()
    token = current.set(exchange)
    try:
        taken = _post(url, message)
        if not taken and message.style is Style.TELEGRAM and _not_parsed(exchange):
            taken = _post(url, replace(message, body=_plain(message.body)))
    except TransportError:
        raise
    except Exception as error:  # the plugin's own fault
        failure = Failure.AMBIGUOUS if exchange.requests else Failure.TRANSIENT
        # Once a request went out nobody knows what came of it.
        raise TransportError(failure, f"{_service(url)}: {type(error).__name__} in the plugin") from None
    finally:
        current.reset(token)
    if taken:
        said = "taken" if exchange.body[:1] in ("", "{", "[", "<") else exchange.body[:100]
        known_by = _MESSAGE_ID.search(exchange.body) if message.style is Style.TELEGRAM else None
        return Receipt(_masked(url, f"{exchange.status or ''} {said}"), known_by[1] if known_by else "")
    failed = failure_of(exchange, _service(url))
    answer = _masked(url, failed.answer)
    raise TransportError(failed.failure, answer, retry_after=failed.retry_after, moved_to=failed.moved_to)


def _post(url: str, message: Message) -> bool:
    """One message by a new instance of the plugin; whether it says that the message was taken."""
    from apprise.common import NotifyFormat, NotifyType, OverflowMode  # noqa: PLC0415 - heavy

    plugin = _plugin(url)
    if message.style is Style.TELEGRAM:
        # send() and not notify(): the text is Telegram's own HTML, which notify() would read and write anew.
        body = message.body
        return bool(plugin.send(body=body, title="", notify_type=NotifyType.INFO, body_format=NotifyFormat.HTML))
    if message.style is Style.SLACK:
        _write_blocks(plugin, message)
        body = message.body
        return bool(plugin.send(body=body, title="", notify_type=NotifyType.INFO, body_format=NotifyFormat.MARKDOWN))
    # Here notify() escapes for the service and cuts for those that take less than a page, such as SMS.
    overflow = (
        OverflowMode.SPLIT if len(message.body) + len(message.title) > plugin.body_maxlen else OverflowMode.UPSTREAM
    )
    return bool(
        plugin.notify(
            body=message.body or message.title,
            title=message.title if message.body else "",
            notify_type=NotifyType.INFO,
            body_format=NotifyFormat.TEXT,
            overflow=overflow,
        )
    )


def _write_blocks(plugin: Any, message: Message) -> None:
    """Let the Slack plugin post sections of mrkdwn, with the title as what a phone's notification shows.

    By itself it posts one attachment: with no text for notifications, and in one section of at most 3,000 characters.
    """
    plugin.use_blocks, plugin.include_footer, plugin.include_image = True, False, False
    post = plugin._send

    def send(url: str, payload: dict[str, Any], **kwargs: Any) -> Any:
        if "attachments" in payload:
            del payload["attachments"]
            payload["text"] = html.escape(message.title, quote=False)
            payload["blocks"] = [
                {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
                for text in sections(message.body)
            ]
        return post(url, payload, **kwargs)

    plugin._send = send


def sections(body: str) -> list[str]:
    """Slack mrkdwn in pieces of one section each: whole paragraphs, else lines; never within a link or entity."""
    pieces: list[str] = []
    for paragraph in body.split("\n\n"):
        lines = [paragraph] if len(paragraph) <= SECTION else paragraph.split("\n")
        for line in lines:
            joint = "\n\n" if line is paragraph else "\n"
            if pieces and len(pieces[-1]) + len(joint) + len(line) <= SECTION:
                pieces[-1] += joint + line
            else:
                pieces += _chunks(line)
    return [piece for piece in pieces if piece.strip()][:SECTIONS]


def _chunks(line: str) -> list[str]:
    chunks = [""]
    for found in _WHOLE.finditer(line) if len(line) > SECTION else [line]:
        token = found if isinstance(found, str) else found[0][:SECTION]
        if len(chunks[-1]) + len(token) > SECTION:
            chunks.append("")
        chunks[-1] += token
    return chunks


def _not_parsed(exchange: Exchange) -> bool:
    return exchange.status == 400 and "can't parse entities" in exchange.body


def _plain(body: str) -> str:
    """Telegram HTML without its tags: what is sent where Telegram finds fault with them."""
    text = _TAG.sub("", _LINK.sub(r"\2 (\1)", body))
    return html.escape(html.unescape(text), quote=False)


def _masked(url: str, text: str) -> str:
    """`text` on one line without any part of `url` that could be a secret."""
    text = " ".join(text.split())
    parts = re.split(r"[/:@?&=#]+", url) + re.split(r"[/@?&=#]+", unquote(url).partition("://")[2])
    for part in sorted(set(parts), key=len, reverse=True):
        if len(part) >= 6 and not part.lstrip("-").isdigit() and "." not in part:
            text = text.replace(part, "***")
    return text[:300].strip()
