"""What is made of the scores of the next token before one is drawn, in the order in which ``transformers`` does it.

    repetition penalty   of what was read and written before: a score below 0 times r, one above 0 by r (Keskar et al.
                         2019)
    temperature          all scores by T; 0 leaves the best alone
    top k                the k best (Fan et al. 2018)
    top p                the best, until they have the probability p together (Holtzman et al. 2020)
    min p                those at least m times as probable as the best (Nguyen et al. 2024)

What is left out scores minus infinity; the best is never left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from scansion.errors import UsageError

LEFT_OUT = float("-inf")


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn; by default from the model's distribution as it is."""

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise UsageError(f"A temperature is at least 0, where the likeliest is taken; got {self.temperature!r}.")
        if self.top_k is not None and self.top_k < 1:
            raise UsageError(f"top_k is a whole number of tokens, at least 1; got {self.top_k!r}.")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise UsageError(f"top_p is a probability above 0 and at most 1; got {self.top_p!r}.")
        if self.min_p is not None and not 0 <= self.min_p <= 1:
            raise UsageError(f"min_p is a share of the best probability, from 0 to 1; got {self.min_p!r}.")
        if self.repetition_penalty is not None and not 0 < self.repetition_penalty < float("inf"):
            raise UsageError(f"A repetition penalty is a number above 0; got {self.repetition_penalty!r}.")

    def best(self, scores: Tensor, before: Sequence[Sequence[int]]) -> Tensor:
        """The likeliest tokens (B,), which is all that a temperature of 0 leaves."""
        if self.repetition_penalty is not None:
            scores = penalized(scores, before, self.repetition_penalty)
        return likeliest(scores)

    def filtered(self, scores: Tensor, before: Sequence[Sequence[int]]) -> Tensor:
        """The scores (B, V) that are drawn from, after the tokens ``before`` each of the B."""
        if self.repetition_penalty is not None:
            scores = penalized(scores, before, self.repetition_penalty)
        if self.temperature == 0:
            return torch.full_like(scores, LEFT_OUT).scatter(1, likeliest(scores)[:, None], 0.0)
        scores = scores / self.temperature
        if self.top_k is not None and self.top_k < scores.shape[1]:
            least = scores.topk(self.top_k, dim=1).values[:, -1:]
            scores = scores.masked_fill(scores < least, LEFT_OUT)
        if self.top_p is not None:
            scores = nucleus(scores, self.top_p)
        if self.min_p is not None:
            shares = scores.softmax(dim=1)
            scores = scores.masked_fill(shares < self.min_p * shares.amax(dim=1, keepdim=True), LEFT_OUT)
        return scores


def likeliest(scores: Tensor) -> Tensor:
    """The best token (B,) of each row of scores (B, V), the first of equal ones.

    numpy compares many numbers at once, where torch takes 15 to 20 times as long.
    """
    return torch.from_numpy(scores.numpy().argmax(axis=1))


def penalized(scores: Tensor, before: Sequence[Sequence[int]], penalty: float) -> Tensor:
    """Scores (B, V) in which those of the tokens ``before`` each are held against them."""
    scores = scores.clone()
    for row, tokens in enumerate(before):
        met = torch.tensor(sorted(set(tokens)), dtype=torch.int64)
        mine = scores[row, met]
        scores[row, met] = torch.where(mine < 0, mine * penalty, mine / penalty)
    return scores


def nucleus(scores: Tensor, share: float) -> Tensor:
    """Scores (B, V) without the least probable that together have at most 1 - ``share``."""
    ordered, order = scores.sort(dim=1)
    out = ordered.softmax(dim=1).cumsum(dim=1) <= 1 - share
    out[:, -1] = False
    return scores.masked_fill(torch.zeros_like(out).scatter(1, order, out), LEFT_OUT)
