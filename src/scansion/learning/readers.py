"""Learning a reader: what one run of it is a function of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from scansion.families.catalogue import READERS, ReadingFamily, name_of
from scansion.heads.catalogue import HEADS, Head
from scansion.learning.gradient import Training
from scansion.learning.inputs import read_sequences, read_spelling, write_sequences, write_spelling
from scansion.learning.optimiser import pace_of, tables_of
from scansion.learning.reader import Examples, Reader, ReaderBatch, build_reader, cut_windows, read
from scansion.storage.schema import from_json, to_json
from scansion.text.batches import Sequences
from scansion.text.vocabulary import Spelling

START = "start.safetensors"
LEARNED_TABLE_RATE = 0.3  # of word vectors that plenty of text has taught: a few answers should not undo it


@dataclass(frozen=True)
class ReaderJob:
    """A family under a head, its ``words`` and ``pieces`` by number, what it learns from and what it is watched on.

    ``spelling`` is None where tokens are words themselves; ``start`` holds weights of the network to begin with.
    """

    family: ReadingFamily
    head: Head
    words: int
    pieces: int
    training: Training
    seed: int
    spelling: Spelling | None
    examples: Examples
    held_out: Examples
    start: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def learning_rate(self) -> float:
        """The family's."""
        return self.family.learning_rate

    @property
    def words_beside(self) -> bool:
        """Whether the head sees the words beside what the network makes of them; for numbers only once pretrained."""
        if self.start or self.head.kind == "regression":
            return bool(self.start) and self.family.words_beside != "never"
        return self.family.words_beside == "always"

    @cached_property
    def windows(self) -> Examples:
        """The examples, none longer than the family reads at a time."""
        return windowed(self.examples, self.family.longest)

    @property
    def lengths(self) -> np.ndarray:
        """Of the windows, (N,)."""
        return self.windows.sequences.lengths

    @property
    def weights(self) -> np.ndarray:
        """Of the windows, (N,)."""
        return self.windows.weights

    def build(self) -> Reader:
        """The reader with its first weights."""
        smoothing = self.training.label_smoothing
        reader = build_reader(
            self.family, self.words, self.pieces, self.head, smoothing, self.seed, self.words_beside
        )
        if self.spelling is not None:
            reader.use(self.spelling)
        if self.start:
            reader.network.load_state_dict({name: torch.from_numpy(array) for name, array in self.start.items()})
            for table in tables_of(reader.network):
                table.pace = pace_of(table, LEARNED_TABLE_RATE)
        return reader

    def batch(self, rows: np.ndarray) -> ReaderBatch:
        """The given windows."""
        return self.windows.batch(rows)

    def errors(self, model: Reader) -> tuple[np.ndarray, np.ndarray]:
        """The head's error of each held-out row (M,), and the row's weight (M,)."""
        scores = self.scores(model, self.held_out.sequences)
        return self.head.errors(scores, self.held_out.targets), self.held_out.weights

    def scores(self, model: Reader, sequences: Sequences) -> np.ndarray:
        """Of each of the given rows, in the job's own tokens, (M, K)."""
        reader = model if self.spelling is None else model.reading(self.spelling)
        return read(reader, sequences, self.family.longest)

    def write(self, folder: Path) -> None:
        """Token ids that are read as they are needed, arrays, and a JSON configuration."""
        parts = {"examples": self.examples, "held_out": self.held_out}
        write_sequences(folder, {name: part.sequences for name, part in parts.items()})
        for name, part in parts.items():
            np.savez(folder / f"{name}.answers.npz", targets=part.targets, weights=part.weights)
        if self.spelling is not None:
            write_spelling(folder, self.spelling)
        save_file(dict(self.start), folder / START)
        (folder / "reader.json").write_text(json.dumps({
            "family": name_of(self.family), "options": to_json(self.family), "kind": self.head.kind,
            "head": to_json(self.head), "words": self.words, "pieces": self.pieces,
            "training": to_json(self.training), "seed": self.seed, "spelled": self.spelling is not None,
        }))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The inverse of :meth:`write`."""
        job = json.loads((folder / "reader.json").read_text())
        parts = {}
        for name in ("examples", "held_out"):
            answers = np.load(folder / f"{name}.answers.npz")
            parts[name] = Examples(read_sequences(folder, name), answers["targets"], answers["weights"])
        return cls(
            from_json(READERS[job["family"]], job["options"], "reader.json"),
            from_json(HEADS[job["kind"]], job["head"], "reader.json"), job["words"], job["pieces"],
            from_json(Training, job["training"], "reader.json"), job["seed"],
            read_spelling(folder) if job["spelled"] else None, start=load_file(folder / START), **parts,
        )


def windowed(examples: Examples, longest: int | None) -> Examples:
    """The same examples with long rows cut into windows, which share their row's answer and its weight."""
    sequences, owners = cut_windows(examples.sequences, longest)
    if len(sequences) == len(examples):
        return examples
    shares = examples.weights[owners] / np.bincount(owners)[owners]
    return Examples(sequences, examples.targets[owners], shares)
