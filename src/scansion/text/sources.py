"""Where documents lie: a file, a folder or standard input, found, named, fingerprinted and watched for change."""

import errno
import hashlib
import os
import select
import shutil
import stat
import sys
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Self

from scansion.errors import DataError, StorageError, UsageError, did_you_mean
from scansion.spill import ROOM_TO_SPARE, no_room

STANDARD_INPUT = "-"
PIPE_PATIENCE = 60.0
"""Seconds for whoever writes into a pipe to begin."""
BYTES_AT_A_TIME = 1 << 20

DATASET_STATE, DATASET_SPLITS = "state.json", "dataset_dict.json"
"""What Hugging Face datasets writes beside its Arrow files, and beside the folders of several splits."""

_OF_THE_DESKTOP = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "$recycle.bin", "@eadir"}
_OPEN_IN_OFFICE = "~$"


@dataclass(frozen=True)
class Source:
    """Something that can be opened again and again; ``name`` is what messages call it."""

    path: Path
    name: str
    spooled: bool = False
    """Whether ``path`` is a copy of standard input or of a pipe; the copy is deleted with this object."""

    @property
    def short_name(self) -> str:
        return self.name if self.spooled else self.path.name

    def files(self) -> list[Path]:
        """The files whose bytes make up the source, in reading order."""
        if self.is_dataset():
            return sorted(Path(entry.path) for entry in _entries(self.path, self.name) if entry.is_file())
        if self.path.is_dir():
            return [file for folder in label_folders(self) for file in label_files(folder)]
        return [self.path]

    def is_dataset(self) -> bool:
        """Whether it is a folder that Hugging Face datasets wrote."""
        return any((self.path / name).is_file() for name in (DATASET_STATE, DATASET_SPLITS))

    def state(self) -> tuple[int, int]:
        """Sizes and times: a cheap sign of change, to be confirmed by the fingerprint."""
        try:
            known = [file.stat() for file in self.files()]
        except OSError as error:
            raise unreadable(self.name, error) from error
        return sum(one.st_size for one in known), hash(tuple((one.st_size, one.st_mtime_ns) for one in known))

    def fingerprint(self) -> str:
        """SHA-256 over the raw bytes; for a folder over relative names, sizes and bytes."""
        digest = hashlib.sha256()
        try:
            for file in self.files():
                with open(file, "rb") as stream:
                    if file != self.path:
                        name = os.fsencode(file.relative_to(self.path))
                        digest.update(b"%d %s %d " % (len(name), name, os.fstat(stream.fileno()).st_size))
                    while block := stream.read(1 << 20):
                        digest.update(block)
        except OSError as error:
            raise unreadable(self.name, error) from error
        return digest.hexdigest()


@dataclass(frozen=True)
class Snapshot:
    """What a source held when it was first read."""

    source: Source
    state: tuple[int, int]
    fingerprint: str

    @classmethod
    def of(cls, source: Source) -> Self:
        return cls(source, source.state(), source.fingerprint())

    def check(self) -> None:
        """Raises DataError if the source now holds something else."""
        if self.source.state() != self.state and self.source.fingerprint() != self.fingerprint:
            raise DataError(f"{self.source.name} was changed while it was in use. Start again.")


def find_source(path: str | os.PathLike[str]) -> Source:
    """The source at ``path``; ``-`` and pipes are copied to a temporary file.

    Raises UsageError if there is none, for a device, and for a pipe into which nobody writes; StorageError if a copy
    would fill the disk.
    """
    if os.fspath(path) == STANDARD_INPUT:
        return _spooled(sys.stdin.buffer, "standard input")
    found = Path(path)
    try:
        mode = found.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise UsageError(f"There is no file {os.fspath(path)!r}{_nearest(found)}") from error
    except OSError as error:
        raise unreadable(os.fspath(path), error) from error
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return Source(found, os.fspath(path))
    if not stat.S_ISFIFO(mode):
        raise UsageError(f"{os.fspath(path)} is a device or a socket; expected a file, a folder or a pipe. Give - for "
                         "standard input.")
    with _opened_pipe(found) as pipe:
        return _spooled(pipe, os.fspath(path))


def label_folders(source: Source) -> list[Path]:
    """The sub-folders, one a label, sorted. Raises DataError if there are none."""
    folders = sorted(Path(entry.path) for entry in _entries(source.path, source.name) if entry.is_dir())
    if not folders:
        raise DataError(f"The folder {source.name!r} has no sub-folders; expected one per label, a file per document.")
    return folders


def label_files(folder: Path) -> list[Path]:
    """The documents of one label, sorted. Raises DataError for a folder deeper down."""
    files = []
    for entry in _entries(folder, str(folder)):
        if entry.is_dir():
            raise DataError(f"{str(folder)!r} holds the folder {entry.name!r}; expected the documents of one label. "
                            "Give the folder whose sub-folders are the labels.")
        files.append(Path(entry.path))
    return sorted(files)


def files_below(source: Source) -> list[Path]:
    """Every file of a folder and of the folders in it, sorted. Raises DataError if there is none."""
    found: list[Path] = []
    waiting = [source.path]
    while waiting:
        folder = waiting.pop()
        for entry in _entries(folder, str(folder)):
            (waiting if entry.is_dir() else found).append(Path(entry.path))
    if not found:
        raise DataError(f"The folder {source.name!r} has no files; expected files of plain text.")
    return sorted(found)


def unreadable(name: str, error: OSError) -> DataError:
    """The error for a file that the system does not let us read."""
    return DataError(f"{name} cannot be read: {error.strerror or error}.")


def _entries(folder: Path, name: str) -> Iterator[os.DirEntry[str]]:
    """What a folder holds, without hidden files and what desktops leave behind."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not _is_left_behind(entry.name):
                    if not entry.is_dir() and not entry.is_file():
                        raise DataError(f"{name!r} holds {entry.name!r}, which is a pipe, a device or a link to "
                                        "nothing; expected files. Take it out.")
                    yield entry
    except OSError as error:
        raise unreadable(name, error) from error


def _is_left_behind(name: str) -> bool:
    return name.startswith((".", _OPEN_IN_OFFICE)) or name.lower() in _OF_THE_DESKTOP


def _spooled(stream: IO[bytes], name: str) -> Source:
    handle, path = tempfile.mkstemp(prefix="scansion-")
    source = Source(Path(path), name, spooled=True)
    weakref.finalize(source, source.path.unlink, missing_ok=True)
    copied = 0
    try:
        with open(handle, "wb") as spool:
            while block := stream.read(BYTES_AT_A_TIME):
                if shutil.disk_usage(path).free < ROOM_TO_SPARE + len(block):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                copied += spool.write(block)
    except OSError as error:
        source.path.unlink(missing_ok=True)
        raise StorageError(f"{name} is longer than can be kept: after {copied:,} bytes {no_room(error)}") from error
    return source


def _opened_pipe(path: Path) -> IO[bytes]:
    """To be read from; opening it plainly would wait for ever for a program that writes into it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN | select.POLLHUP)
    if not waiting.poll(PIPE_PATIENCE * 1_000):
        os.close(descriptor)
        raise UsageError(f"Nothing was written into the pipe {str(path)!r} for {PIPE_PATIENCE:.0f} seconds. Start the "
                         "program that writes into it, or name a file.")
    os.set_blocking(descriptor, True)
    return open(descriptor, "rb")


def _nearest(missing: Path) -> str:
    """Points at the first part of the path that does not exist and at what looks like it."""
    try:
        while not missing.parent.exists():
            missing = missing.parent
        neighbours = sorted(os.listdir(missing.parent))
    except (OSError, ValueError):
        return "."
    close = get_close_matches(missing.name, neighbours, n=1)
    return did_you_mean(missing.name, close) if close else f"; nothing in {str(missing.parent)!r} has a name like that."
