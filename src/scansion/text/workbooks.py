"""What workbooks of all kinds share: the archive they are kept in, their sheets, and a table in a sheet."""

import zipfile
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

from scansion.errors import DataError, UsageError, did_you_mean, shown
from scansion.text.encodings import MOST_EXPANSION, MOST_UNPACKED
from scansion.text.rows import CellFault, FileOptions, Opened, Row, WrittenNumber

PARTS = {"xl/workbook.xml": ".xlsx", "content.xml": ".ods"}
"""What an archive of each kind holds."""

_ZIP, _COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_EXACT_IN_FLOAT = 1 << 53
_LISTED = 10

MOST_KEPT = 1 << 25
"""Characters and cells of a sheet that are in memory as long as its table is in use."""
_BEGINNING = 8

SheetRow = tuple[int, list[Any]]
"""A row's number in the sheet, from 1, and its cells from column A; blank rows may be left out."""


class Sheet(NamedTuple):
    """A sheet of a workbook."""

    name: str
    visible: bool = True


def open_archive(name: str, stream: BinaryIO, part: str) -> zipfile.ZipFile:
    """The archive of a workbook that holds ``part``. Raises DataError, which says what the file is instead."""
    begin = stream.read(_BEGINNING)
    stream.seek(0)
    if not begin.startswith(_ZIP):
        raise DataError(f"{name} is no {PARTS[part]} workbook but {_instead(begin, stream)}.")
    try:
        archive = zipfile.ZipFile(stream)
        names = {entry.filename: entry for entry in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise DataError(f"{name} is no sound workbook: {error}. Save or fetch it again.") from error
    other = next((ending for held, ending in PARTS.items() if held in names and held != part), None)
    if part not in names:
        what = f"is a workbook of another kind. Name it {other}" if other else "is a zip archive and no workbook"
        raise DataError(f"{name} {what}.")
    unpacked = sum(entry.file_size for entry in names.values())
    if unpacked > max(MOST_UNPACKED, MOST_EXPANSION * sum(entry.compress_size for entry in names.values())):
        raise DataError(f"{name} unpacks to more than {MOST_EXPANSION} times its size; no workbook does that.")
    return archive


def _instead(begin: bytes, stream: BinaryIO) -> str:
    """What a file is that has the name of a workbook and is none, with what to do."""
    if not begin:
        return "empty. Save or fetch it again"
    if begin.startswith(_COMPOUND):
        locked = _ENCRYPTED in stream.read()
        stream.seek(0)
        if locked:
            return "one that needs a password. Save it without"
        return "an old Excel workbook (.xls) under a new name. Open it and save it as .xlsx"
    if begin.lstrip().startswith(b"<"):
        return "a web page, as some programs export them under that name. Open it and save it as .xlsx"
    if begin.isascii() and 0 not in begin:
        return "text. If it is a table, name it .csv or .tsv"
    return "something else. Open it with what has written it, and save it as .xlsx or .csv"


def choose_sheet(name: str, sheets: list[Sheet], options: FileOptions) -> tuple[int, tuple[str, ...]]:
    """The position of the sheet that is asked for, else of the first that is not hidden; and what to say of it.

    Raises UsageError for a sheet there is not, DataError if there is none at all.
    """
    names = [sheet.name for sheet in sheets]
    if not names:
        raise DataError(f"{name} has no sheet with cells.")
    if options.sheet is None or (options.of_another_file and options.sheet not in names):
        chosen = next((at for at, sheet in enumerate(sheets) if sheet.visible), 0)
        why = "the first" if chosen == 0 else "the first that is not hidden"
    elif options.sheet in names:
        chosen, why = names.index(options.sheet), "as given"
    elif options.sheet.isdecimal() and 1 <= int(options.sheet) <= len(names):
        chosen, why = int(options.sheet) - 1, "by its number"
    else:
        raise UsageError(f"{name} has no sheet {options.sheet!r}{did_you_mean(options.sheet, names)}")
    others = [shown(other) for at, other in enumerate(names) if at != chosen]
    if not others:
        return chosen, ()
    more = f" and {len(others) - _LISTED} more" * (len(others) > _LISTED)
    return chosen, (f"sheet: {shown(names[chosen])} ({why}; others: {', '.join(others[:_LISTED])}{more}; --sheet)",)


def sheet_table(read: Callable[[], Iterator[SheetRow]], remarks: tuple[str, ...]) -> Opened:
    """The table in a sheet: its first row with cells is the header, whose cells say which columns there are.

    An empty cell is an empty text. A blank row is a row in a table of one column, where others follow it; elsewhere
    it holds nothing and is passed over.
    """
    rows = _ReadOnce(read).rows
    begin, cells = next(_with_cells(rows()), (0, []))
    if not begin:
        return Opened([], lambda: iter(()), remarks)
    left = next(at for at, cell in enumerate(cells) if not _is_blank(cell))
    right = next(at for at in range(len(cells), 0, -1) if not _is_blank(cells[at - 1]))
    width = right - left

    def table_rows() -> Iterator[Row]:
        number, last = 0, begin
        for line, cells in _with_cells(rows()):
            if line <= begin:
                continue
            for blank in range(last + 1, line) if width == 1 else ():
                number += 1
                yield Row(number, blank, [""])
            number, last = number + 1, line
            inside = cells[left:right]
            stray = next((at for at, cell in enumerate(cells) if not left <= at < right and not _is_blank(cell)), None)
            if stray is None:
                yield Row(number, line, inside + [""] * (width - len(inside)))
                continue
            reason = (f"has {shown(str(cells[stray]), 20)} in column {column_letters(stray)}, where the header (line "
                      f"{begin}) has no name; name the column or clear it")
            yield Row(number, line, [], reason, "\t".join(map(str, cells)))

    return Opened(list(map(str, cells[left:right])), table_rows, remarks)


class _ReadOnce:
    """Rows that are kept, unless they are large, once all of them were read: decoding a workbook takes long."""

    def __init__(self, read: Callable[[], Iterator[SheetRow]]) -> None:
        self._read = read
        self._kept: list[SheetRow] | None = None

    def rows(self) -> Iterator[SheetRow]:
        return self._collected() if self._kept is None else iter(self._kept)

    def _collected(self) -> Iterator[SheetRow]:
        kept: list[SheetRow] = []
        left = MOST_KEPT
        for line, cells in self._read():
            left -= sum(len(str(cell)) + 1 for cell in cells)
            if left > 0:
                kept.append((line, cells))
            yield line, cells
        if left > 0:
            self._kept = kept


def not_sound(name: str, ending: str, error: Exception) -> DataError:
    """The error for a workbook that is cut, or holds something else than it says."""
    reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return DataError(f"{name} is no sound {ending} workbook: {reason}. Open it and save it again.")


def number_cell(value: float) -> WrittenNumber:
    """A number as the shortest text that says it; a sheet does not tell whole numbers from others."""
    if value.is_integer() and abs(value) < _EXACT_IN_FLOAT:
        return WrittenNumber(int(value))
    return WrittenNumber(value)


def error_cell(written: str) -> CellFault:
    """A cell that shows an error, such as #N/A."""
    return CellFault(written, f"holds the error {written}")


def formula_cell(formula: str) -> CellFault:
    """A formula that was never calculated."""
    return CellFault(formula, f"holds the formula {shown(formula, 30)} without its result; open the file in a "
                              "spreadsheet program and save it")


def covered_cell() -> CellFault:
    """A cell that another one, merged with it, covers."""
    return CellFault("", "is covered by a merged cell; unmerge it and give every row its value")


def column_letters(at: int) -> str:
    """What a sheet calls its column, counted from 0: A, B, …, Z, AA, …"""
    letters = ""
    at += 1
    while at:
        at, letter = divmod(at - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _with_cells(rows: Iterator[SheetRow]) -> Iterator[SheetRow]:
    return ((line, cells) for line, cells in rows if not all(map(_is_blank, cells)))


def _is_blank(cell: Any) -> bool:
    """Whether nothing is to be seen: a covered cell is part of another one."""
    return cell == ""
