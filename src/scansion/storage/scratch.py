"""Private folders for what is needed only while a process lives, and the removal of those that dead processes left.

They hold users' texts: their mode is 0700, and they are held locked by their owner, so that whoever makes the next one
knows which were abandoned.
"""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

KINDS = ("run", "comparison", "ctranslate2")
NAME = re.compile(rf"scansion-({'|'.join(KINDS)})-[a-z0-9_]+")


@contextmanager
def scratch_folder(kind: str) -> Iterator[Path]:
    """An empty folder, which is removed at the end of the block; abandoned ones are removed before."""
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder, descriptor = _own_folder(kind)
    try:
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def _own_folder(kind: str) -> tuple[Path, int]:
    """A fresh folder, and the descriptor that holds it locked."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"scansion-{kind}-"))
        with suppress(FileNotFoundError):  # in between, another process took it for abandoned
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            with suppress(OSError):  # without locks, nobody takes it for abandoned
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if folder.is_dir():
                return folder, descriptor
            os.close(descriptor)


def _remove_abandoned(place: Path) -> None:
    """Away with folders of this user that nobody holds locked any more."""
    with suppress(OSError):
        for name in filter(NAME.fullmatch, os.listdir(place)):
            with suppress(OSError):  # another process was quicker, or it is another user's
                _remove_if_abandoned(place / name)


def _remove_if_abandoned(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid == os.getuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
