"""The process: lanes that work off the queues, signals, reload, drain. Entry points: `run` and `once`."""

from watcher.daemon.once import once
from watcher.daemon.reload import ConfigSource
from watcher.daemon.run import run

__all__ = ["ConfigSource", "once", "run"]
