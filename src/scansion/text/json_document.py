"""JSON (.json): one value that is a table, in any of the shapes that programs write one in.

An array of objects, alone or under the name ``data``; an object of columns, each an array; and what pandas writes: an
object of columns, or of rows, by row label. Elements of an array are decoded one at a time.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from scansion.errors import DataError, shown
from scansion.text.encodings import Limit, place, read_text
from scansion.text.json_lines import open_json_lines, opened_objects
from scansion.text.json_values import JsonValues
from scansion.text.rows import CellFault, FileOptions, Format, Opened, Row
from scansion.text.sources import Source

LIMIT = Limit(2**28, "A .json is in memory as a whole; save it as .jsonl, an object a line, which is read row by row.")

DATA = "data"
"""The name that an array of rows has inside an object."""

_BLANKS = re.compile(r"[ \t\r\n]*+")
_SHAPES = ('expected an array of objects, [{"text": "…", "label": "…"}, …], an object with such an array under '
           '"data", or an object of columns, {"text": ["…", …], "label": ["…", …]}')


def open_json(source: Source, options: FileOptions) -> Opened:
    """The table in a JSON value, or of JSON lines under the name .json. Raises DataError for any other value."""
    text = _text(source, options)
    begin = _after_blanks(text, 0)
    if begin == len(text):
        return Opened([], lambda: iter(()))
    if text[begin] == "[":
        return opened_objects(source.name, lambda: _elements(source, _text(source, options), begin))
    values = JsonValues()
    content, end = _whole(source, values, text, begin)
    rest = _after_blanks(text, end)
    if text.startswith("{", rest) and "\n" in text[end:rest]:
        lines = open_json_lines(source, options)
        return lines._replace(remarks=("an object a line, as in .jsonl",))
    if rest < len(text):
        raise DataError(f"{_at(source, text, rest)} goes on after the end of the JSON value.")
    if values.twice:
        raise DataError(f"{source.name} {values.twice}.")
    return _of_object(source, options, content)


def _of_object(source: Source, options: FileOptions, content: Any) -> Opened:
    if not isinstance(content, dict):
        raise DataError(f"{source.name} holds a single value; {_SHAPES}.")
    if isinstance(content.get(DATA), list) and not _are_columns(content):
        found = opened_objects(source.name, lambda: _listed(_again(source, options)[DATA]))
        others = ", ".join(shown(name) for name in content if name != DATA)
        return found._replace(remarks=(f"rows: those under {DATA!r}" + f", beside {others}" * bool(others),))
    if content.keys() in ({"columns", "index", DATA}, {"columns", DATA}):
        names = list(map(str, content["columns"]))
        remarks = (f"columns under 'columns', rows under {DATA!r}",)
        return Opened(names, lambda: _rows(_again(source, options)[DATA], len(names)), remarks)
    if _are_columns(content):
        lengths = {name: len(column) for name, column in content.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"{source.name} is an object of columns of unequal length: {lengths}.")
        names = list(content)
        return Opened(names, lambda: _rows(map(list, zip(*_again(source, options).values(), strict=True)), len(names)))
    inner = [value for value in content.values() if isinstance(value, dict)]
    if not content or len(inner) < len(content):
        raise DataError(f"{source.name} is an object of another shape; {_SHAPES}.")
    return _of_objects(source, options, content)


def _of_objects(source: Source, options: FileOptions, content: Mapping[str, Mapping[str, Any]]) -> Opened:
    """What pandas writes: rows have numbers for names, and stand inside of columns or columns inside of them."""
    outer = all(name.isdecimal() for name in content)
    inner = all(name.isdecimal() for value in content.values() for name in value)
    if outer == inner:
        raise DataError(f"{source.name} is an object of objects, and nobody can tell rows from columns; {_SHAPES}.")
    if outer:
        found = opened_objects(source.name, lambda: _listed(list(_again(source, options).values())))
        return found._replace(remarks=("an object of rows by number",))
    numbers = list(dict.fromkeys(number for column in content.values() for number in column))

    def rows() -> Iterator[Row]:
        columns = list(_again(source, options).values())
        return _rows(([column.get(number) for column in columns] for number in numbers), len(columns))

    return Opened(list(content), rows, ("an object of columns by row number",))


def _are_columns(content: Mapping[str, Any]) -> bool:
    """Whether all values are arrays, and none holds objects: those would be rows."""
    return bool(content) and all(
        isinstance(value, list) and not any(isinstance(each, dict) for each in value[:1]) for value in content.values()
    )


def _elements(source: Source, text: str, begin: int) -> Iterator[Row]:
    """The elements of the array that begins there. Raises DataError where it is not known where the next one begins."""
    values = JsonValues()
    line, counted = 1, 0
    at = _after_blanks(text, begin + 1)
    number = 0
    more = not text.startswith("]", at)
    while more:
        number += 1
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, end = values.read(text, at)
        except DataError as error:
            raise DataError(f"{place(source.name, number, line)} {error}. Nobody can tell where the next row begins: "
                            "repair the file.") from error
        try:
            yield Row(number, line, [values.check_row(value)])
        except DataError as error:
            yield Row(number, line, [], str(error), text[at:end])
        at = _after_blanks(text, end)
        if more := text.startswith(",", at):
            at = _after_blanks(text, at + 1)
    if not text.startswith("]", at):
        raise DataError(f"{_at(source, text, at)}: expected a comma or ] after row {number:,}.")
    if (rest := _after_blanks(text, at + 1)) < len(text):
        raise DataError(f"{_at(source, text, rest)} goes on after the end of the array.")


def _listed(values: list[Any]) -> Iterator[Row]:
    for number, value in enumerate(values, 1):
        if not isinstance(value, dict):
            yield Row(number, number, [], "is no JSON object", shown(repr(value)))
        elif fault := next((cell.reason for cell in value.values() if isinstance(cell, CellFault)), ""):
            yield Row(number, number, [], fault, repr(value))
        else:
            yield Row(number, number, [value])


def _rows(found: Iterable[Any], width: int) -> Iterator[Row]:
    for number, cells in enumerate(found, 1):
        if not isinstance(cells, list) or len(cells) != width:
            yield Row(number, number, [], f"is no array of {width} cells", repr(cells))
        elif fault := next((cell.reason for cell in cells if isinstance(cell, CellFault)), ""):
            yield Row(number, number, [], fault, repr(cells))
        else:
            yield Row(number, number, cells)


def _text(source: Source, options: FileOptions) -> str:
    return read_text(source.path, source.name, options.encoding, LIMIT)


def _again(source: Source, options: FileOptions) -> Any:
    text = _text(source, options)
    return _whole(source, JsonValues(), text, _after_blanks(text, 0))[0]


def _whole(source: Source, values: JsonValues, text: str, begin: int) -> tuple[Any, int]:
    try:
        return values.read(text, begin)
    except DataError as error:
        raise DataError(f"{source.name} {error}.") from error


def _after_blanks(text: str, begin: int) -> int:
    return _BLANKS.match(text, begin).end()  # type: ignore[union-attr]


def _at(source: Source, text: str, at: int) -> str:
    return f"{source.name}, line {text.count(chr(10), 0, at) + 1}"


JSON = Format(open_json, frozenset({"encoding"}))
