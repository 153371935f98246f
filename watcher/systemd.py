"""Telling systemd how the service is: sd_notify(3), a datagram to the socket named by $NOTIFY_SOCKET."""

from __future__ import annotations

import os
import socket
import time


def notify(*assignments: str) -> bool:
    """Send e.g. "READY=1" or "STATUS=polling"; False where systemd did not start this process or is not listening."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address or address[0] not in "/@":
        return False
    if address[0] == "@":  # an abstract socket
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.connect(address)
            channel.sendall("\n".join(assignments).encode())
    except OSError:
        return False
    return True


def reloading() -> bool:
    """Say that a reload began; Type=notify-reload wants the monotonic time with it."""
    return notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def watchdog_interval() -> float | None:
    """How often to send WATCHDOG=1, in seconds: half of what systemd allows; None where it does not ask."""
    try:
        allowed = int(os.environ["WATCHDOG_USEC"])
    except (KeyError, ValueError):
        return None
    pid = os.environ.get("WATCHDOG_PID")
    if pid is not None and pid != str(os.getpid()):
        return None
    return allowed / 2_000_000
