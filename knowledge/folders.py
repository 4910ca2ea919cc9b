"""Where this user's files are kept. ECGWM_HOME moves all of them to one folder."""

import os
import sys
from pathlib import Path

_NAME = "ecgwm-agent"


def cache_folder() -> Path:
    """What can be built anew, such as search indexes: $ECGWM_HOME/cache, or the system's place for caches."""
    if home := os.environ.get("ECGWM_HOME"):
        return Path(home) / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / _NAME
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / _NAME / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / _NAME


def data_folder() -> Path:
    """What only this user has, such as imported rules: $ECGWM_HOME/data, or the system's place for data."""
    if home := os.environ.get("ECGWM_HOME"):
        return Path(home) / "data"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / _NAME
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home()) / _NAME
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / _NAME
