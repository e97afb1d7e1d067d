"""How text becomes words: the rule written out with ``re``, and everything that must not matter."""

import re
import unicodedata

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from scansion.text import word_tokenizer
from scansion.text.word_tokenizer import read_words
from scansion.text.words import split_words

# every kind of character the rule names, often; and any other character at all
TELLING = "abXY09_ \t\n\0\x85\u00a0\u3000\u200b\u00ad\ufeff'’.,!-–éßİıñ\u0301\u093e漢字かなカナー한글אبд½²€😀\U000e0001"
TEXTS = st.text(st.one_of(st.sampled_from(TELLING), st.characters()), max_size=40)


JOINED = "(?:[mkjt]|(?<=[vjt])l|(?<=[lvmkjt])l(?=[kt]))"  # what goes on with the character before it
RULE = f"w(?:w|{JOINED})*(?:aw(?:w|{JOINED})*)*|[salv]{JOINED}*|[mkjt]{JOINED}*"
KILLERS, JOINERS, STACKERS = "\u0e4c\u0ecc\u103a", "\u17d2\u1a60", "\u1039\u1b44\ua9c0"
SIGNS = dict.fromkeys(KILLERS, "k") | dict.fromkeys(JOINERS, "j") | dict.fromkeys(STACKERS, "t")
IDEOGRAPHIC = "CJK|HIRAGANA|KATAKANA|HALFWIDTH KATAKANA|IDEOGRAPHIC|HENTAIGANA|BOPOMOFO|YI |NUSHU|TANGUT|KHITAN"
DEPENDENT = "ะาำๅະາຳ" + "".join(map(chr, (*range(0x19B0, 0x19B5), 0x19B8, 0x19B9, *range(0x19BB, 0x19C1))))


def spelling_by_hand(text: str) -> str:
    """The Unicode properties as another library has them."""
    ignored = regex.compile(r"[\p{Default_Ignorable_Code_Point}--\u200b]", regex.VERSION1)
    return unicodedata.normalize("NFC", ignored.sub("", text.lower()))


def tokens_by_hand(text: str) -> list[str]:
    """Each character is written as one letter for its kind; the rule is then a regular expression over kinds."""
    text = spelling_by_hand(text)
    kinds = ""
    for character in text:
        category, name = unicodedata.category(character), unicodedata.name(character, "")
        syllabic = re.match("THAI|LAO|KHMER|MYANMAR|TAI |NEW TAI LUE|AHOM|BALINESE|JAVANESE", name)
        if category.startswith(("Z", "C")):
            kinds += "b"
        elif category in ("Mn", "Mc") or (syllabic and character in DEPENDENT):
            kinds += SIGNS.get(character, "m")
        elif syllabic and category.startswith("L"):
            kinds += "v" if regex.match(r"\p{Logical_Order_Exception}", character) else "l"
        elif re.match(IDEOGRAPHIC, name):
            kinds += "s"
        elif category.startswith(("L", "N")) or character == "_":
            kinds += "w"
        else:
            kinds += "a" if character in "'’" else "s"
    return [text[found.start() : found.end()] for found in re.finditer(RULE, kinds)]


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_splitting_is_the_rule_written_out_with_re(text):
    corpus = read_words([text])
    assert corpus.words(0) == tokens_by_hand(text)
    spelled = spelling_by_hand(text)
    assert [spelled[start:end] for start, end in split_words(spelled)] == tokens_by_hand(text)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_words_stand_in_the_text_as_it_is_where_their_letters_are(text):
    places = split_words(text)
    assert [end for _, end in places[:-1]] <= [start for start, _ in places[1:]]
    assert all(0 <= start < end <= len(text) for start, end in places)
    written = [spelling_by_hand(text[start:end]).replace("ς", "σ") for start, end in places]
    assert written == [word.replace("ς", "σ") for word in read_words([text]).words(0)]


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_canonically_equivalent_texts_have_the_same_words(text):
    words = read_words([text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)])
    assert words.words(0) == words.words(1) == words.words(2)


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
        ("cafe\u0301! café", ["café", "!", "café"]),
        ("❤️great ☀️sunny", ["❤", "great", "☀", "sunny"]),
        ("great❤️\ufe0e", ["great", "❤"]),
        ("1️⃣first", ["1", "\u20e3", "first"]),
        ("👩\u200d💻codes", ["👩", "💻", "codes"]),
        ("won\u00adder\u00adful", ["wonderful"]),
        ("\ufeffgreat", ["great"]),
        ("می\u200cخواهم", ["میخواهم"]),
        ("\u0301abc", ["\u0301", "abc"]),
        ("≠\u0338!\u0301so", ["≠\u0338", "!\u0301", "so"]),
        ("\u1112\u1161\u11ab글", ["한글"]),
        ("か\u3099か\u309a", ["が", "か\u309a"]),
        ("漢\U000e0100字人々ｶ", ["漢", "字", "人", "々", "ｶ"]),
        ("ภาษาไทยเป็นแมว ๑๒x", ["ภา", "ษา", "ไท", "ย", "เป็", "น", "แม", "ว", "๑๒x"]),
        ("จันทร์", ["จั", "น", "ทร์"]),
        ("ພາສາລາວ", ["ພາ", "ສາ", "ລາ", "ວ"]),
        ("ខ្មែរល្អ", ["ខ្មែ", "រ", "ល្អ"]),
        ("မြန်မာဗုဒ္ဓ", ["မြန်", "မာ", "ဗုဒ္ဓ"]),
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


@pytest.mark.parametrize("text", ["", " ", "\n\t\u3000", "\0", "\ud800", "\ue000", "\u0378", "\ufe0f\u00ad\u200d"])
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


def test_what_was_done_to_texts_is_counted_and_said():
    texts = ["plain", "café", "cafe\u0301", "won\u00adder", "ไทย", "ไทย 漢", "漢字", "한국어 नमस्ते"]
    notes = read_words(texts).reading.notes(len(texts))
    assert [note[:30] for note in notes] == [
        "2 of 8 texts were normalised b", "2 of 8 texts hold Chinese or J", "2 of 8 texts hold Thai, Lao, K",
    ]
    assert read_words(["plain", "café"]).reading.notes(2) == ()


def test_the_rule_of_older_folders_takes_text_as_it_is_spelled():
    for text, words in {
        "cafe\u0301": ["cafe\u0301"], "❤\ufe0fgreat": ["❤", "\ufe0fgreat"], "ไทยดี": ["ไทยดี"], "a\u00adb": ["a", "b"],
    }.items():
        assert read_words([text], rule=1).words(0) == words
        assert [text[start:end] for start, end in split_words(text, rule=1)] == words
