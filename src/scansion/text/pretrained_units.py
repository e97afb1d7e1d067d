"""The tokens of somebody else's language model: its tokenizer.json, and what each token spells."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scansion.errors import DataError, UnsafeFolderError
from scansion.text.pretrained_tokenizer import library_tokenizer, told
from scansion.text.subword_tokenizer import BEGIN, BYTE_OF, END
from scansion.text.text_parts import CHARACTERS_AT_A_TIME, Part
from scansion.text.text_units import TextUnits

BLANK = "▁"
BYTE_LEVEL, PIECES = "ByteLevel", {"ByteFallback", "Metaspace"}


@dataclass(frozen=True, eq=False)
class PretrainedUnits(TextUnits):
    """Tokens as a tokenizer in the format of the ``tokenizers`` library cuts them; what marks text is text, too.

    The tokens are as many as the weights know, which may be more than the tokenizer has.
    """

    tokenizer_file: bytes = b""
    size: int = 0
    begin: int = BEGIN
    end: int = END

    name = "pretrained"
    unknown = "as its tokenizer has it"

    @cached_property
    def library(self) -> "object":
        """As the library reads it. UnsafeFolderError for what it cannot read, and for more tokens than there are."""
        found = library_tokenizer(self.tokenizer_file, "tokenizer.json")
        found.encode_special_tokens = True
        if (highest := max(found.get_vocab().values(), default=-1)) >= self.size:
            raise UnsafeFolderError(f"tokenizer.json has {highest + 1:,} tokens and the weights know {self.size:,}.")
        return found

    @cached_property
    def prefix(self) -> str:  # type: ignore[override]
        """What the tokenizer puts before a text."""
        numbers, _ = self.numbers(["a"])
        spelled = b"".join(self.spellings[number] for number in numbers.tolist())
        return " " if spelled == b" a" else ""

    @cached_property
    def spellings(self) -> list[bytes]:
        """See :class:`TextUnits`; special tokens spell nothing."""
        decoder = json.loads(self.tokenizer_file).get("decoder") or {}
        kinds = {each.get("type") for each in (decoder, *decoder.get("decoders", ()))}
        if BYTE_LEVEL not in kinds and not kinds & PIECES:
            raise UnsafeFolderError(
                "tokenizer.json: its tokens spell text in a way that is not read; byte-level tokens (GPT-2) and pieces "
                "with bytes for the unknown (Llama) are."
            )
        spell = _letters if BYTE_LEVEL in kinds else _piece
        found = [b""] * self.size
        added = self.library.get_added_tokens_decoder()  # type: ignore[attr-defined]
        for token, number in self.library.get_vocab().items():  # type: ignore[attr-defined]
            if number in added:
                found[number] = b"" if added[number].special else token.encode()
            else:
                found[number] = spell(token)
        found[self.begin] = found[self.end] = b""
        return found

    def parted(self, texts: Iterable[str]) -> Iterator[list[Part]]:
        """Whole texts: what a tokenizer makes of one may depend on where it begins."""
        waiting, size = [], 0
        for text in texts:
            waiting.append(Part(text, True, True))
            size += 1 + len(text)
            if size > CHARACTERS_AT_A_TIME:
                yield waiting
                waiting, size = [], 0
        if waiting:
            yield waiting

    def numbers(self, parts: list[str]) -> tuple[NDArray, NDArray]:
        """See :class:`TextUnits`. DataError for a text that spells what stands around documents."""
        clean = [part.encode("utf-8", "replace").decode("utf-8") for part in parts]
        with told("tokenizer.json"):
            encoded = self.library.encode_batch_fast(clean, add_special_tokens=False)  # type: ignore[attr-defined]
        found = [each.ids for each in encoded]
        numbers = np.array([number for each in found for number in each], np.int32)
        if ((numbers == self.begin) | (numbers == self.end)).any():
            raise DataError("A text holds the token that ends or begins texts for this model. Take it out.")
        return numbers, np.array([len(each) for each in found], np.int64)

    @property
    def begins(self) -> int:
        """See :class:`TextUnits`."""
        return self.size

    def unseen(self) -> NDArray:
        """Every token alike."""
        return np.full(self.size, 1 / self.size)

    def words(self) -> list[str]:
        """None: its folder holds the tokenizer."""
        return []


def _letters(token: str) -> bytes:
    return b"".join(bytes([BYTE_OF[letter]]) if letter in BYTE_OF else letter.encode() for letter in token)


def _piece(token: str) -> bytes:
    if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
        return bytes([int(token[3:5], 16)])
    return token.replace(BLANK, " ").encode()
