"""What numbers hang on beside their inputs: the knowledge base and the versions of what computes."""

import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from knowledge.drugs import DATA

_SUFFIXES = (".yaml", ".txt")


@lru_cache(maxsize=1)
def knowledge_sha256() -> str:
    """One hash of all drugs, rules and lists that ship with the package, by their names."""
    digest = hashlib.sha256()
    for path in sorted(DATA.rglob("*")):
        if path.suffix in _SUFFIXES:
            digest.update(path.relative_to(DATA).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def version_of(package: str) -> str:
    """The installed version; a package that runs from a folder has none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
