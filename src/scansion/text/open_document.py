"""OpenDocument spreadsheets (.ods), as the standard describes them, a row at a time.

OpenDocument 1.3, part 3, sections 6 (text), 9 (tables) and 19 (attributes). The libraries at hand change texts:
calamine leaves out tabs, line breaks and errors, odfpy holds the whole sheet in memory.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree.ElementTree import Element, ParseError, iterparse
from zipfile import BadZipFile, ZipFile

from scansion.errors import DataError
from scansion.text.encodings import seekable_bytes
from scansion.text.rows import FileOptions, Format, Opened
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

MOST_ROWS, MOST_COLUMNS = 1 << 24, 1 << 14
"""Of a sheet; no program has larger ones."""

_CONTENT, _MANIFEST = "content.xml", "META-INF/manifest.xml"
_ODF = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
_OFFICE, _TABLE, _TEXT, _STYLE = (_ODF % room for room in ("office", "table", "text", "style"))
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_SHEET, _ROW, _CELL, _COVERED = (
    _TABLE + name for name in ("table", "table-row", "table-cell", "covered-table-cell")
)
_ERROR = re.compile(r"#[A-Z0-9/!?]+|Err:[0-9]+")
_DURATION = re.compile(r"(-?)PT(\d+)H(\d+)M([\d.,]+)S")
_BLANKS = re.compile(r"[ \t\r\n]+")
_BLANK_ELEMENTS = {_TEXT + "tab": "\t", _TEXT + "line-break": "\n"}


def open_spreadsheet(source: Source, options: FileOptions) -> Opened:
    """The table in a sheet. Raises DataError for a file that is not sound, or that needs a password."""
    with _archive(source) as archive:
        chosen, remarks = choose_sheet(source.name, list(_sheets(archive)), options)

    def rows() -> Iterator[SheetRow]:
        with _archive(source) as archive:
            yield from _rows(archive, chosen)

    return sheet_table(rows, remarks)


def _sheets(archive: ZipFile) -> Iterator[Sheet]:
    hidden = set()
    for element, above in _elements(archive):
        if element.tag == _STYLE + "style":
            if any(each.get(_TABLE + "display") == "false" for each in element):
                hidden.add(element.get(_STYLE + "name"))
        elif element.tag == _SHEET and _is_sheet(above):
            yield Sheet(element.get(_TABLE + "name", ""), element.get(_TABLE + "style-name") not in hidden)


def _rows(archive: ZipFile, chosen: int) -> Iterator[SheetRow]:
    at, line = 0, 1
    for element, above in _elements(archive):
        if element.tag == _SHEET and _is_sheet(above):
            at += 1
            if at > chosen:
                return
        elif element.tag == _ROW and at == chosen and not any(each.tag == _CELL for each in above):
            repeated = int(element.get(_TABLE + "number-rows-repeated", 1))
            cells = _cells(element)
            for number in range(line, line + repeated) if cells else ():
                if number > MOST_ROWS:
                    raise ValueError(f"more than {MOST_ROWS:,} rows")
                yield number, cells
            line += repeated


def _elements(archive: ZipFile) -> Iterator[tuple[Element, list[Element]]]:
    """Every element when it ends, and those it stands in; rows are given up behind it."""
    above: list[Element] = []
    with archive.open(_CONTENT) as stream:
        for event, element in iterparse(stream, events=("start", "end")):
            if event == "start":
                above.append(element)
                continue
            above.pop()
            yield element, above
            if element.tag == _ROW:
                above[-1].remove(element)


def _is_sheet(above: list[Element]) -> bool:
    return bool(above) and above[-1].tag == _OFFICE + "spreadsheet"


def _cells(row: Element) -> list[Any]:
    """The cells up to the last that is not empty."""
    cells: list[Any] = []
    empty = 0
    for element in row:
        if element.tag not in (_CELL, _COVERED):
            continue
        repeated = int(element.get(_TABLE + "number-columns-repeated", 1))
        value = covered_cell() if element.tag == _COVERED else _value(element)
        if value == "" and element.tag == _CELL:
            empty += repeated
            continue
        if len(cells) + empty + repeated > MOST_COLUMNS:
            raise ValueError(f"more than {MOST_COLUMNS:,} columns")
        cells += [""] * empty + [value] * repeated
        empty = 0
    return cells


def _value(cell: Element) -> Any:
    kind, formula = cell.get(_OFFICE + "value-type"), cell.get(_TABLE + "formula")
    shown = "\n".join(_paragraph(each) for each in cell if each.tag == _TEXT + "p")
    if cell.get(_CALC + "value-type") == "error" or (formula and kind == "string" and _ERROR.fullmatch(shown)):
        return error_cell(shown)
    if kind is None:
        return formula_cell(formula.partition(":")[2] or formula) if formula and not shown else shown
    return VALUES[kind](cell, shown)


def _number(cell: Element, shown: str) -> Any:
    return number_cell(float(cell.get(_OFFICE + "value", "")))


def _date(cell: Element, shown: str) -> str:
    return cell.get(_OFFICE + "date-value", shown).replace("T", " ").removesuffix(" 00:00:00")


def _duration(cell: Element, shown: str) -> str:
    written = cell.get(_OFFICE + "time-value", shown)
    found = _DURATION.fullmatch(written)
    return "{}{}:{}:{}".format(*found.groups()) if found else written


VALUES: dict[str, Callable[[Element, str], Any]] = {
    "float": _number, "percentage": _number, "currency": _number, "date": _date, "time": _duration,
    "boolean": lambda cell, shown: cell.get(_OFFICE + "boolean-value") == "true",
    "string": lambda cell, shown: cell.get(_OFFICE + "string-value") or shown,
}
"""A cell for each type of value, from its element and the text that it shows."""


def _paragraph(element: Element) -> str:
    """Its text: blanks in a row are one, and none at its ends, but for those that have elements of their own."""
    written: list[str] = []
    joins = True  # whether a further blank is one with what stands before
    for piece, is_kept in _pieces(element):
        if not is_kept:
            piece = _BLANKS.sub(" ", piece)
            piece = piece.lstrip(" ") if joins else piece
        if piece:
            written.append(piece)
            joins = not is_kept and piece.endswith(" ")
    text = "".join(written)
    return text[:-1] if text and joins else text


def _pieces(element: Element) -> Iterator[tuple[str, bool]]:
    """Parts of its text, and whether they keep their blanks."""
    yield element.text or "", False
    for child in element:
        if child.tag == _TEXT + "s":
            yield " " * int(child.get(_TEXT + "c", 1)), True
        elif child.tag in _BLANK_ELEMENTS:
            yield _BLANK_ELEMENTS[child.tag], True
        else:
            yield from _pieces(child)
        yield child.tail or "", False


@contextmanager
def _archive(source: Source) -> Iterator[ZipFile]:
    with seekable_bytes(source) as stream, open_archive(source.name, stream, _CONTENT) as archive:
        try:
            if _MANIFEST in archive.namelist() and b"encryption-data" in archive.read(_MANIFEST):
                raise DataError(f"{source.name} needs a password. Save it without.")
            yield archive
        except DataError:
            raise
        except (BadZipFile, OSError, EOFError, ParseError, ValueError, LookupError) as error:
            raise not_sound(source.name, ".ods", error) from error


OPEN_DOCUMENT = Format(open_spreadsheet, frozenset({"sheet"}))
