"""Bytes to text: UTF-8 unless a mark or the user says otherwise, packed with gzip or not, a line at a time."""

import codecs
import gzip
import io
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from encodings.aliases import aliases
from pathlib import Path
from typing import BinaryIO, NamedTuple

from scansion.errors import DataError, UsageError, shown
from scansion.text.likely_encoding import SAMPLE_BYTES, likely_encodings
from scansion.text.signatures import known_by_signature
from scansion.text.sources import Source, unreadable


class Limit(NamedTuple):
    """How many characters a text may have, and what to do about more."""

    characters: int
    advice: str


LONGEST_LINE = 2**26
"""Characters of one line, one quoted cell or one document of a folder; more is a mistake, not a document."""

ONE_DOCUMENT = Limit(LONGEST_LINE, "Is it a table, one row a line? If it is, split this document.")

MOST_UNPACKED = 2**27
MOST_EXPANSION = 200
"""A gzip file may unpack to MOST_UNPACKED bytes, or to MOST_EXPANSION times its own size, whichever is more.

Text packs 3 to 50 times smaller; a bomb, about 1,000 times.
"""

_GZIP_MARK = b"\x1f\x8b"
_BLOCK = 2**18
_MARKS = (  # the longer first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = {  # two ASCII characters, by which of four bytes are zero (RFC 4627, section 3)
    (False, True, False, True): "utf-16-le", (True, False, True, False): "utf-16-be",
    (False, True, True, True): "utf-32-le", (True, True, True, False): "utf-32-be",
}


class Lines:
    """The lines of a source as text, each with its line end. Raises DataError for bytes that are not text.

    ``number`` is the line last read. ``row`` is the row being read: whoever cuts lines into rows keeps it, so that
    every message can name it; row 0 is the header.
    """

    def __init__(
        self, source: Source, row: int, encoding: str | None = None, limit: Limit = ONE_DOCUMENT
    ) -> None:
        self.source = source
        self.limit = limit
        self.number = 0
        self.row = row
        self.encoding = encoding

    def __iter__(self) -> Iterator[str]:
        begun: list[str] = []
        size = 0
        with open_bytes(self.source.path, self.source.name) as stream:
            for text in _decoded(stream, self.source.name, self.encoding, self._next_place):
                first, *others = text.split("\n")
                begun.append(first)
                size += len(first)
                if size > self.limit.characters:
                    raise too_long(self._next_place(), self.limit)
                if not others:
                    continue
                *ended, rest = others
                for line in ("".join(begun), *ended):
                    self.number += 1
                    yield line + "\n"
                begun, size = [rest], len(rest)
        if size:
            self.number += 1
            yield "".join(begun)

    def place(self) -> str:
        return place(self.source.name, self.row, self.number)

    def _next_place(self) -> str:
        return place(self.source.name, self.row, self.number + 1)


def place(name: str, row: int, line: int) -> str:
    """Where a message points: file, row and line."""
    return f"{name}, {f'row {row}' if row else 'the header'} (line {line})"


def without_line_end(line: str) -> str:
    """The line without the ``\\n`` or ``\\r\\n`` that ended it; a carriage return elsewhere is text."""
    return line[:-2] if line.endswith("\r\n") else line[:-1] if line.endswith("\n") else line


def read_text(path: Path, name: str, encoding: str | None = None, limit: Limit = ONE_DOCUMENT) -> str:
    """A whole file as one text. Raises DataError for bytes that are not text, and beyond the limit."""
    parts: list[str] = []
    size = 0
    with open_bytes(path, name) as stream:
        for text in _decoded(stream, name, encoding, lambda: name):
            parts.append(text)
            size += len(text)
            if size > limit.characters:
                raise too_long(name, limit)
    return "".join(parts)


def codec_named(encoding: str) -> str:
    """The encoding under the name Python has for it. Raises UsageError if there is none, or it is not of text."""
    try:
        codec = codecs.lookup(encoding)
        "a".encode(encoding)  # encodings of bytes to bytes are known under names, too
    except (LookupError, UnicodeError, ValueError):
        close = get_close_matches(encoding.lower().replace("-", "_"), {*aliases, *aliases.values()}, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ". Usual ones are utf-8, cp1252, latin-1 and utf-16."
        raise UsageError(f"There is no text encoding {encoding!r}{hint}") from None
    return codec.name


def reads_as_utf8_too(source: Source, encoding: str) -> str | None:
    """A word beyond ASCII of a source in another encoding that is sound UTF-8 as well, as UTF-8; else None."""
    with open_bytes(source.path, source.name) as stream:
        beginning = stream.peek(SAMPLE_BYTES)[:SAMPLE_BYTES]
    marked = beginning.startswith(tuple(mark for mark, _ in _MARKS))
    if marked or beginning.isascii() or codec_named(encoding) == "utf-8":
        return None
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(beginning)
    except UnicodeDecodeError:
        return None
    return next((word for word in text.split() if not word.isascii()), None)


def open_bytes(path: Path, name: str) -> io.BufferedReader:
    """The bytes of a file, unpacked if its name or its first bytes say gzip. Raises DataError."""
    try:
        stream: io.BufferedReader = io.BufferedReader(io.FileIO(path), _BLOCK)
        if not name.lower().endswith(".gz") and stream.peek(2)[:2] != _GZIP_MARK:
            return stream
    except OSError as error:
        raise unreadable(name, error) from error
    return io.BufferedReader(_Unpacked(stream, name, path.stat().st_size), _BLOCK)


def seekable_bytes(source: Source) -> BinaryIO:
    """The unpacked bytes of a file, in which one can go to and fro."""
    stream = open_bytes(source.path, source.name)
    if stream.seekable():
        return stream
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with stream:
        shutil.copyfileobj(stream, unpacked)
    unpacked.seek(0)
    return unpacked


def too_long(where: str, limit: Limit = ONE_DOCUMENT) -> DataError:
    """The error for a line, cell or document beyond the limit."""
    return DataError(f"{where}: more than {limit.characters // 2**20} MiB without an end. {limit.advice}")


def undecodable(where: str, error: UnicodeDecodeError, byte: int, codec: str = "utf-8") -> str:
    """What a message says of bytes that are not text; ``byte`` is where in the file they stand, from 0."""
    what = f"{where}, byte {byte}: 0x{error.object[error.start]:02x} is not {codec.upper()} text ({error.reason})."
    if not error.object[: error.start].isascii():
        return f"{what} What stands before it is, so this byte is damaged. Repair it."
    begin = error.object.rfind(b"\n", 0, error.start) + 1
    likely = likely_encodings(error.object[max(begin, error.start - SAMPLE_BYTES // 2) :])
    read = ", ".join(f"{encoding} reads {shown(text)}" for encoding, text in likely if encoding != codec)
    return f"{what} --encoding says how it is written{': ' * bool(read)}{read}. Or save it as UTF-8."


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


def _decoded(
    stream: io.BufferedReader, name: str, encoding: str | None, place_of_fault: Callable[[], str]
) -> Iterator[str]:
    """The text, some of it at a time. What stands before bytes that are not text is given before the DataError."""
    codec, byte = _start(stream, name, encoding)
    decoder = codecs.getincrementaldecoder(codec)()
    while True:
        block = stream.read(_BLOCK)
        before = decoder.getstate()
        try:
            text = decoder.decode(block, not block)
        except UnicodeDecodeError as error:
            sound = error.start - len(before[0])
            decoder.setstate(before)
            yield decoder.decode(block[: max(0, sound)])
            raise DataError(undecodable(place_of_fault(), error, byte + sound, codec)) from error
        yield text
        if not block:
            return
        byte += len(block)


def _start(stream: io.BufferedReader, name: str, encoding: str | None) -> tuple[str, int]:
    """The encoding, and the length of the byte order mark, which is read.

    A mark wins over what is said, as the Encoding Standard (WHATWG, "decode") has it; without either it is UTF-8.
    Raises DataError for what is no text, and for UTF-16 and UTF-32 whose order of bytes nothing says.
    """
    head = stream.peek(_BLOCK)
    if (what := known_by_signature(head)) is not None:
        raise DataError(f"{name} is no text but {what}.")
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return codec, len(stream.read(len(mark)))
    codec = "utf-8" if encoding is None else codec_named(encoding)
    unmarked = _UNMARKED.get(tuple(byte == 0 for byte in head[:4]))  # type: ignore[arg-type]
    if codec in ("utf-16", "utf-32"):
        ways = [f"{codec}-le", f"{codec}-be"]
        if unmarked in ways:
            ways = [unmarked]
        raise DataError(f"{name} has no byte order mark. Say --encoding {' or '.join(ways)}.")
    if encoding is None and unmarked is not None:
        raise DataError(f"{name} begins with every {'other byte' if '16' in unmarked else 'byte but one'} zero. Is it "
                        f"{unmarked.upper().rpartition('-')[0]} without a byte order mark? Say --encoding {unmarked}.")
    return codec, 0
