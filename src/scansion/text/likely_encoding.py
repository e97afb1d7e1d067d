"""Which encodings bytes that are not UTF-8 may be in, judged by the words they would read as.

The judgement only orders what a message names: the user sees the words and decides.
"""

import codecs
import re
import unicodedata

CANDIDATES = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp932", "cp949", "gb18030", "big5", "cp1254", "cp1255", "cp1256", "cp1257",
    "koi8-r", "cp874", "cp850", "mac-roman",
)
"""Legacy encodings in use, roughly the commonest first: of equally plausible ones the first is named first."""

SAMPLE_BYTES = 1 << 12
SHOWN_CHARACTERS = 24
MOST_MARKED = 0.75
"""The share of letters beyond ASCII in a Latin word."""

_WORD = re.compile(r"[^\s\x00-@\[-`{-\x7f、。「」『』，！？；：（）《》]+")
_PUNCTUATION = "’‘“”„‚–—…•·€£¥§©®°«»‹›¡¿ºª²³½¼¾×"
_VOWELS = set("aeiouyæøœı" "аеёиоуыэюяіїєў" "αεηιουω")
_ONE_SCRIPT = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "KATAKANA-HIRAGANA": "CJK"}
_WITH_VOWELS = {"LATIN", "CYRILLIC", "GREEK"}


def likely_encodings(sample: bytes, most: int = 3) -> list[tuple[str, str]]:
    """The likeliest encodings, best first, each with how the place around the first byte beyond ASCII reads in it."""
    read = {}
    for encoding in CANDIDATES:
        try:
            read[encoding] = codecs.getincrementaldecoder(encoding)().decode(sample[:SAMPLE_BYTES])
        except UnicodeDecodeError:
            continue
    different: dict[str, str] = {}
    for encoding in sorted(read, key=lambda encoding: -_plausibility(read[encoding])):
        different.setdefault(_around(read[encoding]), encoding)
    return [(encoding, text) for text, encoding in list(different.items())[:most]]


def _plausibility(text: str) -> float:
    """The mean plausibility of its words beyond ASCII."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    return sum(map(_word_plausibility, words)) / max(1, len(words))


def _word_plausibility(word: str) -> float:
    """1 for a word of one script with a vowel, in small letters after the first; less for capitals; 0 for another."""
    letters = word.strip(_PUNCTUATION)
    scripts = {_script(letter) for letter in letters}
    if not letters:
        return 1
    if not letters.isalpha() or len(scripts) > 1 or "HALFWIDTH" in scripts:
        return 0
    if scripts & _WITH_VOWELS:
        bare = unicodedata.normalize("NFD", letters.lower())
        marked = sum(not letter.isascii() for letter in letters) / len(letters)
        if not _VOWELS & set(bare) or (scripts == {"LATIN"} and len(letters) > 1 and marked > MOST_MARKED):
            return 0
    if letters[1:] == letters[1:].lower():
        return 1
    return 0.5 if letters.isupper() else 0


def _script(letter: str) -> str:
    first = unicodedata.name(letter, "?").split()[0]
    return _ONE_SCRIPT.get(first, first)


def _around(text: str) -> str:
    """Some characters around the first that is not ASCII, of its line."""
    at = next((at for at, character in enumerate(text) if not character.isascii()), 0)
    begin = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    begin, end = max(begin, at - SHOWN_CHARACTERS // 2), min(len(text) if end < 0 else end, at + SHOWN_CHARACTERS // 2)
    return text[begin:end].strip()
