"""Pages and arrays to disk; what is not one of ours is never written over."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from scansion.errors import StorageError, UsageError

OURS = b'name="generator" content="scansion"'
LOOKED_AT = 1_024


def write_page(path: Path, document: str) -> None:
    """Write a page, or over an older one. UsageError for anything else in its place, StorageError if it cannot be."""
    check_page(path)
    try:
        path.write_text(document, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from error


def check_page(path: Path) -> None:
    """UsageError if something that is no page of ours is in the way."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder. Name a file, such as {path / 'look.html'}.")
    if path.exists():
        with path.open("rb") as file:
            if OURS not in file.read(LOOKED_AT):
                raise UsageError(f"{path} is no page that scansion wrote. Choose another name.")


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an ``.npz`` file. UsageError for another ending, StorageError if it cannot be written."""
    if path.suffix != ".npz":
        raise UsageError(f"Arrays are kept as .npz; got {path}. Try {path.with_suffix('.npz')}.")
    try:
        with path.open("wb") as file:
            np.savez_compressed(file, **arrays)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from error
