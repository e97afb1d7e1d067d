"""A file that is written a piece at a time, and takes its place in one step when all of it is there."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from scansion.errors import ScansionError, StorageError


@contextmanager
def replaced_file(path: str | Path) -> Iterator[BinaryIO]:
    """``with replaced_file(path) as stream:`` writes ``.NAME.partial-XXXXXXXX``, which becomes ``path`` at the end.

    On any error, an interruption too, whatever stood at ``path`` stands there still. StorageError if it cannot be
    written.
    """
    target = Path(os.path.realpath(path))
    partial = target.with_name(f".{target.name}.partial-{secrets.token_hex(4)}")
    try:
        with open(partial, "xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, target)
        _confirm(target.parent)
    except ScansionError:
        raise
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}. Nothing was replaced; check the "
                           "place and the disk.") from error
    finally:
        partial.unlink(missing_ok=True)


def _confirm(folder: Path) -> None:
    """The new name is on the disk, where the system can say so."""
    descriptor = os.open(folder, os.O_RDONLY)
    with suppress(OSError):
        os.fsync(descriptor)
    os.close(descriptor)
