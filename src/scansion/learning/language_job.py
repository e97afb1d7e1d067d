"""Training a language model: all that one run of it is a function of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from scansion.learning.description import FitDescription
from scansion.learning.job_files import read_description, read_sequences, write_description, write_sequences
from scansion.learning.language_network import LanguageNetwork, build_language, score_windows
from scansion.learning.training import Training
from scansion.text.batches import Batch, Sequences, collate

PARTS = ("windows", "held_out")


@dataclass(frozen=True)
class LanguageJob:
    """The family of ``description`` with so many tokens, the windows it learns from and is validated on."""

    description: FitDescription
    tokens: int
    windows: Sequences
    held_out: Sequences

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
        """Of each window, (W,)."""
        return self.windows.lengths

    @property
    def weights(self) -> np.ndarray:
        """Tokens of each window that are foretold (W,): every token counts alike."""
        return (self.windows.lengths - 1).astype(np.float64)

    def build(self) -> LanguageNetwork:
        """The model with its first weights."""
        return build_language(self.description.family, self.tokens, self.training.label_smoothing, self.seed)

    def batch(self, rows: np.ndarray) -> Batch:
        """The given windows."""
        return collate(self.windows, rows)

    def errors(self, model: LanguageNetwork) -> tuple[np.ndarray, np.ndarray]:
        """The mean negative log-probability of a held-out window's tokens (M,), and how many they are (M,)."""
        held_out, tokens = self.held_out, self.held_out.lengths - 1
        found = score_windows(model, held_out, np.ones(len(held_out), np.int64))
        sums = np.concatenate([[0.0], np.cumsum(found)])
        ends = held_out.starts + held_out.lengths
        return (sums[held_out.starts + 1] - sums[ends]) / tokens, tokens

    def write(self, folder: Path) -> None:
        """Token ids that are read as they are needed, and a JSON description."""
        write_sequences(folder, dict(zip(PARTS, (self.windows, self.held_out), strict=True)))
        write_description(folder, self.description, {"tokens": self.tokens})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The inverse of :meth:`write`."""
        description, sizes = read_description(folder)
        windows, held_out = (read_sequences(folder, name) for name in PARTS)
        return cls(description, sizes["tokens"], windows, held_out)
