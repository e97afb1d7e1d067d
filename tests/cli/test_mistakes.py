"""A mistake gets one sentence, its own exit code, and nothing on standard output."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

import scansion as package
from scansion.cli import main
from scansion.errors import ScansionError

DATA = Path(__file__).parents[1] / "data"
FIT = ["fit", "polarity.csv", "--family", "rnn", "--out", "nowhere"]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["compre"], 2, "did you mean 'compare'"),
        (["fit", "x.csv", "--famly", "rnn"], 2, "--family"),
        (["fit", "polarity.csv", "--family", "lsmt", "--out", "nowhere"], 2, "did you mean 'lstm'"),
        ([*FIT, "--set", "widht=3"], 2, "did you mean 'width'"),
        ([*FIT, "--set", "width=wide"], 2, "takes a number"),
        ([*FIT, "--budget", "soon"], 2, "90s"),
        ([*FIT, "--class-weight", "balancd"], 2, "balanced"),
        ([*FIT, "--target", "lable"], 2, "did you mean 'label'"),
        ([*FIT, "--task", "clasify"], 2, "did you mean 'classify'"),
        (["fit", "polarity.cvs", "--family", "rnn", "--out", "nowhere"], 2, "polarity.csv"),
        (["fit", "polarity.csv", "--family", "rnn", "--out", "polarity.csv"], 2, "never replaced"),
        (["fit", "polarity.csv", "--family", "rnn", "--out", "polarity.csv/m"], 2, "not a folder"),
        (["fit", "intensity.tsv", "--family", "rnn", "--class-weight", "balanced", "--out", "nowhere"], 2, "regress"),
        (["compare"], 2, "Usage"),
        (["compare", "polarity.csv", "--demo"], 2, "--demo"),
        (["compare", "polarity.csv", "--families", "bag-of-words,lsmt"], 2, "did you mean 'lstm'"),
        (["compare", "polarity.csv", "--families", "rnn", "lstm", "n-grams"], 2, "--families rnn,lstm,n-grams"),
        (["compare", "polarity.csv", "--seeds", "0"], 2, "--seeds"),
        (["compare", "polarity.csv", "--out", "."], 2, "never replaced"),
        (["predict", "nowhere", "polarity.csv"], 1, "no model folder"),
    ],
)
def test_a_mistake_gets_one_sentence_and_its_exit_code(words, code, sentence, scansion, monkeypatch):
    monkeypatch.chdir(DATA)
    before = set(DATA.iterdir())
    done = scansion(*words)
    assert (done.code, done.out) == (code, "")
    assert sentence in done.err
    assert "Traceback" not in done.err
    assert set(DATA.iterdir()) == before


def test_what_is_no_model_is_never_replaced_and_a_model_only_when_asked(scansion, model, tmp_path):
    words = ["fit", DATA / "polarity.csv", "--family", "baseline"]
    assert "--force" in scansion(*words, "--out", model).err
    (tmp_path / "letters.txt").write_text("dear")
    assert scansion(*words, "--force", "--out", tmp_path).code == 2
    assert (tmp_path / "letters.txt").read_text() == "dear"
    assert scansion(*words, "--out", tmp_path / "deep" / "m").code == 0
    assert scansion(*words, "--out", tmp_path / "deep" / "m", "--force").code == 0


def test_a_bad_row_stops_with_its_number_and_the_way_on(scansion, tmp_path):
    rows = "".join(f"text number {i},{'ab'[i % 2]}\n" for i in range(50))
    (tmp_path / "bad.csv").write_text(f"text,label\n{rows}one,two,three\n{rows}")
    words = ["fit", tmp_path / "bad.csv", "--family", "bag-of-words", "--out", tmp_path / "m"]
    done = scansion(*words)
    assert done.code == 4
    assert "row 51" in done.err
    assert not (tmp_path / "m").exists()
    allowed = scansion(*words, "--max-bad", "0.05")
    assert allowed.code == 0
    assert "1 row could not be read" in allowed.err
    assert "bad.csv.rejected.jsonl" in allowed.err
    assert json.loads((tmp_path / "bad.csv.rejected.jsonl").read_text())["row"] == 51


def test_answers_that_a_model_cannot_give_are_bad_data(scansion, model, tmp_path):
    (tmp_path / "one.csv").write_text("text,label\ngood,positive\n")
    assert scansion("evaluate", model, tmp_path / "one.csv").code == 4
    (tmp_path / "sets.jsonl").write_text('{"text": "a", "label": ["x", "y"]}\n{"text": "b", "label": ["x"]}\n')
    done = scansion("evaluate", model, tmp_path / "sets.jsonl")
    assert (done.code, done.out) == (4, "")
    assert "several labels" in done.err


def test_numbers_have_no_probabilities(scansion, numbers):
    done = scansion("predict", numbers, DATA / "intensity.tsv", "--proba")
    assert (done.code, done.out) == (2, "")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ZeroDivisionError("by zero"), "This is a bug in scansion; --debug shows where."),
        (MemoryError(), "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "not enough memory"),
        (OSError(28, "No space left on device", "/x"), "/x: No space left on device."),
        (RuntimeError("can't start new thread"), "no thread or process can be started"),
        (BlockingIOError(11, "Resource temporarily unavailable"), "no thread or process can be started"),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), "not enough memory"),
    ],
)
def test_whatever_else_goes_wrong_is_one_line_and_a_traceback_only_if_asked(error, sentence, scansion, monkeypatch):
    def fail(wanted):
        raise error

    monkeypatch.setattr(main, "build", fail)
    monkeypatch.setattr(main, "_give_up_output", lambda: None)
    done = scansion("fit")
    assert (done.code, done.out) == (1, "")
    assert sentence in done.err
    assert done.err.count("\n") == 1
    assert "Traceback" in scansion("fit", "--debug").err


def test_windows_is_told_where_it_runs_and_help_answers_all_the_same(scansion, monkeypatch):
    monkeypatch.setattr("scansion.errors.os", SimpleNamespace(name="nt"))
    done = scansion("fit", "reviews.csv")
    assert (done.code, done.out) == (1, "")
    assert "inside WSL 2" in done.err
    assert scansion("--help").code == 0
    with pytest.raises(ScansionError, match="inside WSL 2"):
        package.load  # noqa: B018
