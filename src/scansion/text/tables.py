"""Sources to rows: csv, tsv, jsonl, parquet, plain lines and label folders, strict and streaming.

A row that cannot be read is handed on with its reason; it never shifts another. No cell ever changes its text.
A fault that leaves it unknown where the next row begins (bytes that are not text, a quote that is never closed)
ends the reading with a DataError.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO, NamedTuple

from scansion.errors import DataError, MissingExtraError, UsageError, did_you_mean, shown
from scansion.text.encodings import LONGEST_LINE, Lines, open_bytes, place, read_text, too_long, without_line_end
from scansion.text.sources import Source, label_files, label_folders

SAMPLE_ROWS = 1000
"""The rows that are looked at to learn what a table holds."""


class Row(NamedTuple):
    """A data row, counted from 1, and the line it begins in. A bad row has a reason and no cells."""

    number: int
    line: int
    cells: list[Any]
    reason: str = ""
    raw: str = ""


class WrittenNumber(str):
    """A number from jsonl or parquet, as it was written."""


@dataclass(frozen=True)
class Table:
    """Named columns and rows that can be read again and again."""

    source: Source
    format: str
    columns: tuple[str, ...]

    @property
    def named(self) -> bool:
        """Whether the columns have names that somebody gave them."""
        return FORMATS[self.format].named

    def rows(self) -> Iterator[Row]:
        return FORMATS[self.format].rows(self.source, self.columns)

    def sample(self) -> list[Row]:
        """The first good rows."""
        return list(islice((row for row in self.rows() if not row.reason), SAMPLE_ROWS))


class Format(NamedTuple):
    """How to find the columns of a source, and how to read its rows."""

    columns: Callable[[Source], list[str]]
    rows: Callable[[Source, tuple[str, ...]], Iterator[Row]]
    named: bool = True
    """Whether the source names its columns."""


def open_table(source: Source, format: str | None = None, unmarked: str = "csv") -> Table:
    """The table in ``source``; ``format`` wins over the file's name, ``unmarked`` is for input that has no name.

    Raises UsageError if the format is unknown, DataError if the columns have no proper names.
    """
    format = format or _format_of(source, unmarked)
    if format not in FORMATS:
        raise UsageError(f"There is no table format {format!r}{did_you_mean(format, FORMATS)}")
    if source.path.is_dir() != (format == "folder"):
        kind = "a folder" if source.path.is_dir() else "no folder"
        raise UsageError(f"{source.name} is {kind} and cannot be read as {format}.")
    columns = FORMATS[format].columns(source)
    _check_names(source.name, columns)
    return Table(source, format, tuple(columns))


def _format_of(source: Source, unmarked: str) -> str:
    if source.path.is_dir():
        return "folder"
    suffix = source.name.lower().removesuffix(".gz").rpartition(".")[2]
    if suffix in FORMATS and suffix != "folder":
        return suffix
    if source.spooled:
        first = next((line for line in Lines(source, 1) if line.strip()), "")
        return "jsonl" if first.lstrip().startswith("{") else unmarked
    raise UsageError(f"The name {source.name!r} does not say what the file holds. Name it .csv, .tsv, .jsonl, .parquet "
                     "or .txt (also with .gz); for a translator, name two files.")


def _check_names(name: str, columns: list[str]) -> None:
    if not columns:
        raise DataError(f"{name} is empty; expected a header with column names, then a row per document.")
    for number, column in enumerate(columns, 1):
        if not column.strip():
            raise DataError(f"{name}: column {number} of {len(columns)} has no name in the header. Name every column.")
        if "\0" in column:
            raise DataError(f"{name}: the header holds NUL characters. Is it UTF-16 without a byte order mark? "
                            "Save the file as UTF-8.")
        if "\r" in column:
            raise DataError(f"{name}: the header holds a lone carriage return. End every line with a line feed.")
        if column in columns[: number - 1]:
            raise DataError(f"{name}: two columns are called {shown(column)}. Give every column its own name.")


# Separated values

# A cell that ends on its line. Possessive (``*+``): it is matched in one go or not at all, in linear time.
_CELL = re.compile(r'(?:"([^"]*+(?:""[^"]*+)*+)"|([^",\r]*+))(,|\Z)')


def _csv_columns(source: Source) -> list[str]:
    return _header(Lines(source, 0), ",")


def _csv_rows(source: Source, columns: tuple[str, ...]) -> Iterator[Row]:
    return islice(_separated(Lines(source, 0), ","), 1, None)


def _tsv_columns(source: Source) -> list[str]:
    return _header(Lines(source, 0), "\t")


def _tsv_rows(source: Source, columns: tuple[str, ...]) -> Iterator[Row]:
    return islice(_separated(Lines(source, 0), "\t"), 1, None)


def _header(lines: Lines, separator: str) -> list[str]:
    header = next(_separated(lines, separator), None)
    if header is None:
        return []
    if header.reason:
        raise DataError(f"{lines.place()}: {header.reason}.")
    return header.cells


def _separated(lines: Lines, separator: str) -> Iterator[Row]:
    """The header as row 0, then the rows. Only commas go with quotes (RFC 4180); a tab always ends a cell.

    An empty line is a row in a table of one column; elsewhere it holds nothing and is passed over.
    """
    width = 0
    reading = iter(lines)
    for line in reading:
        begin = lines.number
        body = without_line_end(line)
        if not body and width > 1:
            continue
        if separator == "," and ('"' in body or "\r" in body):
            cells, reason, line = _quoted_cells(line, reading, lines)
        else:
            cells, reason = body.split(separator), ""
        width = width or len(cells)
        if len(cells) != width and not reason:
            reason = f"has {len(cells)} cell{'s' * (len(cells) > 1)}, the header has {width}"
        yield Row(lines.row, begin, [], reason, line) if reason else Row(lines.row, begin, cells)
        lines.row += 1


def _quoted_cells(line: str, reading: Iterator[str], lines: Lines) -> tuple[list[str], str, str]:
    """The cells of a record, or the reason why there are none; and all its lines."""
    cells: list[str] = []
    raw = line
    body = without_line_end(line)
    position = 0
    while position <= len(body):
        if cell := _CELL.match(body, position):
            quoted, plain, separator = cell.groups()
            cells.append(plain if quoted is None else quoted.replace('""', '"'))
            position = cell.end() if separator else len(body) + 1
        elif body.startswith('"', position) and _closing_quote(body, position + 1) == len(body):
            more, end = _lines_to_closing_quote(reading, lines)
            raw += "".join(more)
            inside = [line[position + 1 :], *more[:-1], more[-1][:end]]
            cells.append("".join(inside).replace('""', '"'))
            line, body, position = more[-1], without_line_end(more[-1]), end + 2
        else:
            return [], _fault(body, position), raw
    return cells, "", raw


def _lines_to_closing_quote(reading: Iterator[str], lines: Lines) -> tuple[list[str], int]:
    """The further lines of a quoted cell, and where in the last one its closing quote stands."""
    opened = lines.place()
    more: list[str] = []
    size = 0
    for line in reading:
        more.append(line)
        size += len(line)
        if size > LONGEST_LINE:
            raise too_long(f"{opened}: a quote opens here")
        end = _closing_quote(line, 0)
        if end < len(line):
            if without_line_end(line)[end + 1 : end + 2] in ("", ","):
                return more, end
            raise DataError(f"{opened}: the quote opened here closes in line {lines.number} before "
                            f"{shown(line[end + 1 :], 20)}, so nobody can tell where the row ends. Close the quote; "
                            "double every quote inside a quoted cell.")
    raise DataError(f"{opened}: the quote opened here is never closed. Close it, or double it if it is text.")


def _closing_quote(text: str, position: int) -> int:
    """Where the quoted cell that is open at ``position`` closes; the text's length if it does not."""
    while (quote := text.find('"', position)) >= 0 and text.startswith('"', quote + 1):
        position = quote + 2
    return quote if quote >= 0 else len(text)


def _fault(body: str, position: int) -> str:
    if body.startswith('"', position):
        after = _closing_quote(body, position + 1) + 1
        return f"has {shown(body[after:], 20)} after a closing quote; double every quote inside a quoted cell"
    quote, carriage_return = body.find('"', position), body.find("\r", position)
    if quote < 0 or 0 <= carriage_return < quote:
        return "has a carriage return outside quotes; quote the cell or end lines with a line feed"
    return "has a quote in a cell that does not begin with one; quote the cell and double the quote"


# JSON lines


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        raise DataError(f"has two values for {shown(next(name for name in names if names.count(name) > 1))}")
    return content


def _no_number(written: str) -> None:
    raise DataError(f"holds {written}, which is not JSON")


_JSON = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=WrittenNumber, parse_int=WrittenNumber, parse_constant=_no_number
)


def _json_object(line: str) -> dict[str, Any]:
    """The object a line holds, numbers as written. Raises DataError with the reason if it holds none."""
    try:
        content = _JSON.decode(line)
    except json.JSONDecodeError as error:
        raise DataError(f"is not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError:
        raise DataError("is nested too deeply") from None
    if not isinstance(content, dict):
        raise DataError('is no JSON object such as {"text": "…", "label": "…"}')
    return content


def _json_rows(source: Source) -> Iterator[Row]:
    """Rows whose single cell is the line's object. Empty lines hold nothing and are passed over."""
    lines = Lines(source, 1)
    for line in lines:
        if line.isspace():
            continue
        try:
            yield Row(lines.row, lines.number, [_json_object(line)])
        except DataError as error:
            yield Row(lines.row, lines.number, [], str(error), line)
        lines.row += 1


def _jsonl_columns(source: Source) -> list[str]:
    """The names in all objects: JSON lines have no header, and need not all hold the same names."""
    columns: dict[str, None] = {}
    fault = ""
    for row in _json_rows(source):
        if row.reason:
            fault = fault or f"{place(source.name, row.number, row.line)} {row.reason}; nor is any other row sound."
        else:
            columns.update(dict.fromkeys(row.cells[0]))
    if fault and not columns:
        raise DataError(fault)
    return list(columns)


def _jsonl_rows(source: Source, columns: tuple[str, ...]) -> Iterator[Row]:
    for row in _json_rows(source):
        yield row if row.reason else Row(row.number, row.line, list(map(row.cells[0].get, columns)))


# Parquet


def _parquet_columns(source: Source) -> list[str]:
    with _parquet_file(source) as file:
        return list(file.schema_arrow.names)


def _parquet_rows(source: Source, columns: tuple[str, ...]) -> Iterator[Row]:
    """Rows read a batch at a time; parquet has no lines, so a row's line is its number."""
    number = 0
    with _parquet_file(source) as file:
        for batch in file.iter_batches(batch_size=SAMPLE_ROWS):
            for cells in zip(*map(_arrow_cells, batch.columns), strict=True):
                number += 1
                yield Row(number, number, list(cells))


@contextmanager
def _parquet_file(source: Source) -> Iterator[Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(f"{source.name} needs pyarrow: pip install 'scansion[parquet]'") from error
    with _seekable(source) as stream:
        try:
            yield pyarrow.parquet.ParquetFile(stream)
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(f"{source.name} is no sound parquet file: {error}") from error


def _seekable(source: Source) -> BinaryIO:
    stream = open_bytes(source.path, source.name)
    if stream.seekable():
        return stream
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with stream:
        shutil.copyfileobj(stream, unpacked)
    unpacked.seek(0)
    return unpacked


def _arrow_cells(column: Any) -> list[Any]:
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:
        values = [_arrow_cell(cell) for cell in column]
    return [value if type(value) is str else _written(value) for value in values]


def _arrow_cell(cell: Any) -> Any:
    """The value; for a string that is not UTF-8 its bytes, which are then refused with their row."""
    try:
        return cell.as_py()
    except UnicodeDecodeError:
        return cell.as_buffer().to_pybytes()


def _written(value: Any) -> Any:
    """Numbers as the shortest text that says them, as in the other formats."""
    if isinstance(value, list):
        return [_written(one) for one in value]
    return WrittenNumber(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value


# Plain lines and label folders


def _one_text(source: Source) -> list[str]:
    return ["text"]


def _plain_lines(source: Source, columns: tuple[str, ...]) -> Iterator[Row]:
    """A document a line; an empty line is an empty document."""
    lines = Lines(source, 1)
    for line in lines:
        yield Row(lines.row, lines.number, [without_line_end(line)])
        lines.row += 1


def _text_and_label(source: Source) -> list[str]:
    return ["text", "label"]


def _folder_rows(source: Source, columns: tuple[str, ...]) -> Iterator[Row]:
    """A document a file, sorted by label and name."""
    number = 0
    for folder in label_folders(source):
        for file in label_files(folder):
            number += 1
            try:
                yield Row(number, 1, [read_text(file, str(file)), folder.name])
            except DataError as error:
                yield Row(number, 1, [], str(error), str(file))


FORMATS = {
    "csv": Format(_csv_columns, _csv_rows),
    "tsv": Format(_tsv_columns, _tsv_rows),
    "jsonl": Format(_jsonl_columns, _jsonl_rows),
    "parquet": Format(_parquet_columns, _parquet_rows),
    "txt": Format(_one_text, _plain_lines, named=False),
    "folder": Format(_text_and_label, _folder_rows, named=False),
}
"""What ``format`` may be; all but the folder are also file name endings."""
