"""In a child process: kill -9 at an exact place, named by WATCHER_TEST_KILL as module:Function.name:before|after."""

import functools
import importlib.abc
import importlib.machinery
import os
import signal
import sys

_module, _name, _when = os.environ["WATCHER_TEST_KILL"].split(":")


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


def _wrapped(function):
    @functools.wraps(function)
    async def dying(*args, **kwargs):
        if _when == "before":
            _die()
        result = await function(*args, **kwargs)
        _die()
        return result

    return dying


class _Loader(importlib.abc.Loader):
    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        *path, last = _name.split(".")
        holder = functools.reduce(getattr, path, module)
        setattr(holder, last, _wrapped(getattr(holder, last)))


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != _module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        spec.loader = _Loader(spec.loader)
        return spec


sys.meta_path.insert(0, _Finder())
