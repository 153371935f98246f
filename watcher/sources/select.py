"""A part of a web page, by CSS selector or by XPath."""

from __future__ import annotations

from typing import Any

from watcher.errors import ParseError


def is_xpath(select: str) -> bool:
    """Whether a selector is XPath: no CSS selector begins with a slash, a parenthesis or a single dot and slash."""
    return select.startswith(("/", "(", "./"))


def check_selector(text: str) -> str:
    """`text`, if it is a CSS selector or an XPath expression. Raises ValueError, for people."""
    text = text.strip()
    if is_xpath(text):
        from lxml import etree  # noqa: PLC0415 - only where a page is watched

        try:
            etree.XPath(text)
        except etree.XPathSyntaxError as error:
            raise ValueError(f"this is no XPath expression: {error}") from None
        return text
    from cssselect import SelectorError, parse  # noqa: PLC0415

    try:
        parse(text)
    except SelectorError as error:
        raise ValueError(f"this is no CSS selector: {error}") from None
    return text


def tree_of(page: str | bytes) -> Any:
    """The page as lxml's tree. For workers. Raises ParseError where it is no page."""
    from trafilatura.utils import load_html  # noqa: PLC0415 - knows the ways in which lxml refuses a page

    tree = load_html(page)
    if tree is None:
        raise ParseError("this is no web page")
    return tree


def selected(tree: Any, select: str) -> list[Any]:
    """The elements, or texts where an XPath names those, that fit. Raises ParseError where there is none."""
    from lxml import etree  # noqa: PLC0415

    try:
        found = tree.xpath(select) if is_xpath(select) else tree.cssselect(select)
    except etree.XPathError as error:
        raise ParseError(f"`select: {select}` cannot be evaluated: {error}") from None
    parts = found if isinstance(found, list) else [found] if isinstance(found, str) and found else []
    if not parts:
        raise ParseError(f"nothing on the page fits `select: {select}`")
    return parts
