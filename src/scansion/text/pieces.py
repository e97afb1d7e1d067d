"""Pieces: the runs of 3 to 5 letters a word is made of, with its borders (Bojanowski et al. 2017, section 3.2).

    "cat"  ->  <ca  cat  at>  <cat  cat>  <cat>
"""

from array import array

import numpy as np

SHORTEST_PIECE, LONGEST_PIECE = 3, 5
PIECE_MARK = " "  # no word holds a blank, so in a stored list a piece is never taken for a word


def cut_words(types: list[str], known: list[str] | None = None) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Every word's pieces by number: word i has ``numbers[borders[i]:borders[i + 1]]``, and piece j is ``pieces[j]``.

    Only ``known`` pieces are numbered if they are given.
    """
    number: dict[str, int] = {} if known is None else {piece: i for i, piece in enumerate(known)}
    numbers = array("i")
    borders = np.zeros(len(types) + 1, np.int64)
    for row, word in enumerate(types):
        bordered = f"<{word}>"
        for size in range(SHORTEST_PIECE, LONGEST_PIECE + 1):
            for begin in range(len(bordered) - size + 1):
                piece = bordered[begin : begin + size]
                if known is None:
                    numbers.append(number.setdefault(piece, len(number)))
                elif piece in number:
                    numbers.append(number[piece])
        borders[row + 1] = len(numbers)
    return np.array(numbers, np.int32), borders, list(number)
