"""Training a document network: all that one run of it is a function of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from scansion.layers.lr_scale import lr_scale_of, set_lr_scale
from scansion.learning.description import FitDescription
from scansion.learning.document_network import (
    DocumentBatch,
    DocumentNetwork,
    build_document_network,
    cut_windows,
    logits_of,
)
from scansion.learning.job import ShuffledRows
from scansion.learning.job_files import (
    read_description,
    read_index,
    read_sequences,
    write_description,
    write_index,
    write_sequences,
)
from scansion.learning.optimizer import tables_of
from scansion.learning.training import Training
from scansion.memory import check_memory
from scansion.text.batches import Sequences, collate
from scansion.text.vocabulary import SubwordIndex

START = "start.safetensors"
BYTES_A_TOKEN = 64  # and unit of width, kept for the backward pass: an LSTM took 71, an RNN 103
LEARNED_TABLE_LR_SCALE = 0.3  # of word vectors that plenty of text has taught: a few answers should not undo it


@dataclass(frozen=True)
class Examples:
    """Sequences with their answers: ``targets`` as the head encodes them, ``weights (N,)``."""

    sequences: Sequences
    targets: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.sequences)

    def only(self, rows: np.ndarray) -> "Examples":
        """The given rows."""
        return Examples(self.sequences.only(rows), self.targets[rows], self.weights[rows])

    def batch(self, rows: np.ndarray) -> DocumentBatch:
        """The given rows as tensors."""
        padded = collate(self.sequences, rows)
        return DocumentBatch(
            torch.from_numpy(padded.tokens),
            torch.from_numpy(padded.mask),
            torch.from_numpy(self.targets[rows]),
            torch.from_numpy(self.weights[rows].astype(np.float32)),
        )

    def windowed(self, max_length: int | None) -> "Examples":
        """The same with long rows cut into windows, which share their row's answer and its weight."""
        sequences, owners = cut_windows(self.sequences, max_length)
        if len(sequences) == len(self):
            return self
        return Examples(sequences, self.targets[owners], self.weights[owners] / np.bincount(owners)[owners])


@dataclass(frozen=True)
class Start:
    """What a network is built for: ``words`` and ``char_ngrams`` by number, and first ``weights`` of its encoder.

    ``index`` is None where tokens are words themselves.
    """

    words: int
    char_ngrams: int = 0
    index: SubwordIndex | None = None
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class DocumentJob(ShuffledRows):
    """The family of ``description`` under its head, what it learns from and what it is validated on.

    DataError if the longest text, of a family that reads texts of any length at once, needs more memory than is free.
    """

    description: FitDescription
    start: Start
    examples: Examples
    held_out: Examples

    def __post_init__(self) -> None:
        longest, width = int(self.lengths.max(initial=0)), self.family.width
        read = f"A text of {longest:,} tokens, which a network of width {width} reads at once,"
        check_memory(longest * width * BYTES_A_TOKEN, read, "Split it, or take bag-of-words or transformer.")

    @property
    def family(self) -> Any:
        """The encoder's configuration."""
        return self.description.family

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
        return self.family.learning_rate

    @property
    def word_sum(self) -> bool:
        """Whether the head also sees the sum of the word vectors; for numbers only once they are pretrained."""
        if self.start.weights or self.description.head.kind == "regression":
            return bool(self.start.weights) and self.family.word_sum != "never"
        return self.family.word_sum == "always"

    @cached_property
    def windows(self) -> Examples:
        """The examples, none longer than the family reads at a time."""
        return self.examples.windowed(self.family.max_length)

    @property
    def lengths(self) -> np.ndarray:
        """Of the windows, (N,)."""
        return self.windows.sequences.lengths

    @property
    def weights(self) -> np.ndarray:
        """Of the windows, (N,)."""
        return self.windows.weights

    def build(self) -> DocumentNetwork:
        """The network with its first weights."""
        start = self.start
        network = build_document_network(
            self.family, start.words, start.char_ngrams, self.description.head, self.training.label_smoothing,
            self.seed, self.word_sum,
        )
        if start.index is not None:
            network.use(start.index)
        if start.weights:
            network.encoder.load_state_dict({name: torch.from_numpy(each) for name, each in start.weights.items()})
            for table in tables_of(network.encoder):
                set_lr_scale(table, lr_scale_of(table, LEARNED_TABLE_LR_SCALE))
        return network

    def batch(self, rows: np.ndarray) -> DocumentBatch:
        """The given windows."""
        return self.windows.batch(rows)

    def errors(self, model: DocumentNetwork) -> tuple[np.ndarray, np.ndarray]:
        """The head's error of each held-out row (M,), and the row's weight (M,)."""
        logits = self.logits(model, self.held_out.sequences)
        return self.description.head.errors(logits, self.held_out.targets), self.held_out.weights

    def logits(self, model: DocumentNetwork, sequences: Sequences) -> np.ndarray:
        """Of each of the given rows, in the job's own tokens, (M, K)."""
        network = model if self.start.index is None else model.using(self.start.index)
        return logits_of(network, sequences, self.family.max_length)

    def write(self, folder: Path) -> None:
        """Token ids that are read as they are needed, arrays, and a JSON description."""
        parts = {"examples": self.examples, "held_out": self.held_out}
        write_sequences(folder, {name: part.sequences for name, part in parts.items()})
        for name, part in parts.items():
            np.savez(folder / f"{name}.answers.npz", targets=part.targets, weights=part.weights)
        write_index(folder, self.start.index)
        save_file(dict(self.start.weights), folder / START)
        write_description(folder, self.description, {
            "words": self.start.words, "char_ngrams": self.start.char_ngrams,
        })

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The inverse of :meth:`write`."""
        description, sizes = read_description(folder)
        parts = []
        for name in ("examples", "held_out"):
            answers = np.load(folder / f"{name}.answers.npz")
            parts.append(Examples(read_sequences(folder, name), answers["targets"], answers["weights"]))
        start = Start(sizes["words"], sizes["char_ngrams"], read_index(folder), load_file(folder / START))
        return cls(description, start, *parts)
