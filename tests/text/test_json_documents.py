"""JSON in the shapes that programs write a table in, and Hugging Face datasets as save_to_disk leaves them."""

import json
import re

import pandas
import pyarrow
import pytest

from scansion.errors import DataError, UsageError
from scansion.text.documents import read_documents
from scansion.text.encodings import Limit
from scansion.text.sources import find_source
from scansion.text.tables import open_table

ROWS = [{"text": "a b", "label": "x"}, {"text": "c, \"d\"\n😀", "label": "y"}]
FRAME = pandas.DataFrame(ROWS)

SHAPES = {
    "an array of objects": json.dumps(ROWS),
    "over many lines": json.dumps(ROWS, indent=2),
    "with a mark": "\ufeff" + json.dumps(ROWS),
    "under data": json.dumps({"version": "1.0", "data": ROWS}),
    "an object of columns": json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]}),
    "pandas, as it is": FRAME.to_json(),
    "pandas, records": FRAME.to_json(orient="records"),
    "pandas, by row": FRAME.to_json(orient="index"),
    "pandas, split": FRAME.to_json(orient="split"),
    "pandas, table": FRAME.to_json(orient="table", index=False),
    "JSON lines under the name .json": FRAME.to_json(orient="records", lines=True),
}

FAULTS = {  # an array's second row, and its reason; the first and the third are sound
    "NaN": ('{"text": NaN}', "holds NaN, which is not JSON"),
    "one name twice": ('{"text": "a", "text": "b"}', "has two values for 'text'"),
    "a list": ('["a"]', "is no JSON object"),
    "null": ("null", "is no JSON object"),
}

REFUSED = {
    "nothing": ("", "is empty"), "an empty array": ("[]", "is empty"), "a number": ("3", "holds a single value"),
    "an array of texts": ('["a", "b"]', "row 1 (line 1) is no JSON object"),
    "one object": ('{"text": "a", "label": "x"}', "is an object of another shape; expected an array of objects"),
    "rows under another name": ('{"items": [{"text": "a"}]}', "is an object of another shape"),
    "columns of unequal length": ('{"text": ["a"], "label": ["x", "y"]}', "of unequal length: {'text': 1, 'label': 2}"),
    "objects that may be rows or columns": ('{"a": {"b": 1}}', "nobody can tell rows from columns"),
    "a comma that is missing": ('[{"text": "a"}\n{"text": "b"}]', "line 2: expected a comma or ] after row 1"),
    "a comma too many": ('[{"text": "a"},\n]', "row 2 (line 2) is not JSON: Expecting value at character 1"),
    "a cut array": ('[{"text": "a"}', "expected a comma or ]"),
    "a cut object": ('[{"text": "a"}, {"text": "b', "row 2 (line 1) is not JSON: Unterminated string"),
    "something behind it": ('[{"text": "a"}]\n,', "line 2 goes on after the end of the array"),
    "something behind an object": ('{"text": ["a"]} {"text": ["b"]}', "goes on after the end of the JSON value"),
    "nested 100,000 deep": ("[" * 100_000, "is nested too deeply"),
    "Python for JSON": ("[{'text': 'a'}]", "row 1 (line 1) is not JSON: Expecting property name"),
}


@pytest.fixture
def write(tmp_path):
    def write(content):
        (tmp_path / "t.json").write_text(content, "utf-8")
        return tmp_path / "t.json"

    return write


def rows_of(path):
    return list(open_table(find_source(path)).rows())


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES)
def test_a_table_is_read_in_every_shape(write, content):
    documents = read_documents(write(content), text="text")
    assert list(documents.texts) == list(documents.texts) == [row["text"] for row in ROWS]
    assert documents.targets == ["x", "y"]


@pytest.mark.parametrize(("row", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_bad_element_is_a_bad_row_that_shifts_no_other(write, row, reason):
    first, second, third = rows_of(write(f'[{{"text": "a"}},\n {row},\n {{"text": "c"}}]'))
    assert [first.cells, third.cells, third.number, third.line] == [["a"], ["c"], 3, 3]
    assert reason in second.reason
    assert second.raw == row


@pytest.mark.parametrize("content", [
    '{"text": ["a", NaN]}', '{"text": {"0": "a", "1": NaN}}', '{"columns": ["text"], "data": [["a"], [NaN]]}',
    '{"data": [{"text": "a"}, {"text": NaN}]}', '{"columns": ["text"], "data": [["a"], ["b", "c"]]}',
])
def test_a_bad_row_among_columns_is_one_too(write, content):
    good, bad = rows_of(write(content))
    assert good.cells == ["a"]
    assert "holds NaN" in bad.reason or bad.reason == "is no array of 1 cells"


@pytest.mark.parametrize(("content", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_refused_with_what_was_expected(write, content, sentence):
    with pytest.raises(DataError, match=re.escape(sentence)):
        rows_of(write(content))


def test_numbers_keep_their_digits(write):
    assert rows_of(write('[{"n": 1.50}, {"n": 10000000000000000001}]'))[0].cells == ["1.50"]


def test_a_json_that_is_too_large_is_refused_with_the_way_on(write, monkeypatch):
    monkeypatch.setattr("scansion.text.json_document.LIMIT", Limit(2**20, "Save it as .jsonl."))
    with pytest.raises(DataError, match=r"more than 1 MiB without an end. Save it as .jsonl"):
        rows_of(write(json.dumps([{"text": "a" * 2**20}])))


# Hugging Face datasets

LABELLED = pyarrow.table({"text": ["a b", "c", "d"], "label": [1, 0, 1]})


def saved(folder, tables):
    """As datasets 5.2 writes it: Arrow streams, and a state that names them."""
    folder.mkdir(parents=True)
    names = [f"data-{at:05}-of-{len(tables):05}.arrow" for at in range(len(tables))]
    for name, table in zip(names, tables, strict=True):
        with pyarrow.OSFile(str(folder / name), "wb") as sink, pyarrow.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
    state = {"_data_files": [{"filename": name} for name in names], "_fingerprint": "0", "_split": None}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def test_a_datasets_folder_is_a_table(tmp_path):
    path = saved(tmp_path / "data", [LABELLED.slice(0, 2), LABELLED.slice(2)])
    documents = read_documents(path)
    assert list(documents.texts) == ["a b", "c", "d"]
    assert documents.targets == ["1", "0", "1"]
    (path / "data-00001-of-00002.arrow").write_bytes(b"cut")
    with pytest.raises(DataError, match="was changed"):
        list(documents.texts)
    with pytest.raises(DataError, match="is no sound Arrow file"):
        read_documents(path)
    (path / "data-00001-of-00002.arrow").unlink()
    with pytest.raises(DataError, match="not all of them are there"):
        read_documents(path)
    (path / "state.json").write_text("{}")
    with pytest.raises(DataError, match="does not name the files"):
        read_documents(path)


def test_of_a_folder_of_splits_one_is_named(tmp_path):
    for split in ("train", "test"):
        saved(tmp_path / "data" / split, [LABELLED])
    (tmp_path / "data/dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(UsageError, match=r"the splits test, train; expected one. Name it: .*data/test or .*/train"):
        read_documents(tmp_path / "data")
    assert len(read_documents(tmp_path / "data/train")) == 3
