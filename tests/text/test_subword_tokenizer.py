"""Subwords: every text comes back, frequent words are one subword, and what was learned is a function of the texts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scansion.errors import StorageError
from scansion.text.subword_tokenizer import BEGIN, END, SPECIAL, SubwordTokenizer

TEXTS = ["a small dog runs .", "A small cat sleeps, softly.", "ein kleiner Hund läuft .", "der Hund schläft"] * 8
SUBWORDS = SubwordTokenizer.learn(TEXTS, most=400)


def rows_of(sequences):
    return [
        sequences.ids[begin : begin + length].tolist()
        for begin, length in zip(sequences.starts, sequences.lengths, strict=True)
    ]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(blacklist_categories=["Cs"])), max_size=5))
def test_every_text_comes_back(texts):
    rows = rows_of(SUBWORDS.encode(texts))
    assert all(row[-1] == END and END not in row[:-1] and BEGIN not in row for row in rows)
    assert SUBWORDS.decode([row[:-1] for row in rows]) == texts


@pytest.mark.parametrize("text", ["", " ", "  two  blanks ", "tab\there\n", "<end> <padding>", "😀 ¿que?", "\u0000"])
def test_odd_texts_come_back(text):
    (row,) = rows_of(SUBWORDS.encode([text]))
    assert SUBWORDS.decode([row[:-1]]) == [text]


def test_a_frequent_word_is_one_subword_and_a_mark_is_its_own():
    (row,) = rows_of(SUBWORDS.encode(["Hund dog,"]))
    assert SUBWORDS.decode([[number] for number in row[:-1]]) == ["Hund", "dog", ","]


def test_learning_is_a_function_of_the_texts():
    assert SubwordTokenizer.learn(TEXTS, most=400) == SUBWORDS
    assert SUBWORDS.subwords[: len(SPECIAL)] == list(SPECIAL)
    again = SubwordTokenizer(list(SUBWORDS.subwords), list(SUBWORDS.merges))
    np.testing.assert_array_equal(again.encode(TEXTS).ids, SUBWORDS.encode(TEXTS).ids)


def test_merges_that_fit_no_subword_are_refused():
    with pytest.raises(StorageError, match="not what was learned"):
        SubwordTokenizer(SUBWORDS.subwords, [("zzz", "yyy")]).encode(["a"])
