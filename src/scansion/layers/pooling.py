"""Pooling: a vector per position -> a vector per document."""

import torch
from torch import Tensor, nn


class MeanMaxPooling(nn.Module):
    """The mean and the maximum over real positions, side by side: (B, L, D) -> (B, 2D).

    The mean keeps how much, the maximum keeps whether at all (Howard and Ruder 2018, section 3.3, "concat pooling").
    """

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        real = mask[:, :, None]
        mean = vectors.masked_fill(~real, 0.0).sum(dim=1) / real.sum(dim=1)
        highest = vectors.masked_fill(~real, float("-inf")).amax(dim=1)
        return torch.cat([mean, highest], dim=-1)
