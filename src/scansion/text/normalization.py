"""Spelling: one for what is canonically the same text, and none of what nobody can see.

    text -> str.lower -> default-ignorable characters taken out -> canonical composition (NFC)

Canonical composition is that of the Unicode Standard (Annex 15): a letter and its accent become one character where
there is one, and marks come in one order.  Default-ignorable are variation selectors, soft hyphens, joiners, controls
of direction and other characters without a shape (property Default_Ignorable_Code_Point, DerivedCoreProperties.txt).
The zero width space is none of them here: it stands between words, and is what says so in scripts without blanks.
"""

import re
import unicodedata

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
    form, places = [], [np.zeros((0, 2), np.int64)]
    for first, last in _pieces(lowered):
        kept = [i for i in range(first, last) if not is_ignorable(lowered[i])]
        own = unicodedata.normalize("NFC", "".join(lowered[i] for i in kept))
        inside = np.array([(letters[i, 0], letters[_with_selectors(lowered, i) - 1, 1]) for i in kept]).reshape(-1, 2)
        if len(own) != len(kept):
            inside = np.repeat([[inside[0, 0], inside[-1, 1]]], len(own), axis=0)
        form.append(own)
        places.append(inside)
    return "".join(form), np.concatenate(places)


def _pieces(lowered: str) -> list[tuple[int, int]]:
    """Runs of characters that are composed by themselves: none has an effect on another run."""
    pieces, before, first = [], "", 0
    for i, character in enumerate(lowered):
        if is_ignorable(character):
            continue
        if not _belongs(before, character):
            pieces.append((first, i))
            before, first = "", i
        before += character
    return [*pieces, (first, len(lowered))]


def _belongs(before: str, character: str) -> bool:
    """Whether a character is composed with those before it, or may trade places with them."""
    if not before or unicodedata.combining(character):
        return True
    if character.isascii():
        return False
    apart = unicodedata.normalize("NFC", before) + unicodedata.normalize("NFC", character)
    return unicodedata.normalize("NFC", before + character) != apart


def _with_selectors(lowered: str, at: int) -> int:
    """The end of a character and of the selectors behind it."""
    end = at + 1
    while end < len(lowered) and is_ignorable(lowered[end]) and unicodedata.category(lowered[end]) == "Mn":
        end += 1
    return end
