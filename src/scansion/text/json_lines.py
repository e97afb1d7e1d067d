"""JSON lines (.jsonl): an object a line. There is no header, and not all lines need hold the same names."""

from collections.abc import Callable, Iterator

from scansion.errors import DataError
from scansion.text.encodings import Lines, place
from scansion.text.json_values import JsonValues
from scansion.text.rows import FileOptions, Format, Opened, Row
from scansion.text.sources import Source


def open_json_lines(source: Source, options: FileOptions) -> Opened:
    """The objects of the lines. Raises DataError if none is sound."""
    return opened_objects(source.name, lambda: _objects(source, options.encoding))


def opened_objects(name: str, objects: Callable[[], Iterator[Row]]) -> Opened:
    """The table of rows whose single cell is an object; its columns are the names in all of them.

    Raises DataError if none is sound.
    """
    columns: dict[str, None] = {}
    fault = ""
    for row in objects():
        if row.reason:
            fault = fault or f"{place(name, row.number, row.line)} {row.reason}; nor is any other row sound."
        else:
            columns.update(dict.fromkeys(row.cells[0]))
    if fault and not columns:
        raise DataError(fault)
    names = list(columns)

    def rows() -> Iterator[Row]:
        for row in objects():
            yield row if row.reason else Row(row.number, row.line, list(map(row.cells[0].get, names)))

    return Opened(names, rows)


def _objects(source: Source, encoding: str | None) -> Iterator[Row]:
    """Empty lines hold nothing and are passed over."""
    values = JsonValues()
    lines = Lines(source, 1, encoding)
    for line in lines:
        if line.isspace():
            continue
        try:
            yield Row(lines.row, lines.number, [_one_object(values, line)])
        except DataError as error:
            yield Row(lines.row, lines.number, [], str(error), line)
        lines.row += 1


def _one_object(values: JsonValues, line: str) -> dict[str, object]:
    value, end = values.read(line, len(line) - len(line.lstrip(" \t\r\n")))
    if rest := line[end:].strip(" \t\r\n"):
        raise DataError(f"is not JSON: Extra data at character {line.index(rest, end) + 1}")
    return values.check_row(value)


JSON_LINES = Format(open_json_lines, frozenset({"encoding"}))
