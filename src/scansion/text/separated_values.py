"""Separated values (.csv, .tsv, and tables in .txt): a header, then a row a line or, inside quotes, over several.

A .csv is quoted as in RFC 4180, whatever its separator; in a .tsv a tab always ends a cell, and quotes are text.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple

from scansion.errors import DataError, shown
from scansion.text.encodings import LONGEST_LINE, Lines, too_long, without_line_end
from scansion.text.rows import Row
from scansion.text.sources import Source


class UnclosedQuoteError(DataError):
    """Nobody can tell where the next row begins."""


class Separation(NamedTuple):
    """How lines are cut into cells."""

    separator: str
    quoted: bool = True
    """Whether a cell may stand in quotes; without, quotes are text and a line end always ends a row."""
    begin: int = 0
    """Lines before the header."""


def separated_rows(source: Source, encoding: str | None, separation: Separation) -> Iterator[Row]:
    """The header as row 0, then the rows.

    An empty line is a row in a table of one column; elsewhere it holds nothing and is passed over.
    """
    width = 0
    separator, quoted, begin = separation
    lines = Lines(source, 0, encoding)
    reading = islice(iter(lines), begin, None)
    for line in reading:
        first = lines.number
        body = without_line_end(line)
        if not body and width > 1:
            continue
        if quoted and ('"' in body or "\r" in body):
            cells, reason, line = _quoted_cells(line, reading, lines, separator)
        else:
            cells, reason = body.split(separator), ""
        width = width or len(cells)
        if len(cells) != width and not reason:
            reason = f"has {len(cells)} cell{'s' * (len(cells) > 1)}, the header has {width}"
        yield Row(lines.row, first, [], reason, line) if reason else Row(lines.row, first, cells)
        lines.row += 1


@cache
def _cell(separator: str) -> re.Pattern[str]:
    """A cell that ends on its line. Possessive (``*+``): it is matched in one go or not at all, in linear time."""
    ends = re.escape(separator)
    return re.compile(rf'(?:"([^"]*+(?:""[^"]*+)*+)"|([^"{ends}\r]*+))({ends}|\Z)')


def _quoted_cells(line: str, reading: Iterator[str], lines: Lines, separator: str) -> tuple[list[str], str, str]:
    """The cells of a record, or the reason why there are none; and all its lines."""
    cells: list[str] = []
    raw = line
    body = without_line_end(line)
    position = 0
    while position <= len(body):
        if cell := _cell(separator).match(body, position):
            quoted, plain, ended = cell.groups()
            cells.append(plain if quoted is None else quoted.replace('""', '"'))
            position = cell.end() if ended else len(body) + 1
        elif body.startswith('"', position) and _closing_quote(body, position + 1) == len(body):
            more, end = _lines_to_closing_quote(reading, lines, separator)
            raw += "".join(more)
            inside = [line[position + 1 :], *more[:-1], more[-1][:end]]
            cells.append("".join(inside).replace('""', '"'))
            line, body, position = more[-1], without_line_end(more[-1]), end + 2
        else:
            return [], _fault(body, position), raw
    return cells, "", raw


def _lines_to_closing_quote(reading: Iterator[str], lines: Lines, separator: str) -> tuple[list[str], int]:
    """The further lines of a quoted cell, and where in the last one its closing quote stands."""
    opened = lines.place()
    more: list[str] = []
    size = 0
    for line in reading:
        more.append(line)
        size += len(line)
        if size > LONGEST_LINE:
            raise UnclosedQuoteError(str(too_long(f"{opened}: a quote opens here")))
        end = _closing_quote(line, 0)
        if end < len(line):
            if without_line_end(line)[end + 1 : end + 2] in ("", separator):
                return more, end
            raise UnclosedQuoteError(f"{opened}: the quote opened here closes in line {lines.number} before "
                                     f"{shown(line[end + 1 :], 20)}, so nobody can tell where the row ends. Close the "
                                     "quote; double every quote inside a quoted cell.")
    raise UnclosedQuoteError(f"{opened}: the quote opened here is never closed. Close it, or double it if it is text.")


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
