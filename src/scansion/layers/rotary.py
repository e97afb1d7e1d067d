"""Rotary positions (Su et al. 2021): queries and keys are turned by angles that grow with the position.

    x'_i = x_i cos(p w_i) - x_(i + d/2) sin(p w_i),   x'_(i + d/2) = x_(i + d/2) cos(p w_i) + x_i sin(p w_i)

with w_i = base^(-2i / d), so that the product of a query and a key depends on how far apart they are, and on nothing
else of where they stand.  A pair is a number of the first half of a head and one of the second half, as in the files of
Hugging Face; Meta's have the two side by side, see :func:`from_side_by_side`.
"""

from typing import NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor

BASE = 10_000.0


class Turns(NamedTuple):
    """Cosines and sines of some positions, (..., d); the sines of the first half are negative."""

    cosines: Tensor
    sines: Tensor

    def at(self, positions: slice | Tensor) -> "Turns":
        """Those of the given positions."""
        return Turns(self.cosines[positions], self.sines[positions])

    def turned(self, vectors: Tensor) -> Tensor:
        """Vectors (..., d), turned as their positions say."""
        return torch.addcmul(vectors * self.cosines, vectors.roll(vectors.shape[-1] // 2, dims=-1), self.sines)


def rotary_turns(length: int, size: int, base: float = BASE) -> Turns:
    """For positions 0 .. length - 1 of heads of an even ``size``."""
    frequencies = base ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * frequencies  # (L, d/2)
    cosines, sines = angles.cos(), angles.sin()
    both = torch.cat([cosines, cosines], dim=1), torch.cat([-sines, sines], dim=1)
    return Turns(*(each.to(torch.get_default_dtype()) for each in both))


def from_side_by_side(weight: NDArray, heads: int) -> NDArray:
    """A query's or key's matrix (heads d, D) whose pairs stand side by side, with each pair's halves apart."""
    return weight.reshape(heads, -1, 2, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def to_side_by_side(weight: NDArray, heads: int) -> NDArray:
    """The inverse of :func:`from_side_by_side`."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)
