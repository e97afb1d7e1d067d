"""Words: documents -> a list of word types and, for every document, the ids of its tokens.

What a word is stands in :mod:`scansion.text.words`.  Every family reads the same words, so that a comparison compares
families and not tokenisers.

The work is done on whole chunks of text as arrays of code points, since a Python object a token is what makes the
usual vectorisers slow: classify, find the edges, and give every token the polynomial hash

    h(c_1 .. c_n) = sum_i c_i * b^i   (mod 2^64)

of its code points, which is a difference of two prefix sums (Karp and Rabin 1987).  Equal hashes are taken for equal
words: among a million words two differ and collide with a chance of about 3e-8.  Only a chunk that holds a character
which has another spelling, or is none to be seen, is put into its normal form first; plain text pays nothing for it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np

from scansion.errors import DataError, UsageError, shown
from scansion.memory import ahead
from scansion.spill import Flat, Growing
from scansion.text.normalization import normal_form
from scansion.text.words import IDEOGRAPH, LETTER, WORD_RULE, WordRule, edges, is_unsettled, read_kinds

CHUNK_CHARACTERS = 1 << 19
LONGEST_RUN = 1 << 24
"""Characters without a blank in one document; what is longer is no text."""
BLANKS = re.compile(r"\s")
SLOT_BITS = 18  # twenty times the distinct words of a chunk of prose, and small enough for a processor's cache
HASH_BASE = 0x9E3779B97F4A7C15  # odd, hence invertible modulo 2^64
TOKENS_A_PART = 1 << 23


@dataclass(frozen=True)
class Reading:
    """How many documents were not simply read as they are."""

    respelled: int = 0
    ideographic: int = 0
    syllabic: int = 0

    def notes(self, documents: int) -> tuple[str, ...]:
        """What was done, a sentence for each that was, of so many documents."""
        told = (
            (self.respelled, "were normalised before words were read: canonically equivalent spellings made one "
             "(Unicode NFC), invisible characters such as variation selectors and soft hyphens passed over"),
            (self.ideographic, "hold Chinese or Japanese characters, or others of their kind: each is read as a word"),
            (self.syllabic, "hold Thai, Lao, Khmer, Burmese or another script of their kind, written without blanks: "
             "each written syllable is read as a word"),
        )
        return tuple(f"{count:,} of {documents:,} texts {what}" for count, what in told if count)


@dataclass(frozen=True)
class Corpus:
    """Documents as word ids: document i is ``ids[offsets[i]:offsets[i + 1]]``, word j is written ``types[j]``."""

    types: list[str]
    ids: Flat  # (tokens,) int32
    offsets: np.ndarray  # (documents + 1,) int64
    reading: Reading = Reading()

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def notes(self) -> tuple[str, ...]:
        """On how texts were read, a sentence for each thing that was done to some of them."""
        return self.reading.notes(len(self))

    @property
    def lengths(self) -> np.ndarray:
        """Tokens in each document, (documents,)."""
        return np.diff(self.offsets)

    def frequencies(self) -> np.ndarray:
        """How often each word type occurs, (types,)."""
        parts = (np.bincount(part.ids[:], minlength=len(self.types)) for part in self.parts())
        return sum(parts, start=np.zeros(len(self.types), np.int64))

    def parts(self, fewest: int = 1) -> Iterator["Corpus"]:
        """The corpus in runs of documents that fit into memory, at least ``fewest`` where there are enough."""
        total = int(self.offsets[-1])
        count = max(fewest, -(-total // TOKENS_A_PART))
        cuts = np.searchsorted(self.offsets, [total * number // count for number in range(1, count)])
        for first, last in pairwise(np.unique([0, *cuts, len(self)])):
            yield self.documents(first, last)

    def documents(self, first: int, last: int) -> "Corpus":
        """The documents from ``first`` up to but not ``last``, in memory."""
        begin, end = int(self.offsets[first]), int(self.offsets[last])
        return Corpus(self.types, self.ids[begin:end], self.offsets[first : last + 1] - begin)

    def words(self, document: int) -> list[str]:
        """The tokens of one document, as text."""
        return [self.types[i] for i in self.ids[self.offsets[document] : self.offsets[document + 1]]]


def read_words(texts: Iterable[str], threads: int = 2, rule: WordRule = WORD_RULE) -> Corpus:
    """Split documents into words by a rule, in chunks and in ``threads`` threads, whose number changes nothing.

    UsageError for a document that is no text.
    """
    lexicon = _Lexicon()
    ids, lengths, first = Growing(np.int32), [np.zeros(0, np.int64)], [np.zeros(0, bool)]
    reading = [np.zeros((3, 0), bool)]
    for chunk in ahead(partial(_read_chunk, rule=rule), _chunks(texts), threads):
        ids.append(lexicon.ids(chunk))
        lengths.append(chunk.lengths)
        first.append(chunk.first)
        reading.append(chunk.reading)
    documents = np.flatnonzero(np.concatenate(first))  # the rest are further pieces of the one before
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    of_documents = np.logical_or.reduceat(np.hstack(reading), documents, axis=1) if len(documents) else reading[0]
    counts = np.count_nonzero(of_documents, axis=1).tolist()
    return Corpus(lexicon.types, ids.done(), offsets[np.append(documents, len(offsets) - 1)], Reading(*counts))


@dataclass(frozen=True)
class _Chunk:
    text: str
    distinct: np.ndarray  # (words,) uint64 hashes, sorted
    places: tuple[np.ndarray, np.ndarray]  # where each word starts and ends somewhere in the text, (words,)
    inverse: np.ndarray  # (tokens,) into distinct
    lengths: np.ndarray  # (pieces,) tokens each
    first: np.ndarray  # (pieces,) whether a document begins there
    reading: np.ndarray  # (3, pieces) in the order of Reading


class _Lexicon:
    """Word types in the order of discovery, found again by their hash."""

    def __init__(self) -> None:
        self.types: list[str] = []
        self._hashes = np.zeros(0, np.uint64)  # sorted
        self._numbers = np.zeros(0, np.int32)

    def ids(self, chunk: _Chunk) -> np.ndarray:
        slots = np.searchsorted(self._hashes, chunk.distinct)
        known = np.zeros(len(slots), bool)
        inside = slots < len(self._hashes)
        known[inside] = self._hashes[slots[inside]] == chunk.distinct[inside]
        numbers = np.empty(len(slots), np.int32)
        numbers[known] = self._numbers[slots[known]]
        new = np.flatnonzero(~known)
        numbers[new] = np.arange(len(self.types), len(self.types) + len(new))
        starts, ends = (edge[new].tolist() for edge in chunk.places)
        self.types.extend(chunk.text[start:end] for start, end in zip(starts, ends, strict=True))
        self._hashes = np.insert(self._hashes, slots[new], chunk.distinct[new])
        self._numbers = np.insert(self._numbers, slots[new], numbers[new])
        return numbers[chunk.inverse]


def _chunks(texts: Iterable[str]) -> Iterator[list[tuple[str, bool]]]:
    """Documents, long ones in pieces, each with whether it is the first of its document."""
    chunk, size = [], 0
    for text in texts:
        if not isinstance(text, str):
            raise UsageError(f"Expected texts, got {shown(repr(text))} ({type(text).__name__}) among them.")
        for number, piece in enumerate(_pieces(text)):
            chunk.append((piece, number == 0))
            size += len(piece) + 1
            if size >= CHUNK_CHARACTERS:
                yield chunk
                chunk, size = [], 0
    if chunk:
        yield chunk


def _pieces(text: str) -> Iterator[str]:
    """A document cut at blanks, which no word holds, so that what is read of it at a time is bounded."""
    begin = 0
    while len(text) - begin > CHUNK_CHARACTERS:
        blank = BLANKS.search(text, begin + CHUNK_CHARACTERS)
        end = len(text) if blank is None else blank.start()
        if end - begin > LONGEST_RUN:
            raise DataError(
                f"A text has more than {LONGEST_RUN:,} characters without a blank, from {shown(text[begin:], 20)} on. "
                "If it is text, put a blank or a line break between its sentences."
            )
        yield text[begin:end]
        begin = end
    yield text[begin:]


def _read_chunk(pieces: list[tuple[str, bool]], rule: WordRule) -> _Chunk:
    spelled = [text.lower() for text, _ in pieces]
    respelled, joined = np.zeros(len(pieces), bool), "\n".join(spelled)
    codes, kinds = read_kinds(joined, rule)
    if is_unsettled(kinds):
        lowered, spelled = spelled, [normal_form(text) for text in spelled]
        respelled, joined = np.array(list(map(str.__ne__, spelled, lowered))), "\n".join(spelled)
        codes, kinds = read_kinds(joined, rule)
    starts, ends = edges(codes, kinds)
    # np.array of lengths, each document followed by one blank
    borders = np.cumsum(np.array([0] + [len(text) + 1 for text in spelled], np.int64))
    lengths = np.diff(np.searchsorted(starts, borders))
    distinct, places, inverse = _distinct(_hashes(codes, starts, ends))
    reading = np.stack([respelled, *(_holding(kind, kinds, borders) for kind in (IDEOGRAPH, LETTER))])
    first = np.array([first for _, first in pieces])
    return _Chunk(joined, distinct, (starts[places], ends[places]), inverse, lengths, first, reading)


def _holding(kind: int, kinds: np.ndarray, borders: np.ndarray) -> np.ndarray:
    """Which pieces hold a character of a kind."""
    found = np.zeros(len(borders) - 1, bool)
    found[np.searchsorted(borders, np.flatnonzero(kinds == kind), side="right") - 1] = True
    return found


def _distinct(hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct hashes in sorted order, where each occurs somewhere, and which of them every token has.

    What ``np.unique`` gives, without sorting every token: tokens that share a slot of a table are compared with the
    last of them, and only those that differ from it are sorted.
    """
    slots = (hashes >> np.uint64(64 - SLOT_BITS)).astype(np.int32)
    tokens = np.arange(len(hashes), dtype=np.int32)
    table = np.empty(1 << SLOT_BITS, np.int32)
    table[slots] = tokens
    last = table[slots]
    others = np.flatnonzero(hashes[last] != hashes)
    _, first, which = np.unique(hashes[others], return_index=True, return_inverse=True)
    chosen = last == tokens
    places = np.concatenate([np.flatnonzero(chosen), others[first]])
    numbers = (np.cumsum(chosen) - 1)[last]
    numbers[others] = np.count_nonzero(chosen) + which
    order = np.argsort(hashes[places])
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return hashes[places[order]], places[order], ranks[numbers]


def _hashes(codes: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    powers, inverses = _powers(1 << max(len(codes), CHUNK_CHARACTERS).bit_length())
    sums = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum(codes * powers[: len(codes)], out=sums[1:])
    return (sums[ends] - sums[starts]) * inverses[starts]


@lru_cache(maxsize=2)
def _powers(count: int) -> tuple[np.ndarray, np.ndarray]:
    """``b^i`` and ``b^-i`` modulo 2^64."""
    inverse = pow(HASH_BASE, -1, 1 << 64)
    tables = []
    for base in (HASH_BASE, inverse):
        table = np.full(count, base, np.uint64)
        table[0] = 1
        tables.append(np.multiply.accumulate(table))
    return tables[0], tables[1]
