"""Spelling: one for what is canonically the same text, and none of what nobody can see.

    text -> str.lower -> default-ignorable characters taken out -> canonical composition (NFC)

Canonical composition is that of the Unicode Standard (Annex 15): a letter and its accent become one character where
there is one, and marks come in one order.  Default-ignorable are variation selectors, soft hyphens, joiners, controls
of direction and other characters without a shape (property Default_Ignorable_Code_Point, DerivedCoreProperties.txt).
The zero width space is none of them here: it stands between words, and is what says so in scripts without blanks.
"""

import re
import unicodedata
from collections.abc import Iterator

import numpy as np

IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Default-ignorable characters but the zero width space, as the inside of a regular expression's brackets."""

_IGNORED = re.compile(f"[{IGNORABLE}]+")
_JAMO = re.compile("[\u1161-\u1175\u11a8-\u11c2]")


def normal_form(lowered: str) -> str:
    """The spelling of a text whose case is folded already."""
    return lowered if lowered.isascii() else unicodedata.normalize("NFC", _IGNORED.sub("", lowered))


def is_ignorable(character: str) -> bool:
    """Whether a character is taken out."""
    return _IGNORED.match(character) is not None


def is_settled(character: str) -> bool:
    """Whether a character that is no mark stays what it is, whatever stands beside it."""
    return unicodedata.is_normalized("NFC", character) and _JAMO.match(character) is None


def lowered_with_places(text: str) -> tuple[str, np.ndarray]:
    """A text with its case folded, and where each of its characters starts and ends in the text, (characters, 2)."""
    lowered, numbers = text.lower(), np.arange(len(text))
    if len(lowered) != len(text):  # a few letters become two when their case is folded
        numbers = np.repeat(numbers, [len(letter.lower()) for letter in text])
    return lowered, np.stack([numbers, numbers + 1], axis=1)


def normalized_with_places(text: str) -> tuple[str, np.ndarray]:
    """What :func:`normal_form` makes of a text once its case is folded, and the place of each of its characters.

    Places are (characters, 2) as above.  A variation selector belongs to the character before it, as a mark does; other
    characters that are taken out belong to none.
    """
    lowered, letters = lowered_with_places(text)
    kept, ends = _kept(lowered)
    left = "".join(map(lowered.__getitem__, kept))
    places = np.stack([letters[kept, 0], letters[np.array(ends, int) - 1, 1]], axis=1) if kept else letters[:0]
    form, sources = [], []  # of each character of the form, the first and the last of ``left`` that it may come from
    for first, last in _pieces(left):
        own = unicodedata.normalize("NFC", left[first:last])
        form.append(own)
        alone = len(own) == last - first
        sources += [(i, i) for i in range(first, last)] if alone else [(first, last - 1)] * len(own)
    firsts, lasts = np.array(sources, int).reshape(-1, 2).T
    return "".join(form), np.stack([places[firsts, 0], places[lasts, 1]], axis=1)


def _kept(lowered: str) -> tuple[list[int], list[int]]:
    """The characters that are not taken out, and where each ends with the selectors behind it."""
    kept: list[int] = []
    ends: list[int] = []
    ignored = {character for character in set(lowered) if is_ignorable(character)}
    for i, character in enumerate(lowered):
        if character not in ignored:
            kept.append(i)
            ends.append(i + 1)
        elif ends and ends[-1] == i and unicodedata.category(character) == "Mn":
            ends[-1] = i + 1
    return kept, ends


def _pieces(left: str) -> Iterator[tuple[int, int]]:
    """Runs of characters that are composed by themselves: none has an effect on another run."""
    if unicodedata.is_normalized("NFC", left):
        yield 0, len(left)
        return
    first = 0
    for i, character in enumerate(left):
        if i > first and not _belongs(left[first:i], character):
            yield first, i
            first = i
    yield first, len(left)


def _belongs(before: str, character: str) -> bool:
    """Whether a character is composed with those before it, or may trade places with them."""
    if unicodedata.combining(character):
        return True
    if character.isascii():
        return False
    apart = unicodedata.normalize("NFC", before) + unicodedata.normalize("NFC", character)
    return unicodedata.normalize("NFC", before + character) != apart
