"""Files that are there whole or not at all."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

from tools.errors import OutputError


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary name in the folder of `path`, renamed to `path` once its content is whole.

    The folder is made where it is not there. Raises OutputError.
    """
    unfinished: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(
            dir=path.parent, prefix=".unfinished-", suffix=path.suffix, delete=False
        ) as f:
            unfinished = Path(f.name)
        yield unfinished
        unfinished.chmod(0o644)
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}", "Choose a place that you may write to."
        ) from error
    finally:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)
