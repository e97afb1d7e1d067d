"""Workbooks, .xlsx and .ods: what a sheet holds becomes rows, and what is no value is a fault that says so.

openpyxl and odfpy (by way of pandas) write what is read; cached results, which they cannot write, are put in by hand.
"""

import datetime
import gzip
import re
import sys
import zipfile

import openpyxl
import pandas
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scansion.errors import DataError, MissingExtraError, UsageError
from scansion.text.documents import read_documents
from scansion.text.rows import CellFault, FileOptions, WrittenNumber
from scansion.text.sources import find_source
from scansion.text.tables import open_table
from scansion.text.workbooks import column_letters

SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def excel(tmp_path):
    """Writes sheets, each a list of rows; what ``then`` does to the first one comes before it is saved."""

    def write(*sheets, name="t.xlsx", then=lambda sheet: None):
        book = openpyxl.Workbook()
        for at, rows in enumerate(sheets):
            sheet = book.active if at == 0 else book.create_sheet(f"Sheet {at + 1}")
            for row in rows:
                sheet.append(row)
        then(book.worksheets[0])
        book.save(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture(params=["t.xlsx", "t.ods"])
def written(request, tmp_path):
    """Writes a sheet in each of the formats."""

    def write(rows):
        path = tmp_path / request.param
        engine = {"t.xlsx": "openpyxl", "t.ods": "odf"}[request.param]
        rows = [row + [None] * (max(map(len, rows)) - len(row)) for row in rows]
        pandas.DataFrame(rows, dtype=object).to_excel(path, index=False, header=False, engine=engine)
        return path

    return write


def rewritten(path, part, change):
    """The workbook with one of its parts changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def rows_of(path, **options):
    return list(open_table(find_source(path), options=FileOptions(**options)).rows())


def cells_of(path):
    return [row.reason or row.cells for row in rows_of(path)]


def test_cells_are_what_the_sheet_holds(written):
    moment = datetime.datetime(2024, 1, 5, 12, 30, 1)
    path = written([
        ["text", "label", "when"], ["a", 1, datetime.datetime(2024, 1, 5)], ["b", 1.5, moment], ["007", True, "x"],
        ["d", "1.50", 1e300], ["e", 2.0, -0.25],
    ])
    assert cells_of(path) == [
        ["a", "1", "2024-01-05"], ["b", "1.5", "2024-01-05 12:30:01"], ["007", True, "x"], ["d", "1.50", "1e+300"],
        ["e", "2", "-0.25"],
    ]
    first, *_, last = rows_of(path)
    assert [type(cell) for cell in first.cells] == [str, WrittenNumber, str]
    assert type(last.cells[1]) is WrittenNumber


def test_an_empty_cell_is_an_empty_text_and_a_blank_row_no_row(written):
    path = written([["text", "label"], ["a", None], [None, None], [None, "x"], [None, None]])
    rows = rows_of(path)
    assert [row.cells for row in rows] == [["a", ""], ["", "x"]]
    assert [(row.number, row.line) for row in rows] == [(1, 2), (2, 4)]


def test_a_blank_row_of_a_single_column_is_an_empty_document(written):
    assert cells_of(written([["text"], ["a"], [None], [None], ["b"], [None]])) == [["a"], [""], [""], ["b"]]


def test_a_table_may_stand_anywhere_in_its_sheet(written):
    path = written([[None] * 4, [None, "text", "label"], [None, "a", 1], [None, "b"]])
    assert cells_of(path) == [["a", "1"], ["b", ""]]


def test_a_value_beside_the_header_is_a_bad_row_with_its_column(written):
    rows = cells_of(written([["text", "label"], ["a", 1, None, "note"], ["b", 2]]))
    assert rows == ["has 'note' in column D, where the header (line 1) has no name; name the column or clear it",
                    ["b", "2"]]


def test_a_packed_workbook_is_read_as_well(written):
    path = written([["text", "label"], ["a", "x"]])
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert cells_of(packed) == [["a", "x"]]


def test_an_empty_sheet_is_an_error(written):
    with pytest.raises(DataError, match="is empty; expected a header"):
        rows_of(written([]))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8), min_size=1))
def test_excel_reads_back_what_openpyxl_wrote(excel, texts):
    path = excel([["text", "label"], *([f"a{text}_x000D_", "x"] for text in texts)])
    assert cells_of(path) == [[f"a{text}\r", "x"] for text in texts]


# Sheets


def test_the_first_sheet_is_read_and_the_others_are_named(excel):
    path = excel([["text", "label"], ["a b", "x"]], [["text", "label"], ["c d", "y"]])
    documents = read_documents(path)
    assert list(documents.texts) == ["a b"]
    assert documents.reason.startswith("sheet: 'Sheet' (the first; others: 'Sheet 2'; --sheet); text")
    for sheet in ("Sheet 2", "2"):
        assert list(read_documents(path, file=FileOptions(sheet=sheet)).texts) == ["c d"]
    with pytest.raises(UsageError, match="has no sheet 'Sheet2'; did you mean 'Sheet 2'"):
        read_documents(path, file=FileOptions(sheet="Sheet2"))
    with pytest.raises(UsageError, match="has no sheet '3'; known: 'Sheet', 'Sheet 2'"):
        read_documents(path, file=FileOptions(sheet="3"))


def test_a_single_sheet_needs_no_remark(written):
    assert not open_table(find_source(written([["text"], ["a"]]))).remarks


def test_a_hidden_sheet_is_not_the_first(excel):
    def hide(sheet):
        sheet.sheet_state = "hidden"

    path = excel([["text"], ["a"]], [["text"], ["b"]], then=hide)
    assert cells_of(path) == [["b"]]
    assert open_table(find_source(path)).remarks[0].startswith("sheet: 'Sheet 2' (the first that is not hidden; ")


def test_a_column_that_another_sheet_may_have_is_missed_with_the_sheets(excel):
    path = excel([["note"], ["read me"]], [["text", "label"], ["a b", "x"]])
    with pytest.raises(UsageError, match=r"only column is 'note'. \(sheet: 'Sheet' \(the first; others: 'Sheet 2'"):
        read_documents(path)


def test_a_sheet_is_for_workbooks(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\na,x\n")
    with pytest.raises(UsageError, match=r"--sheet is for xlsx, ods; .* is read as csv. Leave it out"):
        rows_of(tmp_path / "t.csv", sheet="1")
    assert rows_of(tmp_path / "t.csv", sheet="1", of_another_file=True)


# Faults of cells


def test_results_of_formulas_are_read_and_a_formula_without_one_is_a_fault(excel):
    """A program that writes =1+1 and does not calculate leaves a cell that looks empty."""
    path = excel([["text", "label", "n"], ["a", "=1+1", "=B2"], ["b", "=1+1", '=""'], ["c", "x", None]])
    stored = re.compile(rb'(<c r="(B2|C3)")([^>]*>)(<f>[^<]*</f>)(?:<v ?/>|<v></v>)')
    result = {b"B2": (b"", b"2"), b"C3": (b' t="str"', b"")}

    def change(sheet):
        return stored.sub(lambda found: b"%s%s%s%s<v>%s</v>" % (
            found[1], result[found[2]][0], found[3], found[4], result[found[2]][1]), sheet)

    (_, two, uncounted), (_, formula, empty), plain = cells_of(rewritten(path, SHEET, change))
    assert (two, empty, plain) == ("2", "", ["c", "x", ""])
    assert [type(cell) for cell in (uncounted, formula)] == [CellFault, CellFault]
    documents = read_documents(path, text="text", target="label", max_bad=0.5)
    assert documents.targets == ["2", "x"]
    assert documents.rejected.first == [
        (2, "'label' holds the formula '=1+1' without its result; open the file in a spreadsheet program and save it")
    ]


def test_errors_and_covered_cells_are_faults_of_the_rows_that_need_them(excel):
    def merge(sheet):
        sheet.merge_cells("B3:B4")

    path = excel([["text", "label", "note"], ["a", "#N/A", ""], ["b", "x", ""], ["c", None, ""], ["d", "y", "#REF!"]],
                 then=merge)
    for options in ({}, {"label_separator": "|"}):
        documents = read_documents(path, text="text", target="label", max_bad=0.5, **options)
        assert list(documents.texts) == ["b", "d"]
        assert documents.rejected.first == [
            (1, "'label' holds the error #N/A"),
            (3, "'label' is covered by a merged cell; unmerge it and give every row its value"),
        ]


def test_wrong_dimensions_cut_nothing(excel):
    """Some programs write that a sheet ends before its last column."""
    path = excel([["text", "label"], ["a", "x"], ["b", "y"]])
    rewritten(path, SHEET, lambda sheet: sheet.replace(b'ref="A1:B3"', b'ref="A1:A1"'))
    assert cells_of(path) == [["a", "x"], ["b", "y"]]


OPEN_DOCUMENT_CELLS = {
    "blanks, tabs and line breaks": (
        '<c o:value-type="string"><t:p> two<t:s t:c="3"/>  more\n<t:tab/>t<t:line-break/>x <t:span> bold</t:span> '
        "</t:p><t:p>second</t:p></c>", "two    more \tt\nx bold\nsecond"),
    "a comment is not the cell": (
        '<c o:value-type="string"><o:annotation><t:p>why</t:p></o:annotation><t:p>a</t:p></c>', "a"),
    "an error": ('<c tb:formula="of:=1/0" o:value-type="string" o:string-value=""><t:p>#DIV/0!</t:p></c>',
                 "holds the error #DIV/0!"),
    "a text like an error": ('<c o:value-type="string"><t:p>#N/A</t:p></c>', "#N/A"),
    "a result": ('<c tb:formula="of:=1+1" o:value-type="float" o:value="2"><t:p>2,00</t:p></c>', "2"),
    "no result": ('<c tb:formula="of:=[.B1]"/>', "holds the formula '=[.B1]' without its result"),
    "a share": ('<c o:value-type="percentage" o:value="0.5"><t:p>50 %</t:p></c>', "0.5"),
    "a duration": ('<c o:value-type="time" o:time-value="PT36H05M00S"><t:p>36:05</t:p></c>', "36:05:00"),
    "a covered cell": ("<tb:covered-table-cell/>", "is covered by a merged cell"),
}


@pytest.mark.parametrize(("cell", "expected"), OPEN_DOCUMENT_CELLS.values(), ids=OPEN_DOCUMENT_CELLS)
def test_open_document_cells_mean_what_the_standard_says(tmp_path, cell, expected):
    content = open_document(f"<tb:table-row>{plain('text')}{plain('x')}</tb:table-row>"
                            f'<tb:table-row>{cell}{plain("y")}</tb:table-row>')
    [row] = rows_of(saved(tmp_path / "t.ods", content))
    assert getattr(row.cells[0], "reason", row.cells[0]).startswith(expected)
    assert hasattr(row.cells[0], "reason") or row.cells[0] == expected


def test_repeated_rows_and_cells_are_as_many_and_blank_ones_to_the_end_of_the_sheet_none(tmp_path):
    blank = '<tb:table-row tb:number-rows-repeated="{}"><c tb:number-columns-repeated="16384"/></tb:table-row>'
    content = open_document(
        f"<tb:table-row>{plain('text')}{plain('label')}</tb:table-row>" + blank.format(3)
        + '<tb:table-row tb:number-rows-repeated="2"><c o:value-type="string" tb:number-columns-repeated="2">'
          '<t:p>a</t:p></c><c tb:number-columns-repeated="16382"/></tb:table-row>' + blank.format(1_048_570)
    )
    rows = rows_of(saved(tmp_path / "t.ods", content))
    assert [(row.line, row.cells) for row in rows] == [(5, ["a", "a"]), (6, ["a", "a"])]


def plain(text):
    return f'<c o:value-type="string"><t:p>{text}</t:p></c>'


def open_document(rows):
    spaces = " ".join(f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
                      for short, name in (("o", "office"), ("tb", "table"), ("t", "text")))
    body = re.sub(r"<(/?)c\b", r"<\1tb:table-cell", rows)
    return (f"<o:document-content {spaces}><o:body><o:spreadsheet><tb:table tb:name='A'>{body}</tb:table>"
            "</o:spreadsheet></o:body></o:document-content>")


def saved(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.xml", content)
    return path


# What is no sound workbook

BEGINNINGS = {
    "nothing": (b"", "but empty"),
    "text": (b"text\tlabel\na\tb\n", "but text. If it is a table, name it .csv or .tsv"),
    "a web page": (b"<html><table>", "but a web page"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "but an old Excel workbook"),
    "a locked one": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "needs a password"),
    "something else": (bytes(100), "but something else"),
    "a cut one": (b"PK\x03\x04" + bytes(100), "is no sound workbook"),
}


@pytest.mark.parametrize(("content", "sentence"), BEGINNINGS.values(), ids=BEGINNINGS)
@pytest.mark.parametrize("name", ["t.xlsx", "t.ods"])
def test_what_is_no_workbook_under_its_name_is_refused_with_what_to_do(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=re.escape(sentence)):
        rows_of(tmp_path / name)


def test_a_workbook_of_another_kind_and_a_damaged_one_are_refused(excel, tmp_path):
    path = excel([["text"], ["a"]])
    (tmp_path / "t.ods").write_bytes(path.read_bytes())
    with pytest.raises(DataError, match=r"is a workbook of another kind. Name it \.xlsx"):
        rows_of(tmp_path / "t.ods")
    (tmp_path / "t.csv").write_bytes(path.read_bytes())
    with pytest.raises(DataError, match=r"is no text but a zip archive. If it is a workbook, name it .xlsx"):
        rows_of(tmp_path / "t.csv")
    for part in (SHEET, "xl/workbook.xml"):
        with pytest.raises(DataError, match=r"is no sound \.xlsx workbook"):
            rows_of(rewritten(excel([["text"], ["a"]]), part, lambda content: content[: len(content) // 2]))
    with pytest.raises(DataError, match=r"is no sound \.ods workbook"):
        rows_of(saved(tmp_path / "t.ods", "<a>"))


def test_a_locked_open_document_is_refused(tmp_path):
    path = saved(tmp_path / "t.ods", "noise")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("META-INF/manifest.xml", "<manifest:encryption-data/>")
    with pytest.raises(DataError, match=r"needs a password\. Save it without"):
        rows_of(path)


def test_a_workbook_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("scansion.text.workbooks.MOST_UNPACKED", 2**16)
    with zipfile.ZipFile(tmp_path / "t.ods", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("content.xml", bytes(10**7))
    with pytest.raises(DataError, match="more than 200 times its size"):
        rows_of(tmp_path / "t.ods")


@pytest.mark.parametrize(("name", "sentence"), [("t.xls", "Open it and save it as .xlsx"), ("t.pdf", "a PDF")])
def test_endings_that_are_not_read_are_refused_with_what_to_do(tmp_path, name, sentence):
    (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(UsageError, match=sentence):
        rows_of(tmp_path / name)


def test_without_openpyxl_the_error_says_what_to_install(excel, monkeypatch):
    path = excel([["text"], ["a"]])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtraError, match=re.escape("pip install 'scansion[excel]'")):
        rows_of(path)


def test_a_workbook_is_decoded_once_unless_it_is_large(excel, monkeypatch):
    path = excel([["text"], *([f"text {at}"] for at in range(20))])
    table = open_table(find_source(path))
    rows = list(table.rows())
    assert len(rows) == 20
    with monkeypatch.context() as patch:
        patch.setattr(openpyxl, "load_workbook", None)
        assert list(table.rows()) == rows
    monkeypatch.setattr("scansion.text.workbooks.MOST_KEPT", 50)
    table = open_table(find_source(path))
    assert list(table.rows()) == list(table.rows()) == rows


def test_columns_have_the_letters_of_sheets():
    assert [column_letters(at) for at in (0, 25, 26, 701, 702, 16383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
