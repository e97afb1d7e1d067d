"""Several text columns, remembered columns and frames: always the same text, or an error that says why not."""

import re

import numpy
import pandas
import pyarrow
import pytest

from scansion.errors import DataError, UsageError
from scansion.text.columns import InputColumns, columns_named
from scansion.text.documents import check_documents, read_documents
from scansion.text.frames import input_columns

TICKETS = 'id,title,body,queue\n1,Broken,It fell,repair\n2,,"Where, please?",sales\n3,Lost, ,sales\n4,,,none\n'
JOINED = ["Broken\n\nIt fell", "Where, please?", "Lost", ""]
TRAINED = InputColumns(("body",), "queue")


@pytest.fixture
def tickets(tmp_path):
    def write(content=TICKETS, name="tickets.csv"):
        (tmp_path / name).write_text(content)
        return tmp_path / name

    return write


def test_several_text_columns_are_joined_by_a_blank_line_and_empty_cells_left_out(tickets):
    documents = read_documents(tickets(), text="title,body", target="queue")
    assert list(documents.texts) == JOINED
    assert documents.columns.text == ("title", "body")
    assert "text: 'title' and 'body' (as given; joined by a blank line, empty cells left out)" in documents.reason
    assert next(iter(read_documents(tickets(), text="body, title", target="queue").texts)) == "It fell\n\nBroken"


def test_a_missing_cell_among_several_is_an_empty_one_and_a_row_without_any_is_a_bad_row(tickets):
    lines = '{"title": null, "body": "a", "label": "x"}\n{"body": "b", "label": "y"}\n{"label": "y"}\n'
    documents = read_documents(tickets(lines, "t.jsonl"), text="title,body", max_bad=0.5)
    assert list(documents.texts) == ["a", "b"]
    assert documents.rejected.first == [(3, "'title' and 'body' are missing")]


NAMED = {
    "one": ("a", ["a"]),
    "two, in the order they are named": ("c,a", ["c", "a"]),
    "blanks around a comma do not count": ("a , c", ["a", "c"]),
    "a name with a comma": ("a,b", ["a,b"]),
    "a name with a comma beside another": ("c,a,b", ["c", "a,b"]),
    "a name that begins with a blank": (" d", [" d"]),
}


@pytest.mark.parametrize(("written", "found"), NAMED.values(), ids=NAMED)
def test_columns_are_named_between_commas_and_the_longest_name_wins(written, found):
    assert columns_named(written, ["a", "b", "a,b", "c", " d"], "text") == found


def test_columns_are_those_of_the_training_whatever_else_there_is(tickets):
    longer = "note,queue,body,label\na much longer text than the other,x,a b,wrong\nand another of this kind,y,c d,w\n"
    documents = read_documents(tickets(longer), remembered=TRAINED)
    assert (list(documents.texts), documents.targets) == (["a b", "c d"], ["x", "y"])
    assert "text: 'body' (as in training); target: 'queue' (as in training)" in documents.reason
    assert list(read_documents(tickets(longer), remembered=TRAINED, with_target=False).texts) == ["a b", "c d"]
    assert list(read_documents(tickets(longer), remembered=TRAINED, text="note", target="label").texts)[1][:3] == "and"


ABSENT = {
    "a text, and one is called like it": ("Body,queue\na,x\n", "no column 'body' for the text, as in training; did you "
                                          "mean 'Body'? The columns are 'Body', 'queue'. Rename the column, or name "
                                          "the one to read: --text COLUMN."),
    "a text, and none is": ("x,queue\na,x\n", "as in training. The columns are 'x', 'queue'."),
    "a target": ("body,label\na,x\n", "no column 'queue' for the target, as in training. The columns are"),
    "all but one": ("queue\na\n", "The only column is 'queue'."),
}


@pytest.mark.parametrize(("content", "sentence"), ABSENT.values(), ids=ABSENT)
def test_a_column_of_the_training_that_is_absent_is_an_error_with_what_there_is(content, sentence, tickets):
    with pytest.raises(UsageError, match=re.escape(sentence)):
        read_documents(tickets(content), remembered=TRAINED)


def test_a_name_from_training_is_never_cut_at_its_comma(tickets):
    with pytest.raises(UsageError, match="no column 'a,b'"):
        read_documents(tickets("a,b\nx,y\n"), remembered=InputColumns(("a,b",)), with_target=False)


def test_plain_lines_and_folders_of_labels_have_no_names_to_remember_or_to_miss(tickets, tmp_path):
    for label in ("x", "y"):
        (tmp_path / "films" / label).mkdir(parents=True)
        (tmp_path / "films" / label / "one.txt").write_text("a b")
    for path, with_target in ((tickets("a b\n", "t.txt"), False), (tmp_path / "films", True)):
        documents = read_documents(path, remembered=TRAINED, with_target=with_target)
        assert (documents.columns.text, documents.columns.target) == ((), None)


def test_a_column_that_json_lines_name_late_is_a_column(tickets):
    lines = '{"text": "a b", "label": "x"}\n' * 1500 + '{"text": "c", "label": "y", "title": "d"}\n'
    assert list(read_documents(tickets(lines, "t.jsonl"), text="title,text").texts)[-1] == "d\n\nc"


def test_a_number_that_is_none_is_a_missing_label(tmp_path):
    pandas.DataFrame({"text": ["a b", "c", "d e"], "label": [1.0, None, 2.0]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"row 2 'label' is missing"):
        read_documents(tmp_path / "t.parquet")


def test_a_name_that_no_folder_can_keep_is_refused_before_anything_is_learned(tickets):
    with pytest.raises(UsageError, match=r"The column 't.*ud800' holds half a surrogate pair"):
        read_documents(tickets('{"t\\ud800": "a b", "label": "x"}\n', "t.jsonl"))


# Frames

FRAME = pandas.DataFrame({
    "title": ["Broken", None, "Lost", ""], "body": ["It fell", "Where, please?", float("nan"), " "], "id": range(4),
})  # fmt: skip
TABLE = pyarrow.table({"title": ["Broken", None, "Lost", ""], "body": ["It fell", "Where, please?", None, " "]})


class Polars:
    """What is used of a polars frame: its columns are a list of names, and a column has ``to_list``."""

    columns = ["body", "title"]  # noqa: RUF012

    def __getitem__(self, name):
        return pandas.Series(FRAME[name].tolist(), dtype=object)


@pytest.mark.parametrize("frame", [FRAME, FRAME[["body", "title"]].astype("string"), TABLE, Polars()],
                         ids=["pandas", "in another order", "pyarrow", "as polars has it"])
def test_the_columns_of_a_frame_are_joined_as_those_of_a_file_are(frame):
    assert check_documents(frame, ["title", "body"]) == JOINED


def test_one_column_of_texts_needs_no_name():
    assert check_documents(FRAME[["title"]].fillna("")) == ["Broken", "", "Lost", ""]
    assert check_documents(pandas.DataFrame([["a"], ["b"]])) == ["a", "b"]
    assert check_documents(TABLE.column("body").drop_null()) == ["It fell", "Where, please?", " "]


NAMES = {
    "a frame": (FRAME[["title", "body"]], ["x"], ("title", "body"), None),
    "a series": (FRAME["title"], FRAME["id"], ("title",), "id"),
    "series without names": (pandas.Series(["a"]), pandas.Series(["b"]), (), None),
    "a number for a name": (pandas.DataFrame([["a"]]), pandas.Series(["b"], name=3), (), None),
    "lists": (["a"], ["b"], (), None),
    "arrays": (numpy.array(["a"]), numpy.array(["b"]), (), None),
    "a table of arrow": (TABLE, TABLE.column("title"), ("title", "body"), None),
}


@pytest.mark.parametrize(("texts", "targets", "text", "target"), NAMES.values(), ids=NAMES)
def test_frames_and_series_name_what_is_remembered(texts, targets, text, target):
    assert input_columns(texts, targets) == InputColumns(text, target)


REFUSED = {
    "a column that is not there": (FRAME, ["title", "boddy"], "no column 'boddy', which the model was fitted on; did "
                                   "you mean 'body'?"),
    "numbers among texts": (FRAME, ["title", "id"], "got '0' (int) in column 'id' at position 0"),
    "a row of nothing": (FRAME.assign(body=None), ["title", "body"], "Every cell at position 1 is missing"),
    "two columns of a name": (FRAME[["title", "title"]], ["title"], "more than one column 'title'"),
    "several columns and no names": (FRAME, [], "got a frame with 3: 'title', 'body', 'id'"),
}


@pytest.mark.parametrize(("frame", "columns", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_frame_that_does_not_do_is_refused_with_a_sentence(frame, columns, sentence):
    with pytest.raises(UsageError, match=re.escape(sentence)):
        check_documents(frame, columns)


def test_columns_to_join_are_told_apart_by_their_names():
    for frame in (pandas.DataFrame([["a", "b"]]), FRAME[["title", "title"]]):
        with pytest.raises(UsageError, match="told apart by their names"):
            input_columns(frame, [])
