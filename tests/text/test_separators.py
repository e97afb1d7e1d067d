"""What separates cells: noticed where all rows agree, said where they may be read in two ways, refused by name."""

import codecs
import re

import pytest

from scansion.errors import DataError, UsageError
from scansion.text.documents import read_documents
from scansion.text.rows import FileOptions
from scansion.text.separators import separator_named
from scansion.text.sources import find_source
from scansion.text.tables import open_table

UNICODE_TEXT = codecs.BOM_UTF16_LE + "text\tlabel\r\nsehr schön\tpos\r\n".encode("utf-16-le")

READ = {  # name, bytes, options, cells of the rows, remark
    "commas need no remark": ("t.csv", b"text,label\na,1\n", {}, [["a", "1"]], ""),
    "semicolons, as spreadsheets of half of Europe write": (
        "t.csv", "text;label\nschön, ja;pos\nöde;neg\n".encode(), {}, [["schön, ja", "pos"], ["öde", "neg"]],
        "separator: semicolon (--separator)"),
    "tabs in a csv": ("t.csv", b"text\tlabel\na\t1\n", {}, [["a", "1"]], "separator: tab (--separator)"),
    "bars": ("t.csv", b"text|label\na, b|1\n", {}, [["a, b", "1"]], "separator: bar (--separator)"),
    "commas in a tsv": ("t.tsv", b"text,label\na,1\n", {}, [["a", "1"]], "separator: comma (--separator)"),
    "quotes go with every separator": (
        "t.csv", b'"text";"label"\n"a;b";"x ""y"""\n"two\nlines";z\n', {}, [["a;b", 'x "y"'], ["two\nlines", "z"]],
        "separator: semicolon (--separator)"),
    "a header with commas of its own": (
        "t.csv", b"text;label (a, b)\nx, y, z;1\nu;2\n", {}, [["x, y, z", "1"], ["u", "2"]],
        "separator: semicolon (--separator)"),
    "the line that Excel writes": ("t.csv", b"sep=;\r\ntext;label\r\na;1\r\n", {}, [["a", "1"]],
                                   "separator: semicolon (as the file says: sep=;)"),
    "that line before commas": ("t.csv", b"sep=,\ntext,label\na;b,1\n", {}, [["a;b", "1"]], ""),
    "as given": ("t.csv", b"text:label\na:1\n", {"separator": ":"}, [["a", "1"]], "separator: colon (as given)"),
    "a comma as given": ("t.csv", b"a;b,c\n1;2,3\n", {"separator": "comma"}, [["1;2", "3"]], ""),
    "one column, as given": ("t.csv", b"a;b\n1;2\n3\n", {"separator": ","}, [["1;2"], ["3"]], ""),
    "semicolons in texts alone": ("t.csv", b"text\na;b\nc\n", {}, [["a;b"], ["c"]], ""),
    "a single column that something else may separate": ("t.csv", b"a:b\n1:2\n", {}, [["1:2"]],
                                                         "separator: comma (--separator)"),
    "a tab without quotes, where they do not fit": (
        "t.csv", b'text\tlabel\n5" disk\t1\n"a" b\t2\n', {}, [['5" disk', "1"], ['"a" b', "2"]],
        "separator: tab, quotes are text (--separator)"),
    "the Unicode text of spreadsheets": ("t.txt", UNICODE_TEXT, {}, [["sehr schön", "pos"]],
                                         "separator: tab (--separator)"),
    "a table in plain text, as given": ("t.txt", b"a b\n1 2\n", {"separator": "space"}, [["1", "2"]],
                                        "separator: space (as given)"),
    "lines with tabs, as given": ("t.txt", b"a\tb\n1\t2\n", {"separator": "none"}, [["a\tb"], ["1\t2"]], ""),
    "lines with commas": ("t.txt", b"one, two\nthree, four\n", {}, [["one, two"], ["three, four"]], ""),
    "lines of which not all have tabs": ("t.txt", b"a\tb\nc\n", {}, [["a\tb"], ["c"]], ""),
}

REFUSED = {  # name, bytes, options, what the sentence says
    "two readings": ("t.csv", b"a;b,c\n1;2,3\n4;5,6\n", {}, "with the columns 'a;b', 'c' (comma), or with the columns "
                     "'a', 'b,c' (semicolon). Say which: --separator comma or --separator semicolon."),
    "rows that do not agree": ("t.csv", b"text;label\na;1\nb\n", {}, "row 2 (line 3) has 1 cell, the header has 2. Say "
                               "which: --separator comma or --separator semicolon."),
    "most have commas and all have bars": ("t.csv", b"a,b|c\n1,2|3\n4,5|6\n7,8|9\n1,2,3|4\n", {}, "in more than one"),
    "a table or lines": ("t.txt", b"text\tlabel\na\t1\n", {}, "--separator tab for the table, --separator none for"),
    "no separator": ("t.csv", b"a\n", {"separator": "semicolom"}, "did you mean 'semicolon'?"),
    "a letter": ("t.csv", b"a\n", {"separator": "x"}, "separates no cells"),
    "a quote": ("t.csv", b"a\n", {"separator": '"'}, "separates no cells"),
    "no lines in a csv": ("t.csv", b"a\n", {"separator": "none"}, "no separator 'none'"),
    "JSON lines have none": ("t.jsonl", b'{"a": "1"}\n', {"separator": ";"}, "--separator is for csv, tsv, txt; "),
}


@pytest.mark.parametrize(("name", "content", "options", "cells", "remark"), READ.values(), ids=READ)
def test_a_table_is_cut_where_all_rows_agree_and_the_choice_is_named(tmp_path, name, content, options, cells, remark):
    (tmp_path / name).write_bytes(content)
    table = open_table(find_source(tmp_path / name), unmarked="txt", options=FileOptions(**options))
    assert [row.reason or row.cells for row in table.rows()] == cells
    assert "; ".join(table.remarks) == remark


@pytest.mark.parametrize(("name", "content", "options", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_may_be_cut_in_two_ways_is_refused_with_both(tmp_path, name, content, options, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=re.escape(sentence)):
        open_table(find_source(tmp_path / name), unmarked="txt", options=FileOptions(**options))


@pytest.mark.parametrize(("said", "meant"), [("tab", "\t"), ("\\t", "\t"), ("pipe", "|"), (";", ";"), ("comma", ",")])
def test_a_separator_has_a_name(said, meant):
    assert separator_named(said) == meant


def test_plain_text_is_a_table_where_targets_or_its_columns_are_wanted(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("text\tlabel\na b\tx\nc d\ty\n")
    assert read_documents(path).targets == ["x", "y"]
    assert list(read_documents(path, text="text", with_target=False).texts) == ["a b", "c d"]
    path.write_text("no table\nat all\n")
    with pytest.raises(UsageError, match="say what separates its cells: --separator"):
        read_documents(path)


def test_the_reason_says_what_was_decided_and_an_error_what_was_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text;label\na b;x\nc d;y\n")
    assert read_documents(path).reason.startswith("separator: semicolon (--separator); text: 'text'")
    with pytest.raises(UsageError, match=r"no column 'body'.*\(separator: semicolon \(--separator\)\)"):
        read_documents(path, text="body")


@pytest.mark.parametrize("scores", ["1,5 2,25 3", "-0,5 1,0 2,5"])
def test_numbers_with_a_decimal_comma_are_no_labels_unless_it_is_said(tmp_path, scores):
    path = tmp_path / "t.csv"
    path.write_text("text;score\n" + "".join(f"some text;{score}\n" for score in scores.split()))
    with pytest.raises(DataError, match=r"'score' holds numbers with a decimal comma, such as '.*5'. Write them"):
        read_documents(path)
    assert read_documents(path, task="classify").targets == scores.split()
