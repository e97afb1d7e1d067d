"""Several labels in one cell: lists as JSON and as Python write them."""

import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scansion.errors import DataError
from scansion.text.documents import read_documents
from scansion.text.target_cells import decide_task, number_of, written_list

LABELS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), max_size=4)


@given(LABELS)
def test_what_json_and_python_write_is_read_back(labels):
    assert written_list(json.dumps(labels)) == labels
    assert written_list(json.dumps(labels, ensure_ascii=False)) == labels
    assert written_list(str(labels)) == labels
    assert written_list(str(tuple(labels))) == labels
    assert sorted(written_list(str(set(labels)))) == sorted(set(labels))


@pytest.mark.parametrize("cell", [
    "", "a", "(a)", "(1)", "[a, b]", "['a' 'b']", "['a', nan]", "[null]", "[[1]]", '{"a": 1}', "['\\d']", "['a'", "s",
    None, 3, "[" * 100_000, "['a', __import__('os')]",
])
def test_anything_else_is_no_list(cell):
    assert written_list(cell) is None


@pytest.mark.parametrize("write", [json.dumps, str, lambda labels: str(tuple(labels))], ids=["json", "list", "tuple"])
@pytest.mark.parametrize("separator", [None, "|"])
def test_a_column_of_written_lists_holds_several_labels(tmp_path, write, separator):
    path, answers = tmp_path / "t.csv", [["x", "it's"], ["y"], []]
    with open(path, "w", newline="") as file:
        rows = [[f"some text {i}", write(each)] for i, each in enumerate(answers)]
        csv.writer(file).writerows([["text", "label"], *rows])
    documents = read_documents(path, label_separator=separator)
    assert documents.targets == [tuple(answer) for answer in answers]
    assert "'label' holds several labels a document, written as lists such as " in documents.reason


def test_a_later_cell_that_is_no_list_is_a_bad_row(tmp_path):
    rows = "".join(f'a text {i},"[""x""]"\n' for i in range(1_000))
    (tmp_path / "t.csv").write_text(f"text,label\n{rows}a text,y\n")
    documents = read_documents(tmp_path / "t.csv")
    assert documents.rejected.first == [(1_001, "'label' is 'y', expected a list of labels, as in the first rows")]


def test_where_only_some_cells_write_lists_all_are_labels(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\na text,['x']\nb,y\n")
    assert read_documents(tmp_path / "t.csv").targets == ["['x']", "y"]


@pytest.mark.parametrize("large", ["1e300", "1.7e308", "-1e309", "9" * 400])
def test_a_number_beyond_the_bound_is_still_a_number_and_its_row_is_named(large):
    assert decide_task(["0.5", "1.25", large], "size", 0.0)[0] == "regress"
    with pytest.raises(DataError, match=r"'size' is .*, expected a number of at most 1e\+100 in size"):
        number_of(large, "size")
