"""The rule language: queries to trees, trees against documents, many rules at once, and why."""

from watcher.query.ast import Node, has_not
from watcher.query.document import Document
from watcher.query.explain import Explanation, Verdict, explain
from watcher.query.inflect import FORMS, STEMS, inflected
from watcher.query.lint import Finding, lint
from watcher.query.parser import named_in, parse
from watcher.query.presearch import RuleSet

__all__ = [
    "FORMS",
    "STEMS",
    "Document",
    "Explanation",
    "Finding",
    "Node",
    "RuleSet",
    "Verdict",
    "explain",
    "has_not",
    "inflected",
    "lint",
    "named_in",
    "parse",
]
