"""Pages and arrays to disk; what is not one of ours is never written over."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from scansion.errors import StorageError, UsageError

OURS = b'name="generator" content="scansion"'
LOOKED_AT = 1_024


def write_page(path: Path, document: str) -> None:
    """Write a page, or over an older one, in one step; half characters become question marks.

    UsageError for anything else in its place, StorageError if it cannot be written.
    """
    check_page(path)
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_bytes(document.encode(errors="replace"))
        fresh.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from error


def check_page(path: Path) -> None:
    """UsageError if something that is no page of ours is in the way, or there is no folder for it."""
    check_folder(path)
    if path.is_dir():
        raise UsageError(f"{path} is a folder. Name a file, such as {path / 'look.html'}.")
    if path.exists():
        try:
            with path.open("rb") as file:
                ours = OURS in file.read(LOOKED_AT)
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error.strerror}. Choose another name.") from error
        if not ours:
            raise UsageError(f"{path} is no page that scansion wrote. Choose another name.")


def check_arrays(path: Path) -> None:
    """UsageError for a file that does not end in .npz, or whose folder is not there."""
    check_folder(path)
    if path.suffix != ".npz":
        raise UsageError(f"Arrays are kept as .npz; got {path}. Try {path.with_suffix('.npz')}.")


def check_folder(path: Path) -> None:
    """UsageError if there is no folder to write a file into."""
    if not path.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {path.parent} to write {path.name} into. Make it, or choose another.")


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an ``.npz`` file. UsageError for another ending, StorageError if it cannot be written."""
    check_arrays(path)
    try:
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from error
