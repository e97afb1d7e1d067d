"""Sinusoidal positions (Vaswani et al. 2017, section 3.5).

    PE(p, 2i) = sin(p / 10000^(2i / D)),   PE(p, 2i + 1) = cos(p / 10000^(2i / D))
"""

import torch
from torch import Tensor, nn

WAVELENGTH = 10_000.0
POSITIONS = ("sinusoidal", "learned", "none")


def sinusoidal_positions(length: int, width: int) -> Tensor:
    """The table for positions 0 .. length - 1, (L, D); ``width`` is even."""
    frequencies = WAVELENGTH ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * frequencies  # (L, D/2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).to(torch.get_default_dtype())


class PositionTable(nn.Module):
    """Adds to vectors (B, L, D) where they stand: sinusoids, learned vectors (Gehring et al. 2017), or nothing.

    The paper scales words up to the sinusoids; scaling the sinusoids down by ``scale`` to the words is the same ratio.
    """

    table: Tensor

    def __init__(self, kind: str, length: int, width: int, scale: float) -> None:
        super().__init__()
        self.kind = kind
        if kind == "sinusoidal":
            self.register_buffer("table", scale * sinusoidal_positions(length, width), persistent=False)
        elif kind == "learned":
            self.table = nn.Parameter(scale * torch.randn(length, width))

    def forward(self, vectors: Tensor) -> Tensor:
        return vectors if self.kind == "none" else vectors + self.table[: vectors.shape[1]]
