from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from watcher.errors import FetchError, FetchKind
from watcher.sources import Outcome
from watcher.sources.telegram import MAX_PAGES, Telegram
from watcher.sources.telegram_parser import headline

NAME = "lake_town_news"


def post(number: int, text: str = "", *, extra: str = "", service: str = "") -> str:
    """A message as the preview shows one."""
    inner = f'<div class="tgme_widget_message_text js-message_text" dir="auto">{text}</div>' if text else ""
    return f"""<div class="tgme_widget_message_wrap js-widget_message_wrap"><div class="tgme_widget_message
text_not_supported_wrap js-widget_message {service}" data-post="{NAME}/{number}" data-view="eyJj">
<div class="tgme_widget_message_user"><a href="https://t.me/{NAME}">
<i class="tgme_widget_message_user_photo"></i></a></div>
<div class="tgme_widget_message_bubble"><div class="tgme_widget_message_author accent_color">
<a class="tgme_widget_message_owner_name" href="https://t.me/{NAME}"><span dir="auto">Lake Town News</span></a></div>
{extra}{inner}<div class="tgme_widget_message_footer compact js-message_footer">
<div class="tgme_widget_message_info short js-message_info"><span class="tgme_widget_message_views">1.2K</span>
<span class="tgme_widget_message_meta"><span class="tgme_widget_message_from_author" dir="auto">Ann Lee</span>
<a class="tgme_widget_message_date" href="https://t.me/{NAME}/{number}"><time datetime="2027-01-15T06:00:00+00:00"
class="time">06:00</time></a></span></div></div></div></div></div>""".replace(
        "tgme_widget_message\n", "tgme_widget_message "
    )


def page(*posts: str, before: int = 0) -> bytes:
    more = f'<a href="/s/{NAME}?before={before}" class="tme_messages_more js-messages_more" data-before="{before}"></a>'
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>Lake Town News – Telegram</title></head>
<body class="widget_frame_base tgme_webpreview"><header class="tgme_header"><div class="tgme_channel_info_header">
<div class="tgme_channel_info_header_title"><span dir="auto">Lake Town &amp; News</span></div></div></header>
<main class="tgme_main"><section class="tgme_channel_history js-message_history">
{f'<div class="tgme_widget_message_centered js-messages_more_wrap">{more}</div>' if before else ""}{"".join(posts)}
</section></main></body></html>""".encode()


CONTACT = f"""<!DOCTYPE html><html><head><title>Telegram: Contact @{NAME}</title></head><body class="no_transition">
<div class="tgme_page"><div class="tgme_page_title"><span dir="auto">Lake Town</span></div>
<div class="tgme_page_action">
<a class="tgme_action_button_new" href="tg://resolve?domain={NAME}">View in Telegram</a></div>
</div></body></html>""".encode()


class Channel:
    """A channel of many posts, which shows twenty at a time as the service does."""

    def __init__(self, ok, last: int, deleted: frozenset[int] = frozenset()) -> None:
        self.ok, self.last, self.deleted = ok, last, deleted

    async def answer(self, asked, writer) -> None:
        parts = urlsplit(asked.path)
        assert parts.path == f"/s/{NAME}"
        before = int(parse_qs(parts.query).get("before", [self.last + 1])[0])
        shown = [n for n in range(1, before) if n not in self.deleted][-20:]
        more = shown[0] if shown and shown[0] > 1 else 0
        writer.write(self.ok(page(*(post(n, f"Post {n}<br/>More on it") for n in shown), before=more)))


@pytest.fixture
def at(monkeypatch):
    return lambda site: monkeypatch.setattr(Telegram, "site", site.url)


@pytest.mark.parametrize(
    "written", [NAME, f"@{NAME}", f"t.me/{NAME}", f"https://t.me/s/{NAME}", f"https://t.me/{NAME}/"]
)
def test_names(polled, written: str) -> None:
    source = polled.source(telegram=written)
    assert (source.address, source.full_text) == (f"https://t.me/s/{NAME}", "never")


@pytest.mark.parametrize(
    "written", ["", "https://t.me/+AbCdEf", "https://t.me/joinchat/x", "abc", "https://h.example/name", "a b c d"]
)
def test_what_is_no_public_channel(polled, written: str) -> None:
    with pytest.raises(ValidationError, match="public channel"):
        polled.source(telegram=written)


async def test_posts(serve, polled, ok, at) -> None:
    reply = (
        f'<a class="tgme_widget_message_reply user-color-3" href="https://t.me/{NAME}/1">'
        '<div class="tgme_widget_message_text js-message_reply_text" dir="auto">What was said before</div></a>'
    )
    preview = (
        '<a class="tgme_widget_message_link_preview" href="https://lake.example/a">'
        '<div class="link_preview_title" dir="auto">'
        'A headline</div><div class="link_preview_description" dir="auto">And more</div></a>'
    )
    at(
        await serve(
            ok(
                page(
                    post(
                        1,
                        "<b>River</b> rises &amp; falls<br/><br/>See <a href='https://lake.example/'>here</a>",
                        extra=reply,
                    ),
                    post(2, extra='<a class="tgme_widget_message_photo_wrap" href="x"></a>'),
                    post(3, extra=preview),
                    post(4, "Channel photo updated", service="service_message"),
                )
            )
        )
    )
    got = await polled.poll(polled.source(telegram=NAME))
    assert got.title == "Lake Town & News"
    third, first = got.items
    assert (first.title, first.body) == ("River rises & falls", "River rises & falls\n\nSee here")
    assert (first.url, first.outlet, first.author) == (f"https://t.me/{NAME}/1", f"t.me/{NAME}", "Ann Lee")
    assert first.published == 1_799_992_800.0
    assert (third.title, third.body) == ("A headline", "A headline\n\nAnd more")


async def test_a_poll_goes_back_to_the_last_post_that_was_seen(serve, polled, ok, at) -> None:
    channel = Channel(ok, last=30)
    site = await serve(channel.answer)
    at(site)
    source = polled.source(telegram=NAME)
    first = await polled.poll(source)
    assert [item.key for item in first.items] == [str(n) for n in range(30, 10, -1)]
    assert (await polled.poll(source)).outcome is Outcome.SAME_BODY
    channel.last, channel.deleted = 75, frozenset((30, 29, 40))  # the last one seen is gone, too
    site.asked.clear()
    second = await polled.poll(source)
    assert {int(item.key) for item in second.items} >= set(range(31, 76)) - {40}
    assert [asked.path.partition("?")[2] for asked in site.asked] == ["", "before=56", "before=35"]
    assert polled.state.cache["last"] == 75


async def test_it_goes_back_only_so_far(serve, polled, ok, at) -> None:
    channel = Channel(ok, last=10)
    site = await serve(channel.answer)
    at(site)
    await polled.poll(polled.source(telegram=NAME))
    channel.last = 1000
    site.asked.clear()
    got = await polled.poll(polled.source(telegram=NAME))
    assert (len(site.asked), len(got.items)) == (MAX_PAGES, MAX_PAGES * 20)


async def test_a_page_that_cannot_be_had_loses_nothing(serve, polled, ok, at) -> None:
    channel = Channel(ok, last=30)
    broken = False

    async def answer(asked, writer) -> None:
        if broken and "before" in asked.path:
            writer.write(ok(status="500 Internal Server Error"))
        else:
            await channel.answer(asked, writer)

    at(await serve(answer))
    await polled.poll(polled.source(telegram=NAME))
    channel.last, broken = 75, True
    with pytest.raises(FetchError):
        await polled.poll(polled.source(telegram=NAME))
    broken = False
    got = await polled.poll(polled.source(telegram=NAME))
    assert {int(item.key) for item in got.items} >= set(range(31, 76))


async def test_a_channel_without_a_preview(serve, polled, ok, at) -> None:
    pages = {f"/{NAME}": ok(CONTACT)}
    site = await serve(pages)
    pages[f"/s/{NAME}"] = ok(b"", f"Location: {site.url}/{NAME}", status="302 Found")
    at(site)
    with pytest.raises(FetchError, match="no preview of a public channel") as caught:
        await polled.poll(polled.source(telegram=NAME))
    assert caught.value.kind is FetchKind.CLIENT


async def test_an_empty_channel_is_well(serve, polled, ok, at) -> None:
    at(await serve(ok(page())))
    assert (await polled.poll(polled.source(telegram=NAME))).items == ()


def test_headlines() -> None:
    assert headline("⚡️\n\nRiver rises\nMore") == "River rises"
    long = headline("word " * 60)
    assert len(long) <= 120
    assert long.endswith("word…")
