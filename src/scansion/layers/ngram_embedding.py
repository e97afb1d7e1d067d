"""Vectors of the n-grams that end at a token, added to the token's own (Huang et al. 2025).

    x_t = E[w_t] + sum over n = 2 .. N of T_n[hash(w_(t-n+1) .. w_t)]

A counted model knows at once what a layer of attention must first learn: which few tokens stand before.  There are too
many n-grams for a row each, so they share rows by a hash (Joulin et al. 2017, section 2.1).  A batch reads few of the
rows, and only those are moved.

What was learned of a long n-gram is soon known by heart, and text that was never read has others.  So while training a
position sees only the shorter ones with chance ``dropout``, down to a length that is drawn: all lengths alike, as a
counted model backs off from one order to the next.
"""

from typing import cast

import torch
from torch import Tensor, nn

from scansion.layers.dropout import Dropout, keep_bytes
from scansion.layers.lr_scale import set_lr_scale

MULTIPLIER, PRIME = 1_000_003, 2**31 - 1  # their product is within 64 bits


class NgramEmbedding(nn.Module):
    """Windows of tokens (B, S) and positions in them -> (B, L, D), of n-grams of 2 to ``longest`` tokens.

    Positions are (B, L).  N-grams that would begin before the window hold one token more, which stands for all that is
    not there.  All vectors are zero at first.
    """

    def __init__(self, longest: int, rows: int, width: int, dropout: float) -> None:
        super().__init__()
        self.longest, self.rows, self.backoff = longest, rows, Backoff(dropout)
        self.table = nn.Embedding((longest - 1) * rows, width, sparse=True)
        nn.init.zeros_(self.table.weight)
        # what is zero at first needs no more: at the three times of other tables less was learned
        set_lr_scale(cast(nn.Parameter, self.table.weight), 1.0)

    def forward(self, window: Tensor, positions: Tensor) -> Tensor:
        distinct, places = torch.unique(self.numbers(window, positions), return_inverse=True)  # each is looked up once
        return self.backoff(nn.functional.embedding(places, self.table(distinct))).sum(dim=0)

    def numbers(self, window: Tensor, positions: Tensor) -> Tensor:
        """The rows of the table (N - 1, B, L)."""
        hashed, found = window.gather(1, positions) + 1, []
        for back in range(1, self.longest):
            before = window.gather(1, (positions - back).clamp(min=0)) + 1
            hashed = (hashed * MULTIPLIER + before.where(positions >= back, 0)) % PRIME
            found.append(hashed % self.rows + (back - 1) * self.rows)
        return torch.stack(found)


class Backoff(Dropout):
    """The vectors of n-grams (N - 1, B, L, D), of which training leaves out the longer ones at some positions."""

    def forward(self, vectors: Tensor) -> Tensor:
        if not self.training or self.threshold == 0:
            return vectors
        orders, *places = vectors.shape[:-1]
        drawn = keep_bytes(self.stream(), (*places,), self.threshold)
        lengths = torch.from_numpy(self.stream().integers(orders, size=places))  # of those places that leave some out
        seen = torch.where(drawn, orders, lengths)  # (B, L)
        return vectors * (torch.arange(orders)[:, None, None] < seen)[..., None]
