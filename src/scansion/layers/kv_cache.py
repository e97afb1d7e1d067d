"""Keys and values of the positions written so far, in room that is made once."""

import torch
from torch import Tensor


class KeyValueCache:
    """Grows by a position a step, and loses hypotheses."""

    def __init__(self, hypotheses: int, width: int, room: int) -> None:
        self.length = 0
        self.buffer = torch.empty(room, hypotheses, width)  # positions first: what is written is one piece of memory

    def append(self, position: Tensor) -> Tensor:
        """One position (N, width) joins; all so far, (t, N, width)."""
        self.buffer[self.length] = position
        self.length += 1
        return self.buffer[: self.length]

    def reorder(self, rows: Tensor) -> None:
        """Keep the given hypotheses (M,), some of them twice; those that stay where they are cost nothing."""
        written = self.buffer[: self.length]
        if len(rows) == self.buffer.shape[1]:
            moved = (rows != torch.arange(len(rows))).nonzero()[:, 0]
            written.index_copy_(1, moved, written.index_select(1, rows[moved]))
            return
        self.buffer = self.buffer.new_empty(len(self.buffer), len(rows), self.buffer.shape[2])
        torch.index_select(written, 1, rows, out=self.buffer[: self.length])
