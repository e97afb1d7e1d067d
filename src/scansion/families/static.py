"""Static vectors: a token has one vector, whatever stands around it, and a document is their weighted mean.

    x = sum_t n_t a / (a + p_t) e_t,    scaled to |x| = 1

e_t: what an encoder makes of the token t read alone, on its first principal directions (distilled as in Model2Vec,
Tulkens and van Dongen 2024), n_t: occurrences of t in the document, p_t: its share of the training texts' tokens, so
that a word that is everywhere counts for little (smooth inverse frequency, Arora, Liang and Ma 2017, section 3).  The
words of a document are cut into the encoder's tokens, each once, however often it is written.  Words that training has
never seen have vectors too.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.sparse import csr_matrix

from scansion.errors import UsageError
from scansion.layers.sparse_blocks import SparseBlocks
from scansion.layers.tfidf import count
from scansion.text.pretrained_tokenizer import PretrainedTokenizer
from scansion.text.word_tokenizer import Corpus

AUTO, NONE = "auto", "none"
"""As options: the default weights if they are installed, and no static vectors."""

RARITY = 1e-3  # a
ROWS, SCALES, WEIGHTS, TOKENIZER = "static.rows", "static.scales", "static.weights", "static.tokenizer"
"""Of the arrays that are kept, the last one the bytes of a file."""

LARGEST = 127  # of an int8
SMALLEST = 1e-6  # a length below which a vector is none

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Static:
    """``source``: whose vectors, as :class:`scansion.Pretrained` takes it; nothing for MiniLM-L6."""

    source: str = ""

    learner: ClassVar[str] = "convex"
    reads: ClassVar[str] = "word pieces"
    pretraining: ClassVar[str | None] = None

    @property
    def static(self) -> str:
        """Where the vectors are from; nothing for MiniLM-L6, whether it is installed or not."""
        return self.source

    def build(self, table: "StaticTable | None" = None) -> "StaticVectors":
        """The family, before it has learned how rare tokens are. UsageError without a table."""
        if table is None:
            raise UsageError("Static vectors are of a table, and there is none.")
        return StaticVectors(table)


@dataclass(frozen=True)
class StaticTable:
    """A vector for every token of a tokenizer, ``rows (V, D)`` int8 times ``scales (V,)`` float32."""

    tokenizer: PretrainedTokenizer
    rows: np.ndarray
    scales: np.ndarray

    @classmethod
    def of(cls, tokenizer: PretrainedTokenizer, vectors: np.ndarray) -> "StaticTable":
        """Vectors (V, D) to the nearest of 255 steps of each."""
        scales = np.abs(vectors).max(axis=1, initial=0).clip(min=SMALLEST) / LARGEST
        return cls(tokenizer, np.rint(vectors / scales[:, None]).astype(np.int8), scales.astype(np.float32))

    def vectors(self, tokens: np.ndarray) -> np.ndarray:
        """(T, D) float32."""
        return self.rows[tokens] * self.scales[tokens][:, None]

    def cut(self, types: list[str]) -> csr_matrix:
        """How often each word type holds each token, (types, V), unknown ones left out.

        A blank stands before each, as before most words of a text: some tokenizers have other tokens for those.
        """
        pieces = self.tokenizer.encode(f" {word}" for word in types)
        ids, unknown = pieces.ids[:], self.tokenizer.unknown
        ids = ids if unknown is None else np.where(ids == unknown, -1, ids)
        return count(ids, np.append(pieces.starts, len(ids)), len(self.rows))

    def state(self) -> Arrays:
        """As arrays by name."""
        return {
            ROWS: self.rows, SCALES: self.scales, TOKENIZER: np.frombuffer(self.tokenizer.description, np.uint8),
        }

    @classmethod
    def restore(cls, arrays: Arrays, where: str) -> "StaticTable | None":
        """The inverse of :meth:`state`, None where there is none; ``where`` its tokenizer stood, for messages.

        ValueError where the parts do not fit together.
        """
        if ROWS not in arrays:
            return None
        table = cls(PretrainedTokenizer(arrays[TOKENIZER].tobytes(), where), arrays[ROWS], arrays[SCALES])
        tokens = len(table.scales)
        if table.rows.dtype != np.int8 or table.rows.ndim != 2 or len(table.rows) != tokens:
            raise ValueError(f"{ROWS} is {table.rows.dtype} {table.rows.shape}, expected int8 with {tokens:,} rows")
        if table.tokenizer.highest >= tokens:
            raise ValueError(f"the tokenizer has {table.tokenizer.highest + 1:,} tokens for {tokens:,} vectors")
        return table


class StaticVectors:
    """Documents as means of static vectors."""

    def __init__(self, table: StaticTable) -> None:
        self.table = table
        self.weights = np.ones(len(table.rows), np.float32)  # a / (a + p)

    @property
    def width(self) -> int:
        """D."""
        return self.table.rows.shape[1]

    def learn(self, corpus: Corpus) -> SparseBlocks:
        """Learn how rare tokens are; the training documents' vectors (N, D)."""
        self.learn_weights(corpus)
        return SparseBlocks(self.vectors(part) for part in corpus.parts(fewest=2))

    def learn_weights(self, corpus: Corpus) -> None:
        """Learn how rare tokens are in these documents."""
        tokens = corpus.frequencies().astype(np.float64) @ self.table.cut(corpus.types)
        self.weights = (RARITY / (RARITY + tokens / max(1.0, tokens.sum()))).astype(np.float32)

    def vectors(self, corpus: Corpus) -> csr_matrix:
        """(N, D), rows of length one; a document without a known token is nought."""
        found = count(corpus.ids[:], corpus.offsets, len(corpus.types)) @ self._of_words(corpus)
        found /= _lengths(found)
        return _dense(found)

    def widths(self, vectors: SparseBlocks, targets: np.ndarray | None, outputs: int) -> None:
        """One dimension is as good as another."""

    def shares(self, corpus: Corpus) -> csr_matrix:
        """What each token of one document is of each dimension, (D, tokens): all of a dimension's sum to one."""
        added = self.of_tokens(corpus).astype(np.float64)
        totals = added.sum(axis=0)
        return csr_matrix(np.divide(added, totals, out=np.zeros_like(added), where=totals != 0).T)

    def state(self) -> tuple[list[str], Arrays]:
        """What was learned: no words, and arrays by name."""
        return [], {WEIGHTS: self.weights, **self.table.state()}

    def restore(self, words: list[str], arrays: Arrays) -> Self:
        """The inverse of :meth:`state`, but for the table."""
        self.weights = arrays[WEIGHTS]
        if self.weights.shape != self.table.scales.shape:
            raise ValueError(f"{WEIGHTS} are {self.weights.shape}, expected {self.table.scales.shape}")
        return self

    def names(self) -> list[str]:
        """Numbers, after a blank that no word holds, (D,)."""
        return [f" static{number}" for number in range(self.width)]

    def known(self, corpus: Corpus) -> np.ndarray:
        """Words of each document that hold a known token, (N,)."""
        hit = (np.diff(self.table.cut(corpus.types).indptr) > 0)[corpus.ids[:]]
        return np.diff(np.concatenate([[0], np.cumsum(hit)])[corpus.offsets])

    def of_tokens(self, corpus: Corpus) -> np.ndarray:
        """What every word of the documents adds to its document's vector before that is scaled, (words, D)."""
        return self._of_words(corpus)[corpus.ids[:]]

    def _of_words(self, corpus: Corpus) -> np.ndarray:
        """The weighted sum of each word type's tokens, (types, D) float32; only tokens that occur are looked up."""
        cut = self.table.cut(corpus.types)
        tokens, places = np.unique(cut.indices, return_inverse=True)
        vectors = self.table.vectors(tokens) * self.weights[tokens][:, None]
        return csr_matrix((cut.data, places, cut.indptr), (cut.shape[0], len(tokens))) @ vectors


def _lengths(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=SMALLEST)


def _dense(vectors: np.ndarray) -> csr_matrix:
    """As a sparse matrix no entry of which is left out."""
    rows, columns = vectors.shape
    indices = np.tile(np.arange(columns, dtype=np.int32), rows)
    found = csr_matrix((vectors.ravel(), indices, np.arange(rows + 1) * columns), vectors.shape)
    found.has_canonical_format = True
    return found
