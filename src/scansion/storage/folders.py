"""The model folder: ``manifest.json`` with a SHA-256 for every other file, and the few files it may name.

Every byte is verified before any is used, each file is read once, and nothing in it names code.
"""

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scansion.errors import StorageError, UnsafeFolderError, UsageError, did_you_mean, shown
from scansion.storage.atomic import mend, put_folder
from scansion.storage.fingerprints import sha256_of
from scansion.storage.limits import MANIFEST, MOST_FILE_BYTES
from scansion.storage.manifest import FileRecord, Format, Manifest, manifest_from_bytes, manifest_to_bytes
from scansion.storage.strict_json import parse_json
from scansion.storage.tensors import check_header, tensors_from_bytes, tensors_to_bytes

PICKLE_STARTS = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
ZIP_START = b"PK\x03\x04"
PICKLE_SUFFIXES = (".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib", ".ckpt", ".npy", ".npz", ".py")
NO_MODEL = "{} has no manifest.json, so it is no model folder. Give the folder that fit wrote."


@dataclass(frozen=True)
class Folder:
    """A verified model folder, in memory; what later happens on the disk does not reach it."""

    path: Path
    manifest: Manifest
    contents: Mapping[str, bytes] = field(repr=False)

    def json(self, name: str) -> Any:
        """The value in a JSON file."""
        return parse_json(self.bytes(name), self.where(name), MOST_FILE_BYTES[name])

    def tensors(self, name: str) -> dict[str, np.ndarray]:
        """Writable arrays by name."""
        return tensors_from_bytes(self.bytes(name), self.where(name))

    def where(self, name: str) -> str:
        """A file's path, for messages."""
        return str(self.path / name)

    def bytes(self, name: str) -> "bytes":
        """A file as it is; UnsafeFolderError if the folder has none of that name."""
        if name not in self.contents:
            raise UnsafeFolderError(f"{self.path} has no {name}; it holds {', '.join(self.contents)}.")
        return self.contents[name]


def publish(
    folder: str | Path,
    files: Mapping[str, Any],
    manifest: Mapping[str, Any],
    kind: Format = "scansion-model",
) -> None:
    """Write a folder of a kind in one step; on failure whatever stood there is as it was.

    ``manifest`` gives ``task``, ``family`` and ``data_fingerprint``; the rest is filled in. DivergedError for a
    weight that is not finite, StorageError for a disk that is full or a place taken by something else.
    """
    contents = {name: _checked_bytes(name, content) for name, content in files.items()}
    sealed = contents | {MANIFEST: manifest_to_bytes(manifest, contents, kind)}
    put_folder(folder, sealed, lambda target: _check_replaceable(target, kind))


def open_folder(path: str | Path, kind: Format = "scansion-model") -> Folder:
    """Read and verify a folder of a kind; StorageError or UnsafeFolderError with the file at fault. Runs no code."""
    path = Path(path)
    if not os.path.lexists(path):
        mend(path)
    before = _identity(path)
    try:
        return _read_folder(path, kind)
    except StorageError:
        # Another process may have published a new folder here between two of our reads.
        if _identity(path) == before:
            raise
        return open_folder(path, kind)


# TransformerState


def _checked_bytes(name: str, content: bytes | Mapping[str, np.ndarray]) -> bytes:
    if name not in MOST_FILE_BYTES or name == MANIFEST:
        raise UsageError(f"A model folder has no file {name!r}{did_you_mean(name, set(MOST_FILE_BYTES) - {MANIFEST})}")
    data = bytes(content) if isinstance(content, (bytes, bytearray)) else tensors_to_bytes(content)
    if len(data) > MOST_FILE_BYTES[name]:
        raise StorageError(
            f"{name} would have {len(data):,} bytes; at most {MOST_FILE_BYTES[name]:,} can be loaded. "
            "Use a smaller vocabulary or a smaller model."
        )
    _check_kind(name, data, name)
    return data


def _check_replaceable(target: Path, kind: Format) -> None:
    """Only an empty folder or one of ours is replaced: nothing that somebody else put there is ever lost."""
    try:
        if os.path.isdir(target) and not os.listdir(target):
            return
        present = _listed(target)
        manifest = _read_manifest(target, kind)
        foreign = present - set(manifest.files) - {MANIFEST}
        reason = f"it also holds {', '.join(sorted(foreign))}" if foreign else ""
    except StorageError as error:
        reason = str(error)
    if reason:
        raise StorageError(
            f"{target} is taken and is not replaced: {reason.rstrip('.')}. Choose another place, or remove it yourself."
        )


# Reading


def _read_manifest(path: Path, kind: Format) -> Manifest:
    manifest = manifest_from_bytes(_read_file(path / MANIFEST, MOST_FILE_BYTES[MANIFEST]), str(path / MANIFEST), kind)
    for name in manifest.files:
        if name not in MOST_FILE_BYTES or name == MANIFEST:
            raise UnsafeFolderError(f"{path / MANIFEST} names the file {shown(name)}, {_why_not(name)}")
    return manifest


def _identity(path: Path) -> tuple[int, int, int] | None:
    """Which folder stands there; an inode alone is soon used again."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_ctime_ns


def _read_folder(path: Path, kind: Format) -> Folder:
    present = _listed(path)
    manifest = _read_manifest(path, kind)
    named = set(manifest.files) | {MANIFEST}
    if missing := sorted(named - present):
        raise UnsafeFolderError(f"{path} is incomplete: {', '.join(missing)} is missing. Copy the whole folder again.")
    if extra := sorted(present - named):
        raise UnsafeFolderError(f"{path} holds {', '.join(extra)}, which its manifest does not name. Remove it.")
    return Folder(path, manifest, {name: _read_verified(path, name, record) for name, record in manifest.files.items()})


def _listed(path: Path) -> set[str]:
    """The names in a folder, each one that a model folder may hold."""
    present = set()
    try:
        with os.scandir(path) as scanned:
            entries = list(scanned)
            if not any(entry.name == MANIFEST for entry in entries):
                raise UnsafeFolderError(NO_MODEL.format(path))
            for entry in entries:
                if entry.name not in MOST_FILE_BYTES:
                    raise UnsafeFolderError(f"{path} holds {shown(entry.name)}, {_why_not(entry.name)}")
                present.add(entry.name)
    except FileNotFoundError as error:
        raise StorageError(f"There is no model folder {path}. Check the path.") from error
    except NotADirectoryError as error:
        raise StorageError(f"{path} is a file; expected a model folder. Give the folder that fit wrote.") from error
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.") from error
    return present


def _why_not(name: str) -> str:
    if name.lower().endswith(PICKLE_SUFFIXES):
        return "a kind of file that can run code; such files are never loaded. Remove it if you trust the rest."
    return f"which no model folder has; known: {', '.join(MOST_FILE_BYTES)}. Remove it."


def _read_verified(path: Path, name: str, record: FileRecord) -> bytes:
    where = str(path / name)
    data = _read_file(path / name, MOST_FILE_BYTES[name], record.bytes)
    if sha256_of(data) != record.sha256:
        raise UnsafeFolderError(
            f"{where} was changed after it was written: its SHA-256 is not the one in {MANIFEST}. "
            "Copy the folder again."
        )
    _check_kind(name, data, where)
    return data


def _read_file(path: Path, most: int, expected: int | None = None) -> bytes:
    """A regular file, read once; sizes are checked before the reading."""
    try:
        # A link is not followed, and opening a pipe does not wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnsafeFolderError(f"{path} is a symbolic link; a model folder holds plain files only.") from error
        raise StorageError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnsafeFolderError(f"{path} is not a plain file.")
        if status.st_size > most:
            raise UnsafeFolderError(f"{path} has {status.st_size:,} bytes; at most {most:,} are read.")
        if expected is not None and status.st_size != expected:
            raise UnsafeFolderError(
                f"{path} has {status.st_size:,} bytes, {MANIFEST} says {expected:,}. Copy the folder again."
            )
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(status.st_size)
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.") from error
    finally:
        os.close(descriptor)


def _check_kind(name: str, data: bytes, where: str) -> None:
    """Whether a file is what its name says, from its own first bytes."""
    tensors = name.endswith(".safetensors")
    if (data[8:9] == b"{") if tensors else data[:1] in (b"{", b"["):
        if tensors:
            check_header(data, where)
        return
    if data.startswith(PICKLE_STARTS) or data.startswith(ZIP_START):
        raise UnsafeFolderError(
            f"{where} holds a Python pickle or a zip archive, which can run code; it is never loaded."
        )
    raise UnsafeFolderError(f"{where} does not begin like a {name.rsplit('.', 1)[-1]} file.")
