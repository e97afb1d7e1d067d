"""Bytes to text: UTF-8, or UTF-16 announced by its mark, packed with gzip or not, a line at a time."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from scansion.errors import DataError
from scansion.text.sources import Source, unreadable

LONGEST_LINE = 2**26
"""Bytes of one line, one quoted cell or one document of a folder; more is a mistake, not a document."""

MOST_UNPACKED = 2**27
MOST_EXPANSION = 200
"""A gzip file may unpack to MOST_UNPACKED bytes, or to MOST_EXPANSION times its own size, whichever is more.

Text packs 3 to 50 times smaller; a bomb, about 1,000 times.
"""

_GZIP_MARK = b"\x1f\x8b"
_BLOCK = 2**18
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Lines:
    """The lines of a source as text, each with its line end. Raises DataError for bytes that are not text.

    ``number`` is the line last read. ``row`` is the row being read: whoever cuts lines into rows keeps it, so that
    every message can name it; row 0 is the header.
    """

    def __init__(self, source: Source, row: int) -> None:
        self.source = source
        self.number = 0
        self.row = row

    def __iter__(self) -> Iterator[str]:
        with open_bytes(self.source.path, self.source.name) as stream:
            codec, offset = _skip_mark(stream)
            raw_lines = iter(partial(stream.readline, LONGEST_LINE + 1), b"")
            for raw in raw_lines if codec == "utf-8" else _utf16_lines(stream, codec):
                self.number += 1
                if len(raw) > LONGEST_LINE:
                    raise too_long(self.place())
                try:
                    yield raw.decode(codec)
                except UnicodeDecodeError as error:
                    raise DataError(undecodable(self.place(), error, offset)) from error
                offset += len(raw)

    def place(self) -> str:
        return place(self.source.name, self.row, self.number)


def place(name: str, row: int, line: int) -> str:
    """Where a message points: file, row and line."""
    return f"{name}, {f'row {row}' if row else 'the header'} (line {line})"


def without_line_end(line: str) -> str:
    """The line without the ``\\n`` or ``\\r\\n`` that ended it; a carriage return elsewhere is text."""
    return line[:-2] if line.endswith("\r\n") else line[:-1] if line.endswith("\n") else line


def read_text(path: Path, name: str) -> str:
    """A whole file as one text. Raises DataError for bytes that are not text and for files beyond the limit."""
    with open_bytes(path, name) as stream:
        codec, offset = _skip_mark(stream)
        raw = stream.read(LONGEST_LINE + 1)
    if len(raw) > LONGEST_LINE:
        raise too_long(name)
    try:
        return raw.decode(codec)
    except UnicodeDecodeError as error:
        raise DataError(undecodable(name, error, offset)) from error


def open_bytes(path: Path, name: str) -> io.BufferedReader:
    """The bytes of a file, unpacked if its name or its first bytes say gzip. Raises DataError."""
    try:
        stream: io.BufferedReader = io.BufferedReader(io.FileIO(path), _BLOCK)
        if not name.lower().endswith(".gz") and stream.peek(2)[:2] != _GZIP_MARK:
            return stream
    except OSError as error:
        raise unreadable(name, error) from error
    return io.BufferedReader(_Unpacked(stream, name, path.stat().st_size), _BLOCK)


def too_long(where: str) -> DataError:
    """The error for a line, cell or document beyond LONGEST_LINE."""
    return DataError(f"{where}: more than {LONGEST_LINE // 2**20} MiB without an end. Is it a table, one row a line? "
                     "If it is, split this document.")


def undecodable(where: str, error: UnicodeDecodeError, offset: int) -> str:
    """What a message says of bytes that are not text; ``offset`` counts the bytes before those that failed."""
    return (f"{where}, byte {offset + error.start}: 0x{error.object[error.start]:02x} is not {error.encoding.upper()} "
            f"text ({error.reason}). Save the file as UTF-8, for example with iconv.")


class _Unpacked(io.RawIOBase):
    """What a gzip file holds, as long as it is whole and no bomb."""

    def __init__(self, packed: io.BufferedReader, name: str, size: int) -> None:
        self._packed = packed
        self._unpacking = gzip.GzipFile(fileobj=packed)
        self._name = name
        self._left = max(MOST_UNPACKED, MOST_EXPANSION * size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            count = self._unpacking.readinto(buffer)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(f"{self._name} is a damaged or cut gzip file ({error}). Fetch or pack it again.") from error
        self._left -= count
        if self._left < 0:
            raise DataError(f"{self._name} unpacks to more than {MOST_EXPANSION} times its size; no text does that. "
                            "If it is sound, unpack it first.")
        return count

    def close(self) -> None:
        self._unpacking.close()
        self._packed.close()
        super().close()


def _skip_mark(stream: io.BufferedReader) -> tuple[str, int]:
    """The encoding that the byte order mark announces, UTF-8 without one, and the mark's length; the mark is read."""
    head = stream.peek(4)
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return codec, len(stream.read(len(mark)))
    return "utf-8", 0


def _utf16_lines(stream: io.BufferedReader, codec: str) -> Iterator[bytes]:
    """Lines of two-byte units: the byte 0x0a is a line end only as half of the right unit."""
    line_end = "\n".encode(codec)
    line = bytearray()
    while piece := stream.readline(LONGEST_LINE + 1):
        line += piece
        if codec == "utf-16-le" and len(line) % 2:
            line += stream.read(1)
        if len(line) > LONGEST_LINE or (len(line) % 2 == 0 and line.endswith(line_end)):
            yield bytes(line)
            line.clear()
    if line:
        yield bytes(line)
