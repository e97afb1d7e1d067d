"""Parallel text: two plain files, a sentence a line, line i of one being the translation of line i of the other."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

from scansion.errors import DataError
from scansion.text.documents import Documents, Texts, read_lines
from scansion.text.pairs import is_empty
from scansion.text.rows import AS_FOUND, FileOptions

NAMED = 3
MOST_EMPTY = 0.01
"""The share of pairs with an empty side that may be left out, unless the caller allows more."""


@dataclass(frozen=True, eq=False)
class ParallelText:
    """Sources and targets, each readable again and again, without the pairs of which a side is empty."""

    source: Texts
    target: Texts
    name: str
    left_out: int
    """Pairs with an empty side."""
    fingerprint: str

    def __len__(self) -> int:
        return len(self.source)


def read_parallel(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    most_empty: float = MOST_EMPTY,
    file: FileOptions = AS_FOUND,
) -> ParallelText:
    """Both files, checked line by line.

    Pairs with an empty side teach nothing and are left out, at most a share of ``most_empty`` of them.  DataError for
    files of unequal length and for too many empty lines.
    """
    sides = read_lines(source, file), read_lines(target, file)
    names = [side.name for side in sides]
    counts = [len(side) for side in sides]
    if counts[0] != counts[1]:
        shorter, longer = sorted((0, 1), key=lambda side: counts[side])
        raise DataError(
            f"{names[0]} has {counts[0]:,} lines and {names[1]} {counts[1]:,}: line {counts[shorter] + 1:,} of "
            f"{names[longer]} has no partner. Every line needs its translation in the same line of the other file."
        )
    if not counts[0]:
        raise DataError(f"{names[0]} and {names[1]} are empty; expected a sentence a line.")
    empty = list(_with_an_empty_side(*sides))
    if len(empty) > most_empty * counts[0]:
        first = ", ".join(f"{line:,}" for line in empty[:NAMED]) + ", …" * (len(empty) > NAMED)
        raise DataError(
            f"{len(empty):,} of {counts[0]:,} pairs of {names[0]} and {names[1]} have an empty side (lines {first}), "
            f"more than the {most_empty:.1%} that are left out without asking. Fill or remove those lines in both "
            f"files, or allow more with --max-bad."
        )
    without = set(empty)
    rows = [row for row in sides[0].rows if row not in without] if without else sides[0].rows
    mine, theirs = (replace(side.texts, rows=rows) for side in sides)
    return ParallelText(mine, theirs, " and ".join(names), len(empty), "".join(side.fingerprint for side in sides))


def _with_an_empty_side(source: Documents, target: Documents) -> Iterator[int]:
    """The lines, counted from 1, where one side or both hold nothing."""
    for line, pair in enumerate(zip(source.texts, target.texts, strict=True), start=1):
        if any(is_empty(side) for side in pair):
            yield line
