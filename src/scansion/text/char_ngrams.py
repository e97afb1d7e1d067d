"""Character n-grams: the runs of 3 to 5 letters of a word with its borders (Bojanowski et al. 2017, section 3.2).

    "cat"  ->  <ca  cat  at>  <cat  cat>  <cat>
"""

from array import array

import numpy as np

from scansion.text.numbered import Numbered

SHORTEST, LONGEST = 3, 5
CHAR_NGRAM_MARK = " "  # no word holds a blank, so in a stored list an n-gram is never taken for a word


def char_ngrams_of(types: list[str], known: Numbered | None = None) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Numbers, offsets and the character n-grams: word i has ``numbers[offsets[i]:offsets[i + 1]]``.

    Only ``known`` ones are numbered if they are given.
    """
    number = {} if known is None else known.number
    numbers = array("i")
    offsets = np.zeros(len(types) + 1, np.int64)
    for row, word in enumerate(types):
        bordered = f"<{word}>"
        for size in range(SHORTEST, LONGEST + 1):
            for begin in range(len(bordered) - size + 1):
                char_ngram = bordered[begin : begin + size]
                if known is None:
                    numbers.append(number.setdefault(char_ngram, len(number)))
                elif char_ngram in number:
                    numbers.append(number[char_ngram])
        offsets[row + 1] = len(numbers)
    return np.array(numbers, np.int32), offsets, list(number) if known is None else known
