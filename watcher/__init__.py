"""watcher: polls feeds and pages, matches watch rules, and tells people once.

Start at docs/architecture.md; the path of one item is watcher/pipeline.py.
"""

__version__ = "0.1.0"
