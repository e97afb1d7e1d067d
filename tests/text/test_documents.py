"""Documents: which columns, which task, which rows are rejected, and texts that can be read again."""

import gzip
import hashlib
import io
import json
import os
import re
import sys
import threading

import numpy
import pandas
import pyarrow
import pytest
from pyarrow import parquet

from scansion.errors import DataError, MissingExtraError, StorageError, UsageError
from scansion.text.columns import UNNAMED
from scansion.text.documents import check_documents, read_documents, read_lines
from scansion.text.rows import FileOptions

REVIEWS = "id,text,label\n1,a fine film,pos\n2,a dull film indeed,neg\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def column(values, name="label"):
    """A table whose target column holds the values."""
    return f"text,{name}\n" + "".join(f"some text {at},{value}\n" for at, value in enumerate(values))


def test_a_table_becomes_texts_and_labels_with_a_reason(write):
    path = write("reviews.csv", REVIEWS)
    documents = read_documents(path)
    assert list(documents.texts) == ["a fine film", "a dull film indeed"]
    assert documents.targets == ["pos", "neg"]
    assert list(documents.rows) == [1, 2]
    assert (documents.name, documents.task, documents.splits) == ("reviews.csv", "classify", None)
    assert (documents.columns.text, documents.columns.target) == (("text",), "label")
    assert documents.reason == (
        "text: 'text' (the only texts); target: 'label' (by its name); "
        "task: classify ('label' holds 2 different strings)."
    )
    assert documents.fingerprint == hashlib.sha256(path.read_bytes()).hexdigest()
    assert documents.rejected.count == 0
    assert os.listdir() == ["reviews.csv"]


def test_texts_can_be_read_again_and_side_by_side(write):
    texts = read_documents(write("reviews.csv", REVIEWS)).texts
    assert len(texts) == 2
    assert list(texts) == list(texts)
    assert [one == other for one, other in zip(texts, texts, strict=True)] == [True, True]


def entries(quarantine):
    return [json.loads(line) for line in quarantine.read_text().splitlines()]


# Columns

CHOICES = {
    "the longest strings are the text": ("title,body,label\na,a long body,x\n", {}, "body", "label"),
    "a column called like a target is not the text": ("body,Label\na,much longer than it\n", {}, "body", "Label"),
    "numbers are not the text": ("code,body,label\n1234567890,a b,x\n", {}, "body", "label"),
    "of two usual names the likelier is the target": ("text,rating,label\na,5,x\n", {}, "text", "label"),
    "the only column left is the target": ("text,mood\na long text,x\n", {}, "text", "mood"),
    "the split is not left over": ("text,mood,part\na long text,x,train\n", {"split": "part"}, "text", "mood"),
    "columns as asked": ("a,b,label\nx,y,z\n", {"text": "b", "target": "a"}, "b", "a"),
}
NO_CHOICE = {
    "two columns could be the target": ("text,a,b\nlong text,1,2\n", {}, "the target: 'a', 'b'. The columns are"),
    "two targets of one name": ("text,label,Label\nlong text,1,2\n", {}, "could be the target"),
    "two columns are equally long": ("a,b,label\nxx,yy,1\n", {}, "the text. The columns are 'a', 'b', 'label'"),
    "no column holds texts": ("a,label\n1,2\n", {}, "No column holds texts"),
    "no column is left": ("text\na b\n", {}, "No column is left for the target. The only column is 'text'."),
    "semicolons": ("text;label\na;b\nc\n", {}, "but then row 2 (line 3) has 1 cell, the header has 2. Say which: "),
    "a mistyped text": ("text,label\na,1\n", {"text": "txet"}, "no column 'txet' for the text; did you mean 'text'?"),
    "a mistyped target": ("text,label\na,1\n", {"target": "lable"}, "did you mean 'label'?"),
    "a mistyped text among two": ("a,b,label\nx,y,1\n", {"text": "a,c"}, "no column 'c' for the text"),
    "an open list of texts": ("a,b,label\nx,y,1\n", {"text": "a,"}, "no column '' for the text"),
    "a text named twice": ("a,b,label\nx,y,1\n", {"text": "a,b,a"}, "'a' was named twice for the text"),
    "a mistyped split": ("text,label\na,1\n", {"split": "part"}, "known: 'text', 'label'"),
    "one column for two": ("text,label\na,1\n", {"text": "text", "target": "text"}, "named twice: 'text', 'text'"),
    "an unknown task": ("text,label\na,1\n", {"task": "regres"}, "did you mean 'regress'?"),
    "an empty separator": ("text,label\na,1\n", {"label_separator": ""}, "separator is empty"),
    "a share beyond one": ("text,label\na,1\n", {"max_bad": 5}, "between 0 and 1"),
    "several labels and a number": ("text,label\na,1\n", {"label_separator": "|", "task": "regress"}, "one number"),
    "the data as quarantine": ("text,label\na,1\n", {"quarantine": "t.csv"}, "is the data itself"),
}


@pytest.mark.parametrize(("content", "options", "text", "target"), CHOICES.values(), ids=CHOICES)
def test_columns_are_chosen(write, content, options, text, target):
    documents = read_documents(write("t.csv", content), **options)
    assert (documents.columns.text, documents.columns.target) == ((text,), target)


@pytest.mark.parametrize(("content", "options", "fragment"), NO_CHOICE.values(), ids=NO_CHOICE)
def test_an_ambiguous_or_unknown_choice_is_a_usage_error(write, content, options, fragment):
    with pytest.raises(UsageError, match=re.escape(fragment)):
        read_documents(write("t.csv", content), **options)


# Tasks

TASKS = {
    "strings": (["a", "b"], {}, "classify", ["a", "b"]),
    "few integers keep their text": (["01", "2"], {}, "classify", ["01", "2"]),
    "20 integers": (range(20), {}, "classify", [str(value) for value in range(20)]),
    "21 integers": (range(21), {}, "regress", [float(value) for value in range(21)]),
    "numbers": (["0.5", "-1e3"], {}, "regress", [0.5, -1000.0]),
    "whole numbers written with a point": (["1.0", "0.0"], {}, "classify", ["1.0", "0.0"]),
    "numbers as asked": (["1", "2"], {"task": "regress"}, "regress", [1.0, 2.0]),
    "labels as asked": (["0.5", "1.5"], {"task": "classify"}, "classify", ["0.5", "1.5"]),
    "NA is a label": (["NA", "None"], {}, "classify", ["NA", "None"]),
    "underscores make no number": (["1_000.5", "2.5"], {}, "classify", ["1_000.5", "2.5"]),
    "several labels": (["a|b", "c"], {"label_separator": "|"}, "classify", [("a", "b"), ("c",)]),
    "blanks, repeats and none": (["a ; b;a", ""], {"label_separator": ";"}, "classify", [("a", "b"), ()]),
}


@pytest.mark.parametrize(("values", "options", "task", "targets"), TASKS.values(), ids=TASKS)
def test_the_target_decides_the_task(write, values, options, task, targets):
    documents = read_documents(write("t.csv", column(values)), **options)
    assert documents.task == task
    assert documents.targets == targets
    assert f"task: {task} (" in documents.reason


def test_lists_in_jsonl_are_several_labels(write):
    lines = [{"text": "long text a", "label": ["x", "y"]}, {"text": "b", "label": []}, {"text": "c", "label": "z"}]
    documents = read_documents(write("t.jsonl", "\n".join(map(json.dumps, lines))))
    assert documents.targets == [("x", "y"), (), ("z",)]
    assert "several labels a document" in documents.reason


def test_jsonl_targets_are_the_text_that_was_written(write):
    documents = read_documents(write("t.jsonl", '{"text": "a b", "label": 1}\n{"text": "c", "label": true}\n'))
    assert documents.targets == ["1", "true"]
    assert {type(target) for target in documents.targets} == {str}


def test_a_few_rows_without_a_number_do_not_turn_numbers_into_labels(write):
    values = [at + 0.5 for at in range(2000)]
    values[7], values[9] = "n/a", "nan"
    documents = read_documents(write("t.csv", column(values)))
    assert (documents.task, len(documents)) == ("regress", 1998)
    assert documents.rejected.first[0] == (8, "'label' is 'n/a', expected a finite number")
    assert [entry["row"] for entry in entries(documents.rejected.quarantine)] == [8, 10]


# Splits


def test_splits_are_named_alike_however_they_are_written(write):
    table = "text,label,part\n" + "".join(f"some text,x,{part}\n" for part in ["train", "TEST", "dev", "Validation"])
    assert read_documents(write("t.csv", table), split="part").splits == ["train", "test", "valid", "valid"]


def test_a_split_that_is_none_is_an_error_that_says_what_was_found(write):
    with pytest.raises(DataError, match="holds 'fold1', 'fold2'; expected train and test"):
        read_documents(write("t.csv", "text,label,part\na b,x,fold1\nb,y,fold2\n"), split="part")


# Bad rows

BAD_CELLS = {
    "an empty label": ('{"text": "b", "label": ""}', {}, "'label' is empty"),
    "a blank label": ('{"text": "b", "label": "  "}', {}, "'label' is empty"),
    "no label": ('{"text": "b"}', {}, "'label' is missing"),
    "a null label": ('{"text": "b", "label": null}', {}, "'label' is missing"),
    "an object for a label": ('{"text": "b", "label": {}}', {}, "'label' holds an object"),
    "no text": ('{"label": "x"}', {}, "'text' is missing"),
    "a list for a text": ('{"text": ["b"], "label": "x"}', {}, "'text' holds a list"),
    "truth for a text": ('{"text": true, "label": "x"}', {}, "'text' holds true or false"),
    "half a surrogate pair": ('{"text": "b\\ud800", "label": "x"}', {}, "holds half a surrogate pair (character 2)"),
    "half a pair in a label": ('{"text": "b", "label": "\\udc00"}', {}, "'label' holds half a surrogate pair"),
    "an empty label among several": ('{"text": "b", "label": "x||y"}', {"label_separator": "|"}, "'label' is empty"),
    "no number": ('{"text": "b", "label": "NaN"}', {"task": "regress"}, "'label' is 'NaN', expected a finite number"),
    "a number too large": ('{"text": "b", "label": 1e999}', {"task": "regress"}, "expected a number of at most 1e+100"),
    "cut JSON": ('{"text": "b", "la', {}, "is not JSON"),
}


@pytest.mark.parametrize(("line", "options", "reason"), BAD_CELLS.values(), ids=BAD_CELLS)
def test_a_bad_row_is_named_kept_and_shifts_no_other(write, line, options, reason):
    table = f'{{"text": "some text a", "label": "1"}}\n{line}\n{{"text": "c", "label": "2"}}\n'
    documents = read_documents(write("t.jsonl", table), max_bad=0.5, **options)
    assert list(documents.texts) == ["some text a", "c"]
    assert documents.rows == [1, 3]
    assert len(documents.targets) == 2
    [(row, why)] = documents.rejected.first
    assert row == 2
    assert reason in why
    [entry] = entries(documents.rejected.quarantine)
    assert (entry["row"], entry["line"], entry["reason"]) == (2, 2, why)
    assert entry["raw"] == f"{line}\n" or entry["raw"]["text"] == json.loads(line).get("text")


def test_an_empty_text_is_a_document(write):
    assert list(read_documents(write("t.csv", "text,label\n,x\nsome text,y\n")).texts) == ["", "some text"]


def test_too_many_bad_rows_stop_the_reading_and_say_which(write):
    path = write("t.csv", "text,label\na b,x\nc\nd,y\n")
    with pytest.raises(DataError) as caught:
        read_documents(path)
    assert "1 of 3 rows cannot be read, more than the 0.1% allowed: row 2 has 1 cell, the header" in str(caught.value)
    assert f"{str(path)!r}"[1:-1] + ".rejected.jsonl" in str(caught.value)
    [share] = re.findall(r"with --max-bad ([0-9.]+)\.", str(caught.value))
    assert read_documents(path, max_bad=float(share)).rejected.count == 1


def test_where_no_row_can_be_read_nobody_is_told_to_do_without_them(write):
    with pytest.raises(DataError, match=r"not one of 2 rows can be read: .* Is it the right column"):
        read_documents(write("t.csv", "text,label\na b,x\nc d,y\n"), task="regress")


def test_the_quarantine_can_lie_elsewhere(write, tmp_path):
    documents = read_documents(write("t.csv", "text,label\na b,x\nc\n"), max_bad=1, quarantine=tmp_path / "bad.jsonl")
    assert documents.rejected.quarantine == tmp_path / "bad.jsonl"
    assert json.loads((tmp_path / "bad.jsonl").read_text())["raw"] == "c\n"
    assert sorted(os.listdir()) == ["bad.jsonl", "t.csv"]


def test_where_nothing_can_be_written_beside_the_data_the_quarantine_lies_here(write, tmp_path):
    path = write("data/t.csv", "text,label\na b,x\nc\n")
    (tmp_path / "data/t.csv.rejected.jsonl").mkdir()
    documents = read_documents(path, max_bad=1)
    assert len(entries(documents.rejected.quarantine)) == 1
    assert (tmp_path / "t.csv.rejected.jsonl").is_file()
    with pytest.raises(StorageError, match="Name a quarantine file that can be written"):
        read_documents(path, max_bad=1, quarantine=tmp_path / "data")


def test_a_table_without_a_single_row_is_an_error(write):
    with pytest.raises(DataError, match="has columns and no rows"):
        read_documents(write("t.csv", "text,label\n"))
    with pytest.raises(DataError, match=r"row 1 \(line 2\) has 1 cell"):
        read_documents(write("t.csv", "text,label\na\nb\n"))


# Prediction


def test_without_targets_every_row_is_answered_or_named(write):
    assert list(read_documents(write("t.csv", "text\nfirst\nsecond\n"), with_target=False).texts) == ["first", "second"]
    with pytest.raises(DataError, match=r"t.csv, row 2 \(line 3\) has 1 cell, the header has 2. Every row must be"):
        read_documents(write("t.csv", "text,id\nfirst,x\nsecond\n"), with_target=False)


def test_plain_lines_are_documents_and_empty_lines_too(write):
    documents = read_lines(write("notes", "first\n\nthird, \"quoted\"\n"))
    assert list(documents.texts) == ["first", "", 'third, "quoted"']
    assert (documents.targets, documents.task, documents.columns) == (None, None, UNNAMED)
    assert list(read_documents(write("t.txt", ""), with_target=False).texts) == []


def test_plain_text_has_no_targets(write):
    with pytest.raises(UsageError, match="has no targets"):
        read_documents(write("t.txt", "a\nb\n"))


# Standard input and pipes

INPUTS = {
    "csv": (REVIEWS.encode(), {}, ["a fine film", "a dull film indeed"]),
    "packed csv": (gzip.compress(REVIEWS.encode()), {}, ["a fine film", "a dull film indeed"]),
    "jsonl": (b' \n {"text": "a b", "label": "x"}', {}, ["a b"]),
    "tsv as said": (b"text\tlabel\na b\tx\n", {"format": "tsv"}, ["a b"]),
    "plain lines": (b"a, b\nc\n", {"with_target": False}, ["a, b", "c"]),
    "jsonl without targets": (b'{"text": "a b"}', {"with_target": False}, ["a b"]),
    "csv without targets": (b"text\na b\n", {"with_target": False, "format": "csv"}, ["a b"]),
}


@pytest.mark.parametrize(("content", "options", "texts"), INPUTS.values(), ids=INPUTS)
def test_standard_input_can_be_read_again(write, monkeypatch, content, options, texts):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    documents = read_documents("-", **options)
    assert list(documents.texts) == list(documents.texts) == texts
    assert documents.name == "standard input"
    copy = documents.texts.table.source.path
    assert copy.exists()
    del documents
    assert not copy.exists()


def test_messages_call_standard_input_by_its_name(write, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"text,label\na b,x\nc\n")))
    with pytest.raises(DataError, match=r"standard input: 1 of 2 rows .* 'standard-input.rejected.jsonl'"):
        read_documents("-")


def test_a_pipe_can_be_read_again(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=[REVIEWS])
    writer.start()
    documents = read_documents(tmp_path / "pipe")
    writer.join()
    assert list(documents.texts) == list(documents.texts) == ["a fine film", "a dull film indeed"]


# Parquet


def test_parquet_gives_texts_numbers_and_lists(write, tmp_path):
    table = pyarrow.table({"text": ["a b", "c"], "stars": [1.5, 2.0], "tags": [["x"], []], "id": [1, 2]})
    parquet.write_table(table, tmp_path / "t.parquet")
    assert read_documents("t.parquet", target="stars").targets == [1.5, 2.0]
    assert read_documents("t.parquet", target="tags").targets == [("x",), ()]
    assert read_documents("t.parquet", target="id").targets == ["1", "2"]


def test_a_parquet_string_that_is_not_utf8_is_a_bad_row(tmp_path):
    texts = pyarrow.array([b"a b", b"\xe9", b"c"]).view(pyarrow.string())
    parquet.write_table(pyarrow.table({"text": texts, "label": ["x", "y", "z"]}), tmp_path / "t.parquet")
    documents = read_documents(tmp_path / "t.parquet", max_bad=0.5)
    assert documents.targets == ["x", "z"]
    assert documents.rejected.first == [(2, "'text' holds bytes that are not UTF-8, expected a string")]


def test_without_pyarrow_the_error_says_what_to_install(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=re.escape("pip install 'scansion[parquet]'")):
        read_documents(write("t.parquet", b"PAR1"))


# Folders


def test_a_folder_of_one_sub_folder_per_label(write, tmp_path):
    write("films/neg/2.txt", "dull\nfilm\n")
    write("films/neg/1.txt.gz", gzip.compress(b"grey"))
    write("films/pos/1.txt", "fine")
    write("films/.cache/x", "hidden")
    write("films/README", "not a label")
    documents = read_documents(tmp_path / "films")
    assert list(documents.texts) == ["grey", "dull\nfilm\n", "fine"]
    assert documents.targets == ["neg", "neg", "pos"]
    write("films/pos/2.txt", "new")
    with pytest.raises(DataError, match="was changed"):
        list(documents.texts)


def test_what_desktops_leave_in_a_folder_is_passed_over(write, tmp_path):
    for left in ("Thumbs.db", "desktop.ini", "Desktop.ini", ".DS_Store", "~$1.docx", "ehThumbs.db"):
        write(f"films/pos/{left}", b"\xd0\xcf\xff")
    write("films/pos/1.txt", "fine")
    write("films/neg/1.txt", "dull")
    write("films/__MACOSX/._1.txt", b"\0")
    documents = read_documents(tmp_path / "films")
    assert list(documents.texts) == ["dull", "fine"]
    before = documents.fingerprint
    write("films/neg/Thumbs.db", b"\xff")
    assert read_documents(tmp_path / "films").fingerprint == before


def test_a_folder_is_read_in_the_encoding_that_is_said(write, tmp_path):
    write("films/neg/1.txt", "öde".encode("cp1252"))
    write("films/pos/1.txt", "\ufeffschön".encode("utf-8"))
    documents = read_documents(tmp_path / "films", file=FileOptions(encoding="cp1252"))
    assert list(documents.texts) == ["öde", "schön"]


def test_a_document_of_a_folder_that_is_no_text_is_a_bad_row(write, tmp_path):
    write("films/neg/1.txt", b"caf\xe9")
    write("films/pos/1.txt", "fine")
    documents = read_documents(tmp_path / "films", max_bad=0.5)
    assert documents.targets == ["pos"]
    assert "1.txt, byte 3: 0xe9 is not UTF-8" in documents.rejected.first[0][1]
    assert documents.rejected.quarantine == tmp_path / "films.rejected.jsonl"


def test_folders_that_are_no_label_folders_are_errors(write, tmp_path):
    write("flat/1.txt", "fine")
    with pytest.raises(DataError, match="has no sub-folders"):
        read_documents(tmp_path / "flat")
    write("deep/train/pos/1.txt", "fine")
    with pytest.raises(DataError, match="holds the folder 'pos'"):
        read_documents(tmp_path / "deep")


# Missing and changing files


def test_a_missing_file_is_a_usage_error_with_the_nearest_name(write, tmp_path):
    write("data/reviews.csv", REVIEWS)
    with pytest.raises(UsageError, match=r"did you mean 'reviews\.csv'\?"):
        read_documents("data/review.csv")
    with pytest.raises(UsageError, match="did you mean 'data'"):
        read_documents("dta/reviews.csv")
    with pytest.raises(UsageError, match="nothing in 'data' has a name like that"):
        read_documents("data/zzz")
    with pytest.raises(UsageError, match="There is no file"):
        read_documents("data/reviews.csv/x")


def test_a_file_that_changes_between_passes_is_an_error(write):
    path = write("reviews.csv", REVIEWS)
    texts = read_documents(path).texts
    os.utime(path, (1, 1))
    assert len(list(texts)) == 2
    path.write_text(REVIEWS.replace("fine", "poor"))
    with pytest.raises(DataError, match="was changed"):
        list(texts)


# What estimators accept

LAZY_REFUSED = {
    "one text": ("a text", "Expected a list of texts, got one text. Wrap it: predict([text])."),
    "bytes": (b"a text", "got one bytes object"),
    "a generator": ((text for text in "ab"), "got a generator, which is empty after one pass"),
    "a map": (map(str, [1]), "got a map"),
    "nothing": (None, "got NoneType"),
    "a number": (3, "got int"),
    "a set": ({"a"}, "got set"),
    "a dictionary": ({"a": 1}, "got dict"),
    "a table of numbers": (numpy.zeros((2, 3)), "got ndarray with 2 dimensions"),
    "a frame of two columns": (pandas.DataFrame({"a": ["b"], "c": ["d"]}), "got a frame with 2: 'a', 'c'"),
    "a number among texts": (["a", 3], "got '3' (int) at position 1"),
    "None among texts": (["a", None], "got 'None' (NoneType) at position 1"),
    "NaN in a series": (pandas.Series(["a", float("nan")], dtype=object), "got 'nan' (float) at position 1"),
    "an array of numbers": (numpy.arange(3), "(int) at position 0"),
    "a list of lists": ([["a"]], "(list) at position 0"),
}


@pytest.mark.parametrize(("texts", "fragment"), LAZY_REFUSED.values(), ids=LAZY_REFUSED)
def test_what_is_no_list_of_texts_is_refused_with_a_sentence(texts, fragment):
    with pytest.raises(UsageError, match=re.escape(fragment)):
        check_documents(texts)


@pytest.mark.parametrize("texts", [["a", ""], ("a", ""), numpy.array(["a", ""]), numpy.array(["a", ""], dtype=object),
                                   pandas.Series(["a", ""], index=[7, 3])])
def test_lists_arrays_and_series_of_texts_are_accepted(texts):
    assert list(check_documents(texts)) == ["a", ""]
    assert list(check_documents([])) == []


def test_lazy_texts_are_handed_on_as_they_are(write):
    texts = read_documents(write("reviews.csv", REVIEWS)).texts
    assert check_documents(texts) is texts
