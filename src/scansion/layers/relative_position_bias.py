"""What attention adds for how far apart two positions are (Raffel et al. 2020, section 2.1; used by MPNet).

Every head learns one number for each class of distance, before and behind apart.  Small distances have a class each,
larger ones share classes that widen with the logarithm, up to ``FARTHEST``.
"""

import math

import torch
from torch import Tensor, nn

FARTHEST = 128


class RelativePositionBias(nn.Module):
    """Added to the scores of L positions looking at each other: (1, H, L, L)."""

    def __init__(self, buckets: int, heads: int) -> None:
        super().__init__()
        self.buckets = nn.Embedding(buckets, heads)

    def forward(self, length: int) -> Tensor:
        positions = torch.arange(length)
        found = relative_position_buckets(positions[None, :] - positions[:, None], len(self.buckets.weight))
        return self.buckets(found).permute(2, 0, 1)[None]


def relative_position_buckets(offsets: Tensor, buckets: int) -> Tensor:
    """The bucket of each offset, column minus row; the second half of the buckets is for what comes later."""
    half = buckets // 2
    exact = half // 2
    far = offsets.abs()
    wide = exact + (
        (far.float() / exact).clamp(min=1).log() / math.log(FARTHEST / exact) * (half - exact)
    ).long()
    return half * (offsets > 0) + torch.where(far < exact, far, wide.clamp(max=half - 1))
