"""Flat arrays that may outgrow memory: the first ``IN_MEMORY`` bytes are kept there, and what is more goes to a file.

The file has no name: it goes with the last reader, also when a run is killed.  It is read by slices and never mapped,
so that nothing of what was read stays in memory.
"""

import os
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scansion.errors import StorageError

IN_MEMORY = 1 << 28
ROOM_TO_SPARE = 1 << 20
"""Bytes that every writer leaves free on a disk."""
NUMBERS_A_TIME = 1 << 22
MOST_BYTES_A_CALL = 1 << 30  # Linux reads at most 2 GiB at a time


class Spill:
    """A file without a name in the folder for temporary files (``TMPDIR``), made when it is first written to."""

    def __init__(self) -> None:
        self.descriptor: int | None = None
        self.written = 0

    @classmethod
    def at(cls, path: Path) -> "Spill":
        """A file that is there already, to be read."""
        spill = cls()
        spill.written = path.stat().st_size
        spill._hold(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        return spill

    def store(self, array: np.ndarray) -> "Stored":
        """Append an array.  StorageError if there is no room for it."""
        begin, view = self.written, _bytes_of(np.ascontiguousarray(array))
        try:
            descriptor = self._open() if self.descriptor is None else self.descriptor
            while len(view):
                written = os.write(descriptor, view[:MOST_BYTES_A_CALL])
                view, self.written = view[written:], self.written + written
        except OSError as error:
            raise StorageError(
                f"{array.nbytes:,} bytes that do not fit into memory cannot be kept. {no_room(error)}"
            ) from error
        return Stored(self, array.dtype, begin, array.size)

    def _open(self) -> int:
        with tempfile.TemporaryFile(prefix="scansion-") as file:
            return self._hold(os.dup(file.fileno()))

    def _hold(self, descriptor: int) -> int:
        self.descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)
        return descriptor


@dataclass(frozen=True)
class Stored:
    """A flat array in a file: ``stored[a:b]`` is an array of its own."""

    spill: Spill
    dtype: np.dtype
    begin: int
    """In bytes."""
    length: int

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, part: slice) -> np.ndarray:
        first, last, step = part.indices(self.length)
        if step != 1:
            raise IndexError("A stored array is read by runs of neighbours.")
        found = np.empty(max(0, last - first), self.dtype)
        view, at = _bytes_of(found), self.begin + first * self.dtype.itemsize
        descriptor = -1 if self.spill.descriptor is None else self.spill.descriptor
        while len(view):
            read = os.preadv(descriptor, [view[:MOST_BYTES_A_CALL]], at)
            if not read:
                raise StorageError("A temporary file ended too soon. Is something else writing to it?")
            view, at = view[read:], at + read
        return found


Flat = np.ndarray | Stored


def write_flat(path: Path, flat: Flat) -> None:
    """A file of just these numbers, for another process."""
    with path.open("wb") as file:
        for begin in range(0, len(flat), NUMBERS_A_TIME):
            flat[begin : begin + NUMBERS_A_TIME].tofile(file)


def read_flat(path: Path, dtype: type) -> Stored:
    """The inverse of :func:`write_flat`; it is read as it is needed."""
    spill = Spill.at(path)
    return Stored(spill, np.dtype(dtype), 0, spill.written // np.dtype(dtype).itemsize)


class Growing:
    """A flat array of one kind that is appended to, and then read."""

    def __init__(self, dtype: type, in_memory: int = IN_MEMORY) -> None:
        self.dtype, self.in_memory = np.dtype(dtype), in_memory
        self.waiting: list[np.ndarray] = []
        self.spill = Spill()

    def append(self, array: np.ndarray) -> None:
        """Add an array at the end."""
        self.waiting.append(array.astype(self.dtype, copy=False))
        if self.spill.written or sum(each.nbytes for each in self.waiting) > self.in_memory:
            self.spill.store(self._taken())

    def done(self) -> Flat:
        """All of it, in memory or in a file."""
        if not self.spill.written:
            return self._taken()
        return Stored(self.spill, self.dtype, 0, self.spill.written // self.dtype.itemsize)

    def _taken(self) -> np.ndarray:
        taken, self.waiting = np.concatenate([np.zeros(0, self.dtype), *self.waiting]), []
        return taken


def no_room(error: OSError) -> str:
    """What is wrong with the folder for temporary files, and what to do."""
    folder = tempfile.gettempdir()
    return f"{folder} does not take them ({error.strerror}): make room there, or set TMPDIR to a folder that has some."


def _bytes_of(array: np.ndarray) -> memoryview:
    return memoryview(array.data).cast("B") if array.size else memoryview(b"")
