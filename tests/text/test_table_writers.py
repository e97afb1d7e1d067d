"""Tables that are written are read back as they were, or are refused with the cell that does not go."""

import datetime
import json
import re
from contextlib import closing

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from scansion.errors import DataError, UsageError
from scansion.text.documents import read_documents
from scansion.text.rows import WrittenNumber
from scansion.text.sources import find_source
from scansion.text.table_writers import WRITERS, WrittenColumn, json_object, writer_for
from scansion.text.tables import open_table

ODD = ["a,b", 'say "so"', "two\nlines", "a\rb", "", " ", "tab\there", "NA", "007", "café \u2028 🙂", "back\\slash"]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
PLAIN = [text for text in ODD if not re.search(r"[\t\r\n]", text)]


def write(path, columns, rows, kept=()):
    with path.open("wb") as stream, closing(writer_for(path.name)(stream, columns, kept)) as writer:
        for row in rows:
            writer.write([row])
    return path


def cells(path):
    return [row.cells for row in open_table(find_source(path)).rows()]


@pytest.mark.parametrize("ending", WRITERS)
def test_cells_are_read_back_as_they_were(ending, tmp_path):
    texts = PLAIN if ending == ".tsv" else ODD
    rows = [[text, text] for text in texts]
    columns = [WrittenColumn("text"), WrittenColumn('a "b", c', str)]
    path = write(tmp_path / f"t{ending}", columns, rows, [[text] for text in texts])
    assert open_table(find_source(path)).columns == ("text", 'a "b", c')
    assert cells(path) == rows


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT)))
def test_csv_reads_back_whatever_text_there_is(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    assert cells(write(path, [WrittenColumn("a"), WrittenColumn("b")], rows)) == [list(row) for row in rows]


def test_a_csv_of_one_column_has_no_empty_line(tmp_path):
    assert write(tmp_path / "t.csv", [WrittenColumn("a")], [["x"], [""]]).read_bytes() == b'a\nx\n""\n'


@pytest.mark.parametrize("odd", ["two\nlines", "a\rb", "tab\there"])
def test_what_a_tsv_cannot_hold_is_named_before_anything_is_computed(odd, tmp_path):
    with pytest.raises(DataError, match=r"Row 2: 'text' holds .*no line end. Write .csv, .jsonl or .parquet"):
        write(tmp_path / "t.tsv", [WrittenColumn("text")], [], [["fine"], [odd]])
    with pytest.raises(DataError, match="The table: 'prediction' holds"):
        write(tmp_path / "t.tsv", [WrittenColumn("prediction", str, values=("fine", odd))], [])
    with pytest.raises(DataError, match=r"Row 1: 'prediction' holds"):
        write(tmp_path / "t.tsv", [WrittenColumn("prediction", str)], [[odd]])


def test_numbers_keep_their_digits_in_json_and_what_is_not_finite_is_null(tmp_path):
    lines = '{"text": "a", "n": 1.50, "m": 12345678901234567890123, "k": [1.0, {"x": 1e3}], "b": true, "z": null}\n'
    (tmp_path / "in.jsonl").write_text(lines)
    table = open_table(find_source(tmp_path / "in.jsonl"))
    columns = [*map(WrittenColumn, table.columns), WrittenColumn("prediction", float)]
    path = write(tmp_path / "out.jsonl", columns, [[*row.cells, 0.5] for row in table.rows()])
    assert path.read_text() == lines.replace("}\n", ', "prediction": 0.5}\n')
    odd = [("a", WrittenNumber("nan")), ("b", float("inf")), ("c", WrittenNumber("007")), ("d", "\ud800")]
    assert json.loads(json_object(odd)) == {"a": None, "b": None, "c": "007", "d": "\ud800"}


def test_lists_and_booleans_stand_in_csv_as_json_has_them(tmp_path):
    rows = [[["a", "b"], True, None, datetime.date(2024, 2, 29)]]
    path = write(tmp_path / "t.csv", list(map(WrittenColumn, "abcd")), rows)
    assert cells(path) == [['["a", "b"]', "true", "", "2024-02-29"]]


def test_parquet_keeps_the_types_of_what_was_read(tmp_path):
    before = pyarrow.table({
        "whole": pyarrow.array([1, None, 3], pyarrow.int64()), "large": [2**53 + 1, 1, 2], "number": [0.1, None, 2.0],
        "none": [None, None, "a"], "truth": [True, False, None], "tags": [["a"], [], None],
        "when": [datetime.datetime(2024, 2, 29, 12, 30), None, None], "day": [datetime.date(2024, 1, 1)] * 3,
        "nanoseconds": pyarrow.array([1, None, 10**18 + 1], pyarrow.timestamp("ns", "UTC")),
        "blob": [b"\xff", b"", None], "text": ["a", "b", ""],
    })  # fmt: skip
    parquet.write_table(before, tmp_path / "in.parquet")
    table = open_table(find_source(tmp_path / "in.parquet"))
    kept = [row.cells for row in table.rows()]
    write(tmp_path / "out.parquet", list(map(WrittenColumn, table.columns)), kept, kept)
    after = parquet.read_table(tmp_path / "out.parquet")
    assert after.to_pylist() == before.to_pylist()
    assert [str(kind).replace("element", "item") for kind in after.schema.types] == list(map(str, before.schema.types))


def test_in_parquet_a_column_of_several_kinds_is_text_as_it_was_written(tmp_path):
    rows = ['{"a": 1, "b": 0.10, "c": 1.23456789012345678, "d": {"x": 1}}', '{"a": "x", "b": 2}']
    (tmp_path / "in.jsonl").write_text("\n".join(rows))
    table = open_table(find_source(tmp_path / "in.jsonl"))
    kept = [row.cells for row in table.rows()]
    path = write(tmp_path / "out.parquet", list(map(WrittenColumn, table.columns)), kept, kept)
    assert parquet.read_table(path).to_pylist() == [
        {"a": "1", "b": 0.1, "c": "1.23456789012345678", "d": '{"x": 1}'}, {"a": "x", "b": 2.0, "c": None, "d": None},
    ]  # fmt: skip


def test_several_labels_are_joined_or_a_list_and_a_label_never_holds_what_joins_them(tmp_path):
    several = WrittenColumn("prediction", str, several=True, separator="|", values=("a", "b"))
    assert cells(write(tmp_path / "t.csv", [several], [[("a", "b")], [()]])) == [["a|b"], [""]]
    for ending in (".jsonl", ".parquet"):
        assert cells(write(tmp_path / f"t{ending}", [several], [[("a", "b")], [()]])) == [[["a", "b"]], [[]]]
    for ending in (".csv", ".tsv"):
        with pytest.raises(UsageError, match=r"'a\|b' holds '\|'.*Choose another --label-separator"):
            write(tmp_path / f"t{ending}", [WrittenColumn("p", str, True, "|", ("a|b",))], [])


@pytest.mark.parametrize(("ending", "cell", "sentence"), [
    (".csv", b"\xff", "Row 1: 'a' holds bytes"), (".jsonl", b"\xff", "holds bytes"),
    (".csv", "\ud800", "Row 1 holds half"), (".parquet", "\ud800", "A row holds half"),
])  # fmt: skip
def test_what_is_no_text_is_refused(ending, cell, sentence, tmp_path):
    with pytest.raises(DataError, match=sentence):
        write(tmp_path / f"t{ending}", [WrittenColumn("a")], [[cell]])


def test_a_table_without_rows_has_its_columns_and_types(tmp_path):
    columns = [WrittenColumn("text"), WrittenColumn("prediction", str), WrittenColumn("probability", float)]
    for ending in WRITERS:
        path = write(tmp_path / f"t{ending}", columns, [])
        assert ending == ".jsonl" or open_table(find_source(path)).columns == ("text", "prediction", "probability")
    assert [str(kind) for kind in parquet.read_schema(tmp_path / "t.parquet").types] == ["string", "string", "double"]


def test_another_ending_is_an_error_that_names_those_there_are():
    with pytest.raises(UsageError, match=r"'t.xls' does not say.*End it in .csv, .tsv, .jsonl or .parquet"):
        writer_for("t.xls")
    assert writer_for("T.CSV") is WRITERS[".csv"]


def test_texts_and_the_cells_beside_them_are_read_in_one_pass(tmp_path):
    (tmp_path / "t.csv").write_text("id,text,label\n1,a b,x\n2,c,y\n3\n4,d,y\n")
    documents = read_documents(tmp_path / "t.csv", target="label", text="text", max_bad=0.5)
    assert list(documents.texts.beside([2, 0])) == [("a b", ["x", "1"]), ("c", ["y", "2"]), ("d", ["y", "4"])]
