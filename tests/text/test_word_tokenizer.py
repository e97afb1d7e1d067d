"""How text becomes words: the rule written out with ``re``, and everything that must not matter."""

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scansion.text import word_tokenizer
from scansion.text.word_tokenizer import read_words, split_words

# every kind of character the rule names, often; and any other character at all
TELLING = "abXY09_ \t\n\0\x85\u00a0\u3000\u200b\u00ad\ufeff'’.,!-–éßİıñ\u0301\u093e漢字かなカナー한글אبд½²€😀\U000e0001"
TEXTS = st.text(st.one_of(st.sampled_from(TELLING), st.characters()), max_size=40)


def tokens_by_hand(text: str) -> list[str]:
    """Each character is written as one letter for its kind; the rule is then a regular expression over kinds."""
    text = text.lower()
    kinds = ""
    for character in text:
        category, name = unicodedata.category(character), unicodedata.name(character, "")
        if category.startswith(("Z", "C")):
            kinds += "b"
        elif name.startswith(("CJK", "HIRAGANA", "KATAKANA")):
            kinds += "s"
        elif category.startswith(("L", "N", "M")) or character == "_":
            kinds += "w"
        else:
            kinds += "a" if character in "'’" else "s"
    return [text[found.start() : found.end()] for found in re.finditer("w+(?:aw+)*|[sa]", kinds)]


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_splitting_is_the_rule_written_out_with_re(text):
    corpus = read_words([text])
    assert corpus.words(0) == tokens_by_hand(text)
    lowered = text.lower()
    assert [lowered[start:end] for start, end in split_words(lowered)] == tokens_by_hand(text)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, max_size=12))
def test_every_document_keeps_its_own_words(texts):
    corpus = read_words(texts)
    assert [corpus.words(i) for i in range(len(corpus))] == [tokens_by_hand(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop", ["don't", "stop"]),
        ("the dogs' bone", ["the", "dogs", "'", "bone"]),
        ("'tis", ["'", "tis"]),
        ("rock’n’roll", ["rock’n’roll"]),
        ("a''b", ["a", "'", "'", "b"]),
        ("a'’b", ["a", "'", "’", "b"]),
        ("漢'字", ["漢", "'", "字"]),
        ("snake_case x_1", ["snake_case", "x_1"]),
        ("3.14", ["3", ".", "14"]),
        ("GROẞ", ["groß"]),
        ("cafe\u0301!", ["cafe\u0301", "!"]),
        ("漢字ab", ["漢", "字", "ab"]),
        ("안녕 세상", ["안녕", "세상"]),
        ("a\u200bb", ["a", "b"]),
        ("a\0b", ["a", "b"]),
        ("İ", ["i\u0307"]),
        ("😀😀", ["😀", "😀"]),
    ],
)
def test_what_a_word_is(text, expected):
    assert read_words([text]).words(0) == expected


@pytest.mark.parametrize("text", ["", " ", "\n\t\u3000", "\0", "\ud800", "\ue000", "\u0378"])
def test_a_text_of_blanks_alone_has_no_words(text):
    assert read_words([text]).words(0) == []
    assert split_words(text) == []


def test_a_lone_surrogate_parts_words_and_breaks_nothing():
    assert read_words(["one\udc80two \ud83d"]).words(0) == ["one", "two"]


def test_no_documents_are_a_corpus_of_none():
    corpus = read_words([])
    assert (len(corpus), corpus.types, len(corpus.ids)) == (0, [], 0)
    assert corpus.frequencies().tolist() == []


@pytest.fixture(scope="module")
def library() -> list[str]:
    random = np.random.default_rng(0)
    vocabulary = [f"word{i}" for i in range(300)] + list(TELLING) + ["don't", "漢字", ""]
    return [" ".join(random.choice(vocabulary, random.integers(0, 30))) for _ in range(400)]


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("size", [1, 2, 37, 1000])
def test_neither_threads_nor_chunk_borders_change_anything(library, monkeypatch, threads, size):
    whole = read_words(library, threads=1)
    monkeypatch.setattr(word_tokenizer, "CHUNK_CHARACTERS", size)
    parts = read_words(iter(library), threads)
    assert [parts.words(i) for i in range(len(parts))] == [whole.words(i) for i in range(len(whole))]
    np.testing.assert_array_equal(parts.offsets, whole.offsets)
    assert len(set(parts.types)) == len(parts.types)
    assert set(parts.types) == set(whole.types)


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_do_not_even_change_the_order_of_discovery(library, monkeypatch, threads):
    monkeypatch.setattr(word_tokenizer, "CHUNK_CHARACTERS", 500)
    alone, together = read_words(library, 1), read_words(library, threads)
    assert together.types == alone.types
    np.testing.assert_array_equal(together.ids, alone.ids)


def test_a_text_longer_than_a_chunk_stays_one_document():
    text = "ab cd " * (word_tokenizer.CHUNK_CHARACTERS // 4)
    corpus = read_words([text, "cd"])
    assert corpus.lengths.tolist() == [2 * (word_tokenizer.CHUNK_CHARACTERS // 4), 1]
    assert sorted(corpus.types) == ["ab", "cd"]
    assert corpus.words(1) == ["cd"]


def test_frequencies_count_tokens():
    corpus = read_words(["b a b", "", "c b"])
    assert dict(zip(corpus.types, corpus.frequencies().tolist(), strict=True)) == {"a": 1, "b": 3, "c": 1}
    assert corpus.lengths.tolist() == [3, 0, 2]
