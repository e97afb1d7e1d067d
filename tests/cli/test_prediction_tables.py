"""``predict --out``: the input's rows with their answers, in order, complete or not there at all."""

import json
import weakref
from types import SimpleNamespace

import pandas
import pytest
from pyarrow import parquet

from scansion.cli import predict
from scansion.text.documents import Texts
from scansion.text.sources import find_source
from scansion.text.table_writers import WRITERS
from scansion.text.tables import open_table

LABELS = ["plain", "a,b", 'say "so"', "two\nlines", "caf\u00e9|bar", "tab\there"]
WORDS = ["fine", "dull", "warm", "cold", "odd", "new"]


def read(path) -> list[dict]:
    table = open_table(find_source(path))
    return [dict(zip(table.columns, row.cells, strict=True)) for row in table.rows()]


@pytest.fixture
def rows(tmp_path):
    """A csv of ten rows with cells of every kind, and those rows."""
    content = [
        {"id": f"0{row}", "text": f"{WORDS[row % 2]} film, \"{row}\"\nand so on", "note": "" if row % 3 else "x,y"}
        for row in range(10)
    ]
    pandas.DataFrame(content).to_csv(tmp_path / "new.csv", index=False)
    return tmp_path / "new.csv", content


def test_a_table_holds_the_input_as_it_is_and_the_answers_behind_it(rows, model, scansion, tmp_path):
    new, content = rows
    answers = [json.loads(line) for line in scansion("predict", model, new, "--json", "--proba").out.splitlines()]
    for ending in set(WRITERS) - {".tsv"}:
        done = scansion("predict", model, new, "--out", tmp_path / f"answers{ending}")
        assert (done.code, done.out) == (0, "")
        assert "10 rows, 5 columns: id, text, note, prediction, probability." in done.err
        found = read(tmp_path / f"answers{ending}")
        assert [{name: row[name] for name in ("id", "text", "note")} for row in found] == content
        for row, answer in zip(found, answers, strict=True):
            assert row["prediction"] == answer["prediction"]
            assert float(row["probability"]) == pytest.approx(answer["probabilities"][answer["prediction"]], abs=1e-9)
    assert parquet.read_schema(tmp_path / "answers.parquet").field("probability").type == "double"


def test_columns_are_chosen_and_more_is_added_when_asked(rows, model, scansion, tmp_path):
    new, content = rows
    words = ("predict", model, new, "--keep", "note, id", "--proba", "--read", "--out", tmp_path / "answers.tsv")
    assert scansion(*words).code == 0
    found = read(tmp_path / "answers.tsv")
    assert list(found[0]) == [
        "note", "id", "prediction", "probability", "p(negative)", "p(positive)", "known", "tokens",
    ]  # fmt: skip
    assert [row["id"] for row in found] == [row["id"] for row in content]
    assert all(float(row["probability"]) == float(row[f"p({row['prediction']})"]) for row in found)
    assert scansion("predict", model, new, "--keep", "", "--out", tmp_path / "alone.csv").code == 0
    assert list(read(tmp_path / "alone.csv")[0]) == ["prediction", "probability"]


def test_json_carries_what_is_kept(rows, model, scansion):
    new, content = rows
    lines = scansion("predict", model, new, "--json", "--keep", "id,text").out.splitlines()
    found = list(map(json.loads, lines))
    assert [{"id": row["id"], "text": row["text"]} for row in found] == [
        {"id": row["id"], "text": row["text"]} for row in content
    ]
    assert all(set(row) == {"id", "text", "prediction", "tokens_known", "tokens"} for row in found)


@pytest.mark.parametrize("ending", WRITERS)
def test_every_label_comes_back_whatever_it_holds(ending, fitted, scansion, tmp_path):
    labels = [label for label in LABELS if ending != ".tsv" or label.isprintable()]
    lines = [{"text": f"{word} film", "label": label} for word, label in zip(WORDS, labels, strict=False)]
    (tmp_path / "new.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines * 8))
    odd = fitted(f"odd{ending}", tmp_path / "new.jsonl")
    done = scansion("predict", odd, tmp_path / "new.jsonl", "--proba", "--out", tmp_path / f"out{ending}")
    assert done.code == 0, done.err
    found = read(tmp_path / f"out{ending}")
    assert [row["prediction"] for row in found[: len(labels)]] == labels
    assert all(f"p({label})" in found[0] for label in labels)


def test_a_label_that_a_tsv_cannot_hold_is_refused_before_any_answer(fitted, scansion, tmp_path):
    lines = [{"text": word, "label": label} for word, label in zip(WORDS, LABELS, strict=True)] * 8
    (tmp_path / "new.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    odd = fitted("lines", tmp_path / "new.jsonl")
    done = scansion("predict", odd, tmp_path / "new.jsonl", "--out", tmp_path / "o.tsv", "--keep", "text")
    assert done.code == 4
    assert "The table: 'prediction' holds 'tab\\\\there', and a cell of a .tsv holds no tab" in done.err
    assert not (tmp_path / "o.tsv").exists()


def test_several_labels_are_joined_with_a_probability_each_or_lists(topics, scansion, tmp_path):
    model, table = topics
    for ending in WRITERS:
        assert scansion("predict", model, table, "--out", tmp_path / f"o{ending}").code == 0
        first = read(tmp_path / f"o{ending}")[0]
        labels, shares = first["prediction"], first["probability"]
        if ending in (".csv", ".tsv"):
            labels, shares = labels.split("|"), shares.split("|")
        assert labels == ["food", "fruit"]
        assert [float(share) > 0.5 for share in shares] == [True, True]
    done = scansion("predict", model, table, "--out", tmp_path / "o.csv", "--label-separator", "o")
    assert (done.code, "Choose another --label-separator" in done.err) == (2, True)
    done = scansion("evaluate", model, tmp_path / "o.csv", "--target", "prediction", "--json")
    assert json.loads(done.out)["score"] == 1


def test_numbers_have_a_prediction_with_every_digit_and_no_probability(numbers, scansion, tmp_path):
    (tmp_path / "new.csv").write_text("text,id\na fine film,1\ndull,2\n")
    assert scansion("predict", numbers, tmp_path / "new.csv", "--out", tmp_path / "o.csv").code == 0
    found = read(tmp_path / "o.csv")
    assert list(found[0]) == ["text", "id", "prediction"]
    assert [row["prediction"] for row in found] == scansion("predict", numbers, tmp_path / "new.csv").out.splitlines()


def test_plain_lines_and_standard_input_are_a_column_of_texts(model, scansion, tmp_path, monkeypatch):
    (tmp_path / "new.txt").write_text('a quiet, "fine" marvel\n\ndull\n')
    with (tmp_path / "new.txt").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert scansion("predict", model, "--out", tmp_path / "typed.csv").code == 0
    assert scansion("predict", model, tmp_path / "new.txt", "--out", tmp_path / "read.csv").code == 0
    assert [row["text"] for row in read(tmp_path / "read.csv")] == ['a quiet, "fine" marvel', "", "dull"]
    assert (tmp_path / "typed.csv").read_bytes() == (tmp_path / "read.csv").read_bytes()


def test_an_input_without_rows_gives_a_table_without_rows(model, scansion, tmp_path):
    (tmp_path / "new.csv").write_text("text,id\n")
    assert scansion("predict", model, tmp_path / "new.csv", "--out", tmp_path / "o.csv").code == 0
    assert (tmp_path / "o.csv").read_text() == "text,id,prediction,probability\n"


# What is never lost


def test_a_column_that_is_called_like_an_answer_is_an_error_that_says_what_to_keep(model, scansion, tmp_path):
    (tmp_path / "new.csv").write_text("text,prediction,id\na b,mine,1\n")
    done = scansion("predict", model, tmp_path / "new.csv", "--out", tmp_path / "o.csv")
    assert (done.code, "column 'prediction'" in done.err, "--keep text,id." in done.err) == (2, True, True)
    assert scansion("predict", model, tmp_path / "new.csv", "--json", "--keep", "prediction").code == 2
    assert scansion("predict", model, tmp_path / "new.csv", "--json").code == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "new.csv"]


PLACES = {
    "the data themselves": ("new.csv", "is the data itself"),
    "the data by another name": ("link.csv", "is the data itself"),
    "somebody else's table": ("other.csv", "is no table of predictions"),
    "somebody else's file": ("notes.jsonl", "is no table of predictions"),
    "a folder": ("folder.csv", "is no file"),
    "another ending": ("o.xls", "End it in .csv, .tsv, .jsonl or .parquet"),
    "no ending": ("o", "does not say how to write the table"),
    "no folder": ("nowhere/o.csv", "There is no folder"),
}


@pytest.mark.parametrize(("name", "sentence"), PLACES.values(), ids=PLACES)
def test_nothing_is_written_over_that_is_not_ours(name, sentence, rows, model, scansion, tmp_path):
    (tmp_path / "link.csv").hardlink_to(tmp_path / "new.csv")
    (tmp_path / "other.csv").write_text("text,label\na,b\n")
    (tmp_path / "notes.jsonl").write_text("dear")
    (tmp_path / "folder.csv").mkdir()
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    done = scansion("predict", model, tmp_path / "new.csv", "--out", tmp_path / name)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_model_folder_holds_no_table(rows, model, scansion):
    done = scansion("predict", model, rows[0], "--out", model / "o.csv")
    assert (done.code, "is a model folder" in done.err) == (2, True)


def test_an_older_table_is_replaced_once_the_new_one_is_whole(rows, model, scansion, tmp_path, monkeypatch):
    new, _ = rows
    out = tmp_path / "o.csv"
    assert scansion("predict", model, new, "--keep", "id", "--out", out).code == 0
    older = out.read_bytes()
    monkeypatch.setattr(predict, "DOCUMENTS_AT_A_TIME", 3)
    beside = Texts.beside

    def interrupted(texts, kept):
        for number, pair in enumerate(beside(texts, kept)):
            if number == 8:
                assert sorted(path.name.partition("-")[0] for path in tmp_path.iterdir()) == [
                    ".o.csv.partial", "new.csv", "o.csv",
                ]  # fmt: skip
                raise KeyboardInterrupt
            yield pair

    with monkeypatch.context() as broken:
        broken.setattr(Texts, "beside", interrupted)
        done = scansion("predict", model, new, "--out", out)
    assert (done.code, "written as a whole or not at all" in done.err) == (130, True)
    assert out.read_bytes() == older
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.csv", "o.csv"]
    assert scansion("predict", model, new, "--out", out).code == 0
    assert len(read(out)) == 10


def test_rows_are_written_as_they_are_answered_and_never_all_held(rows, model, scansion, tmp_path, monkeypatch):
    monkeypatch.setattr(predict, "DOCUMENTS_AT_A_TIME", 3)
    read_rows, beside, csv_table = [], Texts.beside, WRITERS[".csv"]

    def reading(texts, kept):
        for pair in beside(texts, kept):
            read_rows.append(pair)
            yield pair

    def writing(table, some):
        for row in some:
            assert len(read_rows) <= table.number + 3
            csv_table.write(table, [row])

    monkeypatch.setattr(Texts, "beside", reading)
    monkeypatch.setitem(WRITERS, ".csv", type("Watched", (csv_table,), {"write": writing}))
    assert scansion("predict", model, rows[0], "--out", tmp_path / "o.csv").code == 0
    assert len(read(tmp_path / "o.csv")) == len(read_rows) == 10


class Part(list):
    """A list that can be watched."""


def test_what_was_answered_is_forgotten():
    def parts():
        for number in range(100):
            part = Part([f"text {number}"])
            watched.append(weakref.ref(part))
            yield part, part

    watched: list = []
    task = SimpleNamespace(predict=lambda estimator, asked, wanted: (texts[0] for texts in asked))
    for number, (answer, _) in enumerate(predict._answered(task, None, parts(), None)):
        assert answer == f"text {number}"
        assert sum(part() is not None for part in watched) <= 2


TOGETHER = [
    (("--keep", "id"), "Give --out predictions.csv, or --json"),
    (("--out", "o.csv", "--json"), "a name that ends in .jsonl"),
    (("--out", "o.csv", "--vectors", "v.npz"), "--vectors writes vectors and no answers"),
    (("--json", "--keep", "idd"), "no column 'idd' for the option --keep; did you mean 'id'?"),
    (("--json", "--keep", "id,id"), "named twice"),
]


@pytest.mark.parametrize(("words", "sentence"), TOGETHER)
def test_what_does_not_go_together_is_refused(words, sentence, rows, model, scansion, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    done = scansion("predict", model, rows[0], *words)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
