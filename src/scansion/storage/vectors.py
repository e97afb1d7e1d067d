"""Vectors that were made once, kept on disk: a folder for each encoder, an entry for each text.

Every run appends a file of its own in one step, so that runs side by side do no harm, and what is broken is made anew.
The folder is ``$SCANSION_CACHE``, else ``scansion`` in ``$XDG_CACHE_HOME`` or ``~/.cache``; it may be removed at any
time.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from scansion.errors import ScansionError
from scansion.storage.tensors import tensors_from_bytes, tensors_to_bytes

KEY_BYTES = 16
MOST_CACHE_BYTES = 4 << 30
"""Of all encoders together; beyond it the oldest files go."""
KEYS, VECTORS = "keys", "vectors"
SUFFIX = ".safetensors"


def cache_folder() -> Path:
    """Where vectors are kept."""
    given, shared = os.environ.get("SCANSION_CACHE"), os.environ.get("XDG_CACHE_HOME")
    if given:
        return Path(given)
    return (Path(shared) if shared else Path.home() / ".cache") / "scansion"


def key_of(content: bytes) -> bytes:
    """What a text is known by: the beginning of its SHA-256."""
    return hashlib.sha256(content).digest()[:KEY_BYTES]


class KeptVectors:
    """The vectors (N, width) of one encoder."""

    def __init__(self, encoder: str, width: int) -> None:
        self.folder, self.width = cache_folder() / "vectors" / encoder[: 2 * KEY_BYTES], width

    def find(self, keys: list[bytes]) -> dict[bytes, np.ndarray]:
        """Those that are kept, (width,) each."""
        wanted = set(keys)
        found: dict[bytes, np.ndarray] = {}
        for file in self._files():
            with suppress(OSError, ScansionError, KeyError, ValueError):
                tensors = tensors_from_bytes(file.read_bytes(), str(file))
                there, vectors = tensors[KEYS], tensors[VECTORS]
                if there.shape == (len(vectors), KEY_BYTES) and vectors.shape[1:] == (self.width,):
                    rows = (key.tobytes() for key in there)
                    found.update((key, vectors[row]) for row, key in enumerate(rows) if key in wanted)
                    continue
            with suppress(OSError):
                file.unlink()
        return found

    def keep(self, keys: list[bytes], vectors: np.ndarray) -> None:
        """Keep some more; OSError where there is no room or no right to."""
        self.folder.mkdir(parents=True, exist_ok=True)
        numbers = np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), KEY_BYTES)
        data = tensors_to_bytes({KEYS: numbers, VECTORS: vectors.astype(np.float32)})
        partial = self.folder / f".{secrets.token_hex(8)}.partial"
        try:
            partial.write_bytes(data)
            partial.rename(self.folder / f"{secrets.token_hex(8)}{SUFFIX}")
        finally:
            partial.unlink(missing_ok=True)
        _make_room(self.folder.parent)

    def _files(self) -> Iterable[Path]:
        return sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []


def _make_room(folder: Path) -> None:
    """Remove the oldest files until the cache has no more than ``MOST_CACHE_BYTES``."""
    files = []
    for file in folder.glob(f"*/*{SUFFIX}"):
        with suppress(OSError):  # another run may have removed it
            files.append((file.stat().st_mtime, file.stat().st_size, file))
    total = sum(size for _, size, _ in files)
    for _, size, file in sorted(files):
        if total <= MOST_CACHE_BYTES:
            return
        with suppress(OSError):
            file.unlink()
        total -= size
