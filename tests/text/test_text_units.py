"""Units of text spell the very text they were read from, whatever they know."""

import numpy as np
import pytest

from scansion.errors import DataError, UsageError
from scansion.text.subword_tokenizer import BEGIN, END
from scansion.text.text_units import FIRST_BYTE, FIRST_PIECE, LEARN, WORD, learn_units, restore_units

TEXTS = [
    "The king doth wake tonight,\nand takes his rouse.", "Keeps wassail, and the swaggering up-spring reels;", "",
    "And, as he drains his draughts of Rhenish down,", "the king, the king's to blame.", "\n two  blanks \t", "don't",
]
ODD = ["Ünïcödé — 日本語 🙂", "\x00\r\n", "x" * 50, "a_b 12_3 ²½", "\u0301e\u200b", "  ", "क्षत्रिय", " lead and trail "]


@pytest.mark.parametrize("name", list(LEARN))
def test_tokens_spell_the_text_they_were_read_from(name):
    units = learn_units(TEXTS, name)
    encoded = units.encode(TEXTS + ODD)
    for row, text in enumerate(TEXTS + ODD):
        tokens = encoded.ids[encoded.starts[row] : encoded.starts[row] + encoded.lengths[row]].tolist()
        assert tokens[0] == BEGIN
        assert tokens[-1] == END
        assert not {BEGIN, END} & set(tokens[1:-1])
        assert units.decode(tokens) == text
    assert encoded.ids.max() < len(units)


@pytest.mark.parametrize("name", list(LEARN))
def test_a_text_in_parts_spells_the_same(name, monkeypatch):
    units = learn_units(TEXTS, name)
    monkeypatch.setattr("scansion.text.text_parts.CHARACTERS_AT_A_TIME", 16)
    for text in TEXTS + ODD:
        assert units.decode(units.encode([text]).ids.tolist()) == text


@pytest.mark.parametrize("name", list(LEARN))
def test_what_a_folder_holds_gives_the_same_units(name):
    units = learn_units(TEXTS, name)
    again = restore_units(name, units.words(), units.begins)
    assert np.array_equal(again.encode(ODD).ids, units.encode(ODD).ids)
    assert again.spellings == units.spellings


@pytest.mark.parametrize("name", list(LEARN))
def test_what_is_held_of_unseen_tokens_is_a_distribution_without_padding_and_begin(name):
    unseen = learn_units(TEXTS, name).unseen()
    assert unseen.sum() == pytest.approx(1)
    assert (unseen[:END] == 0).all()
    assert (unseen[END:] > 0).all()


def test_what_is_met_once_or_never_is_spelled_in_bytes():
    units = learn_units(["aab", "é"], "characters")
    assert units.words() == ["a"]
    tokens = units.encode(["abé"]).ids.tolist()
    assert tokens == [BEGIN, FIRST_PIECE, *(FIRST_BYTE + byte for byte in "bé".encode()), END]
    assert units.is_spelled(np.array(tokens)).tolist() == [False, False, True, True, True, False]


def test_words_are_cut_with_the_blank_before_them():
    assert WORD.findall("We don't: 12 days,  x\n\ty") == [
        "We", " don", "'t", ":", " 12", " days", ",", " ", " x", "\n", "\t", "y"
    ]


def test_half_a_surrogate_pair_is_spelled_and_never_a_piece():
    for name in ("characters", "bytes", "words"):
        units = learn_units(["a\ud800", "b\ud800"], name)
        assert "\ud800" not in units.words()
        assert units.encode(["\ud800"]).lengths.tolist() == [5]


def test_half_a_surrogate_pair_has_no_subwords():
    with pytest.raises(DataError, match="half a surrogate pair"):
        learn_units(["a \ud800"], "subwords")
    with pytest.raises(DataError, match="half a surrogate pair"):
        learn_units(TEXTS, "subwords").encode(["a \ud800"])


def test_a_vocabulary_is_bounded_where_it_is_said():
    assert learn_units(["b a a a b c c"], "characters", 2).words() == [" ", "a"]
    assert len(learn_units(TEXTS, "words", 3).words()) == 3
    assert len(learn_units(TEXTS, "subwords", 262)) == 262


@pytest.mark.parametrize(("name", "words"), [("characters", ["ab"]), ("syllables", []), ("subwords", ["a"])])
def test_words_that_are_no_vocabulary_are_refused(name, words):
    with pytest.raises(ValueError, match=r"these words|words are no"):
        restore_units(name, words, len(words))


def test_units_there_are_not_are_refused():
    with pytest.raises(UsageError, match="There are no tokens 'word'; did you mean 'words'"):
        learn_units(TEXTS, "word")
