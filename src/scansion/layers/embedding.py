"""Word vectors, learned from the user's own text.

    vector(word) = own(word) + mean of its pieces' vectors          (Bojanowski et al. 2017, section 3.2)

A word met too seldom to have a vector of its own, or never, still has those of its pieces.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from scansion.layers.dropout import Dropout, WordDropout

DEVIATION = 0.1


@dataclass(frozen=True)
class Lexicon:
    """How tokens are spelled: token i is word ``words[i]`` with the pieces ``pieces[borders[i]:borders[i + 1]]``."""

    words: Tensor  # (T,) int64
    pieces: Tensor  # (P,) int64
    borders: Tensor  # (T + 1,) int64

    def pieces_of(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The pieces of the given tokens (U,) in one row, and where each token's begin (U,)."""
        first, last = self.borders[tokens], self.borders[tokens + 1]
        counts = last - first
        begins = counts.cumsum(0) - counts
        shift = torch.repeat_interleave(first - begins, counts)
        return self.pieces[torch.arange(len(shift)) + shift], begins


class WordEmbedding(nn.Module):
    """Tokens (B, L) -> vectors (B, L, D). While training, whole words and then single numbers are dropped.

    Without a ``lexicon`` tokens are word numbers and have no pieces.
    """

    def __init__(
        self, words: int, pieces: int, width: int, dropout: float, word_dropout: float, unknown: int
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(words, width, sparse=True)
        self.pieces = nn.EmbeddingBag(pieces, width, mode="mean", sparse=True) if pieces else None
        self.word_dropout = WordDropout(word_dropout, unknown)
        self.dropout = Dropout(dropout)
        self.lexicon: Lexicon | None = None
        nn.init.normal_(self.words.weight, std=DEVIATION)
        if self.pieces is not None:
            nn.init.normal_(self.pieces.weight, std=DEVIATION)

    def forward(self, tokens: Tensor) -> Tensor:
        # each distinct word of the batch is spelled once
        distinct, places = torch.unique(self.word_dropout(tokens), return_inverse=True)
        return self.dropout(nn.functional.embedding(places, self.spell(distinct)))

    def spell(self, tokens: Tensor) -> Tensor:
        """Vectors of single tokens, (U,) -> (U, D)."""
        if self.lexicon is None:
            return self.words(tokens)
        vectors = self.words(self.lexicon.words[tokens])
        if self.pieces is None:
            return vectors
        return vectors + self.pieces(*self.lexicon.pieces_of(tokens))
