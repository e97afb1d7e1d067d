"""Translation by the command: two files in, lines out, and what does not fit together refused."""

import csv
import json

import pytest

pytestmark = pytest.mark.usefixtures("warm_processes")

WORDS = {"1": "one", "2": "two", "3": "three", "4": "four"}
SOURCES = [" ".join(digits) for digits in ("1234", "4321", "12", "31", "44", "2", "13", "42", "24", "111")] * 6
TARGETS = [" ".join(WORDS[digit] for digit in source.split()) for source in SOURCES]
SMALL = ("--family", "transformer", "--set", "width=16", "--set", "heads=2", "--set", "layers=1", "--budget", "3s")


@pytest.fixture
def files(tmp_path):
    for name, lines in (("train.en", SOURCES), ("train.de", TARGETS), ("new.en", SOURCES[:5]), ("new.de", TARGETS[:5])):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
    return tmp_path


@pytest.fixture
def model(scansion, files):
    done = scansion("fit", files / "train.en", files / "train.de", *SMALL, "--out", files / "model")
    assert done.code == 0, done.err
    assert "60 pairs; task: translate" in done.err
    assert "perplexity of a held-out token" in done.out
    return files / "model"


def test_a_translator_writes_a_line_for_every_line_and_is_scored(scansion, model, files):
    done = scansion("predict", model, files / "new.en", "--beam", "2")
    assert (done.code, len(done.out.splitlines())) == (0, 5)
    scored = scansion("evaluate", model, files / "new.en", files / "new.de", "--json")
    found = json.loads(scored.out)
    assert found.keys() == {"sacrebleu", "bleu_tokenised", "chrf", "rows"}
    assert found["sacrebleu"].keys() == {"score", "low", "high", "signature"}
    assert (found["rows"], "tok:13a" in found["sacrebleu"]["signature"]) == (5, True)
    shown = scansion("evaluate", model, files / "new.en", files / "new.de")
    assert [line.split()[0] for line in shown.out.splitlines()] == ["sacreBLEU", "BLEU", "chrF2"]
    assert scansion("evaluate", model, files / "new.en", files / "new.de", "--at-least", "1").code in (0, 3)
    written = scansion("predict", model, files / "new.en", "--beam", "2", "--out", files / "answers.csv")
    assert (written.code, written.out) == (0, "")
    with (files / "answers.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["text"] for row in rows] == SOURCES[:5]
    assert [row["prediction"] for row in rows] == done.out.splitlines()
    as_json = scansion("predict", model, files / "new.en", "--beam", "2", "--json", "--keep", "text").out.splitlines()
    assert list(map(json.loads, as_json)) == rows
    alone = scansion("predict", model, files / "new.en", "--precision", "int8")
    assert (alone.code, "--precision is for another engine" in alone.err) == (2, True)
    for words, sentence in (
        (["predict", model, files / "new.en", "--proba"], "--proba does not go with two files of parallel text"),
        (["evaluate", model, files / "new.en"], "The task translate takes 2 files (two files of parallel text); got 1"),
        (["evaluate", model, files / "new.en", files / "new.de", "--text", "x"], "--text does not go with two files"),
    ):
        refused = scansion(*words)
        assert (refused.code, refused.out) == (2, "")
        assert sentence in refused.err


def test_files_that_do_not_fit_together_are_refused(scansion, files):
    (files / "short.de").write_text("one\n")
    done = scansion("fit", files / "train.en", files / "short.de", *SMALL, "--out", files / "model")
    assert done.code == 4
    assert "line 2 of" in done.err
    assert not (files / "model").exists()
    words = files / "train.en", files / "train.de", files / "new.de", "--task", "translate"
    three = scansion("fit", *words, *SMALL, "--out", files / "model")
    assert (three.code, "translate takes 2 files (two files of parallel text); got 3" in three.err) == (2, True)
    unknown = scansion("fit", files / "train.en", files / "train.de", "--family", "n-grams", "--out", files / "model")
    assert unknown.code == 2
    assert "no family 'n-grams'; known: 'rnn'" in unknown.err


def test_options_of_tables_are_refused_and_a_text_too_long_is_named(scansion, model, files):
    pair = ("fit", files / "train.en", files / "train.de", *SMALL, "--out", files / "other")
    refused = scansion(*pair, "--class-weight", "balanced")
    assert (refused.code, "--class-weight does not go with two files of parallel text" in refused.err) == (2, True)
    alone = scansion("fit", files / "train.en", "--valid", files / "a", files / "b", *SMALL, "--out", files / "other")
    assert (alone.code, "--valid does not go with a table of texts" in alone.err) == (2, True)
    (files / "long.en").write_text("1 2\n" + "1 2 3 4 " * 800 + "\n")
    done = scansion("predict", model, files / "long.en")
    assert (done.code, done.out) == (4, "")
    assert "Text 2 has" in done.err


def test_one_language_twice_is_noticed(scansion, files):
    done = scansion("fit", files / "train.en", files / "train.en", *SMALL, "--out", files / "model")
    assert "100% of the lines are the same in both files" in done.err


def test_validation_pairs_are_taken(scansion, files):
    valid = ("--valid", files / "new.en", files / "new.de")
    done = scansion("fit", files / "train.en", files / "train.de", *valid, *SMALL, "--out", files / "model", "--json")
    assert json.loads(done.out)["task"] == "translate"
    assert "new.en and new.de: 5 pairs" in done.err


def test_translators_are_compared(scansion, files):
    words = ("compare", files / "train.en", files / "train.de", "--families", "rnn", "--budget", "6s")
    done = scansion(*words, "--test", files / "new.en", "--test", files / "new.de", "--out", files / "report")
    assert done.code == 0, done.err
    assert "bleu by words read" in done.out
    assert {"rnn", "copy"} <= {line.split()[1] for line in done.out.splitlines() if len(line.split()) > 1} | {
        line.split()[0] for line in done.out.splitlines() if line.strip()
    }
    assert "By length" in (files / "report" / "report.md").read_text()
    folds = scansion(*words, "--folds", "3")
    assert (folds.code, "--folds does not go with two files of parallel text" in folds.err) == (2, True)
    one = scansion(*words, "--test", files / "new.en")
    assert (one.code, "takes 2 files" in one.err) == (2, True)
