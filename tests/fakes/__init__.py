"""The services that alerts are sent to, as they really answer: Telegram's Bot API, Slack's webhooks, an SMTP server.

They listen on loopback, in a thread of their own, over HTTPS with a test CA's certificates for the real host names.
Whoever is to meet them under those names is given a resolver entry and the CA: a child process by `environment()`, the
test's own process by `install(monkeypatch)`.

    with Fakes(tmp_path) as fakes:
        subprocess.run([...], env={**os.environ, **fakes.environment()})
        assert fakes.telegram.messages[0].text == ...
"""

from tests.fakes.mail import FakeMail, Mail
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.fakes.together import SLACK_URL, TELEGRAM_TOKEN, Fakes, telegram_url

__all__ = ["SLACK_URL", "TELEGRAM_TOKEN", "FakeMail", "FakeSlack", "FakeTelegram", "Fakes", "Mail", "telegram_url"]
