"""N-grams as an ARPA file, the text format that SRILM, KenLM and others read.

    \\data\\
    ngram 1=5

    \\1-grams:
    -0.5	word	-0.3

A line is the base 10 logarithm of an n-gram's probability, its tokens, and that of its weight as a context, if it is
one.  Files are written with tokens in the alphabet of bytes that GPT-2 made usual, in which a blank is Ġ and a line
feed Ċ, since tokens stand between blanks there; single bytes of what is not in the vocabulary are ``<0x41>``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from scansion.layers.backoff_ngrams import BackoffNGrams, Order
from scansion.storage.atomic_file import replaced_file
from scansion.text.subword_tokenizer import BEGIN, BYTE_OF, END, PADDING
from scansion.text.text_units import FIRST_BYTE, TextUnits

UNKNOWN_WORD, BEGIN_WORD, END_WORD = "<unk>", "<s>", "</s>"
NEVER = -99.0
"""The logarithm of 0, as the format has it."""
LINES_AT_A_TIME = 1 << 18
LETTER_OF = {byte: letter for letter, byte in BYTE_OF.items()}


def arpa_words(units: TextUnits) -> list[str]:
    """How each token is written in a file, (V,)."""
    words = ["".join(LETTER_OF[byte] for byte in spelled) for spelled in units.spellings]
    spelled = np.flatnonzero(units.is_spelled(np.arange(len(words)))).tolist()
    for number in spelled:
        words[number] = f"<0x{number - FIRST_BYTE:02X}>"
    words[PADDING], words[BEGIN], words[END] = UNKNOWN_WORD, BEGIN_WORD, END_WORD
    return words


@dataclass(frozen=True)
class ArpaNGrams:
    """N-grams and the units they are of, to be written."""

    model: BackoffNGrams
    units: TextUnits

    def save(self, path: str | Path) -> None:
        """Write the file in one step, in place of an older one."""
        write_arpa(self.model, self.units, Path(path))


def write_arpa(model: BackoffNGrams, units: TextUnits, path: Path) -> None:
    """Write a file in one step, in place of an older one."""
    words = np.array(arpa_words(units), object)
    with replaced_file(path) as stream:
        counts = "".join(f"ngram {n}={len(order.keys)}\n" for n, order in enumerate(model.orders, 1))
        stream.write(f"\\data\\\n{counts}".encode())
        tokens = np.zeros((1, 0), np.int32)
        for n, order in enumerate(model.orders, 1):
            contexts, last = np.divmod(order.keys, model.vocab_size)
            tokens = np.concatenate([tokens[contexts], last[:, None].astype(np.int32)], axis=1)
            stream.write(f"\n\\{n}-grams:\n".encode())
            for begin in range(0, len(tokens), LINES_AT_A_TIME):
                _write_lines(stream, order, tokens, words, slice(begin, begin + LINES_AT_A_TIME))
        stream.write(b"\n\\end\\\n")


def _write_lines(stream: IO[bytes], order: Order, tokens: NDArray, words: NDArray, part: slice) -> None:
    spelled = [" ".join(row) for row in words[tokens[part]].tolist()]
    scores = _log10(order.probabilities[part])
    if len(order.backoffs):
        lines = (f"{score:.7g}\t{text}\t{weight:.7g}\n" for score, text, weight in zip(
            scores, spelled, _log10(order.backoffs[part]), strict=True
        ))
    else:
        lines = (f"{score:.7g}\t{text}\n" for score, text in zip(scores, spelled, strict=True))
    stream.write("".join(lines).encode())


def _log10(shares: NDArray) -> list[float]:
    with np.errstate(divide="ignore"):
        found = np.minimum(np.log10(shares.astype(np.float64)), 0.0) + 0.0
    return np.where(np.isfinite(found), found, NEVER).tolist()
