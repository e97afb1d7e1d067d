"""A vocabulary: the words and the pieces of words that a reader has vectors for."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scansion.text.batches import FIRST_WORD, UNKNOWN, Sequences
from scansion.text.pieces import cut_words
from scansion.text.words import Corpus

LEAST_OCCURRENCES = 2  # a word met once has nothing to learn from that its pieces do not have too
MOST_WORDS = 20_000
MOST_PIECES = 20_000


@dataclass(frozen=True)
class Spelling:
    """How a corpus's tokens are written in a vocabulary: token ``FIRST_WORD + i`` is the corpus's word type i.

    Token t is word ``words[t]`` with the pieces ``pieces[borders[t]:borders[t + 1]]``.
    """

    words: np.ndarray  # (T,) int64
    pieces: np.ndarray  # (P,) int64
    borders: np.ndarray  # (T + 1,) int64


@dataclass(frozen=True)
class Vocabulary:
    """Word i has the number ``FIRST_WORD + i``; before them stand padding, the unknown word and the empty document."""

    words: list[str]
    pieces: list[str]

    @classmethod
    def learn(cls, corpus: Corpus) -> "Vocabulary":
        """The most frequent words of a corpus, and the pieces that most of its words share."""
        frequencies = corpus.frequencies()
        order = np.argsort(-frequencies, kind="stable")[:MOST_WORDS]
        words = [corpus.types[i] for i in order if frequencies[i] >= LEAST_OCCURRENCES]
        numbers, _, pieces = cut_words(corpus.types)
        sharing = np.bincount(numbers, minlength=len(pieces))
        order = np.argsort(-sharing, kind="stable")[:MOST_PIECES]
        return cls(words, [pieces[i] for i in order if sharing[i] >= LEAST_OCCURRENCES])

    def __len__(self) -> int:
        return FIRST_WORD + len(self.words)

    @cached_property
    def _number(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words, start=FIRST_WORD)}

    def spell(self, types: list[str]) -> Spelling:
        """How word types are written: their number, UNKNOWN if they have none, and their pieces."""
        special = np.arange(FIRST_WORD)
        words = np.fromiter((self._number.get(word, UNKNOWN) for word in types), np.int64, len(types))
        pieces, borders, _ = cut_words(types, self.pieces)
        return Spelling(
            np.concatenate([special, words]), pieces.astype(np.int64), np.concatenate([0 * special, borders])
        )

    def encode(self, corpus: Corpus) -> Sequences:
        """Every document as tokens of the corpus's spelling."""
        return Sequences(corpus.ids, corpus.offsets[:-1], corpus.lengths, FIRST_WORD)

    def known(self, corpus: Corpus) -> np.ndarray:
        """Tokens of each document whose word or a piece of it is known, (N,)."""
        spelling = self.spell(corpus.types)
        hit = (spelling.words != UNKNOWN) | (np.diff(spelling.borders) > 0)
        return np.diff(np.concatenate([[0], np.cumsum(hit[FIRST_WORD:][corpus.ids])])[corpus.offsets])
