"""A comparison from end to end, on the small shipped polarity set."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from scansion.comparison.compare import compare, comparing
from scansion.comparison.result import COLUMNS, Comparison, ComparisonInterrupted
from scansion.comparison.run import Outcome, RunEvent
from scansion.comparison.table import render
from scansion.errors import DataError, UsageError
from scansion.families.rnn import RNN

pytestmark = pytest.mark.usefixtures("warm_processes")

DATA = Path(__file__).parents[1] / "data"


def polarity(rows: int = 160) -> tuple[list[str], list[str]]:
    with (DATA / "polarity.csv").open(encoding="utf-8", newline="") as lines:
        table = list(csv.DictReader(lines))
    halves = [[row for row in table if row["label"] == label][: rows // 2] for label in ("negative", "positive")]
    table = [row for half in halves for row in half]
    return [row["text"] for row in table], [row["label"] for row in table]


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    texts, labels = polarity()
    return compare(texts, labels, ["bag-of-words", RNN(width=16)], seeds=2, folds=2)


def test_every_family_and_the_baseline_have_a_row_with_score_interval_and_cost(comparison):
    assert {row.family for row in comparison.rows} == {"bag-of-words", "rnn", "majority"}
    for row in comparison.rows:
        assert row.status == "ok"
        assert 0 <= row.low <= row.score <= row.high <= 1
        assert row.fit_seconds > 0
        assert row.documents_per_second > 0
        assert row.size_bytes > 500
        assert row.peak_memory_bytes > 50e6


def test_with_folds_every_row_is_tested_once(comparison):
    assert comparison.test_rows == 160
    assert comparison.train_rows == 80


def test_only_families_that_draw_at_random_run_several_seeds(comparison):
    assert {row.family: row.seeds for row in comparison.rows} == {"bag-of-words": 1, "rnn": 2, "majority": 1}


def test_the_majority_is_half_of_a_balanced_set(comparison):
    baseline = next(row for row in comparison.rows if row.family == "majority")
    assert baseline.score == pytest.approx(0.5, abs=0.02)
    assert baseline.tokens_read_share == 0


def test_the_json_has_the_documented_fields(comparison):
    plain = json.loads(json.dumps(comparison.to_json()))
    assert set(plain) == {"task", "metric", "rows", "verdict", "train_rows", "test_rows", "duplicates"}
    assert all(tuple(row) == COLUMNS for row in plain["rows"])
    assert set(plain["verdict"]) == {"family", "rule", "reason"}


def test_the_report_holds_the_same_numbers_in_both_files(comparison, tmp_path):
    comparison.save(tmp_path / "report")
    saved = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    page = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    for row in saved["rows"]:
        assert f"| {row['family']} | {100 * row['score']:.1f} |" in page
    comparison.save(tmp_path / "report")  # an older report is replaced


def test_a_folder_that_is_no_report_is_not_replaced(comparison, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"thesis\.tex"):
        comparison.save(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_the_frame_has_a_row_a_family(comparison):
    pytest.importorskip("pandas")
    assert list(comparison.to_frame()["family"]) == [row.family for row in comparison.rows]


def test_in_a_notebook_it_is_an_escaped_table(comparison):
    assert comparison._repr_html_().count("<tr>") == 4


@pytest.mark.parametrize("width", [50, 60, 80, 100, 160])
def test_the_table_fits_the_terminal(comparison, width):
    from rich.console import Console

    console = Console(width=width, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    with console.file:
        console.print(render(comparison, width))
        lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= width
    assert any("bag-of-words" in line for line in lines)


def test_a_family_that_fails_is_a_row_with_its_reason_and_the_others_survive():
    texts, labels = polarity(80)
    comparison = compare(texts, labels, ["bag-of-words", RNN(learning_rate=1e30)], seeds=1, processes=1)
    failed = {row.family: row.reason for row in comparison.failed}
    assert set(failed) == {"rnn"}
    assert "Lower the learning rate" in failed["rnn"]
    assert next(row for row in comparison.rows if row.family == "bag-of-words").rank_group == 1


def test_same_seed_same_result():
    texts, labels = polarity(80)

    def scores() -> list[dict[str, object]]:
        rows = compare(texts, labels, ["bag-of-words"], random_state=3).to_json()["rows"]
        return [{key: row[key] for key in ("family", "score", "low", "high", "rank_group")} for row in rows]

    assert scores() == scores()


def test_duplicates_between_training_and_test_are_counted():
    texts, labels = polarity(80)
    comparison = compare(texts, labels, ["bag-of-words"], test=(texts[:10], labels[:10]))
    assert comparison.duplicates == 10
    assert comparison.test_rows == 10


def test_numbers_are_regressed_beside_their_mean():
    texts, labels = polarity(80)
    ratings = [len(text) / 7 + (label == "positive") for text, label in zip(texts, labels, strict=True)]
    comparison = compare(texts, ratings, ["bag-of-words"])
    assert comparison.task == "regress"
    assert comparison.metric.name == "pearson"
    assert {row.family for row in comparison.rows} == {"bag-of-words", "mean"}


def test_numbers_of_a_test_set_decide_the_task_too():
    texts, _ = polarity(40)
    comparison = compare(texts, list(range(40)), [], test=(texts, iter([i + 0.5 for i in range(40)])))
    assert comparison.task == "regress"


def test_several_labels_a_document_are_compared_by_micro_f1():
    texts, labels = polarity(80)
    sets = [(label, "long") if len(text) > 120 else (label,) for text, label in zip(texts, labels, strict=True)]
    comparison = compare(texts, sets, ["bag-of-words"])
    assert comparison.metric.name == "micro_f1"
    assert not comparison.failed


def test_interrupted_what_was_finished_is_still_reported():
    texts, labels = polarity(80)
    events = comparing(texts, labels, ["bag-of-words", "n-grams"])
    last = None
    while not (isinstance(last, Outcome) and last.run.label == "bag-of-words"):
        last = next(events)
    with pytest.raises(ComparisonInterrupted) as interrupted:
        events.throw(KeyboardInterrupt)
    assert isinstance(interrupted.value, KeyboardInterrupt)
    partial = interrupted.value.comparison
    assert isinstance(partial, Comparison)
    assert partial.interrupted
    assert [row.family for row in partial.failed] == ["n-grams"]
    with pytest.raises(StopIteration):
        next(events)


def test_progress_is_told_while_it_works():
    texts, labels = polarity(80)
    events = list(comparing(texts, labels, ["bag-of-words"]))
    assert any(isinstance(event, RunEvent) and "choosing" in event.message for event in events)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"families": ["lsmt"]}, "did you mean 'lstm'"),
        ({"folds": 2, "splits": ["train"] * 80}, "Give one of"),
        ({"folds": 1}, "between 2"),
        ({"task": "tag"}, "classify"),
        ({"budget": "soon"}, "90s"),
        ({"seeds": 0}, "at least 1"),
    ],
)
def test_wrong_arguments_are_named(arguments, said):
    texts, labels = polarity(80)
    with pytest.raises(UsageError, match=said):
        compare(texts, labels, **arguments)


def test_too_few_rows_are_an_error_that_says_so():
    with pytest.raises(DataError, match="too few rows"):
        compare(["a", "b", "c"], ["x", "y", "x"], ["bag-of-words"])


def test_predictions_of_all_folds_line_up_with_their_truth():
    """A text that names its label is learned perfectly, so any mix-up of rows would show."""
    texts = [f"{word} number {i}" for i in range(20) for word in ("red", "green", "blue")]
    labels = [text.split()[0] for text in texts]
    comparison = compare(texts, labels, ["bag-of-words"], folds=2)
    assert comparison.rows[0].score == 1.0
    assert np.isclose(comparison.rows[-1].score, 1 / 3, atol=0.02)
