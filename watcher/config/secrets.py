"""Secrets: where they come from, which texts are one, and how they are kept out of what is shown or stored."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import yaml

from watcher.config.nodes import WITHHELD, File, Scalar, keys, walk
from watcher.errors import ConfigError

SECRET_KEYS = {
    "settings": frozenset({"heartbeat"}),
    "channels": frozenset({"url", "webhook"}),
    "sources": frozenset({"headers", "auth", "cookies", "proxy"}),
}
MAX_SECRET = 64 * 1024  # bytes of a secret's file

_REFERENCE = re.compile(r"\$\{\w+\}")  # one with a default is written out in the file, and counts as text
_KEYLESS = frozenset({"console", "mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms"})
_OPEN_HEADERS = frozenset({"accept", "accept-language", "user-agent", "referer"})
_SCHEME = re.compile(r"\s*['\"]?[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PASSWORD = re.compile(r"://[^/?#\s]*?:([^/?#\s]*)@")
_PARAMETER = re.compile(r"[?&][+:\w.-]*(?:key|token|secret|pass|auth|sig)[\w.-]*=([^&#\s]*)", re.IGNORECASE)
_TOKEN_LIKE = re.compile(r"[\w+/=-]{16,}", re.ASCII)
_HEADER_COMMENT = re.compile(r"[|>][-+0-9]*[ \t]+(#[^\n]*)")
_KEY = re.compile(r"(?:^[ \t]*(?:- +)*|[{,][ \t]*)([\w.-]+)(?=\s*:(?:\s|$))")
_SECTION = re.compile(r"^(\w+)\s*:", re.MULTILINE)


class Lookup:
    """What `${NAME}` stands for: the environment first, then a file NAME in one of the secrets directories."""

    def __init__(self, env: Mapping[str, str], directories: tuple[Path, ...] = ()) -> None:
        self.env = env
        self.directories = directories

    @classmethod
    def of(cls, env: Mapping[str, str], secrets_dir: Path | None = None) -> Lookup:
        """Look into `secrets_dir` (else WATCHER_SECRETS_DIR), systemd's credentials, and Docker's /run/secrets."""
        chosen = secrets_dir or (Path(env["WATCHER_SECRETS_DIR"]) if env.get("WATCHER_SECRETS_DIR") else None)
        if chosen and not chosen.is_dir():
            raise ConfigError.of(chosen, "there is no such directory of secrets")
        credentials = env.get("CREDENTIALS_DIRECTORY")
        usual = [Path(credentials)] if credentials else []
        return cls(env, tuple(d for d in (chosen, *usual, Path("/run/secrets")) if d))

    def get(self, name: str) -> str | None:
        """The value of `name`, or None. Raises ConfigError where its file cannot be read."""
        if name in self.env:
            return self.env[name]
        for directory in self.directories:
            file = directory / name
            try:
                if file.is_file():
                    return _content(file)
            except OSError as error:
                raise ConfigError.of(file, f"the secret cannot be read: {error.strerror}") from None
        return None

    def names(self) -> Iterator[str]:
        """The names that have a file."""
        for directory in reversed(self.directories):
            if directory.is_dir():
                yield from (file.name for file in directory.iterdir() if file.is_file())


def _content(file: Path) -> str:
    with file.open("rb") as stream:
        raw = stream.read(MAX_SECRET + 1)
    if len(raw) > MAX_SECRET:
        raise ConfigError.of(file, f"a secret of more than {MAX_SECRET // 1024} kB is surely a slip")
    try:
        return raw.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigError.of(file, "the secret is not UTF-8 text") from None


def holds_secret(path: tuple[str, ...], value: str) -> bool:
    """Whether the text `value`, written at `path` of the configuration, may hold a secret in clear.

    References `${NAME}` are none. Rather once too often than once too seldom.
    """
    if _in_clear(_PASSWORD, value) or _in_clear(_PARAMETER, value):
        return True
    key = _secret_key(path)
    if not key or (key == "headers" and path[-1].lower() in _OPEN_HEADERS):
        return False
    if key == "proxy" or (key == "url" and value.partition("://")[0].lower() in _KEYLESS):
        return False
    rest = _REFERENCE.sub(" ", value)
    return bool(rest) if rest == value else bool(_TOKEN_LIKE.search(rest) or "${" in rest)


def _secret_key(path: tuple[str, ...]) -> str:
    """The key that makes what stands at `path` a likely secret, or ""."""
    return path[2] if len(path) > 2 and path[2] in SECRET_KEYS.get(path[0], ()) else ""


def _in_clear(pattern: re.Pattern[str], value: str) -> bool:
    return any(_REFERENCE.sub("", found[1]) for found in pattern.finditer(value))


def withhold(file: File) -> str:
    """The file's text without literal secrets and comments, each line where it was.

    Each secret gives way to a value with the tag `!withheld`, which `nodes.read` knows.
    """
    cuts: dict[int, tuple[int, str]] = {start: (end, "") for start, end in _comments(file)}
    for path, scalar in walk(file.root) if file.root else ():
        if holds_secret(path, scalar.value):
            raw = file.text[scalar.start : scalar.end]
            anchor = re.match(r"&\S+ ", raw)
            replacement = f'{anchor[0] if anchor else ""}{WITHHELD} ""' + "\n" * raw.count("\n")
            cuts[scalar.start] = (scalar.end, replacement)
    pieces: list[str] = []
    last = 0
    for start, (end, replacement) in sorted(cuts.items()):
        if start >= last:  # else it is inside of what was cut: the comment of a withheld | block
            pieces += file.text[last:start], replacement
            last = end
    return "".join([*pieces, file.text[last:]])


def _comments(file: File) -> Iterator[tuple[int, int]]:
    """The spans of the file's comments: what is neither a token nor blank."""
    last = 0
    for token in yaml.scan(file.text, Loader=yaml.CBaseLoader):
        start, end = token.start_mark.index, token.end_mark.index
        for found in re.finditer(r"#[^\n]*", file.text[last:start]):
            yield last + found.start(), last + found.end()
        header = _HEADER_COMMENT.match(file.text, start, end)
        if header and isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            yield header.span(1)
        last = max(last, end)
    for found in re.finditer(r"#[^\n]*", file.text[last:]):
        yield last + found.start(), last + found.end()


def suspects(file: File) -> Iterator[Scalar]:
    """What may be a secret in a file: values that `holds_secret` tells, and keys that swallowed their value.

    `{url:slack://token}` lacks a blank after its first colon, and is to YAML a key with nothing behind it.
    """
    if not file.root:
        return
    for path, scalar in walk(file.root):
        if holds_secret(path, scalar.value):
            yield scalar
    for path, key, value in keys(file.root):
        empty = isinstance(value, Scalar) and not value.value
        if empty and path[:1] not in ((), ("rules",), ("terms",)) and (":" in key.value or _secret_key(path)):
            yield key


class Mask:
    """Shows the lines of one file with what may be a secret starred out, no character moved.

    `known` are the keys of settings, channels and sources: what stands at another key there, or nowhere in particular,
    may be a secret at a mistyped one, and is starred out too.
    """

    def __init__(self, file: File, known: Mapping[str, Collection[str]]) -> None:
        self.file = file
        self.known = known
        found = list(walk(file.root)) if file.root else []
        found += [((), scalar) for node in file.dropped for _, scalar in walk(node)]
        self.spans = [(scalar.start, scalar.end) for path, scalar in found if not self._shown(path, scalar.value)]
        self.spans += [(scalar.start, scalar.end) for scalar in suspects(file)]

    def _shown(self, path: tuple[str, ...], value: str) -> bool:
        section = path[0] if path else ""
        if section in ("rules", "terms"):
            return True
        key = path[1:2] if section == "settings" else path[2:3]
        known = bool(key) and key[0] in self.known.get(section, ())
        return known and not _secret_key(path) and not holds_secret(path, value)

    def line(self, number: int) -> str:
        """Line `number`, counted from 1."""
        start, line = self.file.line(number)
        end = start + len(line)
        if not self.file.parsed:
            sections = [found[1] for found in _SECTION.finditer(self.file.text, 0, end)]
            return line if sections and sections[-1] in ("rules", "terms") else _stars_but_keys(line)
        hits = [span for span in self.spans if span[0] < end and start < span[1]]
        comments = _comments(self.file) if hits else ()
        hits += [(first + 1, last) for first, last in comments if start <= first < end]
        for first, last in hits:
            line = _star(line, max(first - start, 0), min(last - start, len(line)))
        return line


def _star(line: str, start: int, end: int) -> str:
    """Star out line[start:end], but for references, the URL's scheme, and the quotes around."""
    text = line[start:end]
    shown = [found.span() for found in _REFERENCE.finditer(text)]
    if scheme := _SCHEME.match(text):
        shown.append(scheme.span())
    stars = "".join(
        char if char in " \t\"'" or any(a <= i < b for a, b in shown) else "*" for i, char in enumerate(text)
    )
    return line[:start] + stars + line[end:]


def _stars_but_keys(line: str) -> str:
    """Star out every word that is no key: for a file whose structure is not known."""
    keys = [found.span(1) for found in _KEY.finditer(line)]
    comment = re.search(r"(^|\s)#", line)
    limit = comment.start() if comment else len(line)
    return "".join(
        "*" if (char.isalnum() or char in "_-+/=.") and not any(a <= i < b and i < limit for a, b in keys) else char
        for i, char in enumerate(line)
    )
