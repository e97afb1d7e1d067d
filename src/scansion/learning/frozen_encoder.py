"""A frozen encoder: it gives every text one vector, such as the mean of its positions', and learns but their scale.

    x = (v - mean) / deviation / sqrt(D)

so that every dimension has its say and texts are about as far from the middle as counted ones.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import nn

from scansion.layers.packed import packed
from scansion.layers.pooling import pooled
from scansion.layers.sparse_blocks import SparseBlocks
from scansion.learning.document_network import averaged, cut_windows, reading_budget
from scansion.learning.thread_pool import map_in_threads
from scansion.storage.fingerprints import fingerprint_of, fingerprint_of_arrays
from scansion.storage.vectors import KeptVectors, key_of
from scansion.text.batches import Sequences, collate, reading_plan

BLOCKS = 2
FORWARD_VERSION = "1"
"""To be raised whenever the same weights, tokens and options come to another vector: kept ones are then made anew."""
WORTH_KEEPING = 64  # fewer new texts are read sooner than a file of their own is worth
SMALLEST_DEVIATION = 1e-6


@dataclass(frozen=True)
class FrozenEncoder:
    """A network whose weights stay as they are; ``width`` is that of a text's vector."""

    network: nn.Module
    width: int
    max_length: int
    pooling: tuple[str, ...] = ("mean",)
    """How a text's vector is made of its positions', by the names of :data:`scansion.layers.pooling.POOLINGS`."""
    keeps: bool = True
    """Whether vectors are kept on disk."""

    @cached_property
    def fingerprint(self) -> str:
        """Of all that a vector depends on but the tokens; empty for a network that shows no weights."""
        weights = {name: tensor.numpy() for name, tensor in self.network.state_dict().items()}
        if not weights:
            return ""
        shape = repr(getattr(self.network, "configuration", ""))
        parts = (FORWARD_VERSION, shape, str(self.max_length), *self.pooling, fingerprint_of_arrays(weights))
        return fingerprint_of(parts)

    @cached_property
    def packed(self) -> nn.Module:
        """The network, ready to read fast."""
        return packed(self.network.eval())

    def __getstate__(self) -> dict[str, Any]:
        """Without what was made of the fields on the way."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def encode(self, sequences: Sequences) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Row numbers and their vectors (B, D), batch by batch; long rows are the mean of overlapping windows."""
        windows, owners = cut_windows(sequences, self.max_length)
        network = self.packed
        plan = reading_plan(windows.lengths, reading_budget(self.network))
        vectors = np.zeros((len(windows), self.width), np.float32)
        for rows, made in zip(plan, map_in_threads(lambda rows: self._made(network, windows, rows), plan), strict=True):
            vectors[rows] = made
            if len(windows) == len(sequences):
                yield rows, made
        if len(windows) > len(sequences):
            yield np.arange(len(sequences)), averaged(vectors, windows.lengths, owners, len(sequences))

    def fresh_vectors(self, sequences: Sequences) -> np.ndarray:
        """(N, D) float32, all of them made now."""
        vectors = np.zeros((len(sequences), self.width), np.float32)
        for rows, made in self.encode(sequences):
            vectors[rows] = made
        return vectors

    def vectors(self, sequences: Sequences) -> np.ndarray:
        """(N, D) float32; those of texts that were met before come from disk."""
        if not self.keeps or not self.fingerprint:
            return self.fresh_vectors(sequences)
        reader = fingerprint_of((self.fingerprint, repr((sequences.first, sequences.frame))))
        kept, ids = KeptVectors(reader, self.width), sequences.ids
        ends = (sequences.starts + sequences.lengths).tolist()
        keys = [key_of(ids[begin:end].tobytes()) for begin, end in zip(sequences.starts.tolist(), ends, strict=True)]
        found = kept.find(keys)
        vectors = np.zeros((len(keys), self.width), np.float32)
        new = np.array([row for row, key in enumerate(keys) if key not in found], np.int64)
        for row, key in enumerate(keys):
            if key in found:
                vectors[row] = found[key]
        if len(new):
            vectors[new] = self.fresh_vectors(sequences.only(new))
        if len(new) >= WORTH_KEEPING:
            with suppress(OSError):  # where nothing can be kept, making them again costs time and nothing else
                kept.keep([keys[row] for row in new], vectors[new])
        return vectors

    def _made(self, network: nn.Module, windows: Sequences, rows: np.ndarray) -> np.ndarray:
        batch = collate(windows, rows)
        mask = torch.from_numpy(batch.mask)
        with torch.inference_mode():
            return pooled(network(torch.from_numpy(batch.tokens), mask), mask, self.pooling).numpy()


class FrozenVectors:
    """What a counted family does, done by an encoder."""

    def __init__(self, encoder: FrozenEncoder) -> None:
        self.encoder = encoder
        self.mean, self.deviation = np.zeros(0, np.float32), np.zeros(0, np.float32)

    def learn(self, sequences: Sequences) -> SparseBlocks:
        """Learn the scale of the vectors; the training texts' (N, D)."""
        vectors = self.encoder.vectors(sequences)
        self.mean, self.deviation = vectors.mean(axis=0), vectors.std(axis=0).clip(min=SMALLEST_DEVIATION)
        return SparseBlocks.of(csr_matrix(self._scaled(vectors)), BLOCKS)

    def vectors(self, sequences: Sequences) -> csr_matrix:
        """(N, D), no entry of them left out."""
        return csr_matrix(self._scaled(self.encoder.vectors(sequences)))

    def widths(self, vectors: SparseBlocks, targets: np.ndarray | None, outputs: int) -> None:
        """One dimension is as good as another."""

    def _scaled(self, vectors: np.ndarray) -> np.ndarray:
        return (vectors - self.mean) / self.deviation / np.float32(self.encoder.width**0.5)
