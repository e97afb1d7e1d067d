"""What separates the cells of a text table: as its ending says, as the user says, or as all rows agree.

Every separator in the header is tried on the first rows. One that all rows agree on is taken and named; where there
are several, the error names each reading and how to choose it.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from scansion.errors import DataError, UsageError, did_you_mean, shown
from scansion.text.encodings import Lines, open_bytes, place, without_line_end
from scansion.text.rows import SAMPLE_ROWS, FileOptions, Format, Opened, Row
from scansion.text.separated_values import Separation, UnclosedQuoteError, separated_rows
from scansion.text.sources import Source

COMMA, SEMICOLON, TAB, BAR = Separation(","), Separation(";"), Separation("\t"), Separation("|")
TAB_UNQUOTED = Separation("\t", quoted=False)
NOTICED = (COMMA, SEMICOLON, TAB, BAR)

NO_SEPARATOR = "none"
"""What says that a .txt is no table."""

_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space", ":": "colon"}
_CHARACTERS = {name: character for character, name in _NAMES.items()} | {"\\t": "\t", "pipe": "|"}
_DECLARED = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
"""A line that Excel writes and reads before the header."""

_ORDINARY_NAME = re.compile(r"[\w -]*")
"""Of a single column; anything else may hold a separator that nobody has thought of."""

_COLUMNS_SHOWN = 3


def separator_named(written: str) -> str:
    """The character that a user means. Raises UsageError for what separates no cells."""
    if written in _CHARACTERS:
        return _CHARACTERS[written]
    if len(written) != 1:
        raise UsageError(f"There is no separator {written!r}{did_you_mean(written, _CHARACTERS)} It is a single "
                         "character, or such a name.")
    if written in '"\r\n' or written.isalnum():
        raise UsageError(f"The separator {written!r} separates no cells; expected a character such as ; or its name.")
    return written


def open_csv(source: Source, options: FileOptions) -> Opened:
    """A header and rows between commas, or what else separates them."""
    return _opened(source, options, COMMA)


def open_tsv(source: Source, options: FileOptions) -> Opened:
    """A header and rows between tabs, where quotes are text; or what else separates them."""
    return _opened(source, options, TAB_UNQUOTED)


def is_table(source: Source, options: FileOptions, columns: Sequence[str], certain: bool) -> bool:
    """Whether the lines of a .txt are rows of a table and not documents.

    They are if the user names a separator, if it is ``certain`` that a table is meant and all lines agree on a
    separator, or if such a table has the ``columns`` that are wanted. UsageError where either may be meant: each line
    has as many tabs, semicolons or bars.
    """
    if options.separator is not None:
        return options.separator != NO_SEPARATOR
    try:
        readings = [found for found in _readings(source, options, NOTICED) if found.fits]
    except DataError:
        if certain:
            raise
        return False  # whoever reads the lines raises it, with its line
    if certain or any(columns and set(columns) <= set(found.header) for found in readings):
        return bool(readings)
    likely = [found for found in readings if found.separation != COMMA and found.rows]
    if not likely or _begins_as_unicode_text(source):
        return bool(likely)
    raise UsageError(f"{source.name} may be a table with {likely[0].columns()}, or plain text, a document a line. Say "
                     f"--separator {likely[0].name} for the table, --separator {NO_SEPARATOR} for the lines.")


class _Reading(NamedTuple):
    """What the first rows are with one separation."""

    separation: Separation
    header: list[str]
    """Its cells; the line as it is if it cannot be cut."""
    rows: int
    bad: int
    fault: str
    """Of the first bad row, the header included."""

    @property
    def fits(self) -> bool:
        proper = len(set(self.header)) == len(self.header) > 1 and all(map(str.strip, self.header))
        return proper and not self.fault

    @property
    def is_likely(self) -> bool:
        return len(self.header) > 1 and self.bad * 2 < max(1, self.rows)

    @property
    def name(self) -> str:
        return _NAMES.get(self.separation.separator, self.separation.separator)

    def columns(self) -> str:
        more = ", …" * (len(self.header) > _COLUMNS_SHOWN)
        return f"the columns {', '.join(map(shown, self.header[:_COLUMNS_SHOWN]))}{more} ({self.name})"

    def remark(self, how: str) -> str:
        quotes = "" if self.separation.quoted else ", quotes are text"
        return f"separator: {self.name}{quotes} ({how})"


def _opened(source: Source, options: FileOptions, usual: Separation) -> Opened:
    first = next(islice(Lines(source, 0, options.encoding), 1), "")
    declared = _DECLARED.fullmatch(without_line_end(first))
    separation, remarks = _chosen(source, options, usual, declared[1] if declared else None)
    header = next(separated_rows(source, options.encoding, separation), None)
    if header is None:
        return Opened([], lambda: iter(()))
    if header.reason:
        raise DataError(f"{place(source.name, 0, header.line)}: {header.reason}.")

    def rows() -> Iterator[Row]:
        return islice(separated_rows(source, options.encoding, separation), 1, None)

    found = options.separator is None and not remarks
    if found and len(header.cells) == 1 and not _ORDINARY_NAME.fullmatch(header.cells[0]):
        remarks = (f"separator: {_NAMES[usual.separator]} (--separator)",)
    return Opened(header.cells, rows, remarks)


def _chosen(
    source: Source, options: FileOptions, usual: Separation, declared: str | None
) -> tuple[Separation, tuple[str, ...]]:
    """How to cut the lines, and what to say of it."""
    begin = 0 if declared is None else 1
    said = declared if options.separator is None else separator_named(options.separator)
    if said == usual.separator:
        return usual._replace(begin=begin), ()
    if said is not None:
        [found] = _readings(source, options, [Separation(said, begin=begin)])
        return found.separation, (found.remark("as given" if options.separator else f"as the file says: sep={said}"),)
    others = [each for each in NOTICED if each.separator != usual.separator]
    as_usual, *tried = _readings(source, options, [usual, *others])
    fitting = [found for found in tried if found.fits]
    if len(fitting) == 1 and not as_usual.is_likely:
        return fitting[0].separation, (fitting[0].remark("--separator"),)
    if fitting:
        readings = [as_usual] * as_usual.is_likely + fitting
        ways = " or ".join(f"--separator {found.name}" for found in readings)
        raise UsageError(f"{source.name} can be read in more than one way: with "
                         f"{', or with '.join(map(_Reading.columns, readings))}. Say which: {ways}.")
    if not tried or not as_usual.rows or len(as_usual.header) > 1:
        return usual, ()
    raise UsageError(f"{source.name} may be a single column {shown(as_usual.header[0])}, or have {tried[0].columns()}, "
                     f"but then {tried[0].fault}. Say which: --separator {as_usual.name} or --separator "
                     f"{tried[0].name}.")


def _readings(source: Source, options: FileOptions, separations: Sequence[Separation]) -> list[_Reading]:
    """The first rows with each separation: the first one, and those that cut the header.

    A tab is also tried without quotes, where it does not go with them.
    """
    found: list[_Reading] = []
    for separation in separations:
        if found and not any(separation.separator in cell for cell in found[0].header):
            continue
        reading = _reading(source, options, separation)
        if separation.separator == TAB.separator and not reading.fits:
            unquoted = _reading(source, options, separation._replace(quoted=False))
            reading = unquoted if unquoted.fits else reading
        found.append(reading)
    return found


def _reading(source: Source, options: FileOptions, separation: Separation) -> _Reading:
    header: list[str] = []
    number = bad = 0
    fault = ""
    try:
        for row in islice(separated_rows(source, options.encoding, separation), SAMPLE_ROWS + 1):
            number = row.number
            header = header or row.cells or [row.raw]
            if row.reason:
                bad += 1
                fault = fault or f"row {row.number} (line {row.line}) {row.reason}"
    except UnclosedQuoteError as error:
        bad, fault = bad + 1, fault or str(error)
    return _Reading(separation, header, number, bad, fault)


def _begins_as_unicode_text(source: Source) -> bool:
    """Whether it has the mark of UTF-16, as the "Unicode text" of spreadsheets has: tables between tabs."""
    with open_bytes(source.path, source.name) as stream:
        return stream.peek(2).startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


CSV = Format(open_csv, frozenset({"separator", "encoding"}))
TSV = Format(open_tsv, frozenset({"separator", "encoding"}))
