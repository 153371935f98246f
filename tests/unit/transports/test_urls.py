from __future__ import annotations

import subprocess
import sys

import pytest
from apprise.manager_plugins import NotificationManager

from watcher.errors import TransportError
from watcher.transports import check_url, transport_for
from watcher.transports.schemes import APPRISE

TOKEN = "123456789:AAcanary-telegram-token_abcdefghijk"


def test_the_list_of_schemes_is_apprises_own() -> None:
    assert set(NotificationManager().schemas()) - {"mailto", "mailtos"} == APPRISE


@pytest.mark.parametrize(
    "url",
    [
        "console://",
        "mailto://localhost:25?to=a@b.example",
        "mailtos://u:p@mail.example?to=a@b.example",
        f"tgram://{TOKEN}/-1001",
        f"tgram://{TOKEN}/@name/?silent=yes",
        f"tgram://{TOKEN}/?to=-1001",
        f"tgram://{TOKEN}/-1001:7/%40name/name",
        "TGRAM://123456789%3AAAcanary/42",
        "slack://T1/B1/xyz",
        "ntfy://topic",
        "discord://id/token",
        "json://localhost",
    ],
)
def test_good_urls(url: str) -> None:
    assert check_url(url) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "begins with a scheme"),
        ("just text", "begins with a scheme"),
        ("telegrm://x", "did you mean tgram://?"),
        ("qwxyz://x", "https://appriseit.com/services/"),
        ("console://screen", "console:// takes nothing after it"),
        ("mailto://", "expected mailto://USER:PASSWORD@SERVER?to=NAME@EXAMPLE.ORG"),
        ("mailtos://u:p@?to=a@b.example", "expected mailtos://"),
        (f"tgram://{TOKEN}", "names no chat"),
        (f"tgram://{TOKEN}/?silent=yes", "names no chat"),
        (f"tgram://{TOKEN}/42/not a chat", "'not a chat' is no Telegram chat"),
        ("tgram://canary-secret/42", "expected tgram://BOT_TOKEN/CHAT_ID"),
        ("discord://", "needs its service's details"),
        ("https://example.org/canary-secret", "addresses that a chat service gave"),
    ],
)
def test_bad_urls_are_told_without_their_secrets(url: str, said: str) -> None:
    message = check_url(url)
    assert message is not None and said in message
    assert "canary" not in message


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("qwxyz://x", "no way to send to qwxyz://"),
        (f"tgram://{TOKEN}!/42", "expected tgram://{bot_token}"),
        (f"tgram://{TOKEN}", "names no chat"),
        ("slack://canary-secret", "expected slack://{token_a}/{token_b}/{token_c}"),
        ("mailto://u:canary-secret@mail.example?to=not-an-address", "names no recipient"),
        ("mailto://u:canary-secret@mail.example?to=a@b.example&mode=nonsense", "mail URL"),
        ("mailto://u:canary-secret@localhost:99999999/?to=a@b.example", "mail URL"),
    ],
)
def test_an_unusable_url_is_refused_without_its_secrets(url: str, said: str) -> None:
    with pytest.raises(TransportError) as caught:
        transport_for(url).targets(url)
    assert said in str(caught.value)
    assert "canary" not in str(caught.value)


def test_checking_urls_is_light() -> None:
    program = (
        "import sys; from watcher.transports import check_url, transport_for; from watcher.model import Style;"
        f"check_url('tgram://{TOKEN}/1'); check_url('mailto://h?to=a@b.example'); transport_for('slack://a/b/c').style('slack://');"
        "print(sorted({'apprise', 'requests', 'aiosmtplib', 'rich', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
