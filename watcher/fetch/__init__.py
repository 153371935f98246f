"""HTTP for everything that watcher reads: polite, and safe against what it reads."""

from watcher.fetch.client import Client
from watcher.fetch.exchange import FetchSettings, Request, Response

__all__ = ["Client", "FetchSettings", "Request", "Response"]
