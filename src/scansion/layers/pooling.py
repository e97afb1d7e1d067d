"""Pooling: a vector per position -> a vector per document."""

import torch
from torch import Tensor, nn


class MeanMaxPooling(nn.Module):
    """The mean and the maximum over real positions, side by side: (B, L, D) -> (B, 2D).

    The mean keeps how much, the maximum keeps whether at all (Howard and Ruder 2018, section 3.3, "concat pooling").
    """

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        # a product and a sum: masked_fill, in either direction, takes several times as long
        real = mask[:, :, None].to(vectors.dtype)
        mean = (vectors * real).sum(dim=1) / real.sum(dim=1)
        highest = (vectors + real.log()).amax(dim=1)  # the logarithms of 1 and 0 are 0 and minus infinity
        return torch.cat([mean, highest], dim=-1)
