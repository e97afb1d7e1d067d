"""A folder that others wrote: only plain files are read, each by its name and no larger than is said beforehand."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scansion.errors import StorageError, UnsafeFolderError, shown
from scansion.storage.limits import MOST_SETTINGS_BYTES
from scansion.storage.strict_json import parse_json

SEPARATORS = frozenset("/\\:\0")


@dataclass(frozen=True)
class ForeignFolder:
    """``path``: where it is."""

    path: Path

    def where(self, name: str) -> str:
        """A file, for messages."""
        return str(self.path / name)

    def has(self, name: str) -> bool:
        """Whether there is such a file, of whatever kind."""
        return (self.path / name).exists()

    def size(self, name: str, most: int) -> int:
        """Bytes of a file.  StorageError if it is not there, UnsafeFolderError if it is no plain file or too large."""
        path = self.path / name
        with self._told(name):
            status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnsafeFolderError(f"{path} is not a plain file.")
        if status.st_size > most:
            raise UnsafeFolderError(f"{path} has {status.st_size:,} bytes; at most {most:,} are read.")
        return status.st_size

    def bytes(self, name: str, most: int) -> bytes:
        """All of a file; errors as those of :meth:`size`."""
        size = self.size(name, most)
        return bytes(self.part(name, 0, size))

    def part(self, name: str, begin: int, length: int) -> bytearray:
        """So many bytes of a file, or those that there are up to its end."""
        found = bytearray(length)
        with self._told(name), open(self.path / name, "rb") as file:
            file.seek(begin)
            reached = file.readinto(found)
        del found[reached:]
        return found

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """StorageError in place of the system's."""
        try:
            yield
        except FileNotFoundError as error:
            raise StorageError(f"{self.path} has no {name}.") from error
        except OSError as error:
            raise StorageError(f"{self.path / name} cannot be read: {error.strerror}.") from error

    def json(self, name: str, most: int = MOST_SETTINGS_BYTES) -> Any:
        """The value in a JSON file."""
        return parse_json(self.bytes(name, most), self.where(name), most, foreign=True)

    def settings(self, name: str) -> dict[str, Any]:
        """The one object in a JSON file; an empty one where there is no such file."""
        if not self.has(name):
            return {}
        found = self.json(name)
        if not isinstance(found, dict):
            raise UnsafeFolderError(f"{self.where(name)} must be one JSON object.")
        return found

    def below(self, name: Any, named_in: str) -> "ForeignFolder":
        """A folder in this one; itself for an empty name.  UnsafeFolderError for a name that leads elsewhere."""
        return self if name == "" else ForeignFolder(self.path / plain_name(name, self.where(named_in)))


def plain_name(name: Any, where: str) -> str:
    """The name, if it is one of something in the same folder; UnsafeFolderError if it could lead out of it."""
    if not isinstance(name, str) or name in ("", os.curdir, os.pardir) or SEPARATORS.intersection(name):
        raise UnsafeFolderError(f"{where} names {shown(str(name))}; expected the name of something beside it.")
    return name
