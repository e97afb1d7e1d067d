"""Training a language model: all that one run of it is a function of."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from safetensors.numpy import load_file, save_file

from scansion.families.catalogue import STORED
from scansion.learning.description import FitDescription
from scansion.learning.job_files import read_description, read_sequences, write_description, write_sequences
from scansion.learning.language_network import LanguageNetwork, build_language, score_windows, with_weights
from scansion.learning.training import Training
from scansion.storage.schema import OneOf, from_json, to_json
from scansion.text.batches import Batch, Sequences, collate, epoch_plan
from scansion.text.stretches import Stretches, stretches_of

PARTS = ("windows", "held_out")
NETWORK, START = "network.json", "start.safetensors"


@dataclass(frozen=True)
class Network:
    """The configuration of a network, as a job's folder holds it."""

    network: Annotated[Any, OneOf(STORED)]


@dataclass(frozen=True)
class LanguageJob:
    """The family of ``description`` with so many tokens, the windows it learns from and is validated on."""

    description: FitDescription
    tokens: int
    windows: Sequences
    held_out: Sequences
    network: Any
    """The configuration of what is trained: the family, or what it found in a folder."""
    start: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Its first weights, if it has some."""

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
        return self.network.learning_rate

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
        model = build_language(self.network, self.tokens, self.training.label_smoothing, self.seed)
        return with_weights(model, self.start, inside="network.") if self.start else model

    @cached_property
    def stretches(self) -> Stretches | None:
        """The order of windows that follow one another; None where they overlap and each is read for itself."""
        if self.network.stride < self.network.window:
            return None
        return stretches_of(self.windows, self.training.batch_tokens(int(self.lengths.sum())))

    def plan(self, batch_tokens: int, epoch: int) -> Sequence[np.ndarray]:
        """See :class:`scansion.learning.job.Job`."""
        if self.stretches is None:
            return epoch_plan(self.lengths, batch_tokens, self.seed, epoch)
        return self.stretches.plan(batch_tokens, self.seed, epoch)

    def batch(self, rows: np.ndarray) -> Batch:
        """The given windows."""
        padded = collate(self.windows, rows)
        return padded if self.stretches is None else self.stretches.batch(padded)

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
        save_file(dict(self.start), folder / START)
        (folder / NETWORK).write_text(json.dumps(to_json(Network(self.network))))
        write_description(folder, self.description, {"tokens": self.tokens})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The inverse of :meth:`write`."""
        description, sizes = read_description(folder)
        windows, held_out = (read_sequences(folder, name) for name in PARTS)
        network = from_json(Network, json.loads((folder / NETWORK).read_text()), NETWORK).network
        return cls(description, sizes["tokens"], windows, held_out, network, load_file(folder / START))
