"""A vocabulary: the words and the character n-grams of words that an encoder has vectors for."""

from dataclasses import dataclass

import numpy as np

from scansion.text.batches import FIRST_WORD, UNKNOWN, Sequences
from scansion.text.char_ngrams import char_ngrams_of
from scansion.text.numbered import Numbered
from scansion.text.word_tokenizer import Corpus

LEAST_OCCURRENCES = 2  # a word met once has nothing to learn from that its character n-grams do not have too
MOST_WORDS = 20_000
MAX_CHAR_NGRAMS = 20_000


@dataclass(frozen=True)
class SubwordIndex:
    """How a corpus's tokens are written in a vocabulary: token ``FIRST_WORD + i`` is the corpus's word type i.

    Token t is word ``words[t]`` with the character n-grams ``char_ngrams[offsets[t]:offsets[t + 1]]``.
    """

    words: np.ndarray  # (T,) int64
    char_ngrams: np.ndarray  # (P,) int64
    offsets: np.ndarray  # (T + 1,) int64


@dataclass(frozen=True)
class Vocabulary:
    """Word i has the number ``FIRST_WORD + i``; before them stand padding, the unknown word and the empty document."""

    words: Numbered
    char_ngrams: Numbered

    @classmethod
    def learn(cls, corpus: Corpus) -> "Vocabulary":
        """The most frequent words of a corpus, and the character n-grams that most of its words share."""
        frequencies = corpus.frequencies()
        order = np.argsort(-frequencies, kind="stable")[:MOST_WORDS]
        words = Numbered(corpus.types[i] for i in order if frequencies[i] >= LEAST_OCCURRENCES)
        numbers, _, char_ngrams = char_ngrams_of(corpus.types)
        sharing = np.bincount(numbers, minlength=len(char_ngrams))
        order = np.argsort(-sharing, kind="stable")[:MAX_CHAR_NGRAMS]
        return cls(words, Numbered(char_ngrams[i] for i in order if sharing[i] >= LEAST_OCCURRENCES))

    def __len__(self) -> int:
        return FIRST_WORD + len(self.words)

    def index(self, types: list[str]) -> SubwordIndex:
        """How word types are written: their number, UNKNOWN if they have none, and their character n-grams."""
        special = np.arange(FIRST_WORD)
        places = self.words.places(types).astype(np.int64)
        words = np.where(places < 0, UNKNOWN, FIRST_WORD + places)
        char_ngrams, offsets, _ = char_ngrams_of(types, self.char_ngrams)
        return SubwordIndex(
            np.concatenate([special, words]), char_ngrams.astype(np.int64), np.concatenate([0 * special, offsets])
        )

    def encode(self, corpus: Corpus) -> Sequences:
        """Every document as tokens of the corpus's index."""
        return Sequences(corpus.ids, corpus.offsets[:-1], corpus.lengths, FIRST_WORD)

    def known(self, corpus: Corpus) -> np.ndarray:
        """Tokens of each document whose word or a character n-gram of it is known, (N,)."""
        index = self.index(corpus.types)
        hit = (index.words != UNKNOWN) | (np.diff(index.offsets) > 0)
        return np.diff(np.concatenate([[0], np.cumsum(hit[FIRST_WORD:][corpus.ids])])[corpus.offsets])
