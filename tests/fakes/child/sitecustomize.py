"""In a child process: names of real services lead to the fakes (`WATCHER_TEST_HOSTS`: name=port, ...).

Python imports this at its start where PYTHONPATH names its directory. An unknown name outside loopback is an error, so
that no test ever speaks to the internet.
"""

import os
import socket

_real = socket.getaddrinfo
_ports = dict(entry.split("=") for entry in os.environ.get("WATCHER_TEST_HOSTS", "").split(",") if entry)


def _getaddrinfo(host, port, *args, **kwargs):  # type: ignore[no-untyped-def]
    name = host.decode() if isinstance(host, bytes) else host
    if name in _ports:
        return _real("127.0.0.1", int(_ports[name]), *args, **kwargs)
    if name not in (None, "", "localhost", "::1", "0.0.0.0") and not name.startswith("127."):
        raise socket.gaierror(socket.EAI_NONAME, f"{name} is not a host of this test")
    return _real(host, port, *args, **kwargs)


if _ports:
    socket.getaddrinfo = _getaddrinfo

if os.environ.get("WATCHER_TEST_KILL"):
    import kill_at  # noqa: F401
