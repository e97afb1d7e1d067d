"""Rows of vectors in blocks: a matrix (N, D) that need not fit into memory."""

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix, vstack

from scansion.spill import IN_MEMORY, Spill, Stored


class SparseBlocks:
    """Blocks of sparse rows, one below the other; those beyond the first ``in_memory`` bytes lie in a file."""

    def __init__(self, blocks: Iterable[csr_matrix], in_memory: float = IN_MEMORY) -> None:
        self._blocks: list[csr_matrix | _StoredBlock] = []
        self.cuts, self.width = [0], 0
        spill, held = Spill(), 0
        for block in blocks:
            held += block.data.nbytes + block.indices.nbytes
            self._blocks.append(block if held <= in_memory else _StoredBlock.of(block, spill))
            self.cuts.append(self.cuts[-1] + block.shape[0])
            self.width = block.shape[1]

    @classmethod
    def of(cls, matrix: csr_matrix, blocks: int = 1) -> "SparseBlocks":
        """A matrix that is in memory already, cut into blocks of about as many rows."""
        cuts = np.unique([matrix.shape[0] * number // blocks for number in range(blocks + 1)])
        parts = [matrix[first:last] for first, last in pairwise(cuts)] if blocks > 1 else [matrix]
        return cls(parts, in_memory=float("inf"))

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        return self.cuts[-1], self.width

    def __len__(self) -> int:
        """How many blocks."""
        return len(self._blocks)

    def span(self, number: int) -> slice:
        """The rows of one block."""
        return slice(self.cuts[number], self.cuts[number + 1])

    def __getitem__(self, number: int) -> csr_matrix:
        """One block."""
        block = self._blocks[number]
        return block.load() if isinstance(block, _StoredBlock) else block

    def __iter__(self) -> Iterator[csr_matrix]:
        return (self[number] for number in range(len(self)))

    def map(self, function: Callable[[csr_matrix], csr_matrix]) -> "SparseBlocks":
        """Every block changed, which may be done in place."""
        return SparseBlocks(map(function, self))

    def rows(self, numbers: np.ndarray) -> csr_matrix:
        """The rows with the given ascending numbers, in memory."""
        parts = list(self._of_each_block(numbers))
        return vstack(parts, format="csr") if parts else csr_matrix((0, self.width), dtype=np.float32)

    def only(self, numbers: np.ndarray) -> "SparseBlocks":
        """The rows with the given ascending numbers, at least one, in blocks as they are here."""
        return SparseBlocks(self._of_each_block(numbers))

    def _of_each_block(self, numbers: np.ndarray) -> Iterator[csr_matrix]:
        borders = np.searchsorted(numbers, self.cuts)
        for block, (first, last) in enumerate(pairwise(borders)):
            if first < last:
                yield self[block][numbers[first:last] - self.cuts[block]]

    def by_columns(self) -> "SparseBlocks":
        """The same for products with several columns, at a third of the cost: blocks in memory laid out by columns."""
        found = copy(self)
        found._blocks = [each if isinstance(each, _StoredBlock) else each.tocsc() for each in self._blocks]
        return found

    def documents_with(self) -> np.ndarray:
        """How many rows have each column, (D,)."""
        return sum((np.bincount(block.indices, minlength=self.width) for block in self), np.zeros(self.width, np.int64))


@dataclass(frozen=True)
class _StoredBlock:
    data: Stored
    indices: Stored
    borders: np.ndarray
    shape: tuple[int, int]

    @classmethod
    def of(cls, block: csr_matrix, spill: Spill) -> "_StoredBlock":
        return cls(spill.store(block.data), spill.store(block.indices), block.indptr, block.shape)

    def load(self) -> csr_matrix:
        block = csr_matrix((self.data[:], self.indices[:], self.borders), self.shape)
        block.has_canonical_format = True
        return block
