"""N-grams as an ARPA file, the text format that SRILM, KenLM and others read and write.

    \\data\\
    ngram 1=5

    \\1-grams:
    -0.5	word	-0.3

A line is the base 10 logarithm of an n-gram's probability, its tokens, and that of its weight as a context, if it is
one.  Files are written with tokens in the alphabet of bytes that GPT-2 made usual, in which a blank is Ġ and a line
feed Ċ, since tokens stand between blanks there; single bytes of what is not in the vocabulary are ``<0x41>``.  Files of
others are read as they are, with words between blanks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from scansion.errors import DataError, shown
from scansion.layers.backoff_ngrams import BackoffNGrams, Order
from scansion.layers.ngram_counts import NONE, find
from scansion.storage.atomic_file import replaced_file
from scansion.text.encodings import Lines, without_line_end
from scansion.text.sources import find_source
from scansion.text.subword_tokenizer import BEGIN, BYTE_OF, END, PADDING
from scansion.text.text_units import FIRST_BYTE, SeparatedUnits, TextUnits

UNKNOWN_WORD, BEGIN_WORD, END_WORD = "<unk>", "<s>", "</s>"
NEVER = -99.0
"""The logarithm of 0, as the format has it."""
LEAST = 1.2e-38
"""What a word has at least: also one that is not in a file, where the file says nothing of such words."""
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


def read_arpa(path: str | Path) -> tuple[BackoffNGrams, SeparatedUnits]:
    """The n-grams of a file, packed or not, and its words.

    DataError with the line for what is no ARPA file, and for an n-gram whose beginning is not among the shorter ones.
    """
    file = _ArpaFile(str(path))
    sizes = file.sizes()
    numbers = {UNKNOWN_WORD: PADDING, BEGIN_WORD: BEGIN, END_WORD: END}
    orders: list[Order] = []
    for n, size in enumerate(sizes, 1):
        tokens, scores, weights = np.zeros((size, n), np.int64), np.zeros(size), np.zeros(size)
        for row, (words, score, weight) in enumerate(file.section(n, size)):
            if n == 1:
                numbers.setdefault(words[0], len(numbers))
            tokens[row] = [numbers.get(word, NONE) for word in words]
            scores[row], weights[row] = score, weight
        shares, backoffs = (np.power(10.0, each).astype(np.float32) for each in (scores, weights))
        if n == 1:
            orders.append(_single(tokens[:, 0], shares, backoffs, len(numbers)))
            continue
        keys = tokens[:, 0]
        for at in range(1, n):
            known = (keys >= 0) & (tokens[:, at] >= 0)
            keys = np.where(known, keys * len(numbers) + tokens[:, at], NONE)
            keys = find(orders[at].keys, keys) if at < n - 1 else keys
        order = np.argsort(keys)
        if size and (keys[order[0]] < 0 or (np.diff(keys[order]) == 0).any()):
            raise DataError(f"{path}: an n-gram of order {n} stands twice, or begins with one that is not listed.")
        orders.append(Order(keys[order], shares[order], backoffs[order]))
    orders[-1] = Order(orders[-1].keys, orders[-1].probabilities, np.ones(0, np.float32))
    return BackoffNGrams(len(numbers), BEGIN, tuple(orders)), SeparatedUnits(list(numbers)[END + 1 :])


def _single(tokens: NDArray, shares: NDArray, backoffs: NDArray, vocab_size: int) -> Order:
    """Order 1, in which every token has its place, also the unknown word that a file may not have."""
    found, weights = np.full(vocab_size, LEAST, np.float32), np.ones(vocab_size, np.float32)
    found[tokens], weights[tokens] = np.maximum(shares, LEAST), backoffs
    found[BEGIN] = 0
    return Order(np.arange(vocab_size), found, weights)


class _ArpaFile:
    """The lines of a file, read once from its beginning to its end."""

    def __init__(self, path: str) -> None:
        self.lines = Lines(find_source(path), 0)
        self.left = (without_line_end(line).strip() for line in self.lines)

    def sizes(self) -> list[int]:
        """How many n-grams of each order are announced."""
        if not any(line == "\\data\\" for line in self.left):
            raise DataError(f"{self.lines.source.name} has no line \\data\\, so it is no ARPA file.")
        sizes: list[int] = []
        for line in self.left:
            order, equals, number = line.removeprefix("ngram ").partition("=")
            if not line and sizes:
                return sizes
            if line and (not equals or order.strip() != str(len(sizes) + 1) or not number.strip().isdecimal()):
                raise self.fault(line, f"ngram {len(sizes) + 1}=NUMBER")
            sizes += [int(number)] if line else []
        raise DataError(f"{self.lines.source.name} ends before its n-grams. Copy it again.")

    def section(self, n: int, size: int) -> Iterator[tuple[list[str], float, float]]:
        """Words, score and weight of each n-gram of an order."""
        head = next((line for line in self.left if line), "")
        if head != f"\\{n}-grams:":
            raise self.fault(head, f"\\{n}-grams:")
        for _ in range(size):
            line = next(self.left, "")
            parts = line.split()
            try:
                if len(parts) not in (n + 1, n + 2):
                    raise ValueError
                yield parts[1 : n + 1], min(0.0, float(parts[0])), float(parts[n + 1]) if len(parts) > n + 1 else 0.0
            except ValueError:
                raise self.fault(line, f"a logarithm, {n} words and perhaps another logarithm") from None

    def fault(self, line: str, expected: str) -> DataError:
        """The error for a line that is not what it should be."""
        return DataError(f"{self.lines.source.name}, line {self.lines.number}: {shown(line)}; expected {expected}.")
