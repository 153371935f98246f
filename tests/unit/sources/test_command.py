import asyncio
import os
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from watcher.errors import ParseError
from watcher.sources import Outcome, command


def program(text: str) -> list[str]:
    return [sys.executable, "-c", text]


async def test_items(polled, monkeypatch) -> None:
    monkeypatch.setenv("OPS_URL", "hunter2")
    text = (
        'import os, json; print(json.dumps({"id": 7, "title": " ".join(sorted(os.environ)), "url": "https://a.example/x"}))'
        '\nprint()\nprint(\'{"id": "b", "title": "Second", "published": "2027-01-15T06:00:00Z"}\')'
    )
    source = polled.source(command=program(text))
    got = await polled.poll(source)
    first, second = got.items
    assert (got.outcome, first.source, first.key, first.outlet) == (Outcome.PARSED, "s", "7", "a.example")
    assert "OPS_URL" not in first.title
    assert "PATH" in first.title
    assert (second.title, second.published) == ("Second", 1_799_992_800.0)
    assert (await polled.poll(source)).outcome is Outcome.SAME_BODY


async def test_its_own_id_is_what_tells_items_apart(polled) -> None:
    one = (await polled.poll(polled.source(command=program('print(\'{"id": 1, "title": "a"}\')')))).items[0]
    other = (await polled.poll(polled.source(command=program('print(\'{"id": 1, "title": "b"}\')')))).items[0]
    assert one.id == other.id


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "import sys; print('no secret', file=sys.stderr); sys.exit('the key is not valid')",
            "status 1: the key is not valid",
        ),
        ("print('hello')", "line 1 of what .* printed: not JSON"),
        ('print(\'{"title": "a"}\')', 'expected an "id"'),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "status -15"),
    ],
)
async def test_what_goes_wrong_is_the_sources_error(polled, text: str, says: str) -> None:
    with pytest.raises(ParseError, match=says):
        await polled.poll(polled.source(command=program(text)))


async def test_a_program_that_is_not_there(polled) -> None:
    with pytest.raises(ParseError, match="cannot be started: No such file"):
        await polled.poll(polled.source(command="/nowhere/at-all --now"))


async def test_it_is_ended_with_all_that_it_started(polled, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(command, "DEADLINE", 0.5)
    text = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid)); time.sleep(60)"
    )
    with pytest.raises(ParseError, match="did not end by itself"):
        await polled.poll(polled.source(command=program(text)))
    pid = int((tmp_path / "pid").read_text())
    for _ in range(200):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                break
        except OSError:
            break
        await asyncio.sleep(0.01)
    else:
        os.kill(pid, 9)
        pytest.fail("the program's child lives on")


async def test_output_is_bounded(polled, monkeypatch) -> None:
    monkeypatch.setattr(command, "MAX_OUTPUT", 100_000)
    with pytest.raises(ParseError, match="more than 100,000 bytes"):
        await polled.poll(polled.source(command=program("while True: print('x' * 1000)")))


def test_how_it_is_written(polled) -> None:
    source = polled.source(command="fetch-items --since '2 days' $HOME")
    assert source.command == ("fetch-items", "--since", "2 days", "$HOME")
    assert source.address == "fetch-items"
    for wrong in ("", [], "it's"):
        with pytest.raises(ValidationError):
            polled.source(command=wrong)
