"""Parallel text as numbers: sources and targets, row by row."""

import unicodedata
from dataclasses import dataclass

import numpy as np

from scansion.errors import DataError
from scansion.text.batches import Batch, Sequences, collate
from scansion.text.normalization import is_ignorable

INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp"}
"""Of Unicode's general categories: blanks, line ends, controls and formats such as a zero-width space."""


@dataclass(frozen=True)
class Pairs:
    """Row i of ``target`` translates row i of ``source``; every row ends with the end."""

    source: Sequences
    target: Sequences

    def __len__(self) -> int:
        return len(self.source)

    @property
    def lengths(self) -> np.ndarray:
        """Of the longer side, (N,): what batches are cut by."""
        return np.maximum(self.source.lengths, self.target.lengths)

    def only(self, rows: np.ndarray) -> "Pairs":
        """The given rows."""
        return Pairs(self.source.only(rows), self.target.only(rows))

    def check_lengths(self, max_length: int | None) -> None:
        """DataError for a text of more than ``max_length`` subwords: nothing is cut in silence."""
        if max_length is not None and len(self) and self.lengths.max() > max_length:
            row = int(self.lengths.argmax())
            raise DataError(
                f"Text {row + 1:,} has {self.lengths[row]:,} subwords, and this family reads at most {max_length:,} "
                "(max_length). Split it into sentences, or train with a larger max_length."
            )

    def batch(self, rows: np.ndarray) -> tuple[Batch, Batch]:
        """Both sides of the given rows, padded."""
        return collate(self.source, rows), collate(self.target, rows)


def is_empty(text: str) -> bool:
    """Whether there is nothing to read: no character, or none that can be seen."""
    return all(unicodedata.category(each) in INVISIBLE or is_ignorable(each) for each in text)
