"""Rows to tables: csv, tsv, jsonl and parquet, a few rows at a time, each as :mod:`scansion.text.tables` reads it.

Cells that were read are written as they were, numbers with the digits they had. What csv and tsv have no way to say is
written as JSON writes it, a missing cell as an empty one; numbers that are not finite are null in JSON. A cell that a
format cannot hold at all is an error that names it.
"""

import json
import math
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, BinaryIO, Protocol

from scansion.errors import DataError, MissingExtraError, UsageError, shown
from scansion.text.rows import WrittenNumber

Rows = Iterable[Sequence[Any]]

EXACT_IN_FLOAT, LARGEST_WHOLE = 1 << 53, 1 << 63

_QUOTED, _ENDS_CELL, _WHOLE = re.compile(r'[",\r\n]'), re.compile(r"[\t\r\n]"), re.compile(r"-?[0-9]+")
_LARGE = "large"
_NO_TEXT = "holds half a surrogate pair, which is no text. Leave its column out with --keep, or write .jsonl."
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NOT_FINITE = {"nan", "inf", "-inf", "infinity", "-infinity"}


@dataclass(frozen=True)
class WrittenColumn:
    """A column of a table that is to be written."""

    name: str
    kind: type | None = None
    """str, int, float or bool; None for cells of whatever kind that were read."""
    several: bool = False
    """Whether each cell is a sequence of such."""
    separator: str = ""
    """What joins them where a cell can only be one text."""
    values: tuple[Any, ...] = ()
    """All that can stand in it, where that is known."""


class TableWriter(Protocol):
    """Takes rows in their order, each with a cell for every column."""

    def write(self, rows: Rows) -> None:
        """Some more rows. DataError for a cell that the format cannot hold."""
        ...

    def close(self) -> None:
        """After the last row."""
        ...


def written(cell: Any, separator: str = "") -> str:
    """A cell as one text, nothing for what is missing. DataError with the reason for bytes."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, tuple):
        return separator.join(map(written, cell))
    if isinstance(cell, bytes):
        raise DataError("holds bytes, which are no text. Leave it out with --keep, or write .parquet")
    return _json(cell) if isinstance(cell, bool | list | dict) else str(cell)


# Separated values


class _Csv:
    """RFC 4180, with line feeds; the csv module leaves a carriage return without the quotes it needs."""

    def __init__(self, stream: BinaryIO, columns: Sequence[WrittenColumn], kept: Rows) -> None:
        for column in columns:
            for value in column.values if column.several else ():
                if column.separator in str(value):
                    raise UsageError(f"The label {shown(str(value))} holds {column.separator!r}, which is to stand "
                                     "between labels. Choose another --label-separator, or write .jsonl or .parquet.")
        self.stream, self.columns, self.number = stream, columns, 0
        self._check(kept)
        self._write([self._cell(column.name, column) for column in columns])

    def write(self, rows: Rows) -> None:
        for row in rows:
            self.number += 1
            self._write(self._cells(row))

    def close(self) -> None:
        self.stream.flush()

    def _check(self, kept: Rows) -> None:
        """Any text can stand between quotes."""

    def _cells(self, row: Sequence[Any]) -> list[str]:
        """Of the first columns, as many as the row has."""
        return [self._cell(cell, column) for cell, column in zip(row, self.columns, strict=False)]

    def _cell(self, cell: Any, column: WrittenColumn) -> str:
        try:
            return written(cell, column.separator)
        except DataError as error:
            raise DataError(f"{self._place()}: {column.name!r} {error}.") from error

    def _line(self, cells: list[str]) -> str:
        alone = len(cells) == 1  # an empty line would be no row
        return ",".join(
            '"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) or (alone and not cell) else cell
            for cell in cells
        )

    def _write(self, cells: list[str]) -> None:
        try:
            self.stream.write(f"{self._line(cells)}\n".encode())
        except UnicodeEncodeError as error:
            raise DataError(f"{self._place()} {_NO_TEXT}") from error

    def _place(self) -> str:
        return f"Row {self.number:,}" if self.number else "The header"


class _Tsv(_Csv):
    """Cells between tabs, without quotes; no cell may hold a tab or a line end."""

    def _check(self, kept: Rows) -> None:
        for column in self.columns:
            for value in column.values:
                self._cell(value, column)
        for row in kept:
            self.number += 1
            self._cells(row)
        self.number = 0

    def _cell(self, cell: Any, column: WrittenColumn) -> str:
        text = super()._cell(cell, column)
        if _ENDS_CELL.search(text):
            where, way = (self._place(), ", or leave the column out with --keep") if self.number else ("The table", "")
            raise DataError(f"{where}: {shown(column.name)} holds {shown(text)}, and a cell of a .tsv holds no tab and "
                            f"no line end. Write .csv, .jsonl or .parquet{way}.")
        return text

    def _line(self, cells: list[str]) -> str:
        return "\t".join(cells)


# JSON lines


class _JsonLines:
    """An object a row."""

    def __init__(self, stream: BinaryIO, columns: Sequence[WrittenColumn], kept: Rows) -> None:
        self.stream, self.names = stream, [column.name for column in columns]

    def write(self, rows: Rows) -> None:
        for row in rows:
            line = json_object(zip(self.names, row, strict=True)) + "\n"
            self.stream.write(line.encode("utf-8", "backslashreplace"))  # half a surrogate pair, as JSON writes it

    def close(self) -> None:
        self.stream.flush()


def json_object(pairs: Iterable[tuple[str, Any]]) -> str:
    """A JSON object on one line; a number that was read keeps its digits, and one that is not finite is null."""
    return "{" + ", ".join(f"{_json(str(name))}: {_json(cell)}" for name, cell in pairs) + "}"


def _json(cell: Any) -> str:
    if isinstance(cell, WrittenNumber):
        if _JSON_NUMBER.fullmatch(cell):
            return str(cell)
        return "null" if cell.lower() in _NOT_FINITE else json.dumps(str(cell))
    if isinstance(cell, list | tuple):
        return "[" + ", ".join(map(_json, cell)) + "]"
    if isinstance(cell, dict):
        return json_object(cell.items())
    if isinstance(cell, float) and not math.isfinite(cell):
        return "null"
    if isinstance(cell, bytes):
        raise DataError("A column holds bytes, which are no text. Leave it out with --keep, or write .parquet.")
    return json.dumps(cell, ensure_ascii=False, default=str)


# Parquet


class _Parquet:
    """Whole numbers, numbers, booleans, texts, lists of texts and what else Arrow has a type for keep their type.

    A column of several kinds, or of numbers that no float holds, becomes text, as in csv.
    """

    def __init__(self, stream: BinaryIO, columns: Sequence[WrittenColumn], kept: Rows) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise MissingExtraError("A .parquet file needs pyarrow: pip install 'scansion[parquet]'") from error
        self.arrow, self.types = pyarrow, {
            str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_(),
            list: pyarrow.list_(pyarrow.string()),
        }
        self.turns: list[Callable[[Any], Any]] = [_as_it_is] * len(columns)
        fields = []
        for at, (column, kinds) in enumerate(zip(columns, self._kinds(columns, kept), strict=True)):
            if column.kind is None:
                kind, self.turns[at] = self._of_cells(kinds)
            else:
                kind = self.types[column.kind]
            fields.append((column.name, pyarrow.list_(kind) if column.several else kind))
        self.schema = pyarrow.schema(fields)
        self.writer = pyarrow.parquet.ParquetWriter(stream, self.schema)

    def write(self, rows: Rows) -> None:
        if columns := list(zip(*rows, strict=True)):
            try:
                arrays = [self.arrow.array(list(map(turn, cells)), field.type)
                          for turn, cells, field in zip(self.turns, columns, self.schema, strict=True)]
            except UnicodeEncodeError as error:
                raise DataError(f"A row {_NO_TEXT}") from error
            self.writer.write_table(self.arrow.Table.from_arrays(arrays, schema=self.schema))

    def close(self) -> None:
        self.writer.close()

    def _kinds(self, columns: Sequence[WrittenColumn], kept: Rows) -> list[set[Any]]:
        """The kinds of cells there are in each column that was read."""
        kinds: list[set[Any]] = [set() for _ in columns]
        for row in kept:
            for found, cell in zip(kinds, row, strict=False):
                if cell is not None:
                    found.add(self._kind(cell))
        return kinds

    def _kind(self, cell: Any) -> Any:
        if isinstance(cell, WrittenNumber):
            return _number_kind(cell)
        if isinstance(cell, str | bool):
            return str if isinstance(cell, str) else bool
        if isinstance(cell, list | dict):
            return list if isinstance(cell, list) and all(type(each) is str for each in cell) else str
        try:
            kind = self.arrow.scalar(cell).type
        except self.arrow.ArrowException:
            return str
        # nanoseconds come as pandas has them, and a type of microseconds would cut them off
        return self.arrow.timestamp("ns", kind.tz) if hasattr(cell, "nanosecond") else kind

    def _of_cells(self, kinds: set[Any]) -> tuple[Any, Callable[[Any], Any]]:
        """The type of a column, and what makes such a value of a cell."""
        if kinds == {int} or kinds == {int, _LARGE} or kinds == {_LARGE}:
            return self.types[int], _or_none(int)
        if kinds and kinds <= {int, float}:
            return self.types[float], _or_none(float)
        if len(kinds) == 1 and str not in kinds:
            [kind] = kinds
            return self.types.get(kind, kind), _as_it_is
        return self.types[str], _or_none(written)


def _number_kind(number: str) -> Any:
    """int, if a float holds it too; large, if only 64 bits do; float, if it is one to the last digit; else text."""
    if _WHOLE.fullmatch(number):
        size = abs(int(number))
        return int if size <= EXACT_IN_FLOAT else _LARGE if size < LARGEST_WHOLE else str
    value = float(number)
    return float if not math.isfinite(value) or Decimal(number) == Decimal(repr(value)) else str


def _as_it_is(cell: Any) -> Any:
    return cell


def _or_none(turn: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda cell: None if cell is None else turn(cell)


WRITERS: dict[str, Callable[[BinaryIO, Sequence[WrittenColumn], Rows], TableWriter]] = {
    ".csv": _Csv, ".tsv": _Tsv, ".jsonl": _JsonLines, ".parquet": _Parquet,
}
"""By the ending of a file's name: stream, columns, and the cells that were read, which stand in the first of them.

These may be gone through before anything is written, so that what the format cannot hold is found before the other
columns are computed. UsageError and DataError for that, MissingExtraError for an optional package.
"""


def writer_for(name: str) -> Callable[[BinaryIO, Sequence[WrittenColumn], Rows], TableWriter]:
    """The writer for a file of that name; UsageError for another ending than there are writers for."""
    ending = os.path.splitext(name)[1].lower()
    if ending not in WRITERS:
        endings = list(WRITERS)
        raise UsageError(f"The name {name!r} does not say how to write the table. End it in "
                         f"{', '.join(endings[:-1])} or {endings[-1]}.")
    return WRITERS[ending]
