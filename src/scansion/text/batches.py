"""Batches: token ids in, rectangles with their masks out.

Batches hold about the same number of tokens, not of documents, and are cut from length-sorted windows of a shuffled
order, so that padding stays small and every epoch sees new batches.  The plan of an epoch is a pure function of
(seed, epoch): it can be computed anywhere, by anyone, without asking.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scansion.randomness import stream
from scansion.spill import Flat

PADDING, UNKNOWN, EMPTY = 0, 1, 2
FIRST_WORD = 3
WINDOW_BATCHES = 24  # a window of this many batches is sorted by length: 2-4 % padding, and still random


@dataclass(frozen=True)
class Sequences:
    """Many sequences in one flat array: row i is ``first + ids[starts[i]:starts[i] + lengths[i]]``.

    With a ``frame`` every row is read between its two tokens, which are no part of the row.
    """

    ids: Flat  # (tokens,) int32
    starts: np.ndarray  # (rows,) int64
    lengths: np.ndarray  # (rows,) int64
    first: int = 0
    frame: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def only(self, rows: np.ndarray | slice) -> "Sequences":
        """The given rows."""
        return replace(self, starts=self.starts[rows], lengths=self.lengths[rows])


@dataclass(frozen=True)
class Batch:
    """Padded rows. ``tokens (B, L)`` int64, ``mask (B, L)`` True on real tokens, ``rows (B,)`` their numbers."""

    tokens: np.ndarray
    mask: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


def collate(sequences: Sequences, rows: np.ndarray) -> Batch:
    """The rectangle of the given rows, padded to the longest of them.

    An empty row is its frame, or the single token EMPTY where there is none.
    """
    starts, lengths = sequences.starts[rows], sequences.lengths[rows]
    mask = np.arange(max(1, lengths.max())) < lengths[:, None]
    pieces = [sequences.ids[begin:end] for begin, end in zip(starts.tolist(), (starts + lengths).tolist(), strict=True)]
    tokens = np.full(mask.shape, PADDING, np.int64)
    tokens[mask] = np.concatenate(pieces) + sequences.first
    if sequences.frame is not None:
        return Batch(*_framed(tokens, lengths, sequences.frame), rows)
    tokens[lengths == 0, 0], mask[lengths == 0, 0] = EMPTY, True
    return Batch(tokens, mask, rows)


def _framed(tokens: np.ndarray, lengths: np.ndarray, frame: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows (B, L) between the two tokens of a frame, and their mask, both (B, longest + 2)."""
    longest = int(lengths.max())
    framed = np.pad(tokens[:, :longest], ((0, 0), (1, 1)), constant_values=PADDING)
    framed[:, 0] = frame[0]
    framed[np.arange(len(framed)), lengths + 1] = frame[1]
    return framed, np.arange(longest + 2) < lengths[:, None] + 2


def epoch_plan(lengths: np.ndarray, budget: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of one epoch, as arrays of row numbers; ``budget`` is in tokens, padding included."""
    random = stream(seed, "data order", epoch)
    order = random.permutation(len(lengths))
    window = max(1, round(WINDOW_BATCHES * budget / max(1.0, float(lengths.mean()))))
    batches: list[np.ndarray] = []
    for begin in range(0, len(order), window):
        rows = order[begin : begin + window]
        batches.extend(cut(rows[np.argsort(lengths[rows], kind="stable")], lengths, budget))
    return [batches[i] for i in random.permutation(len(batches))]


def reading_plan(lengths: np.ndarray, budget: int) -> list[np.ndarray]:
    """Every row once, longest first, for prediction: if memory is short it shows at once."""
    order = np.argsort(-lengths, kind="stable")
    return cut(order, lengths, budget)


def cut(rows: np.ndarray, lengths: np.ndarray, budget: int) -> list[np.ndarray]:
    """Cut length-sorted rows into rectangles of at most ``budget`` cells; a longer row stands alone."""
    batches: list[np.ndarray] = []
    begin, widest = 0, 0
    sizes: Sequence[int] = np.maximum(lengths[rows], 1).tolist()
    for end, size in enumerate(sizes):
        widest = max(widest, size)
        if end > begin and widest * (end + 1 - begin) > budget:
            batches.append(rows[begin:end])
            begin, widest = end, size
    if len(rows):
        batches.append(rows[begin:])
    return batches
