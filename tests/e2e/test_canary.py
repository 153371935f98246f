"""No secret anywhere: a canary in every channel, header and variable, through a run in which everything fails."""

from pathlib import Path

import pytest

from tests.e2e.world import CONFIG, World, world
from watcher.demo.content import COURIER, WIRE

CANARY = "c4n4ry"
ENVIRONMENT = {
    "TG_TOKEN": f"123456789:AA{CANARY}-telegram-token-of-thirty-five",
    "SLACK_TOKENS": f"T0{CANARY.upper()}0/B0{CANARY.upper()}0/{CANARY}slackwebhooktoken1",
    "BOT_TOKEN": f"xoxb-1-{CANARY}-bot-token",
    "MAIL_PASSWORD": f"{CANARY}-mail-password",
    "HOOK_SECRET": f"{CANARY}-hook-secret",
    "HOOK_PATH": f"{CANARY}-path?key={CANARY}-in-the-query",
    "API_KEY": f"{CANARY}-api-key",
    "BASIC": f"reader:{CANARY}-basic",
    "COOKIE": f"{CANARY}-cookie",
    "UNUSED": f"{CANARY}-unused",
}
CHANNELS = """\
channels:
  chat: {{url: "tgram://${{TG_TOKEN}}/-100123", group_wait: 1s}}
  slack: {{url: "slack://${{SLACK_TOKENS}}", group_wait: 1s}}
  bot: {{url: "slack://${{BOT_TOKEN}}/#desk", group_wait: 1s}}
  mail: {{url: "mailto://reader:${{MAIL_PASSWORD}}@127.0.0.1:{mail}?from=w@w.example&to=a@d.example", group_wait: 1s}}
  program: {{webhook: {{url: "https://localhost:{port}/${{HOOK_PATH}}", secret: "${{HOOK_SECRET}}"}}, group_wait: 1s}}
  plain: {{url: "jsons://localhost:{port}/${{HOOK_PATH}}&+X-Key=${{API_KEY}}", group_wait: 1s}}
sources:
  courier:
    feed: '{feed}'
    every: 1s
    outlet: {outlet}
    headers: {{X-Api-Key: "${{API_KEY}}"}}
    cookies: {{session: "${{COOKIE}}"}}
  broken: {{feed: 'http://127.0.0.1:1/feed', every: 1s, auth: {{basic: "${{BASIC}}"}}, proxy: "http://${{BASIC}}@127.0.0.1:1"}}
rules:
  sahel: {{query: Russia}}
"""


@pytest.fixture
def failing(tmp_path: Path):  # type: ignore[no-untyped-def]
    with world(tmp_path, f"sqlite:///{tmp_path / 'watcher.db'}") as made:
        fakes = made.fakes
        fakes.hook_status = 500
        settings = CONFIG.partition("channels:")[0].format(store=made.store)
        made.config.write_text(
            settings
            + CHANNELS.format(
                mail=fakes.mail.port, port=fakes.port, feed=made.site.address(COURIER), outlet=COURIER.domain
            )
        )
        yield made


ANSWERS = [("500", "500 rollup_error", 500), ("unauthorized", "404 no_service", 410), ("drop", "drop", 307)]


@pytest.mark.parametrize(("telegram", "slack", "hook"), ANSWERS)
def test_a_secret_is_nowhere(failing: World, telegram: str, slack: str, hook: int) -> None:
    failing.fakes.telegram.then(*[telegram] * 20)
    failing.fakes.slack.then(*[slack] * 20)
    failing.fakes.hook_status = hook
    failing.publish(COURIER, WIRE)
    seen: list[str] = []
    for arguments in (
        ["once", "--json", "--log-level", "debug"],
        ["check", "--json"],
        ["deliveries", "--json"],
        ["deliveries"],
        ["alerts", "--json"],
        ["sources", "--json"],
        ["status", "--json"],
        *(["notify", name, "--json"] for name in ("chat", "slack", "bot", "mail", "program", "plain")),
    ):
        process = failing.start(*arguments, **ENVIRONMENT)
        out, err = process.communicate(timeout=60)
        assert process.returncode in (0, 1), err
        seen += [out, err]
    assert any(("plain" in text and "dead" in text) or "retrying" in text for text in seen)
    assert not [text for text in seen if CANARY in text.lower()]
    files = [file for file in failing.directory.rglob("*") if file.is_file() and file != failing.config]
    assert any(file.name == "watcher.db" for file in files)
    assert [file for file in files if CANARY.encode() in file.read_bytes().lower()] == []
