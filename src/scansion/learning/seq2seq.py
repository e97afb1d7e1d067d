"""A sequence-to-sequence model: an encoder-decoder under the next-token head, as the one loop trains it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scansion.heads.next_token import NextToken
from scansion.text.batches import reading_plan
from scansion.text.pairs import Pairs
from scansion.text.subword_tokenizer import BEGIN

READING_BUDGET = 2_048  # positions at a time: their logits are as wide as the vocabulary


@dataclass(frozen=True)
class Seq2SeqBatch:
    """source (B, S), mask (B, S), target (B, T), target_mask (B, T) True on the target's real tokens."""

    source: Tensor
    mask: Tensor
    target: Tensor
    target_mask: Tensor

    @property
    def decoder_input(self) -> Tensor:
        """What stands before each target token, (B, T)."""
        return torch.cat([torch.full_like(self.target[:, :1], BEGIN), self.target[:, :-1]], dim=1)


def batch_of(pairs: Pairs, rows: np.ndarray) -> Seq2SeqBatch:
    """The given rows as tensors."""
    return Seq2SeqBatch(*(
        torch.from_numpy(array) for side in pairs.batch(rows) for array in (side.tokens, side.mask)
    ))


class Seq2SeqModel(nn.Module):
    """source, what is written so far -> the next token."""

    def __init__(self, family: Any, vocab_size: int, smoothing: float) -> None:
        super().__init__()
        self.smoothing = smoothing
        self.network = family.build(vocab_size)
        self.head = NextToken(vocab_size)

    def forward(self, batch: Seq2SeqBatch) -> Tensor:
        """The vectors that the batch's real target tokens are predicted from, (n, D)."""
        return self.network(batch.source, batch.mask, batch.decoder_input)[batch.target_mask]

    def loss(self, batch: Seq2SeqBatch) -> Tensor:
        """The loss summed over the batch's target tokens, a scalar."""
        wanted = batch.target[batch.target_mask]
        return self.head.loss(self(batch), self.network.output_embedding, wanted, self.smoothing)

    def negative_log_likelihood(self, batch: Seq2SeqBatch) -> Tensor:
        """The negative log-probability of each row's target, (B,)."""
        rows = batch.target_mask.nonzero()[:, 0]
        return torch.zeros(len(batch.target)).index_add_(0, rows, -self.log_probs(batch))

    def log_probs(self, batch: Seq2SeqBatch) -> Tensor:
        """The log-probability of each of the batch's real target tokens, (n,)."""
        wanted = batch.target[batch.target_mask]
        return self.head.log_probs(self(batch), self.network.output_embedding).gather(1, wanted[:, None])[:, 0]

    def step(self, last: Tensor, state: Any) -> tuple[Tensor, Any]:
        """(N,) -> log-probabilities of the next token (N, V), and the state after."""
        vectors, state = self.network.step(last, state)
        return self.head.log_probs(vectors, self.network.output_embedding), state


def build_seq2seq(family: Any, vocab_size: int, smoothing: float, seed: int) -> Seq2SeqModel:
    """A model whose first weights are a function of the seed; torch's own random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Seq2SeqModel(family, vocab_size, smoothing)


def with_weights(model: Seq2SeqModel, weights: Mapping[str, np.ndarray]) -> Seq2SeqModel:
    """The model with the given weights, ready to translate."""
    model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return model.eval()


def negative_log_likelihoods(model: Seq2SeqModel, pairs: Pairs) -> np.ndarray:
    """The negative log-probability of each target given its source, (N,)."""
    found = np.zeros(len(pairs))
    model.eval()
    with torch.inference_mode():
        for rows in reading_plan(pairs.lengths, READING_BUDGET):
            found[rows] = model.negative_log_likelihood(batch_of(pairs, rows)).numpy()
    return found
