"""What each verb prints, in words and as JSON."""

import csv
import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from scansion.cli.main import VERBS
from scansion.cli.progress import Progress
from scansion.comparison import runs
from scansion.comparison.run import Outcome
from scansion.comparison.run_process import follow
from scansion.families.catalogue import DOCUMENT_FAMILIES, TRANSLATION_FAMILIES, options_of

pytestmark = pytest.mark.usefixtures("warm_processes")

DATA = Path(__file__).parents[1] / "data"
COST = (
    "fit_seconds", "processor_seconds", "predict_seconds", "size_bytes", "peak_memory_bytes", "tokens_read",
    "tokens_there", "parameters", "cut_short",
)  # fmt: skip


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_teaches_by_examples(verb, scansion):
    done = scansion(verb, "--help")
    assert done.code == 0
    assert f"scansion {verb}" in done.out.split("Examples:")[1]


def test_the_list_of_verbs_describes_each_as_its_own_help_does(scansion):
    for verb, summary in VERBS.items():
        assert summary in " ".join(scansion(verb, "--help").out.split())


def test_the_version_is_the_packages(scansion):
    assert scansion("--version").out.startswith("scansion 0.")


def test_families_are_listed_with_what_can_be_set(scansion, monkeypatch):
    listed = json.loads(scansion("families", "--json").out)
    assert listed["documents"]["lstm"]["options"]["width"] == 128
    assert listed["translation"]["lstm-without-attention"]["options"]["hidden_size"] == 512
    for task, known in (("documents", DOCUMENT_FAMILIES), ("translation", TRANSLATION_FAMILIES)):
        assert {name: each["options"] for name, each in listed[task].items()} == {
            name: options_of(kind) for name, kind in known.items()
        }
        assert all(each["about"] for each in listed[task].values())
    monkeypatch.setenv("COLUMNS", "60")
    narrow = scansion("families").out
    assert "feed_forward=256" in narrow
    assert max(map(len, narrow.splitlines())) <= 60


def test_predictions_come_one_a_line_in_order(scansion, model):
    done = scansion("predict", model, DATA / "polarity.csv")
    with (DATA / "polarity.csv").open(encoding="utf-8", newline="") as lines:
        labels = [row["label"] for row in csv.DictReader(lines)]
    answers = done.out.splitlines()
    assert len(answers) == len(labels)
    assert sum(a == b for a, b in zip(answers, labels, strict=True)) > 0.95 * len(labels)


@pytest.fixture
def typed(monkeypatch, tmp_path):
    """What standard input holds."""
    with ExitStack() as opened:

        def hold(content: bytes) -> None:
            (tmp_path / "typed").write_bytes(content)
            monkeypatch.setattr("sys.stdin", opened.enter_context((tmp_path / "typed").open()))

        yield hold


def test_the_answers_before_a_line_that_is_no_text_are_given(scansion, model, typed):
    typed(b"good\r\nfine\nbad \xff\nmore\n")
    done = scansion("predict", model)
    assert done.code == 4
    assert len(done.out.splitlines()) == 2
    assert "line 3" in done.err
    assert "byte 15" in done.err


@pytest.mark.parametrize(
    ("content", "tokens"),
    [
        (b'\n{"text": "a quiet marvel"}', [3]),
        (b"a quiet marvel\n\ndull", [3, 0, 1]),
        (b"\xef\xbb\xbfa quiet marvel\n", [3]),
        ("a quiet\nmarvel\n".encode("utf-16"), [2, 1]),
        (b"", []),
        (b"dull\n" * 10_000, [1] * 10_000),
    ],
    ids=["json lines", "an open last line", "a byte order mark", "utf-16", "nothing", "more than one part"],
)
def test_standard_input_may_hold(content, tokens, scansion, model, typed):
    typed(content)
    done = scansion("predict", model, "-", "--json")
    assert done.code == 0
    assert [json.loads(line)["tokens"] for line in done.out.splitlines()] == tokens


def test_probabilities_stand_in_columns_under_a_header(scansion, model, tmp_path):
    (tmp_path / "new.txt").write_text("a quiet marvel\ndull\n")
    header, *rows = scansion("predict", model, tmp_path / "new.txt", "--proba", "--read").out.splitlines()
    assert header.split("\t") == ["prediction", "p(negative)", "p(positive)", "known", "tokens"]
    assert [row.split("\t")[4] for row in rows] == ["3", "1"]
    assert sum(map(float, rows[0].split("\t")[1:3])) == pytest.approx(1, abs=1e-5)


def test_a_label_with_a_line_break_stays_on_its_line(scansion, fitted, tmp_path):
    with (tmp_path / "odd.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text", "label"], *[["up", "a\nb"], ["down", "c\\d"]] * 10])
    done = scansion("predict", fitted("odd", tmp_path / "odd.csv"), tmp_path / "odd.csv")
    assert done.out.splitlines()[:2] == ["a\\nb", "c\\\\d"]


def test_numbers_are_printed_with_every_digit(scansion, numbers):
    plain = scansion("predict", numbers, DATA / "intensity.tsv").out.splitlines()
    exact = scansion("predict", numbers, DATA / "intensity.tsv", "--json").out.splitlines()
    assert [float(line) for line in plain] == [json.loads(line)["prediction"] for line in exact]


def test_several_labels_are_joined_and_read_back_with_the_same_separator(scansion, topics):
    model, table = topics
    assert scansion("predict", model, table).out.splitlines()[:2] == ["food|fruit", "sky"]
    assert scansion("predict", model, table, "--label-separator", " & ").out.splitlines()[0] == "food & fruit"
    assert json.loads(scansion("predict", model, table, "--json").out.splitlines()[0])["prediction"] == [
        "food", "fruit",
    ]  # fmt: skip
    assert json.loads(scansion("evaluate", model, table, "--json").out)["score"] == 1


def test_evaluation_shows_shares_in_hundredths_and_json_in_full(scansion, model, tmp_path):
    (tmp_path / "new.csv").write_text("text,label\ngood,positive\nbad,dreadful\nfine,dreadful\n")
    done = scansion("evaluate", model, tmp_path / "new.csv", "--json")
    measured = json.loads(done.out)
    assert {
        "metric", "score", "low", "high", "rows", "macro_f1", "balanced_accuracy", "roc_auc", "average_precision",
    } == set(measured)
    assert measured["score"] in (0, 1 / 3)
    assert "training had no 'dreadful'" in done.err
    first = scansion("evaluate", model, tmp_path / "new.csv").out.splitlines()[0]
    assert first.split()[:2] == ["accuracy", f"{100 * measured['score']:.1f}"]


def test_a_threshold_that_is_not_met_has_its_own_code_and_the_scores_are_still_printed(scansion, model, tmp_path):
    (tmp_path / "new.csv").write_text("text,label\ngood,positive\nbad,dreadful\nfine,dreadful\n")
    done = scansion("evaluate", model, tmp_path / "new.csv", "--at-least", "0.9", "--json")
    assert done.code == 3
    assert json.loads(done.out)["rows"] == 3
    hundredths = scansion("evaluate", model, tmp_path / "new.csv", "--at-least", "90")
    assert (hundredths.code, hundredths.out) == (2, "")
    assert "Did you mean 0.9?" in hundredths.err


def test_a_comparison_reports_prints_and_judges(scansion, tmp_path):
    with (tmp_path / "odd.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["review", "stars"])
        for i in range(60):
            table.writerow([f'It was "fine",\nreally; number {i}', "up"])
            table.writerow([f"Dull, dull,\r\ndull {i}", "up" if i % 10 == 0 else "down"])
    words = ["compare", tmp_path / "odd.csv", "--families", "bag-of-words", "--at-least", "1"]
    done = scansion(*words, "--json", "--out", tmp_path / "report")
    compared = json.loads(done.out)
    assert done.code == 3
    assert (compared["train_rows"], compared["test_rows"]) == (96, 24)
    assert compared["verdict"]["family"] == "bag-of-words"
    assert {file.name for file in (tmp_path / "report").iterdir()} == {
        "report.json", "report.md", "report.html"
    }


def test_an_interruption_between_two_runs_loses_none_that_was_finished(scansion, monkeypatch, tmp_path):
    def finished(folder, run, allowed):
        yield Outcome(run, ["up"] * 6, dict.fromkeys(COST, 1) | {"notes": []})

    def interrupted(progress, sentence):
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "follow", finished)
    monkeypatch.setattr(Progress, "done", interrupted)
    (tmp_path / "t.tsv").write_text("text\tlabel\n" + "good film\tup\nbad film\tdown\n" * 15)
    done = scansion("compare", tmp_path / "t.tsv", "--families", "rnn", "--json", "--out", tmp_path / "report")
    assert done.code == 130
    assert {row["family"]: row["status"] for row in json.loads(done.out)["rows"]} == {"majority": "ok", "rnn": "failed"}
    assert json.loads((tmp_path / "report" / "report.json").read_text())["interrupted"] is True


def test_a_family_that_fails_does_not_take_the_others_with_it_even_on_a_narrow_terminal(
    scansion, monkeypatch, tmp_path
):
    def failing(folder, run, allowed):
        if run.label == "rnn":
            yield Outcome(run, [], {}, "it fell over")
        else:
            yield from follow(folder, run, allowed)

    monkeypatch.setattr(runs, "follow", failing)
    (tmp_path / "t.tsv").write_text("text\tlabel\n" + "good film\tup\nbad film\tdown\n" * 15)
    words = ["compare", tmp_path / "t.tsv", "--families", "rnn", "--seeds", "1"]
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    done = scansion(*words)
    assert done.code == 5
    assert "rnn, seed 0: it fell over" in done.err
    assert "majority" in done.out
    assert "rnn failed: it fell over" in done.out
    assert "\x1b" not in done.out
    assert max(map(len, done.out.splitlines())) <= 60
