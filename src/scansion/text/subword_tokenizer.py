"""Subwords: byte-pair encoding (Sennrich et al. 2016) over bytes, learned from the user's own text.

Text is cut into words with the blank before them, single punctuation marks and runs of other blanks; within those, the
most frequent pair of neighbours is merged, again and again.  Since everything is bytes in the end nothing is unknown,
and since blanks belong to the subwords every text comes back as it went in.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from scansion.errors import StorageError
from scansion.spill import Growing
from scansion.text.batches import Sequences

PADDING, BEGIN, END = 0, 1, 2
SPECIAL = ("<padding>", "<begin>", "<end>")
NEVER_WRITTEN = (PADDING, BEGIN)
"""They stand around texts, and are part of none."""
CUTS = Regex(r" ?\w+| ?[^\w\s]|\s+")
LETTERS = r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}²³¹¼½¾"
SAME_CUTS = Regex(rf" ?[{LETTERS}]+| ?[^{LETTERS}\s]|\s+")
"""The same, where ``\\w`` is of ASCII, as in JavaScript."""
VOCAB_SIZE = 5_000  # on 29,000 pairs better than 10,000 at equal time, and a fifth faster
LEAST_OCCURRENCES = 2
TEXTS_AT_A_TIME = 4_096
BETWEEN = " "  # no subword holds a blank, so a merge is never taken for one


def _bytes_by_letter() -> dict[str, int]:
    """What each letter of the alphabet of bytes stands for (Radford et al. 2019): visible ones are themselves."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {chr(256 + n): byte for n, byte in enumerate(others)}


BYTE_OF = _bytes_by_letter()


@dataclass(frozen=True)
class SubwordTokenizer:
    """Piece i is ``subwords[i]``, written in the alphabet of bytes; ``merges`` are in the order they were learned."""

    subwords: list[str]
    merges: list[tuple[str, str]]

    @classmethod
    def learn(cls, texts: Iterable[str], most: int = VOCAB_SIZE) -> "SubwordTokenizer":
        """At most ``most`` subwords, the same for all texts given: for a translator, those of both languages."""
        tokenizer = _tokenizer(models.BPE())
        trainer = trainers.BpeTrainer(
            vocab_size=most, min_frequency=LEAST_OCCURRENCES, special_tokens=list(SPECIAL), show_progress=False,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        )
        tokenizer.train_from_iterator((f" {text}" for text in texts), trainer)
        numbers = tokenizer.get_vocab()
        learned = json.loads(tokenizer.to_str())["model"]["merges"]
        return cls(sorted(numbers, key=numbers.__getitem__), [(first, second) for first, second in learned])

    def __len__(self) -> int:
        return len(self.subwords)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        try:
            numbers = {subword: number for number, subword in enumerate(self.subwords)}
            return _tokenizer(models.BPE(vocab=numbers, merges=list(self.merges)))
        except Exception as error:  # the library raises nothing narrower
            raise StorageError(f"The subwords are not what was learned: {error}.") from error

    def encode(self, texts: Iterable[str]) -> Sequences:
        """Every text's subwords, each with the end behind them; of an empty text the end alone."""
        ids, parts = Growing(np.int32), [np.zeros(0, np.int64)]
        for chunk in _chunks(texts):
            encoded = self.numbers([_begun(text) for text in chunk])
            parts.append(np.array([len(each) + 1 for each in encoded], np.int64))
            ids.append(np.array([number for each in encoded for number in (*each, END)], np.int32))
        lengths = np.concatenate(parts)
        return Sequences(ids.done(), np.cumsum(lengths) - lengths, lengths)

    def numbers(self, parts: list[str]) -> list[list[int]]:
        """The subwords of parts of texts as they stand, without a blank before or an end behind them."""
        return [each.ids for each in self._tokenizer.encode_batch_fast(parts)]

    def spellings(self) -> list[bytes]:
        """The bytes that each subword spells; the special ones spell nothing."""
        return [b""] * len(SPECIAL) + [bytes(BYTE_OF[c] for c in subword) for subword in self.subwords[len(SPECIAL) :]]

    def description(self) -> bytes:
        """A ``tokenizer.json`` as the ``tokenizers`` libraries of Python and JavaScript read it.

        A text is to be read with a blank before it and the end behind it.
        """
        own = _tokenizer(self._tokenizer.model)
        own.pre_tokenizer = _parted_by(SAME_CUTS)
        return json.dumps(json.loads(own.to_str()), ensure_ascii=False).encode()

    def words_and_merges(self) -> list[str]:
        """Subwords, then merges, as folders hold them."""
        return self.subwords + [BETWEEN.join(merge) for merge in self.merges]

    @classmethod
    def from_words(cls, words: list[str], subwords: int) -> "SubwordTokenizer":
        """The inverse of :meth:`words_and_merges`, the first of which are ``subwords``. ValueError if it is none."""
        merges = [(first, second) for first, _, second in (word.partition(BETWEEN) for word in words[subwords:])]
        if words[: len(SPECIAL)] != list(SPECIAL) or any(not second or BETWEEN in second for _, second in merges):
            raise ValueError("these words are no subwords and merges")
        return cls(words[:subwords], merges)

    def decode(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """The texts that the subwords spell; bytes that are no text become U+FFFD."""
        return [text.removeprefix(" ") for text in self._tokenizer.decode_batch([list(row) for row in rows])]

    def words(self, text: str) -> list[int]:
        """The number of the word that each subword of a text is a part of; -1 for the end."""
        numbers = self._tokenizer.encode(_begun(text)).word_ids
        return [*(-1 if number is None else number for number in numbers), -1]

    def shown(self, subwords: Sequence[int]) -> list[str]:
        """Each subword on its own, with the blank before it where it begins a word; half a letter becomes U+FFFD."""
        return self._tokenizer.decode_batch([[subword] for subword in subwords], skip_special_tokens=False)


def _tokenizer(model: models.BPE) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = _parted_by(CUTS)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _parted_by(cuts: Regex) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(cuts, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    ])


def _begun(text: str) -> str:
    """With the blank that every word of a text has before it, the first one too; of nothing, nothing."""
    return f" {text}" if text else ""


def _chunks(texts: Iterable[str]) -> Iterable[list[str]]:
    texts = iter(texts)
    while chunk := list(islice(texts, TEXTS_AT_A_TIME)):
        yield chunk
