"""Dropout (Srivastava et al. 2014) whose mask comes from (seed, step, rank, layer), cut from raw random bytes.

``torch.nn.functional.dropout`` draws one float a number and takes 13-20 % of a training step on a CPU; comparing raw
bytes with a threshold is several times faster and lets a run resume bit for bit.  The rate is rounded to 1/256.
"""

import numpy as np
import torch
from torch import Tensor, nn

from scansion.errors import UsageError
from scansion.randomness import stream

LEVELS = 256


class Dropout(nn.Module):
    """Zeroes each number with chance ``rate`` while training and scales the rest by 1 / (1 - rate).

    Before every training step the loop calls :func:`reseed`; forgetting it is an error, never a repeated mask.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.threshold = round(rate * LEVELS)
        self.random: np.random.Generator | None = None

    def forward(self, vectors: Tensor) -> Tensor:
        if not self.training or self.threshold == 0:
            return vectors
        return vectors * self.keep(vectors.shape)

    def stream(self) -> np.random.Generator:
        """The random numbers of this step; UsageError if the loop has not reseeded the model for it."""
        if self.random is None:
            raise UsageError("Dropout has no random stream for this step. Call reseed(model, seed, step) first.")
        return self.random

    def keep(self, shape: torch.Size | tuple[int, ...]) -> Tensor:
        """A mask of zeros and 1 / (1 - rate)."""
        kept = keep_bytes(self.stream(), shape, self.threshold)
        return kept.to(torch.get_default_dtype()).mul_(LEVELS / (LEVELS - self.threshold))


class WordDropout(Dropout):
    """Replaces whole tokens by ``replacement`` with chance ``rate`` while training (Iyyer et al. 2015, section 3)."""

    def __init__(self, rate: float, replacement: int) -> None:
        super().__init__(rate)
        self.replacement = replacement

    def forward(self, tokens: Tensor) -> Tensor:
        if not self.training or self.threshold == 0:
            return tokens
        return tokens.masked_fill(~keep_bytes(self.stream(), tokens.shape, self.threshold), self.replacement)


def keep_bytes(random: np.random.Generator, shape: torch.Size | tuple[int, ...], threshold: int) -> Tensor:
    """True where a fresh random byte reaches the threshold."""
    size = int(np.prod(shape))
    drawn = np.frombuffer(random.bytes(size), np.uint8)
    return torch.from_numpy(drawn >= threshold).view(shape)


def reseed(model: nn.Module, seed: int, step: int, rank: int = 0) -> None:
    """Give every dropout of the model its stream for this step."""
    layers = (module for module in model.modules() if isinstance(module, Dropout))
    for number, layer in enumerate(layers):
        layer.random = stream(seed, "dropout", step, rank, number)
