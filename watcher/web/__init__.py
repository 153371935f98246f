"""What watcher listens with, at `settings.web.listen`: the callbacks of hubs, and whether all is well.

serve.py is the application and its socket while the daemon runs, websub.py what hubs call, healthz.py what load
balancers and container engines ask.
"""

from watcher.web.serve import serve

__all__ = ["serve"]
