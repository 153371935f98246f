"""A character of a YAML value is found where it stands in the file, whatever the style."""

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watcher.config.nodes import Mapping, Scalar, read
from watcher.config.scalars import offsets

PIECES = st.sampled_from(
    [
        "Mali",
        "Niger",
        "é",
        "漢",
        "😀",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\t",
        "'",
        '"',
        "\\",
        "#",
        " # ",
        ": ",
        "(",
        "-",
        "{x}",
        "@y",
    ]
)
TEXT = st.lists(PIECES, max_size=12).map("".join)
INDENT = st.integers(1, 5)


def scalar_of(text: str) -> Scalar | None:
    """The value of `k` in `text`, if that is valid YAML with a text there."""
    file = read("f", text)
    value = file.root.get("k") if isinstance(file.root, Mapping) and not file.complaints else None
    return value if isinstance(value, Scalar) else None


def check(text: str) -> bool:
    scalar = scalar_of(text)
    if scalar is None:
        return False
    found = offsets(text, scalar.start, scalar.end, scalar.style, scalar.value)
    assert len(found) == len(scalar.value) + 1
    assert found == sorted(found)
    for char, index in zip(scalar.value, found, strict=False):
        written = text[index]
        if written == "\\" and scalar.style == '"':
            continue
        if char in " \n":
            assert written in " \n\r\x85"
        else:
            assert written == char
    if scalar.value.strip():  # the fallback, by which all stands at the start, was not needed
        assert len(set(found)) == len(found)
    return True


@given(TEXT)
@settings(max_examples=300)
@example("a\n\n  b\n c  d ")
def test_plain(value: str) -> None:
    check(f"k: {value}\n")
    check("k:\n  " + value.replace("\n", "\n  ") + "\nz: 1\n")
    check(f"{{k: {value}, z: 1}}\n")


@given(TEXT)
@settings(max_examples=300)
def test_single_quoted(value: str) -> None:
    written = value.replace("'", "''").replace("\n", "\n  ")
    check(f"k: '{written}'\nz: 1\n")
    check(f"k: &x '{written}'  # note\nz: *x\n")


@given(TEXT, st.sampled_from(["", "\\\n   ", "\\n", "\\x41", "\\u00e9", "\\U0001F600", "\\\\", '\\"', "\\ ", "\\\t"]))
@settings(max_examples=300)
def test_double_quoted(value: str, escape: str) -> None:
    written = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\n  ")
    check(f'k: "{written}{escape}{written}"\nz: 1\n')


@given(
    TEXT, st.sampled_from("|>"), st.sampled_from(["", "-", "+"]), INDENT, st.booleans(), st.sampled_from(["", "z: 1\n"])
)
@settings(max_examples=500)
@example("a\n\n  b\nc\n\n", ">", "+", 2, False, "z: 1\n")
@example(" a\nb", "|", "", 3, True, "")
def test_block(value: str, style: str, chomping: str, indent: int, told: bool, after: str) -> None:
    margin = " " * indent
    body = "".join(margin + line + "\n" if line else "\n" for line in value.split("\n"))
    header = f"{style}{indent if told else ''}{chomping}"
    check(f"k: {header}\n{body}{after}")
    check(f"k: {header} # note\n{body.rstrip(chr(10))}")
    check(f"k: {header}\n{body}".replace("\n", "\r\n"))


@given(TEXT)
@settings(max_examples=200)
def test_what_pyyaml_writes(value: str) -> None:
    for style in (None, "'", '"', "|", ">"):
        check(yaml.safe_dump({"k": value}, default_style=style, allow_unicode=True, width=20))


def test_every_style_is_really_checked() -> None:
    assert check("k: a\n  b\n")
    assert check("k: 'a''b'\n")
    assert check('k: "a\\tb"\n')
    assert check("k: |\n  a\n  b\n")
    assert check("k: >\n  a\n  b\n")
