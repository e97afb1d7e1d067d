"""Sinusoidal positions (Vaswani et al. 2017, section 3.5).

    PE(p, 2i) = sin(p / 10000^(2i / D)),   PE(p, 2i + 1) = cos(p / 10000^(2i / D))
"""

import torch
from torch import Tensor

WAVELENGTH = 10_000.0


def sinusoidal_positions(length: int, width: int) -> Tensor:
    """The table for positions 0 .. length - 1, (L, D); ``width`` is even."""
    frequencies = WAVELENGTH ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * frequencies  # (L, D/2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).to(torch.get_default_dtype())
