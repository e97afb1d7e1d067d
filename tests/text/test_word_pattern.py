"""Words by regular expressions, for programs in other languages, are the words that models read."""

import random
import re
import unicodedata

from scansion.text import word_pattern
from scansion.text.word_tokenizer import read_words

LETTERS = (
    "abДé'’_1.!? \u0301\u0327\u1039\u17d2\u0e4c\u103aกเาไမြန်ကျខ្ញុំ中文かなカ한\u1100\u1161"
    "ΣİΑ\u200d\ufe0f😀\u20dd-[]\\^&~|/½Ⅷ"
)


def words(text):
    plain = unicodedata.normalize("NFC", re.sub(word_pattern.ignored(), "", text.lower()))
    return re.findall(word_pattern.word(), plain)


def test_texts_of_any_script_have_the_same_words():
    draw = random.Random(0)
    texts = ["".join(draw.choices(LETTERS, k=draw.randrange(12))) for _ in range(1_500)]
    texts += ["".join(chr(draw.randrange(0x20, 0x3000)) for _ in range(8)) for _ in range(500)]
    corpus = read_words(texts)
    assert [words(text) for text in texts] == [corpus.words(number) for number in range(len(texts))]


def test_nothing_in_it_means_another_thing_in_javascript():
    """Which with the flag u knows no escapes but those of its syntax, and takes no doubled marks for sets."""
    assert set(re.findall(r"\\(.)", word_pattern.word())) <= set("\\]^-[")
    assert not re.search(r"&&|--|\|\||~~", word_pattern.word())
