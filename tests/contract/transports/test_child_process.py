"""A process of its own meets the fakes under the services' real host names, as end-to-end tests need it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.fakes import SLACK_URL, Fakes, telegram_url
from tests.paths import ROOT

PROGRAM = """
import asyncio, socket, sys
from watcher.model import Message, Style
from watcher.transports import transport_for

async def main():
    for url in sys.argv[1:]:
        transport = transport_for(url)
        style = transport.style(url)
        message = Message("A title", "<b>hello</b>" if style is Style.TELEGRAM else "hello", style)
        for _, one in transport.targets(url):
            print((await transport.send(one, message, "id")).answer)
    try:
        socket.getaddrinfo("news.example", 443)
    except socket.gaierror:
        print("nobody else")

asyncio.run(main())
"""


def test_a_child_process_sends_to_the_fakes(tmp_path: Path) -> None:
    with Fakes(tmp_path) as fakes:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, telegram_url(42), SLACK_URL, fakes.mail_url("a@desk.example")],
            env={**os.environ, **fakes.environment()},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == "nobody else"
        assert [taken.text for taken in fakes.telegram.messages] == ["hello"]
        assert [taken.text for taken in fakes.slack.messages] == ["hello"]
        assert [mail.message["Subject"] for mail in fakes.mail.messages] == ["A title"]
