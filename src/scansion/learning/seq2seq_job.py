"""Training a sequence-to-sequence model: all that one run of it is a function of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from scansion.learning.description import FitDescription
from scansion.learning.job import ShuffledRows
from scansion.learning.job_files import read_description, read_sequences, write_description, write_sequences
from scansion.learning.seq2seq import (
    Seq2SeqBatch,
    Seq2SeqModel,
    batch_of,
    build_seq2seq,
    negative_log_likelihoods,
)
from scansion.learning.training import Training
from scansion.text.pairs import Pairs

SIDES = ("source", "target", "held_out_source", "held_out_target")


@dataclass(frozen=True)
class Seq2SeqJob(ShuffledRows):
    """The family of ``description`` with so many tokens, what it learns from and what it is validated on."""

    description: FitDescription
    tokens: int
    pairs: Pairs
    held_out: Pairs

    @property
    def training(self) -> Training:
        """The recipe."""
        return self.description.training

    @property
    def seed(self) -> int:
        """Of everything that is drawn."""
        return self.description.seed

    @property
    def learning_rate(self) -> float:
        """The family's."""
        return self.description.family.learning_rate

    @property
    def lengths(self) -> np.ndarray:
        """Of the longer side of each pair, (N,)."""
        return self.pairs.lengths

    @property
    def weights(self) -> np.ndarray:
        """Target tokens of each pair (N,): every token counts alike."""
        return self.pairs.target.lengths.astype(np.float64)

    def build(self) -> Seq2SeqModel:
        """The model with its first weights."""
        return build_seq2seq(self.description.family, self.tokens, self.training.label_smoothing, self.seed)

    def batch(self, rows: np.ndarray) -> Seq2SeqBatch:
        """The given pairs."""
        return batch_of(self.pairs, rows)

    def errors(self, model: Seq2SeqModel) -> tuple[np.ndarray, np.ndarray]:
        """The mean negative log-probability of a held-out pair's target tokens (M,), and how many they are (M,)."""
        tokens = self.held_out.target.lengths
        return negative_log_likelihoods(model, self.held_out) / tokens, tokens

    def write(self, folder: Path) -> None:
        """Token ids that are read as they are needed, and a JSON description."""
        parts = (self.pairs.source, self.pairs.target, self.held_out.source, self.held_out.target)
        write_sequences(folder, dict(zip(SIDES, parts, strict=True)))
        write_description(folder, self.description, {"tokens": self.tokens})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The inverse of :meth:`write`."""
        description, sizes = read_description(folder)
        source, target, held_out_source, held_out_target = (read_sequences(folder, name) for name in SIDES)
        return cls(description, sizes["tokens"], Pairs(source, target), Pairs(held_out_source, held_out_target))
