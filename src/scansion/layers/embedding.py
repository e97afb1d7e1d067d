"""Word vectors, learned from the user's own text.

    vector(word) = own(word) + mean of its character n-grams' vectors          (Bojanowski et al. 2017, section 3.2)

A word met too seldom to have a vector of its own, or never, still has those of its character n-grams.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from scansion.layers.dropout import Dropout, WordDropout

DEVIATION = 0.1


class SubwordLookup(NamedTuple):
    """Token i is word ``words[i]`` with the character n-grams ``char_ngrams[offsets[i]:offsets[i + 1]]``."""

    words: Tensor  # (T,) int64
    char_ngrams: Tensor  # (P,) int64
    offsets: Tensor  # (T + 1,) int64

    def char_ngrams_of(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The character n-grams of the given tokens (U,) in one row, and where each token's begin (U,)."""
        first, last = self.offsets[tokens], self.offsets[tokens + 1]
        counts = last - first
        begins = counts.cumsum(0) - counts
        shift = torch.repeat_interleave(first - begins, counts)
        return self.char_ngrams[torch.arange(len(shift)) + shift], begins


class WordEmbedding(nn.Module):
    """Tokens (B, L) -> vectors (B, L, D). While training, whole words and then single numbers are dropped.

    Without a ``lookup`` tokens are word numbers and have no character n-grams.
    """

    def __init__(
        self, words: int, char_ngrams: int, width: int, dropout: float, word_dropout: float, unknown: int
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(words, width, sparse=True)
        self.char_ngrams = nn.EmbeddingBag(char_ngrams, width, mode="mean", sparse=True) if char_ngrams else None
        self.word_dropout = WordDropout(word_dropout, unknown)
        self.dropout = Dropout(dropout)
        self.lookup: SubwordLookup | None = None
        nn.init.normal_(self.words.weight, std=DEVIATION)
        if self.char_ngrams is not None:
            nn.init.normal_(self.char_ngrams.weight, std=DEVIATION)

    def forward(self, tokens: Tensor) -> Tensor:
        # each distinct word of the batch is looked up once
        distinct, places = torch.unique(self.word_dropout(tokens), return_inverse=True)
        return self.dropout(nn.functional.embedding(places, self.vectors(distinct)))

    def use(self, words: np.ndarray, char_ngrams: np.ndarray, offsets: np.ndarray) -> None:
        """From now on tokens are those of this index, see :class:`SubwordLookup`."""
        self.lookup = SubwordLookup(*(torch.from_numpy(np.array(each)) for each in (words, char_ngrams, offsets)))

    def vectors(self, tokens: Tensor) -> Tensor:
        """Vectors of single tokens, (U,) -> (U, D)."""
        if self.lookup is None:
            return self.words(tokens)
        vectors = self.words(self.lookup.words[tokens])
        if self.char_ngrams is None:
            return vectors
        return vectors + self.char_ngrams(*self.lookup.char_ngrams_of(tokens))
