"""Output files that appear only when they are complete."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


def _mode_of_new_files() -> int:
    """Permissions that ``open`` would give a new file."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


@contextlib.contextmanager
def atomic_output(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a temporary file beside ``path`` that replaces it when the block ends well.

    If the block raises (an interruption included), the temporary file goes and
    an existing ``path`` keeps its old content. The temporary name ends in the
    suffix of ``path``, since image writers choose the format by it.

    Args:
        path: The file to write.

    Yields:
        Path of the temporary file, which exists and is empty.

    Raises:
        OSError: If the folder doesn't exist or isn't writable.
    """
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.stem[:80]}-", suffix=target.suffix
        )
    except OSError as error:
        # The temporary name would only puzzle whoever reads the message.
        raise type(error)(error.errno, f"can't be written: {error.strerror}", str(target)) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else _mode_of_new_files())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes UTF-8 text (line ends untouched) through :func:`atomic_output`."""
    with atomic_output(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))
