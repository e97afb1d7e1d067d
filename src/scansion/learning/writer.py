"""A writer: an encoder-decoder under the next-token head.  What the one loop trains for translation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scansion.families.catalogue import WritingFamily
from scansion.heads.next_token import NextToken
from scansion.learning.gradient import Training
from scansion.text.batches import reading_plan
from scansion.text.pairs import Pairs
from scansion.text.subwords import BEGIN

READING_BUDGET = 2_048  # positions at a time: their scores are as wide as the vocabulary


@dataclass(frozen=True)
class WriterBatch:
    """source (B, S), mask (B, S), target (B, T), written (B, T) True on the target's real tokens."""

    source: Tensor
    mask: Tensor
    target: Tensor
    written: Tensor

    @property
    def before(self) -> Tensor:
        """What stands before each target token, (B, T)."""
        return torch.cat([torch.full_like(self.target[:, :1], BEGIN), self.target[:, :-1]], dim=1)


def batch_of(pairs: Pairs, rows: np.ndarray) -> WriterBatch:
    """The given rows as tensors."""
    return WriterBatch(*(
        torch.from_numpy(array) for side in pairs.batch(rows) for array in (side.tokens, side.mask)
    ))


@dataclass(frozen=True)
class WriterTraining(Training):
    """One recipe for every pair of languages."""

    tokens: int = 50_000_000
    most_epochs: int = 80
    steps: int = 17_000
    smallest_batch: int = 1_000
    averaged: float = 0.1


class Writer(nn.Module):
    """source, what is written so far -> the next token."""

    def __init__(self, family: WritingFamily, pieces: int, training: WriterTraining) -> None:
        super().__init__()
        self.smoothing = training.label_smoothing
        self.network = family.build(pieces)
        self.head = NextToken(pieces)

    def forward(self, batch: WriterBatch) -> Tensor:
        """The vectors that speak for the batch's real target tokens, (n, D)."""
        return self.network(batch.source, batch.mask, batch.before)[batch.written]

    def loss(self, batch: WriterBatch) -> Tensor:
        """The loss summed over the batch's target tokens, a scalar."""
        wanted = batch.target[batch.written]
        return self.head.loss(self(batch), self.network.table, wanted, self.smoothing)

    def surprise(self, batch: WriterBatch) -> Tensor:
        """The negative log-probability of each row's target, (B,)."""
        rows = batch.written.nonzero()[:, 0]
        return torch.zeros(len(batch.target)).index_add_(0, rows, -self.chances(batch))

    def chances(self, batch: WriterBatch) -> Tensor:
        """The log-probability of each of the batch's real target tokens, (n,)."""
        wanted = batch.target[batch.written]
        return self.head.log_probabilities(self(batch), self.network.table).gather(1, wanted[:, None])[:, 0]

    def step(self, last: Tensor, state: Any) -> tuple[Tensor, Any]:
        """(N,) -> log-probabilities of the next token (N, V), and the state after."""
        vectors, state = self.network.step(last, state)
        return self.head.log_probabilities(vectors, self.network.table), state


def build_writer(family: WritingFamily, pieces: int, training: WriterTraining, seed: int) -> Writer:
    """A writer whose first weights are a function of the seed; torch's own random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Writer(family, pieces, training)


def restored(writer: Writer, weights: Mapping[str, np.ndarray]) -> Writer:
    """The writer with the given weights, ready to write."""
    writer.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return writer.eval()


def surprises(writer: Writer, pairs: Pairs) -> np.ndarray:
    """The negative log-probability of each target given its source, (N,)."""
    found = np.zeros(len(pairs))
    writer.eval()
    with torch.inference_mode():
        for rows in reading_plan(pairs.lengths, READING_BUDGET):
            found[rows] = writer.surprise(batch_of(pairs, rows)).numpy()
    return found
