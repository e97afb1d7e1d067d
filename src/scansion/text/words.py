"""What a word is.

A token is a run of letters, digits, marks and underscores (an apostrophe between two of them belongs to it), or one
other visible character with its marks.  Scripts written without blanks have no such runs, so there

    an ideograph, a kana or another character of their kind is a token (Chinese, Japanese, Yi)
    a written syllable is one: a consonant with its vowels, tones and what is stacked below it (Thai, Lao, Khmer,
    Burmese; also Tai, Ahom, Balinese, Javanese)

since a dictionary would make answers depend on its edition.  A syllable takes in a vowel written before its consonant
(property Logical_Order_Exception), a consonant that a virama joins to it, and a final consonant that a sign marks as
silent or vowelless.

Words are read from text in one spelling (:mod:`scansion.text.normalization`).  A model keeps the number of the rule
that its words were read by, so that a folder goes on to read the same words when the rule of new models is another.
"""

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np

from scansion.text.normalization import is_ignorable, is_settled, lowered_with_places, normalized_with_places

WordRule = Literal[1, 2]
WORD_RULE: WordRule = 2
"""The rule of new models."""

BLANK, WORD, SINGLE = 0, 1, 2
IDEOGRAPH, LETTER, LEADING_VOWEL = 3, 4, 5  # of scripts without blanks
MARK, KILLER, JOINER, STACKER, IGNORED = 6, 7, 8, 9, 10  # a stacker joins two consonants, of which the first is a final
UNSETTLED = 16  # added to the kind of what is another character, or may become one, in the normal form
UNSEEN = 255

APOSTROPHES = (0x27, 0x2019)
IDEOGRAPHIC = (
    "CJK", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "IDEOGRAPHIC", "HENTAIGANA", "BOPOMOFO", "YI ", "NUSHU",
    "TANGUT", "KHITAN",
)
SYLLABIC = ("THAI", "LAO", "KHMER", "MYANMAR", "TAI ", "NEW TAI LUE", "AHOM", "BALINESE", "JAVANESE")
"""How names of characters begin, by how their script is read."""
LEADING_VOWELS = frozenset("เแโใไເແໂໃໄ\u19b5\u19b6\u19b7\u19ba\uaab5\uaab6\uaab9\uaabb\uaabc")
FOLLOWING_VOWELS = frozenset("ะาำๅະາຳ\u19b0\u19b1\u19b2\u19b3\u19b4\u19b8\u19b9\u19bb\u19bc\u19bd\u19be\u19bf\u19c0")
SIGNS = {
    "\u0e4c": KILLER, "\u0ecc": KILLER, "\u103a": KILLER, "\u17d2": JOINER, "\u1a60": JOINER, "\u1039": STACKER,
    "\u1b44": STACKER, "\ua9c0": STACKER,
}


def split_words(text: str, rule: WordRule = WORD_RULE) -> list[tuple[int, int]]:
    """The ``(start, end)`` of every token of one text, in characters of the text as it is."""
    lowered, places = lowered_with_places(text)
    codes, kinds = read_kinds(lowered, rule)
    if is_unsettled(kinds):
        normalized, places = normalized_with_places(text)
        codes, kinds = read_kinds(normalized, rule)
    starts, ends = edges(codes, kinds)
    return list(zip(places[starts, 0].tolist(), places[ends - 1, 1].tolist(), strict=True))


def read_kinds(text: str, rule: WordRule) -> tuple[np.ndarray, np.ndarray]:
    """The code points of a text, (characters,) uint32, and the kind of each, uint8."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    table = _kind_table(rule)  # filled as characters are met: asking for all 1.1 million would take a second
    kinds = table[codes]
    if kinds.max(initial=BLANK) == UNSEEN:
        for code in np.unique(codes[kinds == UNSEEN]):
            table[code] = KINDS[rule](chr(code))
        kinds = table[codes]
    return codes, kinds


def is_unsettled(kinds: np.ndarray) -> bool:
    """Whether a text with such kinds may have another spelling."""
    return bool(kinds.max(initial=BLANK) >= MARK)


def edges(codes: np.ndarray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where tokens start and end in a text in its normal form, (tokens,) each."""
    padded = np.zeros(len(codes) + 2, np.uint8)  # a blank before and after
    padded[1:-1] = kinds
    has_marks = kinds.max(initial=BLANK) > SINGLE
    if has_marks:
        _join_marks(padded)
    for apostrophe in APOSTROPHES:
        where = np.flatnonzero(codes == apostrophe)
        padded[1 + where[(padded[where] == WORD) & (padded[where + 2] == WORD)]] = WORD
    before, inside, after = padded[:-2], padded[1:-1], padded[2:]
    word, single = inside == WORD, inside == SINGLE
    starts = single | (word & (before != WORD))
    if has_marks:
        single = (single | (inside == MARK)) & (after != MARK)
    ends = single | (word & (after != WORD))
    return np.flatnonzero(starts), np.flatnonzero(ends) + 1


def _join_marks(padded: np.ndarray) -> None:
    """Make all kinds one of BLANK, WORD, SINGLE and MARK, which goes on with a SINGLE."""
    padded &= UNSETTLED - 1
    before, inside, after = padded[:-2], padded[1:-1], padded[2:]
    joins = (before == LEADING_VOWEL) | (before == JOINER) | (before == STACKER)
    is_final = ((after == KILLER) | (after == STACKER)) & (before >= LETTER)
    joined = (inside == LETTER) & (joins | is_final)
    inside[(inside >= IDEOGRAPH) & (inside < MARK)] = SINGLE
    inside[joined] = MARK
    marks = padded >= MARK
    numbers = np.arange(len(padded))
    carriers = np.maximum.accumulate(np.where(marks, 0, numbers))  # the last character that is no mark
    carried_by = padded[carriers]
    padded[marks] = MARK
    padded[marks & (carried_by == WORD)] = WORD
    padded[marks & (carried_by == BLANK) & (numbers == carriers + 1)] = SINGLE


@lru_cache(maxsize=2)
def _kind_table(rule: WordRule) -> np.ndarray:
    return np.full(0x110000, UNSEEN, np.uint8)


def kind_of(character: str) -> int:
    """The kind of a character."""
    category, name = unicodedata.category(character), unicodedata.name(character, "")
    if is_ignorable(character):
        return IGNORED
    if category[0] in "ZC":
        return BLANK
    if category in ("Mn", "Mc"):
        return SIGNS.get(character, MARK)
    unsettled = 0 if is_settled(character) else UNSETTLED
    if category[0] == "L" and name.startswith(SYLLABIC):
        return LEADING_VOWEL if character in LEADING_VOWELS else MARK if character in FOLLOWING_VOWELS else LETTER
    if category[0] in "LN" and name.startswith(IDEOGRAPHIC):
        return IDEOGRAPH + unsettled
    return (WORD if category[0] in "LN" or character == "_" else SINGLE) + unsettled


def kind_of_rule_1(character: str) -> int:
    """The kind of a character in folders that name no rule: text is taken as it is spelled."""
    category = unicodedata.category(character)
    if category[0] in "ZC":
        return BLANK
    if unicodedata.name(character, "").startswith(("CJK", "HIRAGANA", "KATAKANA")):
        return SINGLE
    return WORD if category[0] in "LNM" or character == "_" else SINGLE


KINDS: dict[WordRule, Callable[[str], int]] = {1: kind_of_rule_1, 2: kind_of}
"""By the number of the rule."""
