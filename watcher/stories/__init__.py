"""Near-duplicate items are one story: pure decisions, no I/O.

shingles.py turns a text into a small set of hashes · headlines.py reads what a title says about itself · decide.py
judges an item against the stories that share hashes with it · group.py does it for a file of items in memory.
"""

from watcher.stories.decide import Copies, Verdict, decide, signature_of, story_text
from watcher.stories.group import group_file
from watcher.stories.shingles import signature

__all__ = ["Copies", "Verdict", "decide", "group_file", "signature", "signature_of", "story_text"]
