"""SHA-256 of bytes, of texts and of arrays."""

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np


def sha256_of(data: bytes) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def fingerprint_of(texts: Iterable[str]) -> str:
    """One SHA-256 for a sequence of texts; it changes with any text, their order and where one ends."""
    digest = hashlib.sha256()
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.hexdigest()


def fingerprint_of_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """One SHA-256 for named arrays, in whatever order they stand."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape}\n".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()
