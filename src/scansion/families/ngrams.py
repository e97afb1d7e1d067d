"""N-grams: a document is which runs of up to ``order`` words occur in it, and the character n-grams of its words.

Two blocks side by side, each weighted like a bag of words (sublinear TF-IDF, rows of length one):

    word n-grams of 1 .. order words that at least ``min_documents`` training documents contain
    character n-grams of 3 .. 5 letters of single words, with their borders:  "cat" -> <ca cat at> <cat cat> ...

and, for labels, the log-count ratios of :mod:`scansion.layers.log_count_ratios` as prior widths of the linear head: a
feature that leans on one label is trusted more, and one that leans on none is still trusted somewhat.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack

from scansion.families.beside_static import BesideStatic
from scansion.families.static import AUTO, StaticTable
from scansion.layers.log_count_ratios import prior_widths
from scansion.layers.sparse_blocks import SparseBlocks
from scansion.layers.tfidf import (
    count,
    inverse_document_frequency,
    rows_to_length_one,
    shares_of,
    sublinear,
)
from scansion.options import check_whole
from scansion.text.char_ngrams import CHAR_NGRAM_MARK, char_ngrams_of
from scansion.text.numbered import Numbered
from scansion.text.word_tokenizer import Corpus


@dataclass(frozen=True)
class NGrams:
    """Word n-grams up to ``order`` words and character n-grams, in at least ``min_documents`` documents.

    ``static``: whose static vectors stand beside them; see :mod:`scansion.families.beside_static`.
    """

    order: int = 3
    min_documents: int = 2
    char_ngrams: bool = True
    static: str = AUTO

    learner: ClassVar[str] = "convex"
    reads: ClassVar[str] = "words"
    pretraining: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        check_whole(self, "order", "min_documents")

    def build(self, table: StaticTable | None = None) -> "NGramsVectors | BesideStatic":
        """The family, before it has learned its n-grams."""
        return NGramsVectors(self) if table is None else BesideStatic(NGramsVectors(self), table)


class NGramsVectors:
    """Counted word n-grams and character n-grams."""

    def __init__(self, configuration: NGrams) -> None:
        self.configuration = configuration
        self.words, self.char_ngrams = Numbered(), Numbered()
        # grams[n - 2] holds the sorted keys of the n-grams: column of the first n - 1 words * words + last word
        self.grams: list[np.ndarray] = []
        self.idf = np.zeros(0, np.float32)

    def learn(self, corpus: Corpus) -> SparseBlocks:
        """Learn n-grams, character n-grams and their weights; the training documents' vectors (N, D)."""
        corpus = replace(corpus, ids=corpus.ids[:])
        least = self.configuration.min_documents
        counts = count(corpus.ids[:], corpus.offsets, len(corpus.types))
        kept = np.flatnonzero(_documents(counts) >= least)
        self.words = Numbered(corpus.types[i] for i in kept)
        blocks, columns = [counts[:, kept]], self.words.places(corpus.types)[corpus.ids[:]]
        last = columns
        for _ in range(self.configuration.order - 1):
            keys = self._keys(last, columns, corpus.offsets)
            found, last = np.unique(keys, return_inverse=True)
            last = np.where(keys < 0, -1, last - np.searchsorted(found, 0)).astype(np.int32)
            found = found[found >= 0]
            counts = count(last, corpus.offsets, len(found))
            kept = np.flatnonzero(_documents(counts) >= least)
            place = np.full(len(found) + 1, -1, np.int32)
            place[kept] = np.arange(len(kept), dtype=np.int32)
            last = place[last]
            self.grams.append(found[kept])
            blocks.append(counts[:, kept])
        if self.configuration.char_ngrams:
            spelled = spell(corpus)
            words_in_char_ngrams, char_ngrams = char_ngram_counts(corpus.types)
            counts = (spelled @ words_in_char_ngrams).tocsr()
            kept = np.flatnonzero(_documents(counts) >= least)
            self.char_ngrams = Numbered(char_ngrams[i] for i in kept)
            blocks.append(counts[:, kept])
        return SparseBlocks.of(self._weigh(blocks, len(corpus)), blocks=2)

    def vectors(self, corpus: Corpus) -> csr_matrix:
        """Sparse (N, D); unknown n-grams are left out, unknown words still show their known character n-grams."""
        blocks = [count(ends, corpus.offsets, size) for ends, size in self._ends(corpus)]
        if self.configuration.char_ngrams:
            words_in_char_ngrams, _ = char_ngram_counts(corpus.types, self.char_ngrams)
            blocks.append((spell(corpus) @ words_in_char_ngrams).tocsr())
        return self._weigh(blocks)

    def widths(self, vectors: SparseBlocks, targets: np.ndarray | None, outputs: int) -> np.ndarray | None:
        """Prior widths, (D, outputs); None for numbers, which give no ratios."""
        return None if targets is None else prior_widths(vectors, targets, outputs)

    def shares(self, corpus: Corpus) -> csr_matrix:
        """Which tokens each dimension is made of, (D, tokens); see :func:`scansion.layers.tfidf.shares_of`."""
        tokens, blocks = np.arange(len(corpus.ids)), []
        for longer, (ends, size) in enumerate(self._ends(corpus)):
            last = np.flatnonzero(ends >= 0)
            members = (last[:, None] - np.arange(longer + 1)).ravel()
            blocks.append(shares_of(np.repeat(ends[last], longer + 1), members, (size, len(tokens))))
        if self.configuration.char_ngrams:
            words_in_char_ngrams, _ = char_ngram_counts(corpus.types, self.char_ngrams)
            char_ngrams = words_in_char_ngrams[corpus.ids[:]].tocoo()
            shape = len(self.char_ngrams), len(tokens)
            blocks.append(shares_of(char_ngrams.col, char_ngrams.row, shape, char_ngrams.data))
        return vstack(blocks, format="csr")

    def _ends(self, corpus: Corpus) -> Iterator[tuple[np.ndarray, int]]:
        """For each length, the column of the n-gram that ends at each token, -1 where there is none; and how many."""
        columns = self.words.places(corpus.types)[corpus.ids[:]]
        yield columns, len(self.words)
        last = columns
        for known in self.grams:
            last = _find(known, self._keys(last, columns, corpus.offsets))
            yield last, len(known)

    def _keys(self, last: np.ndarray, columns: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """The key of the n-gram that ends at each token, -1 where there is none."""
        before = np.concatenate([[-1], last[:-1]]).astype(np.int64)
        starts = offsets[:-1]
        before[starts[starts < len(before)]] = -1
        return np.where((before < 0) | (columns < 0), -1, before * len(self.words) + columns)

    def _weigh(self, blocks: list[csr_matrix], documents: int | None = None) -> csr_matrix:
        blocks = [sublinear(block) for block in blocks]
        if documents is not None:
            self.idf = np.concatenate([inverse_document_frequency(_documents(block), documents) for block in blocks])
        words, char_ngrams = blocks[: self.configuration.order], blocks[self.configuration.order :]
        border = sum(block.shape[1] for block in words)
        sides = [rows_to_length_one(hstack(words, format="csr"), self.idf[:border])]
        sides += [rows_to_length_one(block, self.idf[border:]) for block in char_ngrams]
        return hstack(sides, format="csr") if len(sides) > 1 else sides[0]

    def state(self) -> tuple[list[str], dict[str, np.ndarray]]:
        """What was learned: words, then character n-grams, and arrays by name."""
        arrays = {f"grams_{n}": keys for n, keys in enumerate(self.grams, start=2)}
        words = self.words + [CHAR_NGRAM_MARK + char_ngram for char_ngram in self.char_ngrams]
        return words, {"idf": self.idf, "words": np.array(len(self.words)), **arrays}

    def restore(self, words: list[str], arrays: dict[str, np.ndarray]) -> "NGramsVectors":
        """The inverse of :meth:`state`."""
        border = int(arrays["words"])
        self.words, self.idf = Numbered(words[:border]), arrays["idf"]
        self.char_ngrams = Numbered(char_ngram.removeprefix(CHAR_NGRAM_MARK) for char_ngram in words[border:])
        self.grams = [arrays[f"grams_{n}"] for n in range(2, self.configuration.order + 1)]
        return self

    def names(self) -> list[str]:
        """What each dimension counts, (D,): words with a blank between them; a character n-gram after a blank."""
        shorter, names = list(self.words), list(self.words)
        for keys in self.grams:
            pairs = zip(*np.divmod(keys, len(self.words)), strict=True)
            shorter = [f"{shorter[before]} {self.words[last]}" for before, last in pairs]
            names += shorter
        return names + [CHAR_NGRAM_MARK + char_ngram for char_ngram in self.char_ngrams]

    def known(self, corpus: Corpus) -> np.ndarray:
        """Tokens of each document of which a word or a character n-gram is known, (N,)."""
        hit = self.words.places(corpus.types) >= 0
        if self.configuration.char_ngrams:
            hit |= np.diff(char_ngram_counts(corpus.types, self.char_ngrams)[0].indptr) > 0
        return np.diff(np.concatenate([[0], np.cumsum(hit[corpus.ids[:]])])[corpus.offsets])


def spell(corpus: Corpus) -> csr_matrix:
    """How often each document has each word type, (N, types)."""
    return count(corpus.ids[:], corpus.offsets, len(corpus.types))


def char_ngram_counts(types: list[str], known: Numbered | None = None) -> tuple[csr_matrix, list[str]]:
    """How often every word type holds each character n-gram, (types, n-grams), and these; only ``known`` ones if given.

    A document's are a product, (documents, types) @ (types, n-grams): each word is cut up once, however often it is
    written.
    """
    numbers, offsets, char_ngrams = char_ngrams_of(types, known)
    return count(numbers, offsets, len(char_ngrams)), char_ngrams


def _documents(counts: csr_matrix) -> np.ndarray:
    """How many documents have each column."""
    return np.bincount(counts.indices, minlength=counts.shape[1])


def _find(known: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The place of each key in the sorted ``known``, -1 where it is not there."""
    if len(known) == 0:
        return np.full(len(keys), -1, np.int32)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[places] == keys, places, -1).astype(np.int32)
