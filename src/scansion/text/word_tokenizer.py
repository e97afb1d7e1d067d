"""Words: documents -> a list of word types and, for every document, the ids of its tokens.

A token is a run of letters, digits, marks and underscores (an apostrophe between two of them belongs to it), or one
other visible character.  Scripts written without blanks (Han, kana) give one token a character.  Case is folded by
``str.lower``.  Every family reads the same words, so that a comparison compares families and not tokenisers.

The work is done on whole chunks of text as arrays of code points, since a Python object a token is what makes the
usual vectorisers slow: classify, find the edges, and give every token the polynomial hash

    h(c_1 .. c_n) = sum_i c_i * b^i   (mod 2^64)

of its code points, which is a difference of two prefix sums (Karp and Rabin 1987).  Equal hashes are taken for equal
words: among a million words two differ and collide with a chance of about 3e-8.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from scansion.errors import UsageError, shown
from scansion.spill import Flat, Growing

BLANK, WORD, SINGLE, UNSEEN = 0, 1, 2, 3
CHUNK_CHARACTERS = 1 << 19
SLOT_BITS = 18  # twenty times the distinct words of a chunk of prose, and small enough for a processor's cache
HASH_BASE = 0x9E3779B97F4A7C15  # odd, hence invertible modulo 2^64
APOSTROPHES = (0x27, 0x2019)
TOKENS_A_PART = 1 << 23
UNSPACED_SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA")


@dataclass(frozen=True)
class Corpus:
    """Documents as word ids: document i is ``ids[offsets[i]:offsets[i + 1]]``, word j is written ``types[j]``."""

    types: list[str]
    ids: Flat  # (tokens,) int32
    offsets: np.ndarray  # (documents + 1,) int64

    def __len__(self) -> int:
        return len(self.offsets) - 1

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
            begin, end = int(self.offsets[first]), int(self.offsets[last])
            yield Corpus(self.types, self.ids[begin:end], self.offsets[first : last + 1] - begin)

    def words(self, document: int) -> list[str]:
        """The tokens of one document, as text."""
        return [self.types[i] for i in self.ids[self.offsets[document] : self.offsets[document + 1]]]


def read_words(texts: Iterable[str], threads: int = 2) -> Corpus:
    """Split documents into words, in chunks and in ``threads`` threads, whose number changes nothing.

    UsageError for a document that is no text.
    """
    lexicon = _Lexicon()
    ids, lengths = Growing(np.int32), [np.zeros(0, np.int64)]
    with ThreadPoolExecutor(threads) as pool:
        for chunk in _ahead(pool, _chunks(texts), threads):
            ids.append(lexicon.ids(chunk))
            lengths.append(chunk.lengths)
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    return Corpus(lexicon.types, ids.done(), offsets)


def split_words(text: str) -> list[tuple[int, int]]:
    """The ``(start, end)`` of every token of one text, in characters of the text as it is."""
    _, starts, ends = _edges(text.lower())
    if len(text.lower()) != len(text):  # a few letters become two when their case is folded
        places = np.repeat(np.arange(len(text)), [len(letter.lower()) for letter in text])
        starts, ends = places[starts], places[ends - 1] + 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


@dataclass(frozen=True)
class _Chunk:
    text: str
    distinct: np.ndarray  # (words,) uint64 hashes, sorted
    places: tuple[np.ndarray, np.ndarray]  # where each word starts and ends somewhere in the text, (words,)
    inverse: np.ndarray  # (tokens,) into distinct
    lengths: np.ndarray  # (documents,) tokens each


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


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    chunk, size = [], 0
    for text in texts:
        if not isinstance(text, str):
            raise UsageError(f"Expected texts, got {shown(repr(text))} ({type(text).__name__}) among them.")
        chunk.append(text)
        size += len(text) + 1
        if size >= CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _ahead(pool: ThreadPoolExecutor, chunks: Iterator[list[str]], threads: int) -> Iterator[_Chunk]:
    """The chunks in order, with ``threads`` of them under way and never the whole corpus."""
    waiting = []
    for chunk in chunks:
        waiting.append(pool.submit(_read_chunk, chunk))
        if len(waiting) > threads:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


def _read_chunk(texts: list[str]) -> _Chunk:
    lowered = [text.lower() for text in texts]
    joined = "\n".join(lowered)
    codes, starts, ends = _edges(joined)
    # np.array of lengths, each document followed by one blank
    borders = np.cumsum(np.array([0] + [len(text) + 1 for text in lowered], np.int64))
    lengths = np.diff(np.searchsorted(starts, borders))
    distinct, places, inverse = _distinct(_hashes(codes, starts, ends))
    return _Chunk(joined, distinct, (starts[places], ends[places]), inverse, lengths)


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


def _edges(text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Code points, and where tokens start and end."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    padded = np.zeros(len(codes) + 2, np.uint8)  # a blank before and after
    kinds = padded[1:-1]
    kinds[:] = _kinds(codes)
    for apostrophe in APOSTROPHES:
        where = np.flatnonzero(codes == apostrophe)
        kinds[where[(padded[where] == WORD) & (padded[where + 2] == WORD)]] = WORD
    before, after = padded[:-2], padded[2:]
    word, single = kinds == WORD, kinds == SINGLE
    starts = np.flatnonzero(single | (word & (before != WORD)))
    ends = np.flatnonzero(single | (word & (after != WORD))) + 1
    return codes, starts, ends


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


@lru_cache(maxsize=1)
def _kind_table() -> np.ndarray:
    return np.full(0x110000, UNSEEN, np.uint8)


def _kinds(codes: np.ndarray) -> np.ndarray:
    table = _kind_table()  # filled as characters are met: asking for all 1.1 million would take a second
    kinds = table[codes]
    if (kinds == UNSEEN).any():
        for code in np.unique(codes[kinds == UNSEEN]):
            table[code] = _kind(chr(code))
        kinds = table[codes]
    return kinds


def _kind(character: str) -> int:
    category = unicodedata.category(character)
    if category[0] in "ZC":
        return BLANK
    if unicodedata.name(character, "").startswith(UNSPACED_SCRIPTS):
        return SINGLE
    return WORD if category[0] in "LNM" or character == "_" else SINGLE
