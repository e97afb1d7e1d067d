"""No cell ever changes its text: what another program wrote is read back character by character."""

import csv
import gzip
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scansion.errors import DataError, ScansionError
from scansion.text.sources import find_source
from scansion.text.tables import open_table

CHARACTERS = st.characters(exclude_categories=["Cs"])
AWKWARD = st.sampled_from(["NA", "007", "\r\n", "\ufeff", "\u2028", "é", "😀", *'",\n\r\t\0 \\'])
CELL = st.lists(st.one_of(st.text(CHARACTERS, max_size=4), AWKWARD), max_size=5).map("".join)
TABLE = st.integers(1, 3).flatmap(lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), max_size=6))

quickly = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def names_of(rows):
    return ["text", "label", "split"][: len(rows[0]) if rows else 1]


def read_back(path, content):
    path.write_bytes(content)
    rows = list(open_table(find_source(path)).rows())
    assert not [row for row in rows if row.reason]
    return [row.cells for row in rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@quickly
@given(rows=TABLE)
def test_csv_reads_back_what_the_csv_module_wrote(tmp_path, rows, encoding, line_end):
    if line_end == "\n":  # then the module leaves a carriage return unquoted, against RFC 4180
        rows = [[cell.replace("\r", "") for cell in row] for row in rows]
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator=line_end).writerows([names_of(rows), *rows])
    assert read_back(tmp_path / "t.csv", written.getvalue().encode(encoding)) == rows


@quickly
@given(rows=TABLE)
def test_csv_with_every_cell_quoted_reads_back(tmp_path, rows):
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([names_of(rows), *rows])
    assert read_back(tmp_path / "t.csv.gz", gzip.compress(written.getvalue().encode(), 1)) == rows


@quickly
@given(rows=TABLE, line_end=st.sampled_from(["\n", "\r\n"]))
def test_tsv_reads_back_every_cell_without_tabs_and_line_ends(tmp_path, rows, line_end):
    rows = [[cell.replace("\t", "").replace("\n", "").replace("\r", "") or "." for cell in row] for row in rows]
    written = line_end.join("\t".join(row) for row in [names_of(rows), *rows])
    assert read_back(tmp_path / "t.tsv", written.encode()) == rows


@quickly
@given(rows=TABLE, ascii=st.booleans())
def test_jsonl_reads_back_what_the_json_module_wrote(tmp_path, rows, ascii):
    rows = rows or [["a"]]
    lines = [json.dumps(dict(zip(names_of(rows), row, strict=True)), ensure_ascii=ascii) for row in rows]
    assert read_back(tmp_path / "t.jsonl", "\n".join(lines).encode()) == rows


@quickly
@given(numbers=st.lists(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
def test_jsonl_numbers_keep_the_text_they_were_written_with(tmp_path, numbers):
    lines = [json.dumps({"score": number}) for number in numbers]
    assert read_back(tmp_path / "t.jsonl", "\n".join(lines).encode()) == [[json.dumps(number)] for number in numbers]


@pytest.mark.parametrize("name", ["t.parquet", "t.parquet.gz"])
@settings(quickly, max_examples=25)
@given(rows=TABLE)
def test_parquet_reads_back_what_pyarrow_wrote(tmp_path, rows, name):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    names = names_of(rows)
    columns = [[row[at] for row in rows] for at in range(len(names))]
    written = io.BytesIO()
    parquet.write_table(pyarrow.table([pyarrow.array(column, pyarrow.string()) for column in columns], names), written)
    content = written.getvalue()
    assert read_back(tmp_path / name, gzip.compress(content, 1) if name.endswith(".gz") else content) == rows


@quickly
@given(content=st.binary(max_size=200), name=st.sampled_from(["t.csv", "t.tsv", "t.jsonl", "t.txt", "t.csv.gz"]))
def test_any_bytes_give_rows_or_an_error_on_purpose(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content)
    try:
        rows = list(open_table(find_source(path)).rows())
    except ScansionError:
        return
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))


@quickly
@given(records=st.lists(st.text('ab",\n\r', max_size=12), max_size=5))
def test_every_csv_the_strict_csv_module_and_we_both_accept_means_the_same(tmp_path, records):
    content = "x,y\n" + "\n".join(records)
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode())
    try:
        rows = list(open_table(find_source(path)).rows())
    except DataError:
        return
    if any(row.reason for row in rows):
        return
    theirs = list(csv.reader(io.StringIO(content, newline=""), strict=True))[1:]
    assert [row.cells for row in rows] == [record for record in theirs if record]
