"""The rule of :mod:`scansion.text.words` as regular expressions, for programs in other languages.

They are written with the characters themselves, not with names of properties, so that Python's ``re`` and JavaScript's
``RegExp`` with the flag ``u`` read them alike.  Of a text in lower case, take out what ``ignored`` matches, bring it to
the form NFC, and its words are the matches of ``word``, one after the other.
"""

import sys
import unicodedata
from functools import lru_cache

from scansion.text.normalization import IGNORABLE
from scansion.text.words import (
    APOSTROPHES,
    IDEOGRAPH,
    JOINER,
    KILLER,
    LEADING_VOWEL,
    LETTER,
    MARK,
    SINGLE,
    STACKER,
    UNSETTLED,
    WORD,
    kind_of,
)

SPECIAL = frozenset("\\]^-[")
"""Characters that have a meaning inside the brackets of either language."""
NO_WORD = "ZC"
"""The categories of blanks, controls, and what is no character."""


def ignored() -> str:
    """What is taken out of texts."""
    return f"[{IGNORABLE}]+"


@lru_cache(maxsize=1)
def word() -> str:
    """What matches one word after the other in a text that is normalised; see :func:`scansion.text.words.edges`."""
    kinds = _characters()
    letters, vowels, singles, words, ideographs = (
        kinds[kind] for kind in (LETTER, LEADING_VOWEL, SINGLE, WORD, IDEOGRAPH)
    )
    marks = "".join(kinds[kind] for kind in (MARK, KILLER, JOINER, STACKER))
    begins_syllable = kinds[LEADING_VOWEL] + kinds[JOINER] + kinds[STACKER]
    ends_syllable = kinds[KILLER] + kinds[STACKER]
    joined = f"(?<=[{begins_syllable}])[{letters}]|(?<=[{letters}{vowels}{marks}])[{letters}](?=[{ends_syllable}])"
    on = f"(?:[{marks}]|{joined})*"
    run = f"[{words}](?:[{words}{marks}]|{joined})*"
    apostrophe = "".join(map(chr, APOSTROPHES))
    return (
        f"{run}(?:[{apostrophe}]{run})*|[{ideographs}{letters}{vowels}{singles}]{on}|[{marks}]{on}"
    )


def _characters() -> dict[int, str]:
    """The characters of each kind as ranges, the inside of a regular expression's brackets."""
    ranges: dict[int, list[tuple[int, int]]] = {}
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] in NO_WORD:
            continue
        found = ranges.setdefault(kind_of(chr(code)) % UNSETTLED, [])
        if found and found[-1][1] == code - 1:
            found[-1] = found[-1][0], code
        else:
            found.append((code, code))
    return {
        kind: "".join(_escaped(first) if first == last else f"{_escaped(first)}-{_escaped(last)}"
                      for first, last in found)
        for kind, found in ranges.items()
    }


def _escaped(code: int) -> str:
    character = chr(code)
    return "\\" + character if character in SPECIAL else character
