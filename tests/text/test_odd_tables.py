"""Malformed and odd tables: the bytes of a file, and its exact rows or the error it gets.

In the expected rows a list holds a good row's cells, a string a part of the reason why the row is a bad one.
"""

import codecs
import gzip
import zlib

import pytest

from scansion.errors import DataError, ScansionError, UsageError
from scansion.text.rows import WrittenNumber
from scansion.text.sources import find_source
from scansion.text.tables import open_table

GOOD = b"text,label\na,1\n"
RANDOM = bytes((7 * i * i + 13 * i) % 251 for i in range(4000))

ROWS = {
    # line ends
    "a plain table": ("t.csv", GOOD, [["a", "1"]]),
    "no line end at the end": ("t.csv", b"text,label\na,1", [["a", "1"]]),
    "CRLF": ("t.csv", b"text,label\r\na,1\r\n", [["a", "1"]]),
    "CRLF and LF mixed": ("t.csv", b"text,label\r\na,1\nb,2\r\n", [["a", "1"], ["b", "2"]]),
    "a quoted LF stays": ("t.csv", b'text,label\n"a\nb",1\n', [["a\nb", "1"]]),
    "a quoted CRLF stays": ("t.csv", b'text,label\r\n"a\r\nb",1\r\n', [["a\r\nb", "1"]]),
    "a quoted lone CR stays": ("t.csv", b'text,label\n"a\rb",1\n', [["a\rb", "1"]]),
    "quoted empty lines stay": ("t.csv", b'text,label\n"a\n\n\nb",1\n', [["a\n\n\nb", "1"]]),
    "a lone CR outside quotes": ("t.csv", b"text,label\na\rb,1\nc,2\n", ["carriage return outside", ["c", "2"]]),
    "a lone CR at the very end": ("t.csv", b"text,label\na,1\r", ["carriage return outside"]),
    "empty lines between rows": ("t.csv", b"text,label\n\na,1\n\r\n\nb,2\n\n", [["a", "1"], ["b", "2"]]),
    "an empty line in one column": ("t.csv", b"text\na\n\nb\n", [["a"], [""], ["b"]]),
    "no rows": ("t.csv", b"text,label\n", []),
    # quotes
    "doubled quotes": ("t.csv", b'text,label\n"say ""hi""",1\n', [['say "hi"', "1"]]),
    "only doubled quotes": ("t.csv", b'text,label\n"""""",1\n', [['""', "1"]]),
    "a quoted comma": ("t.csv", b'text,label\n"a,b",1\n', [["a,b", "1"]]),
    "an empty quoted cell": ("t.csv", b'text,label\n"",""\n', [["", ""]]),
    "empty last cell": ("t.csv", b'text,label\n"a",\n', [["a", ""]]),
    "only commas": ("t.csv", b"a,b,c\n,,\n", [["", "", ""]]),
    "a quoted header over two lines": ("t.csv", b'"te\nxt",label\na,1\n', [["a", "1"]]),
    "two quoted cells over three lines": ("t.csv", b'a,b\n"1\n2","3\n4"\n5,6\n', [["1\n2", "3\n4"], ["5", "6"]]),
    "a doubled quote at a line's end": ("t.csv", b'a,b\n"1""\n2",3\n', [['1"\n2', "3"]]),
    "a quoted cell that ends a later line": ("t.csv", b'a,b\n1,"2\n3"\n4,5\n', [["1", "2\n3"], ["4", "5"]]),
    "a quote inside a plain cell": ("t.csv", b'text,label\n5" disk,1\nb,2\n', ["quote in a cell", ["b", "2"]]),
    "a blank before a quote": ("t.csv", b'text,label\na, "1"\nb,2\n', ["quote in a cell", ["b", "2"]]),
    "text after a closing quote": ("t.csv", b'text,label\n"a"b,1\nc,2\n', ["'b,1' after a closing", ["c", "2"]]),
    "single quotes are text": ("t.csv", b"text,label\n'a',1\n", [["'a'", "1"]]),
    "backslashes are text": ("t.csv", b'text,label\n"a\\n",\\N\n', [["a\\n", "\\N"]]),
    # ragged rows never shift others
    "too few cells": ("t.csv", b"text,label\na\nb,2\n", ["has 1 cell, the header has 2", ["b", "2"]]),
    "too many cells": ("t.csv", b"text,label\na,b,1\nb,2\n", ["has 3 cells, the header has 2", ["b", "2"]]),
    "too many cells over two lines": ("t.csv", b'a,b\n"1\n2",3,4\n5,6\n', ["has 3 cells", ["5", "6"]]),
    # cells keep their text
    "NA, None and null": ("t.csv", b"text,label\nNA,None\nnull,NaN\n", [["NA", "None"], ["null", "NaN"]]),
    "leading zeros and signs": ("t.csv", b"text,label\n007,+1.50\n", [["007", "+1.50"]]),
    "blanks around cells": ("t.csv", b"text,label\n  a\t, 1 \n", [["  a\t", " 1 "]]),
    "NUL inside a cell": ("t.csv", b"text,label\na\0b,1\n", [["a\0b", "1"]]),
    "Unicode's line ends": ("t.csv", "text,label\na\u2028b\x85c\x0cd,1\n".encode(), [["a\u2028b\x85c\x0cd", "1"]]),
    "a cell too long for the csv module": ("t.csv", b"a,b\n" + b"a" * 200_000 + b",1\n", [["a" * 200_000, "1"]]),
    "formulas are text": ("t.csv", b"text,label\n=1+1,1\n", [["=1+1", "1"]]),
    # encodings
    "UTF-8 with a mark": ("t.csv", codecs.BOM_UTF8 + "text,label\né,1\n".encode(), [["é", "1"]]),
    "a mark inside is text": ("t.csv", "text,label\n\ufeffa,1\n".encode(), [["\ufeffa", "1"]]),
    "UTF-16 little end first": ("t.csv", codecs.BOM_UTF16_LE + "text,label\né,1\r\n".encode("utf-16-le"), [["é", "1"]]),
    "UTF-16 big end first": ("t.csv", codecs.BOM_UTF16_BE + "text,label\né,1\n".encode("utf-16-be"), [["é", "1"]]),
    "UTF-16 with line end bytes inside characters": (
        "t.tsv", codecs.BOM_UTF16_LE + "a\tb\n\u0a0a\u010a\u0a01\t1\n\u0a00\t2".encode("utf-16-le"),
        [["\u0a0a\u010a\u0a01", "1"], ["\u0a00", "2"]]),
    "UTF-16 big end first with such bytes": (
        "t.tsv", codecs.BOM_UTF16_BE + "a\tb\n\u0a0a\u010a\u0a01\t1\n\u000d\u0a00\t2".encode("utf-16-be"),
        [["\u0a0a\u010a\u0a01", "1"], ["\r\u0a00", "2"]]),
    "beyond the basic plane": ("t.csv", "text,label\n😀,1\n".encode(), [["😀", "1"]]),
    # tsv: no quoting at all
    "quotes in tsv are text": ("t.tsv", b'text\tlabel\n"a\t1\n"b"\t"\n', [['"a', "1"], ['"b"', '"']]),
    "a lone CR in tsv is text": ("t.tsv", b"text\tlabel\na\rb\t1\r\n", [["a\rb", "1"]]),
    "an empty tsv cell": ("t.tsv", b"text\tlabel\n\t1\na\t\n", [["", "1"], ["a", ""]]),
    "a ragged tsv row": ("t.tsv", b"text\tlabel\na\nb\t2\n", ["has 1 cell", ["b", "2"]]),
    # jsonl
    "numbers as written": ("t.jsonl", b'{"t":"a","n":1.50}\n{"t":"b","n":1e3}\n', [["a", "1.50"], ["b", "1e3"]]),
    "an integer of 5,000 digits": ("t.jsonl", b'{"n":' + b"9" * 5000 + b"}\n", [["9" * 5000]]),
    "truth, null and lists": ("t.jsonl", b'{"a":true,"b":null,"c":["x","y"]}', [[True, None, ["x", "y"]]]),
    "a missing name": ("t.jsonl", b'{"a":"1","b":"2"}\n{"b":"3"}\n', [["1", "2"], [None, "3"]]),
    "empty lines in jsonl": ("t.jsonl", b'\n{"a":"1"}\r\n  \n{"a":"2"}\n\n', [["1"], ["2"]]),
    "escaped line ends": ("t.jsonl", b'{"a":"1\\n2\\u2028"}\n', [["1\n2\u2028"]]),
    "cut JSON": ("t.jsonl", b'{"a":"1"}\n{"a":"2\n{"a":"3"}\n', [["1"], "is not JSON", ["3"]]),
    "NaN": ("t.jsonl", b'{"a":NaN}\n{"a":"3"}\n', ["holds NaN", ["3"]]),
    "infinity": ("t.jsonl", b'{"a":-Infinity}\n{"a":"3"}\n', ["holds -Infinity", ["3"]]),
    "one name twice": ("t.jsonl", b'{"a":"1","a":"2"}\n{"a":"3"}\n', ["two values for 'a'", ["3"]]),
    "a list for an object": ("t.jsonl", b'["a"]\n{"a":"3"}\n', ["no JSON object", ["3"]]),
    "a string for an object": ("t.jsonl", b'"a"\n{"a":"3"}\n', ["no JSON object", ["3"]]),
    "two objects on a line": ("t.jsonl", b'{"a":"1"} {"a":"2"}\n{"a":"3"}\n', ["Extra data", ["3"]]),
    "a raw control character": ("t.jsonl", b'{"a":"\x01"}\n{"a":"3"}\n', ["Invalid control character", ["3"]]),
    "nested 100,000 deep": ("t.jsonl", b'{"a":' + b"[" * 100_000 + b'\n{"a":"3"}\n', ["nested too deeply", ["3"]]),
    "objects nested 100,000 deep": ("t.jsonl", b'{"a":' * 100_000 + b'\n{"a":"3"}\n', ["nested too deeply", ["3"]]),
    "Python for JSON": ("t.jsonl", b"{'a': '1'}\n{\"a\":\"3\"}\n", ["is not JSON", ["3"]]),
    # gzip
    "packed": ("t.csv.gz", gzip.compress(GOOD), [["a", "1"]]),
    "packed in two members": ("t.csv.gz", gzip.compress(GOOD) + gzip.compress(b"b,2\n"), [["a", "1"], ["b", "2"]]),
    "packed under a plain name": ("t.csv", gzip.compress(GOOD), [["a", "1"]]),
    "packed UTF-16": ("t.tsv.GZ", gzip.compress("\ufeffa\tb\né\t1".encode("utf-16-le")), [["é", "1"]]),
    # plain lines
    "plain lines": ("t.txt", b"a\n\n b\r\nc", [["a"], [""], [" b"], ["c"]]),
    "an empty plain file": ("t.txt", b"", []),
}

ERRORS = {
    "an empty csv": ("t.csv", b"", "is empty"),
    "an empty tsv": ("t.tsv", b"", "is empty"),
    "an empty jsonl": ("t.jsonl", b"\n\n", "is empty"),
    "a mark and nothing else": ("t.csv", codecs.BOM_UTF8, "is empty"),
    "two columns of one name": ("t.csv", b"text,text\na,b\n", "two columns are called 'text'"),
    "a column without a name": ("t.csv", b"text,\na,b\n", "column 2 of 2 has no name"),
    "an empty first line": ("t.csv", b"\ntext,label\n", "column 1 of 1 has no name"),
    "only lone CRs": ("t.csv", b"text,label\ra,1\r", "the header (line 1): has a carriage return"),
    "only lone CRs in tsv": ("t.tsv", b"text\tlabel\ra\t1\r", "lone carriage return"),
    "a quote inside a header": ("t.csv", b'te"xt,label\na,1\n', "the header (line 1): has a quote"),
    "UTF-16 without a mark": ("t.csv", "text,label\na,1\n".encode("utf-16-be"), "Is it UTF-16"),
    "a quote never closed": ("t.csv", b'text,label\na,1\n"b,2\nc,3\n', "row 2 (line 3): the quote opened here is"),
    "a quote closed by the next": ("t.csv", b'a,b\n"a,1\n"b",2\n', "row 1 (line 2): the quote opened here closes in"),
    "a header's quote never closed": ("t.csv", b'"text,label\na,1\n', "the header (line 1): the quote opened here"),
    "Latin-1": ("t.csv", "text,label\na,1\né,2\n".encode("latin-1"), "row 2 (line 3), byte 15: 0xe9 is not UTF-8"),
    "Latin-1 in a quoted line": ("t.csv", b'text,label\n"a\n\xe9",2\n', "row 1 (line 3), byte 14: 0xe9"),
    "Latin-1 in a header": ("t.csv", b"t\xe9xt,label\n", "the header (line 1), byte 1: 0xe9"),
    "Latin-1 after a mark": ("t.csv", codecs.BOM_UTF8 + b"a,b\n\xff,1\n", "row 1 (line 2), byte 7: 0xff"),
    "Latin-1 in jsonl": ("t.jsonl", b'{"a":"1"}\n{"a":"\xe9"}\n', "row 2 (line 2), byte 16: 0xe9"),
    "an overlong UTF-8 form": ("t.txt", b"a\n\xc0\xaf\n", "row 2 (line 2), byte 2: 0xc0"),
    "a surrogate in UTF-8": ("t.txt", b"\xed\xa0\x80\n", "row 1 (line 1), byte 0: 0xed"),
    "a cut UTF-8 character": ("t.txt", "é".encode()[:1], "unexpected end of data"),
    "a cut UTF-16 character": ("t.txt", codecs.BOM_UTF16_LE + b"a\0b", "byte 4: 0x62 is not UTF-16-LE"),
    "a lone surrogate in UTF-16": ("t.txt", codecs.BOM_UTF16_LE + b"\0\xd8a\0\n\0", "is not UTF-16-LE"),
    "random bytes": ("t.csv", RANDOM, "is not UTF-8"),
    "a csv called jsonl": ("t.jsonl", GOOD, "row 1 (line 1) is not JSON"),
    "no gzip under its name": ("t.csv.gz", GOOD, "damaged or cut gzip"),
    "an empty gzip file": ("t.csv.gz", b"", "is empty"),
    "a cut gzip file": ("t.csv.gz", gzip.compress(GOOD * 50)[:-9], "damaged or cut gzip"),
    "a gzip checksum that is wrong": ("t.csv.gz", gzip.compress(GOOD)[:-8] + bytes(8), "damaged or cut gzip"),
    "garbage after gzip": ("t.csv.gz", gzip.compress(GOOD) + b"garbage", "damaged or cut gzip"),
    "a broken gzip block": ("t.csv.gz", gzip.compress(b"")[:10] + b"\xff" * 20, "damaged or cut gzip"),
    "no parquet": ("t.parquet", b"PAR1 and nothing else PAR1", "no sound parquet"),
    "an empty parquet": ("t.parquet", b"", "no sound parquet"),
    "an unknown ending": ("t.dat", GOOD, "does not say what the file holds"),
    "no ending": ("table", GOOD, "does not say what the file holds"),
}


def cells_or_reasons(path):
    table = open_table(find_source(path), unmarked="txt")
    rows = list(table.rows())
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert list(table.rows()) == rows
    return [row.reason or row.cells for row in rows]


@pytest.mark.parametrize(("name", "content", "expected"), ROWS.values(), ids=ROWS)
def test_an_odd_table_gives_its_exact_rows(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)
    rows = cells_or_reasons(tmp_path / name)
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        if isinstance(wanted, str):
            assert wanted in row
        else:
            assert row == wanted


@pytest.mark.parametrize(("name", "content", "fragment"), ERRORS.values(), ids=ERRORS)
def test_a_malformed_table_gets_its_error(tmp_path, name, content, fragment):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ScansionError) as caught:
        cells_or_reasons(tmp_path / name)
    assert fragment in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)


def test_a_written_number_is_no_string_of_the_user(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"a": 1, "b": "1"}')
    [row] = open_table(find_source(tmp_path / "t.jsonl")).rows()
    assert [type(cell) for cell in row.cells] == [WrittenNumber, str]


def test_a_row_knows_the_line_it_begins_in(tmp_path):
    (tmp_path / "t.csv").write_text('text,label\n\n"a\nb",1\nc\n')
    rows = list(open_table(find_source(tmp_path / "t.csv")).rows())
    assert [(row.number, row.line, row.raw) for row in rows] == [(1, 3, ""), (2, 5, "c\n")]


def test_a_gzip_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("scansion.text.encodings.MOST_UNPACKED", 2**20)
    line = b"a" * 1000 + b"\n"
    (tmp_path / "t.txt.gz").write_bytes(gzip.compress(line * 20_000))
    with pytest.raises(DataError, match="unpacks to more than 200 times its size"):
        cells_or_reasons(tmp_path / "t.txt.gz")


def test_a_line_without_end_is_refused_in_bounded_memory(tmp_path, monkeypatch):
    """100 MB on one line, packed to 100 kB; the limit is reached, not the end."""
    packing = zlib.compressobj(wbits=31)
    with open(tmp_path / "t.csv.gz", "wb") as stream:
        stream.write(packing.compress(b"text,label\n"))
        for _ in range(100):
            stream.write(packing.compress(b"a" * 1_000_000))
        stream.write(packing.flush())
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match=r"row 1 \(line 2\): more than 64 MiB without an end"):
        cells_or_reasons(tmp_path / "t.csv.gz")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_a_quote_that_swallows_the_file_is_refused_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("scansion.text.separated_values.LONGEST_LINE", 1000)
    (tmp_path / "t.csv").write_text('text,label\na,1\n"b,2\n' + "c,3\n" * 1000)
    with pytest.raises(DataError, match=r"row 2 \(line 3\): a quote opens here"):
        cells_or_reasons(tmp_path / "t.csv")


def test_an_unknown_format_is_a_usage_error_with_the_near_one(tmp_path):
    (tmp_path / "t.csv").write_bytes(GOOD)
    with pytest.raises(UsageError, match="did you mean 'csv'"):
        open_table(find_source(tmp_path / "t.csv"), "cvs")
    with pytest.raises(UsageError, match="cannot be read as folder"):
        open_table(find_source(tmp_path / "t.csv"), "folder")
    with pytest.raises(UsageError, match="is a folder and cannot be read as csv"):
        open_table(find_source(tmp_path), "csv")
