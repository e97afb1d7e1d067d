"""Keys and values of the positions written so far, in room that is made once."""

import torch
from torch import Tensor

from scansion.layers.attention import KeysValues


class Past:
    """Grows by a position a step; two buffers take turns, since choosing hypotheses is copying them."""

    def __init__(self, hypotheses: int, heads: int, size: int, room: int) -> None:
        self.length = 0
        self.heads, self.size = heads, size
        # position first, so that what is written so far is one piece of memory
        self.buffer = torch.empty(room, 2, hypotheses, heads * size)
        self.spare = torch.empty_like(self.buffer)

    def append(self, keys_values: KeysValues) -> KeysValues:
        """The keys and values of one position (N, H, 1, D/H) join; those of all so far, (N, H, t, D/H)."""
        for place, new in zip(self.buffer[self.length], keys_values, strict=True):
            place.copy_(new.flatten(1))
        self.length += 1
        keys, values = self.buffer[: self.length].unflatten(-1, (self.heads, self.size)).permute(1, 2, 3, 0, 4)
        return keys, values

    def select(self, rows: Tensor) -> None:
        """Keep the given hypotheses (M,), some of them twice."""
        if len(rows) != self.buffer.shape[2]:
            self.spare = self.buffer.new_empty(self.buffer.shape[0], 2, len(rows), self.buffer.shape[3])
        torch.index_select(self.buffer[: self.length], 2, rows, out=self.spare[: self.length])
        self.buffer, self.spare = self.spare, self.buffer
        if self.spare.shape != self.buffer.shape:
            self.spare = torch.empty_like(self.buffer)
