"""Bytes to text: marks, encodings that are said, and what an error says of bytes that are no text."""

import codecs
import re

import pytest

from scansion.errors import DataError, UsageError
from scansion.text.documents import read_documents
from scansion.text.encodings import Lines, codec_named
from scansion.text.likely_encoding import likely_encodings
from scansion.text.rows import FileOptions
from scansion.text.sources import find_source

TEXT = "text,label\r\nsehr schön 😀,pos\r\n\u2028öde,neg"
MARKS = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE,
         "utf-32-le": codecs.BOM_UTF32_LE, "utf-32-be": codecs.BOM_UTF32_BE}

SENTENCES = {
    "cp1252": "ça a été très bien, déjà vu", "cp1250": "Zażółć gęślą jaźń", "cp1251": "очень хороший фильм",
    "koi8-r": "очень хороший фильм", "cp1253": "πολύ καλή ταινία", "cp932": "とても良い映画でした",
    "gb18030": "非常好的电影，我很喜欢", "cp949": "아주 좋은 영화", "cp850": "ça a été très bien, déjà vu",
}
"""What speakers of several languages write, and how their programs save it."""


def lines(path, encoding=None):
    return list(Lines(find_source(path), 1, encoding))


@pytest.fixture
def write(tmp_path):
    def write(content, name="t.csv"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


@pytest.mark.parametrize("encoding", MARKS)
def test_a_mark_is_honoured_whatever_is_said(write, encoding):
    path = write(MARKS[encoding] + TEXT.encode(encoding))
    assert "".join(lines(path)) == TEXT
    assert "".join(lines(path, "cp1252")) == TEXT


@pytest.mark.parametrize("encoding", [
    "utf-8", "utf-16-le", "utf-32-be", "utf-7", "cp1252", "cp437", "gb18030", "cp932", "iso2022_jp", "hz", "cp500",
])
@pytest.mark.parametrize("block", [1, 7, 1 << 18])
def test_lines_in_any_encoding_are_those_of_the_text(write, monkeypatch, encoding, block):
    """Also where a line feed is not the byte 0x0a, where it is part of other characters, and across reads."""
    monkeypatch.setattr("scansion.text.encodings._BLOCK", block)
    text = f"text,label\r\na{'日本' if encoding in ('gb18030', 'cp932', 'iso2022_jp', 'hz') else 'x'} b,1\n\n,2"
    path = write(text.encode(encoding))
    assert lines(path, encoding) == text.splitlines(keepends=True)


def test_bytes_that_are_not_text_are_named_with_row_line_and_byte(write):
    """0x81 has no meaning in cp1252; the lines before it are given first."""
    reading = iter(Lines(find_source(write(b"a,b\nsch\xf6n,1\nx\x81,2\n")), 1, "cp1252"))
    assert [next(reading), next(reading)] == ["a,b\n", "schön,1\n"]
    with pytest.raises(DataError, match=r"\(line 3\), byte 13: 0x81 is not CP1252 text"):
        next(reading)


@pytest.mark.parametrize(("encoding", "sentence"), SENTENCES.items())
def test_the_error_names_the_encoding_with_the_words_it_reads(write, encoding, sentence):
    with pytest.raises(DataError, match=r"--encoding says how it is written: .*" + f"{encoding} reads '{sentence[:3]}"):
        read_documents(write(f"text,label\n{sentence},x\n".encode(encoding)))
    if encoding != "koi8-r":  # whose words are words in Arabic, too
        assert likely_encodings(sentence.encode(encoding))[0][0] == encoding


def test_one_damaged_byte_among_sound_ones_is_no_other_encoding(write):
    with pytest.raises(DataError, match="this byte is damaged"):
        read_documents(write("text,label\nschön,x\n".encode() + b"sch\xf6n,y\n"))


def test_an_encoding_is_kept_to_and_named(write):
    path = write(TEXT.replace("😀", "!").replace("\u2028", "").encode("cp1252"))
    documents = read_documents(path, file=FileOptions(encoding="windows-1252"))
    assert list(documents.texts) == list(documents.texts) == ["sehr schön !", "öde"]
    assert documents.reason.startswith("encoding: cp1252 (as given); text")


def test_a_file_that_is_sound_utf8_is_doubted_in_another_encoding(write):
    reason = read_documents(write("text,label\nsehr schön,x\n".encode()), file=FileOptions(encoding="latin-1")).reason
    assert "it is sound UTF-8 as well, where it reads 'schön,x'; then leave --encoding out" in reason


UNKNOWN_ORDER = {
    "no mark": ("utf-16-le", None, "Is it UTF-16 without a byte order mark? Say --encoding utf-16-le."),
    "no mark, the other order": ("utf-16-be", None, "Say --encoding utf-16-be."),
    "no mark, wide": ("utf-32-le", None, "Say --encoding utf-32-le."),
    "an order that is not said": ("utf-16-be", "utf-16", "has no byte order mark. Say --encoding utf-16-be."),
}


@pytest.mark.parametrize(("written", "said", "sentence"), UNKNOWN_ORDER.values(), ids=UNKNOWN_ORDER)
@pytest.mark.parametrize("name", ["t.csv", "t.txt"])
def test_utf16_without_a_mark_is_refused_with_what_to_say(write, name, written, said, sentence):
    with pytest.raises(DataError, match=re.escape(sentence)):
        read_documents(write(b"text\tlabel\na\t1\n".decode().encode(written), name), file=FileOptions(encoding=said))


@pytest.mark.parametrize("encoding", ["cp1252x", "base64", "rot13", "", "utf 9", "undefined"])
def test_what_is_no_encoding_of_text_is_refused(encoding):
    with pytest.raises(UsageError, match="There is no text encoding"):
        codec_named(encoding)


BINARY = {
    b"PK\x03\x04": "a zip archive. If it is a workbook, name it .xlsx", b"PAR1\x15": "Name it .parquet",
    b"%PDF-1.7": "a PDF", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "a workbook with a password",
    b"7z\xbc\xaf'\x1c": "Unpack",
}


@pytest.mark.parametrize(("content", "sentence"), BINARY.items())
def test_another_kind_of_file_under_a_name_of_text_is_known_by_its_first_bytes(write, content, sentence):
    with pytest.raises(DataError, match=f"is no text but .*{re.escape(sentence)}"):
        read_documents(write(content + bytes(100)))
