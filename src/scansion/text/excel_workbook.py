"""Excel workbooks (.xlsx, .xlsm), a row at a time. Needs openpyxl.

Cells are what the sheet holds, whatever it shows: a number without its format, a date as ISO 8601 writes it, of a
formula the result that was stored with it. Errors, formulas without a result and cells covered by merged ones are
faults of the rows that need them.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, NamedTuple
from zipfile import BadZipFile

from scansion.errors import MissingExtraError, ScansionError
from scansion.text.encodings import seekable_bytes
from scansion.text.rows import SAMPLE_ROWS, FileOptions, Format, Opened, WrittenNumber
from scansion.text.sources import Source
from scansion.text.workbooks import (
    Sheet,
    SheetRow,
    choose_sheet,
    covered_cell,
    error_cell,
    formula_cell,
    not_sound,
    number_cell,
    open_archive,
    sheet_table,
)

_BLOCK, _OVERLAP = 1 << 20, 256
_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell [^>]*?ref=[\"']([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)")
_NOT_SOUND = (BadZipFile, OSError, EOFError, SyntaxError, LookupError, ValueError, TypeError, AttributeError)
"""What openpyxl raises for a file that is cut or holds something else than it says."""

_EMPTY_RESULT = "str"
"""The type of a cell whose formula gave an empty text."""


class _Found(NamedTuple):
    """What has to be known of a sheet before its rows."""

    formulas: bool
    covered: dict[int, list[range]]
    """By row from 1, columns from 0."""


def open_excel(source: Source, options: FileOptions) -> Opened:
    """The table in a sheet. Raises DataError for a workbook that is not sound, or that needs a password."""
    with _workbook(source, results=True) as book:
        sheets = [Sheet(sheet.title, sheet.sheet_state == "visible") for sheet in book.worksheets]
        chosen, remarks = choose_sheet(source.name, sheets, options)
        path = book.worksheets[chosen]._worksheet_path  # what openpyxl reads the rows from
    found = _look_through(source, path)
    return sheet_table(lambda: _rows(source, chosen, found), remarks)


def _rows(source: Source, chosen: int, found: _Found) -> Iterator[SheetRow]:
    with _workbook(source, results=True) as book:
        rows = _cells_of(book.worksheets[chosen])
        if not found.formulas:
            for line, row in enumerate(rows, 1):
                yield line, _covered(found, line, [_value(cell) for cell in row])
            return
        with _workbook(source, results=False) as formulas:
            for line, (row, written) in enumerate(zip(rows, _cells_of(formulas.worksheets[chosen]), strict=True), 1):
                yield line, _covered(found, line, list(map(_result, row, written)))


def _cells_of(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """All cells, a row at a time; what openpyxl warns of, such as pictures that it leaves out, is no part of them."""
    sheet.reset_dimensions()  # some programs write wrong ones, and rows would be cut there
    rows = sheet.iter_rows()
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            part = list(islice(rows, SAMPLE_ROWS))
        if not part:
            return
        yield from part


def _covered(found: _Found, line: int, cells: list[Any]) -> list[Any]:
    for columns in found.covered.get(line, ()):
        cells.extend([""] * (columns.stop - len(cells)))
        cells[columns.start : columns.stop] = [covered_cell()] * len(columns)
    return cells


def _value(cell: Any) -> Any:
    if cell.value is None:
        return ""
    return error_cell(cell.value) if cell.data_type == "e" else WRITTEN[type(cell.value)](cell.value)


def _result(cell: Any, formula: Any) -> Any:
    """The value; of a formula its result."""
    if cell.value is None and formula.data_type == "f" and cell.data_type != _EMPTY_RESULT:
        return formula_cell(formula.value if isinstance(formula.value, str) else "=…")
    return _value(cell)


def _text(value: str) -> str:
    """XML holds no control characters, so a sheet escapes them: a carriage return is ``_x000D_``."""
    if "_x" not in value:
        return value
    from openpyxl.utils.escape import unescape

    return unescape(value)


def _date(value: datetime) -> str:
    return value.isoformat(" ").removesuffix(" 00:00:00")


def _duration(value: timedelta) -> str:
    minutes, seconds = divmod(value.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{seconds:02g}"


WRITTEN: dict[type, Callable[[Any], Any]] = {
    str: _text, bool: bool, int: WrittenNumber, float: number_cell, datetime: _date, date: date.isoformat,
    time: time.isoformat, timedelta: _duration,
}
"""A cell for each type of value there is in a sheet."""


def _look_through(source: Source, path: str) -> _Found:
    """Whether a sheet has formulas, and which cells are covered: merged cells stand behind all rows."""
    formulas = False
    covered: dict[int, list[range]] = {}
    with seekable_bytes(source) as stream, open_archive(source.name, stream, "xl/workbook.xml") as archive:
        try:
            with archive.open(path) as sheet:
                tail = b""
                while block := sheet.read(_BLOCK):
                    block = tail + block
                    formulas = formulas or _FORMULA.search(block) is not None
                    for first, top, last, bottom in _MERGED.findall(block):
                        for row in range(int(top), int(bottom) + 1):
                            begin = _position(first) + (row == int(top))
                            covered.setdefault(row, []).append(range(begin, _position(last) + 1))
                    tail = block[-_OVERLAP:]
        except (BadZipFile, OSError, EOFError, KeyError) as error:
            raise not_sound(source.name, ".xlsx", error) from error
    return _Found(formulas, covered)


def _position(letters: bytes) -> int:
    at = 0
    for letter in letters:
        at = at * 26 + letter - ord("A") + 1
    return at - 1


@contextmanager
def _workbook(source: Source, results: bool) -> Iterator[Any]:
    """A workbook with the results of formulas, or with formulas. Raises DataError for one that cannot be read."""
    try:
        import openpyxl
    except ImportError as error:
        raise MissingExtraError(f"{source.name} needs openpyxl: pip install 'scansion[excel]'") from error
    with seekable_bytes(source) as stream, open_archive(source.name, stream, "xl/workbook.xml"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                book = openpyxl.load_workbook(stream, read_only=True, data_only=results, keep_links=False)
            try:
                yield book
            finally:
                book.close()
        except ScansionError:
            raise
        except _NOT_SOUND as error:
            raise not_sound(source.name, ".xlsx", error) from error


EXCEL = Format(open_excel, frozenset({"sheet"}))
