"""SHA-256 of bytes and of texts."""

import hashlib
from collections.abc import Iterable


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
