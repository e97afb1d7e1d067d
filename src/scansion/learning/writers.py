"""Learning a writer: what one run of it is a function of."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from scansion.families.catalogue import WRITERS, WritingFamily, name_of
from scansion.learning.inputs import read_sequences, write_sequences
from scansion.learning.writer import Writer, WriterBatch, WriterTraining, batch_of, build_writer, surprises
from scansion.storage.schema import from_json, to_json
from scansion.text.pairs import Pairs


@dataclass(frozen=True)
class WriterJob:
    """A family with so many ``pieces``, what it learns from and what it is watched on."""

    family: WritingFamily
    pieces: int
    training: WriterTraining
    seed: int
    pairs: Pairs
    held_out: Pairs

    @property
    def learning_rate(self) -> float:
        """The family's."""
        return self.family.learning_rate

    @property
    def lengths(self) -> np.ndarray:
        """Of the longer side of each pair, (N,)."""
        return self.pairs.lengths

    @property
    def weights(self) -> np.ndarray:
        """Target tokens of each pair (N,): every token has the same say."""
        return self.pairs.target.lengths.astype(np.float64)

    def build(self) -> Writer:
        """The writer with its first weights."""
        return build_writer(self.family, self.pieces, self.training, self.seed)

    def batch(self, rows: np.ndarray) -> WriterBatch:
        """The given pairs."""
        return batch_of(self.pairs, rows)

    def errors(self, model: Writer) -> tuple[np.ndarray, np.ndarray]:
        """The mean negative log-probability of a held-out pair's target tokens (M,), and how many they are (M,)."""
        tokens = self.held_out.target.lengths
        return surprises(model, self.held_out) / tokens, tokens

    def write(self, folder: Path) -> None:
        """Token ids that are read as they are needed, arrays, and a JSON configuration."""
        parts = (self.pairs.source, self.pairs.target, self.held_out.source, self.held_out.target)
        write_sequences(folder, dict(zip(SIDES, parts, strict=True)))
        (folder / "writer.json").write_text(json.dumps({
            "family": name_of(self.family),
            "options": to_json(self.family), "pieces": self.pieces, "training": to_json(self.training),
            "seed": self.seed,
        }))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The inverse of :meth:`write`."""
        job = json.loads((folder / "writer.json").read_text())
        sides = [read_sequences(folder, name) for name in SIDES]
        return cls(
            from_json(WRITERS[job["family"]], job["options"], "writer.json"), job["pieces"],
            from_json(WriterTraining, job["training"], "writer.json"), job["seed"],
            Pairs(*sides[:2]), Pairs(*sides[2:]),
        )


SIDES = ("source", "target", "held_out_source", "held_out_target")
