"""A word may hold any character and comes back as it was, in its place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scansion.errors import UnsafeFolderError, UsageError
from scansion.storage.word_list import words_from_bytes, words_to_bytes


@settings(deadline=None)
@given(st.lists(st.text(), unique=True))
def test_every_list_of_words_survives_in_order(words):
    assert words_from_bytes(words_to_bytes(words), "file") == words


def test_words_that_are_also_syntax_survive():
    words = [
        "",
        " ",
        "\n",
        "\r\n",
        "\0",
        '"',
        "\\",
        "\\n",
        "[",
        "]",
        ",",
        "\u2028",
        "\ufeff",
        "é",
        "e\u0301",
        "😀",
        "null",
    ]
    assert words_from_bytes(words_to_bytes(words), "file") == words


def test_a_person_can_read_it_a_word_a_line():
    assert words_to_bytes(["to", "wörk"]).decode() == '[\n "to",\n "wörk"\n]\n'


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["a", 1], "text only"), (["a", "a"], "each word once"), (["a\ud800"], "half a surrogate pair")],
)
def test_what_could_not_be_read_back_is_not_written(words, sentence):
    with pytest.raises(UsageError, match=sentence):
        words_to_bytes(words)


def test_a_vocabulary_cut_at_any_length_is_refused():
    data = words_to_bytes(["to", "live"]).rstrip()
    for length in range(len(data)):
        with pytest.raises(UnsafeFolderError):
            words_from_bytes(data[:length], "file")
