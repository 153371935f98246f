"""The configuration: YAML files and the environment, read into one checked Config."""

from watcher.config.load import Config, configuration_files, load, load_rules, load_settings, load_terms, restore
from watcher.config.settings import Settings, environment
from watcher.config.watchlist import Channel, Rule

__all__ = [
    "Channel",
    "Config",
    "Rule",
    "Settings",
    "configuration_files",
    "environment",
    "load",
    "load_rules",
    "load_settings",
    "load_terms",
    "restore",
]
