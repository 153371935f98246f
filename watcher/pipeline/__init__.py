"""The way of an item from source to message: poll → read → flush → deliver.

Each step takes one claimed row, does its work, records the result in one transaction, and returns what happened. No
transaction is open during network I/O.
"""

from watcher.pipeline.checkup import checkup, heartbeat
from watcher.pipeline.deliver import deliver
from watcher.pipeline.flush import flush
from watcher.pipeline.placing import review_held
from watcher.pipeline.poll import poll
from watcher.pipeline.read import read
from watcher.pipeline.services import Counts, Services

__all__ = ["Counts", "Services", "checkup", "deliver", "flush", "heartbeat", "poll", "read", "review_held"]
