"""How a file is to be read is said alike to every verb, and what was decided is told."""

import gzip

import pytest
from openpyxl import Workbook

SENTENCES = ["a fine film", "a dull film", "très bien, ça va", "bad; very bad"] * 5


@pytest.fixture
def german(tmp_path):
    """As a spreadsheet in France or Germany writes a table."""
    rows = [f'"{text}";{"negative" if "d" in text else "positive"}' for text in SENTENCES]
    (tmp_path / "t.csv").write_bytes("\r\n".join(["text;label", *rows, ""]).encode("cp1252"))
    return tmp_path / "t.csv"


def test_a_table_of_a_european_spreadsheet_is_read_by_every_verb(scansion, model, german):
    for verb in (["fit", "--family", "bag-of-words", "--out", german.with_name("m")], ["evaluate", model]):
        verb, *words = verb
        refused = scansion(verb, *words, german)
        assert refused.code == 4
        assert "--encoding says how it is written: cp1252 reads '\"très bien, ç" in refused.err
        done = scansion(verb, *words, german, "--encoding", "cp1252")
        assert done.code == 0
        assert "encoding: cp1252 (as given); separator: semicolon (--separator); text: 'text'" in done.err
    done = scansion("predict", model, german, "--encoding", "cp1252")
    assert (done.code, len(done.out.splitlines())) == (0, len(SENTENCES))


def test_a_sheet_is_named_and_a_mistyped_one_costs_nothing(scansion, model, tmp_path):
    book = Workbook()
    book.active.append(["read", "me"])
    sheet = book.create_sheet("Answers")
    for row in [("text", "label"), ("a fine film", "positive"), ("a dull film", "negative")]:
        sheet.append(row)
    book.save(tmp_path / "t.xlsx")
    assert len(scansion("predict", model, tmp_path / "t.xlsx", "--sheet", "Answers").out.splitlines()) == 2
    done = scansion("evaluate", model, tmp_path / "t.xlsx", "--sheet", "Answer")
    assert (done.code, "did you mean 'Answers'?" in done.err) == (2, True)
    done = scansion("evaluate", model, tmp_path / "t.xlsx", "--text", "text")
    assert (done.code, "others: 'Answers'; --sheet" in done.err) == (2, True)


@pytest.mark.parametrize(("content", "words", "answers"), [
    ("très bien\nbad\n".encode("cp1252"), ["--encoding", "cp1252"], 2),
    (b"text;id\ngood;1\nbad;2\n", ["--separator", ";"], 2),
    (gzip.compress(b"good\nbad\nfine\n", mtime=0), [], 3),
])
def test_standard_input_is_read_as_it_is_said(scansion, model, monkeypatch, tmp_path, content, words, answers):
    (tmp_path / "typed").write_bytes(content)
    with (tmp_path / "typed").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        done = scansion("predict", model, "-", *words)
    assert (done.code, len(done.out.splitlines())) == (0, answers)


@pytest.mark.parametrize(("words", "sentence"), [
    (["--separator", "semi"], "did you mean 'semicolon'?"),
    (["--encoding", "cp12252"], "There is no text encoding 'cp12252'; did you mean"),
    (["--sheet", "x"], "--sheet is for xlsx, ods; "),
])
@pytest.mark.parametrize("verb", ["fit", "compare", "predict", "evaluate"])
def test_a_mistake_gets_its_sentence_from_every_verb(scansion, model, tmp_path, verb, words, sentence):
    (tmp_path / "t.csv").write_text("text,label\na b,x\nc d,y\n")
    first = {"fit": ["--family", "bag-of-words", "--out", tmp_path / "m"], "compare": []}.get(verb, [model])
    done = scansion(verb, *first, tmp_path / "t.csv", *words)
    assert done.code == 2
    assert sentence in done.err


def test_parallel_text_has_an_encoding_and_no_separator(scansion, tmp_path):
    for name in ("t.en", "t.de"):
        (tmp_path / name).write_bytes("schön\n".encode("cp1252"))
    words = ["fit", tmp_path / "t.en", tmp_path / "t.de", "--family", "rnn", "--out", tmp_path / "m"]
    done = scansion(*words, "--separator", ";")
    assert (done.code, "--separator does not go with two files of parallel text" in done.err) == (2, True)
    assert scansion(*words).code == 4
