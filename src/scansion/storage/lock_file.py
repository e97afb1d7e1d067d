"""A file that is held locked as long as its owner lives, so that two processes do not write to one place."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scansion.errors import StorageError


def locked_file(path: Path, taken: str) -> int | None:
    """The descriptor that holds the file ``path``, made where there is none; None if it was removed meanwhile.

    StorageError with the sentence ``taken`` if another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError(taken) from error
        except OSError:
            return descriptor  # a file system without locks: the user has to see to it
        if path.exists() and os.stat(path).st_ino == os.fstat(descriptor).st_ino:
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


@contextmanager
def only_fit_into(model: Path) -> Iterator[None]:
    """In the block no other process fits into ``model``; StorageError if one does already.

    The file ``.NAME.lock`` beside it is removed at the end; one that a killed process has left is no hindrance.
    """
    target = Path(os.path.realpath(model))
    lock = target.with_name(f".{target.name}.lock")
    os.makedirs(lock.parent, exist_ok=True)
    descriptor = None
    while descriptor is None:
        descriptor = locked_file(
            lock, f"Another process is fitting into {model}. Wait for it or stop it, or choose another place."
        )
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(descriptor)
