"""What every table gives, whatever it is kept in: rows, and cells that say what they are."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple, Self

from scansion.text.sources import Source

SAMPLE_ROWS = 1000
"""The rows that are looked at to learn what a table holds."""


MOST_SAMPLE_CELLS = 1_000_000


class Row(NamedTuple):
    """A data row, counted from 1, and the line it begins in. A bad row has a reason and no cells."""

    number: int
    line: int
    cells: list[Any]
    reason: str = ""
    raw: str = ""


class WrittenNumber(str):
    """A number from a format that knows numbers, as it was written."""


class CellFault(str):
    """What a sheet shows in a cell that has no value; ``reason`` goes on after the column's name."""

    reason: str

    def __new__(cls, written: str, reason: str) -> Self:
        fault = super().__new__(cls, written)
        fault.reason = reason
        return fault


@dataclass(frozen=True)
class FileOptions:
    """How a file is to be read, where a user says it; None is for the reader to find."""

    separator: str | None = None
    """What stands between cells: a character, or its name, such as ``semicolon``."""
    encoding: str | None = None
    """As Python names it, such as ``cp1252``."""
    sheet: str | None = None
    """Of a workbook: a sheet's name, or its number from 1."""
    of_another_file: bool = False
    """Whether they were said of another file: then what does not go with the format is no mistake."""

    def for_another_file(self) -> Self:
        """The same for a further file of the same command."""
        return replace(self, of_another_file=True)


AS_FOUND = FileOptions()


class Opened(NamedTuple):
    """A table as its format has found it: names of its columns, its rows from the first, and what was decided."""

    columns: list[str]
    rows: Callable[[], Iterator[Row]]
    remarks: tuple[str, ...] = ()
    """``separator: semicolon (--separator)``"""


class Format(NamedTuple):
    """A way to keep a table."""

    open: Callable[[Source, FileOptions], Opened]
    options: frozenset[str] = frozenset()
    """The fields of FileOptions that have a meaning for it."""
    named: bool = True
    """Whether the source names its columns."""


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns and rows that can be read again and again."""

    source: Source
    format: str
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Row]]
    named: bool = True
    """Whether the columns have names that somebody gave them."""
    remarks: tuple[str, ...] = ()
    """What was decided to read it at all, and how to decide otherwise."""

    def sample(self) -> list[Row]:
        """The first good rows, fewer of them where there are thousands of columns."""
        most = min(SAMPLE_ROWS, MOST_SAMPLE_CELLS // len(self.columns))
        return list(islice((row for row in self.rows() if not row.reason), most))
