"""A SOCKS 5 proxy on loopback, as RFC 1928 has it, which notes what it was asked for."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from watcher.errors import FetchError, FetchKind
from watcher.fetch import Request

ONION = "lake" + "a" * 52 + ".onion"


class Proxy:
    def __init__(self) -> None:
        self.port = 0
        self.asked: list[tuple[str, int]] = []
        self.logins: list[bytes] = []
        self.target = 0  # every name leads to this port of loopback; 0: refused


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    made = Proxy()
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        finally:
            writer.close()  # also where the test ends before the client's end of the connection came

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            _, count = await reader.readexactly(2)
            methods = await reader.readexactly(count)
            if 2 in methods:
                writer.write(b"\x05\x02")
                _, length = await reader.readexactly(2)
                user = await reader.readexactly(length)
                (length,) = await reader.readexactly(1)
                made.logins.append(user + b":" + await reader.readexactly(length))
                writer.write(b"\x01\x00")
            else:
                writer.write(b"\x05\x00")
            _, _, _, kind = await reader.readexactly(4)
            if kind == 3:
                (length,) = await reader.readexactly(1)
                name = (await reader.readexactly(length)).decode()
            else:
                name = socket.inet_ntoa(await reader.readexactly(4))
            made.asked.append((name, int.from_bytes(await reader.readexactly(2), "big")))
            if not made.target:
                writer.write(b"\x05\x04\x00\x01" + b"\0" * 6)
                return
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", made.target)
            writer.write(b"\x05\x00\x00\x01" + b"\0" * 6)
            await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await server.wait_closed()


async def test_an_onion_address_goes_through_socks_by_its_name(serve, connect, ok, proxy) -> None:
    site = await serve(ok(b"hidden"))
    proxy.target = site.port
    client = await connect(private=())
    got = await client.get(Request(f"http://{ONION}/feed", proxy=f"socks5h://anna:hunter2@127.0.0.1:{proxy.port}"))
    assert got.body == b"hidden"
    assert (proxy.asked, proxy.logins) == ([(ONION, 80)], [b"anna:hunter2"])
    assert site.asked[0].headers["Host"] == ONION


@pytest.mark.parametrize("via", [None, "http://127.0.0.1:{port}"])
async def test_it_goes_no_other_way(connect, proxy, via: str | None) -> None:
    client = await connect()
    with pytest.raises(FetchError, match="socks5h") as caught:
        await client.get(Request(f"http://{ONION}/", proxy=via and via.format(port=proxy.port)))
    assert caught.value.kind is FetchKind.FORBIDDEN_URL
    assert proxy.asked == []


async def test_a_redirect_into_a_private_network_is_refused(serve, connect, ok, proxy) -> None:
    site = await serve(ok(b"", "Location: http://10.0.0.1/", status="302 Found"))
    proxy.target = site.port
    client = await connect(private=())
    with pytest.raises(FetchError) as caught:
        await client.get(Request(f"http://{ONION}/", proxy=f"socks5h://127.0.0.1:{proxy.port}"))
    assert caught.value.kind is FetchKind.FORBIDDEN_ADDRESS
    assert len(proxy.asked) == 1


async def test_a_proxy_that_refuses_or_is_not_there(connect, proxy) -> None:
    client = await connect(private=())
    with pytest.raises(FetchError, match="SOCKS proxy") as caught:
        await client.get(Request(f"http://{ONION}/", proxy=f"socks5h://anna:hunter2@127.0.0.1:{proxy.port}"))
    assert caught.value.kind is FetchKind.NETWORK
    assert "hunter2" not in str(caught.value)
    with pytest.raises(FetchError, match="SOCKS proxy") as caught:
        await client.get(Request(f"http://{ONION}/", proxy="socks5h://anna:hunter2@127.0.0.1:1"))
    assert "hunter2" not in str(caught.value)


async def test_a_host_may_ask_for_a_longer_gap(serve, connect, ok, hands) -> None:
    site = await serve(ok(b"x"))
    client = await connect()
    for _ in range(3):
        await client.get(Request(site.url, gap=5.0))
    assert len(hands.slept) == 2
    assert all(4.9 < slept <= 6.0 for slept in hands.slept)
