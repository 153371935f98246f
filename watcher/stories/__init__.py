"""Near-duplicate items are one story, reports of one event are related: pure decisions, no I/O.

shingles.py turns a text into a small set of hashes · headlines.py reads what a title says about itself · decide.py
judges an item against the stories that share hashes with it · event.py tells reports of one event · group.py does both
for a file of items in memory.
"""

from watcher.model import Coverage
from watcher.stories.decide import SHARED, Copies, Verdict, decide, signature_of, story_text, title_hash
from watcher.stories.event import Outline, Relation, coverage, outline, relate
from watcher.stories.group import Grouped, group_file, group_items
from watcher.stories.shingles import signature

__all__ = [
    "SHARED",
    "Copies",
    "Coverage",
    "Grouped",
    "Outline",
    "Relation",
    "Verdict",
    "coverage",
    "decide",
    "group_file",
    "group_items",
    "outline",
    "relate",
    "signature",
    "signature_of",
    "story_text",
    "title_hash",
]
