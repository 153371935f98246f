"""The way of an item from source to message: poll → read → flush → deliver; and subscribe and push, where hubs push.

Each step takes one claimed row, does its work, records the result in one transaction, and returns what happened. No
transaction is open during network I/O.
"""

from watcher.pipeline.checkup import checkup, heartbeat
from watcher.pipeline.deliver import deliver
from watcher.pipeline.flush import flush
from watcher.pipeline.placing import review_held
from watcher.pipeline.poll import poll
from watcher.pipeline.push import push
from watcher.pipeline.read import read
from watcher.pipeline.services import Counts, Services
from watcher.pipeline.subscribe import subscribe

__all__ = [
    "Counts",
    "Services",
    "checkup",
    "deliver",
    "flush",
    "heartbeat",
    "poll",
    "push",
    "read",
    "review_held",
    "subscribe",
]
