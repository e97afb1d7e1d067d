"""What a language model reads and writes one at a time: characters, bytes, words or subwords.

    bytes        of UTF-8
    characters   those met twice or more in training; another is spelled in bytes
    words        with the blank before them, as GPT-2 cuts text (Radford et al. 2019), but a punctuation mark at a time;
                 those met twice or more; another is spelled in bytes
    subwords     byte-pair encoding over bytes, see :mod:`scansion.text.subword_tokenizer`

Nothing is unknown and nothing is lost: tokens spell the text they were read from, blanks and line ends included, so
that the bits a byte of text takes are the same figure for all of them.
"""

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scansion.errors import DataError, UsageError, did_you_mean
from scansion.spill import Growing
from scansion.text.batches import Sequences
from scansion.text.subword_tokenizer import BEGIN, END, PADDING, VOCAB_SIZE, SubwordTokenizer
from scansion.text.text_parts import Part, chunks

FIRST_BYTE, BYTES = 3, 256
FIRST_PIECE = FIRST_BYTE + BYTES
LEAST_OCCURRENCES = 2  # what is met once shows how the unknown is spelled
MOST_WORDS = 100_000
FEW_CHARACTERS = 2_000_000
"""Of training text: up to here characters are the units, unless it is said."""
WORD = re.compile(r"'(?:[sdmt]|ll|ve|re)\b| ?[^\W\d_]+| ?\d+| ?_+| ?[^\w\s]|\s+(?!\S)|\s+")
CODES = 0x110000
HALF = "A text holds half a surrogate pair, which is no character and has no subwords. Take it out."


class TextUnits(ABC):
    """A vocabulary and the way texts are cut into it; a text is read between BEGIN and END."""

    name: str
    prefix = ""
    """What is put before every text, and taken away from what is written."""
    tokenizer_file: bytes = b""
    """The tokenizer.json of pretrained weights, which says all that :meth:`words` say of others."""
    begin, end = BEGIN, END
    """What stands before and behind a text."""
    unknown = "spelled in UTF-8"
    """What becomes of what is not in the vocabulary, for the signature of scores."""

    def __len__(self) -> int:
        return len(self.spellings)

    @property
    @abstractmethod
    def spellings(self) -> list[bytes]:
        """What each token spells, (V,); BEGIN and END nothing."""

    @abstractmethod
    def numbers(self, parts: list[str]) -> tuple[NDArray, NDArray]:
        """The tokens of some parts of texts, one after the other (N,) int32, and how many each has, (parts,)."""

    @abstractmethod
    def unseen(self) -> NDArray:
        """The probability of each token where nothing is known of it, (V,); that of what is never written is 0."""

    @abstractmethod
    def words(self) -> list[str]:
        """What it was learned to be, for its folder."""

    @property
    def begins(self) -> int:
        """How many of :meth:`words` are tokens; the others are merges."""
        return len(self.words())

    def encode(self, texts: Iterable[str]) -> Sequences:
        """Every text's tokens between BEGIN and END, in one stream, which may outgrow memory."""
        ids, starts, begun = Growing(np.int32), [np.zeros(0, np.int64)], 0
        for parts in self.parted(texts):
            numbers, lengths = self.numbers([part.text for part in parts])
            opens, closes = (np.array(each, bool) for each in zip(*((p.opens, p.closes) for p in parts), strict=True))
            sizes = lengths + opens + closes
            ends = np.cumsum(sizes)
            stream, inside = np.empty(int(ends[-1]), np.int32), np.ones(int(ends[-1]), bool)
            first, last = (ends - sizes)[opens], (ends - 1)[closes]
            inside[first] = inside[last] = False
            stream[inside], stream[first], stream[last] = numbers, self.begin, self.end
            ids.append(stream)
            starts.append(begun + first)
            begun += len(stream)
        whole = np.concatenate(starts)
        return Sequences(ids.done(), whole, np.diff(whole, append=begun))

    def parted(self, texts: Iterable[str]) -> Iterator[list["Part"]]:
        """Texts in parts, some at a time."""
        return chunks(texts, self.prefix)

    def is_spelled(self, tokens: NDArray) -> NDArray:
        """Which of these tokens (N,) are bytes of something that is not in the vocabulary, (N,) bool."""
        return np.zeros(len(tokens), bool)

    def decode(self, tokens: Iterable[int]) -> str:
        """The text that tokens spell; bytes that are no text become U+FFFD."""
        spellings = self.spellings
        text = b"".join(spellings[token] for token in tokens).decode("utf-8", "replace")
        return text.removeprefix(self.prefix)

    def shown(self, tokens: Iterable[int]) -> list[str]:
        """Each token on its own."""
        spellings = self.spellings
        return [spellings[token].decode("utf-8", "replace") for token in tokens]


@dataclass(frozen=True, eq=False)
class PieceUnits(TextUnits):
    """Known pieces of text, and bytes for all others."""

    name: str
    pieces: list[str]

    @cached_property
    def spellings(self) -> list[bytes]:
        """See :class:`TextUnits`."""
        return [b""] * FIRST_BYTE + [bytes([byte]) for byte in range(BYTES)] + [each.encode() for each in self.pieces]

    @cached_property
    def number(self) -> dict[str, int]:
        """Of each piece."""
        return {piece: number for number, piece in enumerate(self.pieces, FIRST_PIECE)}

    @cached_property
    def table(self) -> NDArray:
        """The number of each code point that is a piece, (CODES,) int32; 0 for the others."""
        table = np.zeros(CODES, np.int32)
        for piece, number in self.number.items():
            table[ord(piece)] = number
        return table

    def numbers(self, parts: list[str]) -> tuple[NDArray, NDArray]:
        """See :class:`TextUnits`."""
        return CUT[self.name](self, parts)

    def unseen(self) -> NDArray:
        """Every piece alike, and the bytes together as one: a piece that is not known is rare, not 256 times as likely.

        Where there are no pieces, every byte is like the end.
        """
        found = np.ones(len(self))
        found[:END] = 0
        if self.pieces:
            found[FIRST_BYTE:FIRST_PIECE] /= BYTES
        return found / found.sum()

    def is_spelled(self, tokens: NDArray) -> NDArray:
        """See :class:`TextUnits`."""
        return (tokens >= FIRST_BYTE) & (tokens < FIRST_PIECE) & (len(self.pieces) > 0)

    def words(self) -> list[str]:
        """See :class:`TextUnits`."""
        return self.pieces


@dataclass(frozen=True, eq=False)
class SubwordUnits(TextUnits):
    """Subwords of one's own."""

    tokenizer: SubwordTokenizer

    name = "subwords"
    prefix = " "

    @cached_property
    def spellings(self) -> list[bytes]:
        """See :class:`TextUnits`."""
        return self.tokenizer.spellings()

    def numbers(self, parts: list[str]) -> tuple[NDArray, NDArray]:
        """See :class:`TextUnits`. DataError for half a surrogate pair, which has no bytes."""
        try:
            found = self.tokenizer.numbers(parts)
        except TypeError as error:
            raise DataError(HALF) from error
        return np.array([n for each in found for n in each], np.int32), np.array([len(each) for each in found])

    def unseen(self) -> NDArray:
        """Every subword alike, and the end like one."""
        found = np.ones(len(self))
        found[:END] = 0
        return found / found.sum()

    def words(self) -> list[str]:
        """See :class:`TextUnits`."""
        return self.tokenizer.words_and_merges()

    @property
    def begins(self) -> int:
        """See :class:`TextUnits`."""
        return len(self.tokenizer)


@dataclass(frozen=True, eq=False)
class SeparatedUnits(TextUnits):
    """The words of somebody else's n-grams: whatever stands between blanks; what is not among them is one token.

    How many blanks there were is lost.
    """

    vocabulary: list[str]

    name = "separated"
    prefix = " "
    unknown = "one token"

    @cached_property
    def spellings(self) -> list[bytes]:
        """See :class:`TextUnits`."""
        return [b" <unk>", b"", b"", *(f" {word}".encode() for word in self.vocabulary)]

    @cached_property
    def number(self) -> dict[str, int]:
        """Of each word."""
        return {word: number for number, word in enumerate(self.vocabulary, END + 1)}

    def numbers(self, parts: list[str]) -> tuple[NDArray, NDArray]:
        """See :class:`TextUnits`."""
        found = [[self.number.get(word, PADDING) for word in part.split()] for part in parts]
        return np.array([n for each in found for n in each], np.int32), np.array([len(each) for each in found])

    def unseen(self) -> NDArray:
        """Every word alike, the unknown one too."""
        found = np.ones(len(self))
        found[BEGIN] = 0
        return found / found.sum()

    def is_spelled(self, tokens: NDArray) -> NDArray:
        """Which are not in the vocabulary."""
        return tokens == PADDING

    def words(self) -> list[str]:
        """See :class:`TextUnits`."""
        return self.vocabulary


def _bytes(units: PieceUnits, parts: list[str]) -> tuple[NDArray, NDArray]:
    spelled = [_utf8(part) for part in parts]
    flat = np.frombuffer(b"".join(spelled), np.uint8).astype(np.int32) + FIRST_BYTE
    return flat, np.array([len(each) for each in spelled])


def _characters(units: PieceUnits, parts: list[str]) -> tuple[NDArray, NDArray]:
    codes = np.frombuffer("".join(parts).encode("utf-32-le", "surrogatepass"), np.uint32)
    numbers, lengths = units.table[codes], np.array([len(part) for part in parts])
    unknown = np.flatnonzero(numbers == 0)
    if not len(unknown):
        return numbers, lengths
    spelled = [_utf8(chr(code)) for code in codes[unknown].tolist()]
    sizes = np.ones(len(codes), np.int64)
    sizes[unknown] = [len(each) for each in spelled]
    ends = np.cumsum(sizes)
    flat, is_known = np.repeat(numbers, sizes), np.repeat(numbers > 0, sizes)
    flat[~is_known] = np.frombuffer(b"".join(spelled), np.uint8).astype(np.int32) + FIRST_BYTE
    return flat, np.diff(np.concatenate([[0], ends])[np.concatenate([[0], np.cumsum(lengths)])])


def _words(units: PieceUnits, parts: list[str]) -> tuple[NDArray, NDArray]:
    number_of, flat, lengths = units.number.get, [], []
    for part in parts:
        pieces = WORD.findall(part)
        found = [number_of(piece) for piece in pieces]
        if None in found:
            found = [
                token for piece, number in zip(pieces, found, strict=True)
                for token in ([FIRST_BYTE + byte for byte in _utf8(piece)] if number is None else (number,))
            ]
        flat.append(np.array(found, np.int32))
        lengths.append(len(found))
    return np.concatenate(flat), np.array(lengths)


CUT: dict[str, Callable[[PieceUnits, list[str]], tuple[NDArray, NDArray]]] = {
    "bytes": _bytes, "characters": _characters, "words": _words,
}


# Learning


def _learn_bytes(texts: Iterable[str], most: int | None) -> TextUnits:
    return PieceUnits("bytes", [])


def _learn_characters(texts: Iterable[str], most: int | None) -> TextUnits:
    counts = np.zeros(CODES, np.int64)
    for parts in chunks(texts, ""):
        codes = np.frombuffer("".join(part.text for part in parts).encode("utf-32-le", "surrogatepass"), np.uint32)
        counts += np.bincount(codes, minlength=CODES)
    counts[0xD800:0xE000] = 0  # halves of surrogate pairs are no characters
    return PieceUnits("characters", [chr(code) for code in _frequent(counts, most).tolist()])


def _learn_words(texts: Iterable[str], most: int | None) -> TextUnits:
    counter: Counter[str] = Counter()
    for parts in chunks(texts, ""):
        for part in parts:
            counter.update(WORD.findall(part.text))
    words = [word for word in counter if word.isascii() or _is_text(word)]
    frequent = _frequent(np.array([counter[word] for word in words], np.int64), most or MOST_WORDS)
    return PieceUnits("words", [words[number] for number in frequent.tolist()])


def _learn_subwords(texts: Iterable[str], most: int | None) -> TextUnits:
    try:
        return SubwordUnits(SubwordTokenizer.learn(texts, most or VOCAB_SIZE))
    except UnicodeEncodeError as error:
        raise DataError(HALF) from error


LEARN: dict[str, Callable[[Iterable[str], int | None], TextUnits]] = {
    "characters": _learn_characters, "bytes": _learn_bytes, "words": _learn_words, "subwords": _learn_subwords,
}
"""By what ``tokens`` may be."""


def check_units(name: str | None) -> None:
    """UsageError for units there are not."""
    if name is not None and name not in LEARN:
        raise UsageError(f"There are no tokens {name!r}{did_you_mean(name, LEARN)}")


def units_for(size: int) -> str:
    """The name of the units for so many characters of training text."""
    return "characters" if size <= FEW_CHARACTERS else "subwords"


def learn_units(texts: Iterable[str], name: str, most: int | None = None) -> TextUnits:
    """Units by name, with at most so many learned pieces, from texts that can be read again."""
    check_units(name)
    return LEARN[name](texts, most)


def restore_units(name: str, words: list[str], begins: int) -> TextUnits:
    """Units from what a folder holds. ValueError for what is none."""
    if name == SubwordUnits.name:
        return SubwordUnits(SubwordTokenizer.from_words(words, begins))
    if name == SeparatedUnits.name and begins == len(words):
        return SeparatedUnits(words)
    if name not in CUT or begins != len(words) or (name == "characters" and any(len(each) != 1 for each in words)):
        raise ValueError(f"{len(words)} words are no vocabulary of {name}")
    return PieceUnits(name, words)


def _frequent(counts: NDArray, most: int | None) -> NDArray:
    """Which of counted things are met often enough, the most frequent first."""
    order = np.argsort(-counts, kind="stable")[:most]
    return order[counts[order] >= LEAST_OCCURRENCES]


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _is_text(word: str) -> bool:
    try:
        return bool(word.encode())
    except UnicodeEncodeError:
        return False
