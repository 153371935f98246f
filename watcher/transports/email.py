"""E-mail over SMTP (RFC 5321): one recipient a message, so that one refused address is that address's own matter.

The URL is Apprise's `mailto://` or `mailtos://`, read by Apprise's own parser, which knows the servers of the large
providers. Sending is ours because the answer's code decides what a failure means.
"""

from __future__ import annotations

import asyncio
import re
import socket
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import formatdate
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from watcher.errors import Failure, TransportError
from watcher.model import Message, Style, Target, derive_id
from watcher.transports.base import Receipt, Transport
from watcher.transports.exchange import loading, silence_apprise

if TYPE_CHECKING:
    import aiosmtplib

TIMEOUT = 30.0  # s, for each step of the conversation
_ONLY = "&only="  # sets the one recipient apart from the URL as the user wrote it
# Seven bits and lines of under 998 octets are what every server takes (RFC 5322, 2.1.1).
_POLICY = SMTP_POLICY.clone(cte_type="7bit", max_line_length=78)
_OWN_HEADERS = frozenset(
    {"from", "to", "cc", "bcc", "sender", "date", "subject", "references", "in-reply-to", "received"}
)
_HEADER = re.compile(r"(?!content-|mime-|auto-|message-|resent-|dkim-)[!-9;-~]{1,60}", re.IGNORECASE)
_NO_DOMAIN = re.compile(r"(?:\d+(?:\.\d+){3}|\[[^]]*\])(?::\d+)?")  # an IP address
_PLAIN = re.compile(r"[A-Za-z0-9 ]*")  # what means itself in every header
_PRINTABLE = re.compile(r"(?!.*=\?)[ -~]*")  # what means itself in a header without a syntax of its own
_ADDRESS = re.compile(r"[!#-'*+\-/-9=?A-Z^-~.]+@[A-Za-z0-9.\-\[\]:]+")


class EmailTransport(Transport):
    """`mailto://` (in clear, or STARTTLS with `?mode=starttls`) and `mailtos://`."""

    schemes = frozenset({"mailto", "mailtos"})

    def style(self, url: str) -> Style:
        """How messages to `url` are written."""
        return Style.EMAIL

    def check(self, url: str) -> str | None:
        """What is wrong with `url`."""
        scheme, _, rest = url.strip().partition("://")
        if not rest.partition("?")[0].rpartition("@")[2].strip("/"):
            return f"expected {scheme}://USER:PASSWORD@SERVER?to=NAME@EXAMPLE.ORG"
        server = rest.partition("?")[0].rpartition("@")[2].partition("/")[0]
        if _NO_DOMAIN.fullmatch(server) and "from=" not in rest:
            return "the server's address is no mail domain to send from: add &from=NAME@EXAMPLE.ORG"
        return None

    async def ready(self, url: str) -> None:
        """Import Apprise's parser."""
        if _load.cache_info().currsize:
            return
        await asyncio.to_thread(_load)

    def targets(self, url: str) -> list[tuple[Target, str]]:
        """One per address in to, cc and bcc: each gets a mail of its own."""
        account = _account(url)
        addresses = [address for _, address in account.targets] + sorted(account.cc) + sorted(account.bcc)
        if not addresses:
            raise TransportError(Failure.PERMANENT, "the mail URL names no recipient: add ?to=NAME@EXAMPLE.ORG")
        return [
            (
                Target(derive_id("target", "mailto", address.lower()), _mask(address)),
                f"{url}{_ONLY}{quote(address, '')}",
            )
            for address in dict.fromkeys(addresses)
        ]

    async def send(self, url: str, message: Message, delivery_id: str) -> Receipt:
        """Hand `message` to the server of `url`."""
        url, _, recipient = url.rpartition(_ONLY)
        recipient = unquote(recipient)
        account = _account(url)
        sender = account.from_addr[1]
        try:
            content = compose(account, recipient, message, delivery_id)
        except ValueError as error:
            raise TransportError(Failure.PERMANENT, f"no mail can be written to {_mask(recipient)}: {error}") from None
        return await _hand_over(account, sender, recipient, content)


def compose(account: Any, recipient: str, message: Message, delivery_id: str) -> bytes:
    """The mail: text and HTML of the same alert.

    Its Message-ID comes from `delivery_id`, so that a repeat is recognisable; mails of one story refer to one id, which
    is what clients thread by (RFC 5322, 3.6.4). Raises ValueError where an address cannot stand in a header.
    """
    name, sender = account.from_addr
    domain = sender.rpartition("@")[2] or "localhost"
    headers = {
        "From": _address(name or "watcher", sender),
        "To": _address(account.names.get(recipient) or "", recipient),
        "Subject": _encoded(message.title, _PRINTABLE),
        "Date": formatdate(localtime=True),
        "Message-ID": f"<{delivery_id}@{domain}>",
        "Auto-Submitted": "auto-generated",  # RFC 3834: no holiday replies, please
    }
    if message.thread:
        headers["References"] = headers["In-Reply-To"] = f"<story.{message.thread}@{domain}>"
    for header, value in account.headers.items():
        if _HEADER.fullmatch(header) and header.lower() not in _OWN_HEADERS:
            headers[header] = _encoded(str(value))
    content = EmailMessage(policy=_POLICY)
    content.set_content(message.body)
    if message.html:
        content.add_alternative(message.html, subtype="html")
    # The headers are written here because EmailMessage decodes encoded words in what it is given: a title could be one.
    lines = "".join(f"{header}: {value}\r\n" for header, value in headers.items())
    return lines.encode("ascii") + content.as_bytes()


def _encoded(text: str, plain: re.Pattern[str] = _PLAIN) -> str:
    """`text` as a header's value: on lines of 76 characters, all that is not plain as encoded words (RFC 2047)."""
    text = " ".join(text.encode("utf-8", "replace").decode().split())
    if len(text) <= 200 and plain.fullmatch(text):
        return text
    return Header(text, "utf-8", maxlinelen=76, header_name="In-Reply-To").encode(linesep="\r\n")


def _address(name: str, address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise ValueError("an address is NAME@EXAMPLE.ORG")
    return f"{_encoded(name)} <{address}>" if name.strip() else address


async def _hand_over(account: Any, sender: str, recipient: str, content: bytes) -> Receipt:
    import aiosmtplib  # noqa: PLC0415 - only where mail is sent

    client = aiosmtplib.SMTP(
        hostname=account.smtp_host,
        port=account.port,
        use_tls=account.secure_mode == "ssl",
        start_tls=account.secure_mode == "starttls",
        validate_certs=account.verify_certificate,
        username=account.user if account.password else None,
        password=account.password or None,
        local_hostname=socket.gethostname(),
        timeout=TIMEOUT,
    )
    handed_over = False
    try:
        await client.connect()
        await client.mail(sender)
        await client.rcpt(recipient)
        handed_over = True
        response = await client.data(content)
    except aiosmtplib.SMTPResponseException as error:
        raise _refusal(account, error) from None
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        # Once the text is on its way the server may have taken it, whatever became of its answer.
        failure = Failure.AMBIGUOUS if handed_over else Failure.TRANSIENT
        said = str(error) or type(error).__name__
        raise TransportError(failure, _one_line(account, f"{account.smtp_host}: {said}")) from None
    finally:
        await _quit(client)
    return Receipt(_one_line(account, f"{response.code} {response.message}"))


async def _quit(client: aiosmtplib.SMTP) -> None:
    import aiosmtplib  # noqa: PLC0415 - loaded before

    try:
        if client.is_connected:
            await client.quit(timeout=5)
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        pass  # the answer to DATA was what counted
    finally:
        client.close()


def _refusal(account: Any, error: aiosmtplib.SMTPResponseException) -> TransportError:
    """RFC 5321, 4.2.1: the first digit says whether the same may succeed later."""
    answer = _one_line(account, f"{error.code} {error.message}")
    permanent = 500 <= error.code < 600
    return TransportError(Failure.PERMANENT if permanent else Failure.TRANSIENT, answer)


def _one_line(account: Any, text: str) -> str:
    text = " ".join(text.split())[:300]
    return text.replace(account.password, "***") if account.password else text


@cache
def _load() -> Any:
    with loading:
        from apprise.plugins.email import NotifyEmail  # noqa: PLC0415 - takes half a second

        silence_apprise()
        return NotifyEmail


def _account(url: str) -> Any:
    """Apprise's reading of the URL: server, security, sender and recipients."""
    plugin = _load()
    from apprise.asset import AppriseAsset  # noqa: PLC0415 - loaded with the plugin

    try:
        parsed = plugin.parse_url(url)
        account = plugin(**parsed, asset=AppriseAsset(app_id="watcher")) if parsed else None
    except Exception:  # what Apprise raises may quote the URL, so nothing of it is passed on
        account = None
    if account is None or not 0 < account.port < 65536:
        raise TransportError(
            Failure.PERMANENT,
            "the mail URL cannot be read: expected mailtos://USER:PASSWORD@SERVER?to=NAME@EXAMPLE.ORG",
        )
    return account


def _mask(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"
