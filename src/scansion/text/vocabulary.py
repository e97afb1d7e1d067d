"""A vocabulary: the words a reader has vectors for."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scansion.text.batches import EMPTY, FIRST_WORD, UNKNOWN, Sequences
from scansion.text.words import Corpus

LEAST_OCCURRENCES = 2  # a word met once teaches its vector nothing that the unknown word's would not do better
MOST_WORDS = 30_000


@dataclass(frozen=True)
class Vocabulary:
    """Word i has the id ``FIRST_WORD + i``; before them stand padding, the unknown word and the empty document."""

    words: list[str]

    @classmethod
    def learn(cls, corpus: Corpus) -> "Vocabulary":
        """The most frequent words of a corpus, most frequent first."""
        frequencies = corpus.frequencies()
        order = np.argsort(-frequencies, kind="stable")
        return cls([corpus.types[i] for i in order[: MOST_WORDS] if frequencies[i] >= LEAST_OCCURRENCES])

    def __len__(self) -> int:
        return FIRST_WORD + len(self.words)

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """The id of every word."""
        return {word: number for number, word in enumerate(self.words, start=FIRST_WORD)}

    def encode(self, corpus: Corpus) -> Sequences:
        """The ids of every document; one without words becomes the single token EMPTY."""
        of_type = np.fromiter((self.ids.get(word, UNKNOWN) for word in corpus.types), np.int32, len(corpus.types))
        ids = np.append(of_type[corpus.ids], np.int32(EMPTY)).astype(np.int32)
        lengths, starts = corpus.lengths.copy(), corpus.offsets[:-1].copy()
        starts[lengths == 0] = len(ids) - 1
        lengths[lengths == 0] = 1
        return Sequences(ids, starts, lengths)

    def known(self, corpus: Corpus) -> np.ndarray:
        """Tokens of each document that the vocabulary has, (N,)."""
        hit = np.fromiter((word in self.ids for word in corpus.types), bool, len(corpus.types))[corpus.ids]
        return np.diff(np.concatenate([[0], np.cumsum(hit)])[corpus.offsets])
