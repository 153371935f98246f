"""Connections through a SOCKS 5 proxy (RFC 1928, 1929) that resolves the names itself, as Tor does."""

from __future__ import annotations

import ssl
from typing import Any

from aiohttp.connector import Connection
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError, ProxyType
from yarl import URL

from watcher.fetch.failures import SocksError


class SocksConnector(ProxyConnector):
    """A connector through one proxy, whose errors are aiohttp's like all others."""

    async def connect(self, *args: Any, **kwargs: Any) -> Connection:
        """Connect, or take an idle connection. Raises SocksError where the proxy refuses or is not there."""
        try:
            return await super().connect(*args, **kwargs)
        except ProxyConnectionError:  # its words hold the proxy's address
            raise SocksError("it cannot be reached") from None
        except (ProxyError, ProxyTimeoutError) as error:
            raise SocksError(str(error)) from None


def connector(proxy: str, limit: int, tls: ssl.SSLContext) -> SocksConnector:
    """A connector through `proxy`, a socks5h:// URL; at most `limit` connections.

    The proxy itself is where the user put it, so its address is not checked.
    """
    url = URL(proxy)
    return SocksConnector(
        host=url.host or "",
        port=url.port or 1080,
        proxy_type=ProxyType.SOCKS5,
        username=url.user,
        password=url.password,
        rdns=True,
        limit=limit,
        ssl=tls,
    )
