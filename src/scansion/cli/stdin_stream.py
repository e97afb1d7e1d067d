"""Plain lines from standard input, handed on as they arrive and never all in memory."""

import select
from collections.abc import Iterator
from typing import Any

from scansion.errors import DataError
from scansion.text.encodings import LONGEST_LINE, place, too_long, undecodable, without_line_end
from scansion.text.signatures import known_by_signature

BLOCK = 1 << 16
NAME = "standard input"
MARKED = (b"\xef", b"\xfe", b"\xff", b"\x1f")
"""First bytes of a byte order mark or of gzip: such input is for the reader of whole files."""


def is_plain(stream: Any) -> bool:
    """Whether the input begins like plain UTF-8 lines; nothing is consumed. Empty or blank beginnings are not sure."""
    beginning = stream.peek(BLOCK).lstrip()
    as_a_whole = beginning.startswith((*MARKED, b"{")) or b"\0" in beginning[:4] or known_by_signature(beginning)
    return bool(beginning) and not as_a_whole


def first_line(stream: Any) -> str:
    """The first line, as far as it is there; nothing is consumed."""
    return stream.peek(BLOCK).partition(b"\n")[0].rstrip(b"\r").decode(errors="replace")


def arriving_lines(stream: Any, most: int) -> Iterator[list[str]]:
    """The lines that are there, at most ``most`` at a time, without waiting for further ones.

    DataError names the line and byte of what is not UTF-8; the lines before it are handed on first.
    """
    lines: list[str] = []
    number = offset = 0
    for raw in _raw_lines(stream):
        if raw is not None:
            number += 1
            try:
                lines.append(without_line_end(raw.decode()))
            except UnicodeDecodeError as error:
                yield lines
                raise DataError(undecodable(place(NAME, number, number), error, offset + error.start)) from error
            offset += len(raw)
        if lines and (raw is None or len(lines) == most):
            yield lines
            lines = []
    if lines:
        yield lines


def _raw_lines(stream: Any) -> Iterator[bytes | None]:
    """Lines with their ends, and None where the next one has not come yet."""
    begun, number = bytearray(), 1
    while block := stream.read1(BLOCK):
        *ended, rest = block.split(b"\n")
        for end in ended:
            yield bytes(begun) + end + b"\n"
            begun.clear()
            number += 1
        begun += rest
        if len(begun) > LONGEST_LINE:
            raise too_long(place(NAME, number, number))
        if not _more_is_there(stream):
            yield None
    if begun:
        yield bytes(begun)


def _more_is_there(stream: Any) -> bool:
    return bool(select.select([stream.fileno()], [], [], 0)[0])
