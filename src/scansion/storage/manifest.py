"""``manifest.json``: what a model folder is and holds, a SHA-256 for every other file.

It seals itself: ``seal`` is the SHA-256 of the manifest's own bytes with the seal left empty, so a change anywhere in
the folder is noticed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Any, Literal

from scansion.errors import StorageError, UnsafeFolderError, UsageError
from scansion.storage.fingerprints import sha256_of
from scansion.storage.limits import MANIFEST, MOST_FILE_BYTES
from scansion.storage.schema import from_json, to_json
from scansion.storage.strict_json import json_bytes, parse_json

FORMAT_VERSION = 2
Format = Literal["scansion-model", "scansion-checkpoint"]
LIBRARIES = ("scansion", "torch", "numpy", "scikit-learn", "tokenizers", "safetensors")


@dataclass(frozen=True)
class FileRecord:
    """What a file must be: its digest and its size."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """``manifest.json``."""

    format: Format
    format_version: int
    task: str
    family: str
    data_fingerprint: str
    created: str
    versions: dict[str, str]
    files: dict[str, FileRecord]
    seal: str


def manifest_to_bytes(described: Mapping[str, Any], contents: Mapping[str, bytes], kind: Format) -> bytes:
    """The sealed manifest of ``contents``; ``described`` gives task, family and data_fingerprint."""
    filled = {
        "format": kind,
        "format_version": FORMAT_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": library_versions(),
        "files": {name: {"sha256": sha256_of(data), "bytes": len(data)} for name, data in contents.items()},
        "seal": "",
    }
    try:
        unsealed = json_bytes(to_json(from_json(Manifest, {**described, **filled}, "manifest")))
    except UnsafeFolderError as error:
        raise UsageError(str(error)) from error
    return unsealed.replace(_seal_line(""), _seal_line(sha256_of(unsealed)))


def _seal_line(seal: str) -> bytes:
    return f'"seal": "{seal}"'.encode()


def manifest_from_bytes(data: bytes, where: str, kind: Format) -> Manifest:
    """Verified; StorageError for a newer format version, UnsafeFolderError for anything that is not of this kind."""
    value = parse_json(data, where, MOST_FILE_BYTES[MANIFEST])
    _check_version(value, where, kind)
    manifest = from_json(Manifest, value, where)
    line = _seal_line(manifest.seal)
    if data.count(line) != 1 or sha256_of(data.replace(line, _seal_line(""))) != manifest.seal:
        raise UnsafeFolderError(
            f"{where} was changed after it was written: its seal does not match. Copy the folder again."
        )
    return manifest


def _check_version(value: Any, where: str, kind: Format) -> None:
    """Before the schema, which a later version is free to change."""
    if not isinstance(value, dict) or value.get("format") != kind:
        what = "model folder" if kind == "scansion-model" else "checkpoint"
        raise UnsafeFolderError(f'{where} does not say format "{kind}"; this is no {what} of scansion.')
    given = value.get("format_version")
    if type(given) is not int or given < 1:
        raise UnsafeFolderError(f"{where}: 'format_version' must be a whole number from 1.")
    if given > FORMAT_VERSION:
        raise StorageError(
            f"{where} has format version {given}, this scansion reads up to {FORMAT_VERSION}. "
            "Upgrade it: pip install --upgrade scansion."
        )


def library_versions() -> dict[str, str]:
    """Installed versions of what a model depends on, and of Python."""
    found = {"python": python_version()} | {library: _installed(library) for library in LIBRARIES}
    return {library: number for library, number in found.items() if number is not None}


@cache
def _installed(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
