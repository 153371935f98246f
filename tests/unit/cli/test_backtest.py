"""`watcher backtest`: over what is stored, and over what sources list where nothing is."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.unit.cli.test_command_line import run

NOW = datetime.now(UTC)
ITEMS = [
    ("Russia sends grain to Mali", "The grain goes to Bamako.", 0),
    ("Talks in Moscow", "Russia and Niger talk. Nothing was signed in the end.", 1),
    ("Malian army", "Russia trains the army, says a minister; and after many other words: Chad.", 1),
    ("Football", "Nigeria wins.", 2),
]
CONFIG = """\
settings: {{store: "sqlite:///w.db", timezone: UTC, fetch: {{host_gap: 0s}}}}
channels: {{screen: {{url: "console://"}}}}
sources: {{paper: {{feed: "{url}", full_text: never, outlet: paper.example, tags: [one]}}}}
terms: {{sahel: Mali OR Niger OR Burkina Faso}}
rules:
  sahel: {{query: 'Russia AND @sahel'}}
  chad: {{query: 'Russia NEAR/2 Chad'}}
"""


def feed() -> bytes:
    entries = "".join(
        f"<item><title>{title}</title><guid>{title}</guid><link>https://paper.example/{number}</link>"
        f"<description>{text}</description><pubDate>{format_datetime(NOW - timedelta(days=days, minutes=1))}</pubDate>"
        "</item>"
        for number, (title, text, days) in enumerate(ITEMS)
    )
    return f'<rss version="2.0"><channel><title>Paper</title>{entries}</channel></rss>'.encode()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = feed()
        self.send_response(200 if self.path == "/feed" else 404)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        pass


@pytest.fixture
def paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WATCHER_CONFIG", raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    file = tmp_path / "watcher.yaml"
    file.write_text(CONFIG.format(url=f"http://127.0.0.1:{server.server_port}/feed"))
    yield file
    server.shutdown()
    thread.join()
    server.server_close()


def poll_once() -> None:
    """Fill the store, in a process of its own: the command sets logging up."""
    subprocess.run([sys.executable, "-m", "watcher", "once"], check=True, capture_output=True, timeout=60)


def titles(hits: list[dict[str, str]]) -> set[str]:
    return {hit["title"] for hit in hits}


def test_an_empty_store_asks_the_sources_and_writes_nothing(paper: Path) -> None:
    code, out, err = run("backtest", "sahel", "--json")
    found = json.loads(out)
    assert code == 0
    assert "holds no items yet" in err
    assert not (paper.parent / "w.db").exists()
    assert (found["from"], found["items"], found["hits"]) == ("sources", 4, 2)
    assert titles(found["samples"]) == {"Russia sends grain to Mali", "Talks in Moscow"}
    days = [(NOW - timedelta(days=days, minutes=1)).date().isoformat() for days in (0, 1)]
    assert [found["days"][day] for day in days] == [1, 1]
    assert sum(found["days"].values()) == 2
    assert len(found["days"]) == 8
    assert found["outlets"] == {"paper.example": 2}
    marked = found["samples"][-1]  # the latest
    assert {marked["excerpt"][start:end] for start, end in marked["marks"]} <= {"Russia", "Mali", "Niger"}
    assert marked["marks"]


def test_a_source_that_cannot_be_read_is_named(paper: Path) -> None:
    paper.write_text(paper.read_text().replace("/feed", "/gone"))
    code, out, err = run("backtest", "sahel", "--json")
    assert code == 1
    assert json.loads(out)["failed"][0].startswith("paper: ")
    assert "not read: paper" in err


def test_over_the_store(paper: Path) -> None:
    poll_once()
    paper.write_text(paper.read_text().replace("/feed", "/gone"))
    code, out, err = run("backtest", "sahel")
    assert (code, err) == (0, "")
    assert out.startswith("2 of 4 stored items of the last 7d\n")
    assert out.count("█" * 40 + " 1\n") == 2
    assert "    2  paper.example" in out
    assert "Russia sends grain to Mali" in out

    found = json.loads(run("backtest", "Russia", "--json", "--since", "30d")[1])
    assert (found["from"], found["hits"], len(found["days"])) == ("store", 3, 31)
    assert json.loads(run("backtest", "@sahel AND tag:one", "--json")[1])["hits"] == 2
    assert "read as a query; did you mean sahel?" in run("backtest", "Sahell", "--json")[2]

    edited = json.loads(run("backtest", "sahel", "--query", "Russia AND (Mali OR Chad)", "--json")[1])
    assert edited["hits"] == 2
    in_force = edited["in_force"]
    assert (in_force["hits"], in_force["gained"], in_force["lost"]) == (2, 1, 1)
    assert titles(in_force["gains"]) == {"Malian army"}
    assert titles(in_force["losses"]) == {"Talks in Moscow"}
    shown = run("backtest", "sahel", "--query", "Russia AND (Mali OR Chad)")[1]
    assert "2 hits; 1 gained, 1 lost" in shown

    code, out, _ = run("backtest", "chad")
    assert code == 1
    assert "Nearest:\n  Malian army" in out
    assert "Russia NEAR/2 Chad failed: closest pair 11 words apart in summary" in out
    code, out, _ = run("backtest", "Russia AND Malians", "--json")
    assert titles(json.loads(out)["nearest"]) == {"Russia sends grain to Mali", "Talks in Moscow", "Malian army"}


def test_an_alert_says_why_its_rule_held(paper: Path) -> None:
    poll_once()
    ids = {row["title"]: row["id"] for row in json.loads(run("alerts", "--json")[1])}
    out = run("alerts", ids["Talks in Moscow"])[1]
    assert "    ✓ all of  (2 of 2 hold)\n      ✓ Russia  (1 in summary)\n      ✓ @sahel\n" in out
    assert "          ✓ Niger  (1 in summary)\n" in out
    why = json.loads(run("alerts", ids["Talks in Moscow"], "--json")[1])["explanation"]
    assert why["holds"] is True


def test_what_is_wrong_is_said(paper: Path) -> None:
    code, _, err = run("backtest", "Russia AND AND x")
    assert code == 2
    assert "found AND" in err
    assert "^" in err
    code, _, err = run("backtest", "nosuch", "--query", "x")
    assert code == 2
    assert "rules: sahel, chad" in err
