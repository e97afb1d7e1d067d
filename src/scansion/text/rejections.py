"""Rows that could not be read: kept in a quarantine file, counted, and too many of them an error."""

import json
import math
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TextIO

from scansion.errors import DataError, StorageError, UsageError
from scansion.text.rows import Row
from scansion.text.sources import Source

_KEPT = 20
_NAMED = 3


@dataclass(frozen=True)
class Rejections:
    """How many rows were rejected, the first of them as (row, reason), and the file that holds all of them."""

    count: int
    first: list[tuple[int, str]]
    quarantine: Path | None

    def check_share(self, name: str, rows: int, max_bad: float) -> None:
        """Raises DataError if more than a share of ``max_bad`` of all ``rows`` was rejected; no row is free."""
        if self.count <= max_bad * rows:
            return
        named = "; ".join(f"row {row} {reason}" for row, reason in self.first[:_NAMED])
        more = "; …" if self.count > _NAMED else ""
        if self.count == rows:
            raise DataError(f"{name}: not one of {rows:,} rows can be read: {named}{more}. Is it the right column, and "
                            f"the right task? All are in {str(self.quarantine)!r} with their reasons.")
        enough = math.ceil(self.count / rows * 1000) / 1000
        raise DataError(f"{name}: {self.count:,} of {rows:,} rows cannot be read, more than the {max_bad:.1%} allowed: "
                        f"{named}{more}. They are in {str(self.quarantine)!r} with their reasons. Repair them, or "
                        f"leave them out with --max-bad {enough:g}.")


class Quarantine:
    """Writes rejected rows to a JSON lines file, which begins with the first of them; without any there is none.

    ``raw`` is the row's text, or its cells by column where only a cell was at fault. The file lies beside the data, or
    in the working directory or that for temporary files if nothing can be written there. Raises StorageError if it
    cannot be written.
    """

    def __init__(self, source: Source, columns: Sequence[str], path: str | os.PathLike[str] | None) -> None:
        name = f"{source.short_name.replace(' ', '-')}.rejected.jsonl"
        beside = [] if source.spooled else [source.path.absolute().parent / name]
        elsewhere = [Path(name), Path(tempfile.gettempdir()) / name]
        self._places = [Path(path)] if path is not None else beside + elsewhere
        self._columns = columns
        self._count = 0
        self._first: list[tuple[int, str]] = []
        self._stream: TextIO | None = None
        if path is not None and self._places[0].absolute() == source.path.absolute():
            raise UsageError(f"The quarantine file {str(path)!r} is the data itself. Name another file.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._stream:
            self._stream.close()

    def add(self, row: Row, reason: str) -> None:
        self._count += 1
        if len(self._first) < _KEPT:
            self._first.append((row.number, reason))
        raw: Any = row.raw if row.reason else dict(zip(self._columns, row.cells, strict=True))
        entry = {"row": row.number, "line": row.line, "reason": reason, "raw": raw}
        try:
            self._stream = self._stream or self._opened()
            print(json.dumps(entry, default=repr), file=self._stream)
        except OSError as error:
            raise StorageError(f"Rejected rows cannot be written to {str(self._places[0])!r} ({error.strerror}). "
                               "Name a quarantine file that can be written.") from error

    def rejections(self) -> Rejections:
        return Rejections(self._count, self._first, self._places[0] if self._count else None)

    def _opened(self) -> TextIO:
        while True:
            try:
                return open(self._places[0], "w", encoding="utf-8")
            except OSError:
                if len(self._places) == 1:
                    raise
                self._places.pop(0)
