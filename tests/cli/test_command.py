"""The command as a person meets it: in a process of its own, with files, pipes and mistakes."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data"
COMMAND = [sys.executable, "-m", "scansion.cli.main"]
ENVIRONMENT = {**os.environ, "COLUMNS": "100", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def scansion(*arguments: object, said: str = "", folder: Path | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], input=said, capture_output=True, text=True, cwd=folder, env=ENVIRONMENT,
        timeout=120, check=False,
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("models") / "polarity"
    done = scansion("fit", DATA / "polarity.csv", "--family", "bag-of-words", "--out", place, "--json")
    assert done.returncode == 0, done.stderr
    fitted = json.loads(done.stdout)
    assert set(fitted) == {"model", "task", "family", "metric", "validation", "fit_seconds", "parameters"}
    assert set(fitted["validation"]) == {"score", "low", "high"}
    return place


@pytest.mark.parametrize("verb", ["compare", "fit", "predict", "evaluate"])
def test_every_verb_teaches_by_examples(verb):
    done = scansion(verb, "--help")
    assert done.returncode == 0
    assert f"scansion {verb} " in done.stdout.split("Examples:")[1]


def test_help_answers_without_torch():
    code = "import sys; from scansion.cli.main import build; build(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, check=False).returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["compre"], 2, "did you mean 'compare'"),
        (["fit", "x.csv", "--famly", "rnn"], 2, "--family"),
        (["fit", "polarity.csv", "--family", "lsmt", "--out", "nowhere"], 2, "did you mean 'lstm'"),
        (["fit", "polarity.csv", "--family", "rnn", "--set", "widht=3", "--out", "nowhere"], 2, "did you mean 'width'"),
        (["fit", "polarity.csv", "--family", "rnn", "--set", "width=wide", "--out", "nowhere"], 2, "takes a number"),
        (["fit", "polarity.csv", "--family", "rnn", "--budget", "soon", "--out", "nowhere"], 2, "90s"),
        (["fit", "polarity.csv", "--family", "rnn", "--target", "lable", "--out", "nowhere"], 2, "did you mean 'label'"),
        (["fit", "polarity.cvs", "--family", "rnn", "--out", "nowhere"], 2, "polarity.csv"),
        (["compare"], 2, "Usage"),
        (["predict", "nowhere", "polarity.csv"], 1, "no model folder"),
    ],
)
def test_a_mistake_gets_one_sentence_and_its_exit_code(words, code, sentence):
    done = scansion(*words, folder=DATA)
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_predictions_come_one_a_line_in_order(model):
    done = scansion("predict", model, DATA / "polarity.csv")
    with (DATA / "polarity.csv").open(encoding="utf-8", newline="") as lines:
        labels = [row["label"] for row in csv.DictReader(lines)]
    answers = done.stdout.splitlines()
    assert len(answers) == len(labels)
    assert sum(a == b for a, b in zip(answers, labels, strict=True)) > 0.95 * len(labels)


def test_plain_lines_may_come_through_a_pipe(model):
    done = scansion("predict", model, "-", "--json", "--proba", said="a quiet marvel\n\ndull, dull, dull\n")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 3
    assert set(lines[0]["probabilities"]) == {"negative", "positive"}
    assert sum(lines[0]["probabilities"].values()) == pytest.approx(1)
    assert (lines[1]["tokens_known"], lines[1]["tokens"]) == (0, 0)


def test_whoever_reads_only_the_beginning_causes_no_error(model):
    command = " ".join([*COMMAND, "predict", str(model), "-"])
    done = subprocess.run(
        ["bash", "-c", f"yes 'a quiet marvel' | head -50000 | {command} | head -1; exit ${{PIPESTATUS[2]}}"],
        capture_output=True, text=True, env=ENVIRONMENT, timeout=120, check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in ("positive\n", "negative\n")


def test_evaluation_prints_one_json_object_and_a_threshold_has_its_own_code(model):
    done = scansion("evaluate", model, DATA / "polarity.csv", "--json", "--at-least", "0.9999999")
    measured = json.loads(done.stdout)
    assert {"metric", "score", "low", "high", "rows", "macro_f1"} <= set(measured)
    assert measured["rows"] == 400
    assert done.returncode == (0 if measured["score"] == 1 else 3)


def test_a_label_that_training_had_not_counts_as_wrong_and_is_named(model, tmp_path):
    (tmp_path / "new.csv").write_text("text,label\ngood,positive\nbad,dreadful\nfine,dreadful\n")
    done = scansion("evaluate", model, tmp_path / "new.csv", "--json")
    assert json.loads(done.stdout)["score"] <= 1 / 3
    assert "'dreadful'" in done.stderr


def test_a_model_is_not_overwritten_unasked(model):
    done = scansion("fit", DATA / "polarity.csv", "--family", "bag-of-words", "--out", model)
    assert done.returncode == 2
    assert "--force" in done.stderr


def test_cells_with_commas_quotes_and_line_breaks_survive(tmp_path):
    with (tmp_path / "odd.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["review", "stars"])
        for i in range(30):
            table.writerow([f'It was "fine",\nreally; number {i}', "up"])
            table.writerow([f"Dull, dull,\r\ndull {i}", "down"])
    done = scansion("compare", "odd.csv", "--text", "review", "--target", "stars", "--families", "bag-of-words",
                    "--json", folder=tmp_path)
    compared = json.loads(done.stdout)
    assert done.returncode == 0
    assert compared["train_rows"] + compared["test_rows"] == 60
    assert compared["verdict"]["family"] == "bag-of-words"


def test_a_bad_row_stops_with_its_number_and_the_way_on(tmp_path):
    rows = "".join(f"text number {i},{'ab'[i % 2]}\n" for i in range(50))
    (tmp_path / "bad.csv").write_text(f"text,label\n{rows}one,two,three\n{rows}")
    done = scansion("fit", "bad.csv", "--family", "bag-of-words", "--out", "m", folder=tmp_path)
    assert done.returncode == 4
    assert "row 51" in done.stderr
    allowed = scansion("fit", "bad.csv", "--family", "bag-of-words", "--out", "m", "--max-bad", "0.05", folder=tmp_path)
    assert allowed.returncode == 0
    assert "bad.csv.rejected.jsonl" in allowed.stderr
    assert json.loads((tmp_path / "bad.csv.rejected.jsonl").read_text())["row"] == 51


@pytest.mark.parametrize("verb", ["fit", "compare"])
def test_ctrl_c_ends_with_a_sentence_and_nothing_half_written(verb, tmp_path):
    words = [verb, str(DATA / "polarity.csv")]
    words += ["--family", "lstm", "--out", "m"] if verb == "fit" else ["--families", "lstm", "--seeds", "9"]
    running = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=tmp_path
    )
    first = running.stderr.readline()
    time.sleep(4)
    running.send_signal(signal.SIGINT)
    said = running.stderr.read()
    running.wait(timeout=60)
    running.stdout.close()
    running.stderr.close()
    assert "documents" in first
    assert running.returncode == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
