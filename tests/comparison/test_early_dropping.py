"""What learns by gradients begins with some of the rows; a family whose curve cannot reach the best ends there."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from reports import ByError
from scansion.cli.compare import _judge
from scansion.comparison import early_dropping, runs
from scansion.comparison.compare import comparing
from scansion.comparison.early_dropping import SHARES, EarlyDropping, first_parts, gain_at_most
from scansion.comparison.report_folder import markdown
from scansion.comparison.result import DROPPED
from scansion.comparison.run import Outcome, Run
from scansion.comparison.standings import Standings
from scansion.comparison.table import render
from scansion.tasks.catalogue import compared_task, task_named
from scansion.viewer.report import report_page

TRAIN, TEST = 160, 400
TARGETS = ["down", "up"] * ((TRAIN + TEST) // 2)
TEXTS = [f"text {i}" for i in range(TRAIN + TEST)]
SPLITS = ["train"] * TRAIN + ["test"] * TEST
FEW, MORE = (round(share * TRAIN) for share in SHARES)
COST = {
    "fit_seconds": 2.0, "processor_seconds": 3.0, "predict_seconds": 1.0, "size_bytes": 1000,
    "peak_memory_bytes": 10**8, "tokens_read": 9, "tokens_there": 10, "parameters": 50, "notes": [], "cut_short": False,
}
WRONG = {
    "majority": {0: 200}, "n-grams": {0: 20}, "bag-of-words": {0: 30},
    "flat": {FEW: 120, MORE: 110, 0: 90}, "steep": {FEW: 120, MORE: 70, 0: 25},
    "none yet": {FEW: 200, MORE: 160, 0: 10}, "early": {FEW: 20, MORE: 15, 0: 10},
}


def prepared(targets=TARGETS, task="classify"):
    """What is compared of the task, and the data."""
    compared = compared_task(task, targets).compared
    return compared, compared.data(TEXTS, targets, task, None, SPLITS, None, 0.2, 0)


def answered(run, data, wrong=WRONG):
    """The outcome of a run that has so many test rows wrong, the first ones."""
    rows = data.folds[0][1]
    truths = [data.targets[i] for i in rows]
    count = wrong[run.label][run.part_rows]
    answers = [("up" if each == "down" else "down") if i < count else each for i, each in enumerate(truths)]
    return Outcome(run, answers, COST, paces=np.array([[float(len(rows)), 1.0]] * 4))


def begun(label, part_rows=0, seed=0):
    return Run(label, None, seed, 1 if part_rows else 0, "classify", None, part_rows=part_rows, begins=bool(part_rows))


@pytest.fixture
def dropping():
    """Baseline and n-grams are trained."""
    compared, data = prepared()
    found = EarlyDropping(Standings(compared.scoring(data), 1, thorough=False), "majority", TRAIN)
    found.data = data
    for label in ("majority", "n-grams"):
        found.with_standing(answered(begun(label), data))
    return found


def shown(dropping, label):
    for rows in (FEW, MORE):
        dropping.with_standing(answered(begun(label, rows), dropping.data))
    return dropping.hopeless(begun(label))


def test_the_bound_is_what_a_power_law_through_both_scores_says():
    error = {rows: 9 * rows**-0.5 for rows in (1_000, 2_000, 8_000)}
    bound = gain_at_most(error[2_000], error[1_000] - error[2_000], 2.0)
    assert bound == pytest.approx(error[2_000] - error[8_000])
    assert gain_at_most(0.0, 0.0, 2.0) == 0


def test_a_curve_that_looks_flat_is_granted_an_exponent_all_the_same():
    assert gain_at_most(0.2, 0.0, 2.0) == gain_at_most(0.2, 0.01, 2.0) == pytest.approx(0.2 - 0.2 * 4**-0.35)


def test_a_curve_that_cannot_reach_the_best_is_dropped_and_one_that_may_is_not(dropping):
    said = shown(dropping, "flat")
    assert said.startswith(f"with {FEW} and {MORE} of {TRAIN} rows it had accuracy 70.0 and 72.5; all rows ")
    assert "n-grams is at least" in said
    assert shown(dropping, "steep") == ""


def test_what_began_no_better_than_the_baseline_is_not_judged(dropping):
    assert shown(dropping, "none yet") == ""


def test_nor_what_has_shown_one_share_only(dropping):
    dropping.with_standing(answered(begun("flat", FEW), dropping.data))
    dropping.with_standing(Outcome(begun("flat", MORE), [], {}, "it ran out of memory."))
    assert dropping.hopeless(begun("flat")) == ""


def test_one_that_is_level_with_few_rows_goes_on_with_all(dropping):
    first = answered(begun("early", FEW), dropping.data)
    assert dropping.with_standing(first).shown(None).message.startswith(f"early, seed 0, {FEW} rows: accuracy 95.0 (")
    said = dropping.needless(begun("early", MORE))
    assert said == f"with {FEW} rows it is not significantly worse than n-grams with all"
    dropping.with_standing(answered(begun("flat", FEW), dropping.data))
    assert dropping.needless(begun("flat", MORE)) == ""


def test_a_family_that_was_dropped_has_no_other_seed_and_one_that_was_trained_is_not_dropped_later(dropping):
    dropping.with_standing(Outcome(begun("flat"), [], {}, dropped=shown(dropping, "flat")))
    assert dropping.hopeless(begun("flat", seed=1))
    assert not shown(dropping, "steep")
    dropping.with_standing(answered(begun("steep"), dropping.data))
    dropping.with_standing(answered(begun("best"), dropping.data, {"best": {0: 0}}))
    assert dropping.hopeless(begun("steep", seed=1)) == ""


def test_where_lower_is_better_the_error_is_the_score_itself():
    numbers = [float(i % 7) for i in range(TRAIN + TEST)]
    _, data = prepared(numbers, "regress")
    dropping = EarlyDropping(Standings(ByError(data), 1, thorough=False), "mean", TRAIN)
    random = np.random.default_rng(0)

    def off_by(label, error, part_rows=0):
        truths = np.array([numbers[i] for i in data.folds[0][1]])
        answers = truths + error * random.choice([-1, 1], TEST) * random.uniform(0.9, 1.1, TEST)
        dropping.with_standing(Outcome(begun(label, part_rows), answers.tolist(), COST))

    for label, errors in {"mean": {0: 2.0}, "n-grams": {0: 0.3}, "flat": {FEW: 1.0, MORE: 0.9},
                          "steep": {FEW: 1.0, MORE: 0.5}}.items():
        for part_rows, error in errors.items():
            off_by(label, error, part_rows)
    assert "it had mean absolute error 1.00" in dropping.hopeless(begun("flat")).replace("0.99", "1.00")
    assert dropping.hopeless(begun("steep")) == ""


def test_families_begin_with_nested_parts_of_every_fold_labels_in_proportion(monkeypatch):
    monkeypatch.setattr(early_dropping, "FEWEST_ROWS", 10)
    compared = compared_task("classify", TARGETS).compared
    data = compared.data(TEXTS, TARGETS, "classify", None, None, 2, 0.2, 0)
    parts = first_parts(compared, data, 0)
    assert [len(train) for train, _ in parts] == [35, 35, 70, 70]
    for (few, test), (more, same_test), (train, whole_test) in zip(parts[:2], parts[2:], data.folds, strict=True):
        assert set(few) < set(more) < set(train)
        assert (test == same_test).all()
        assert (test == whole_test).all()
        assert abs(sum(TARGETS[i] == "up" for i in few) - len(few) / 2) <= 1


def test_few_rows_and_other_tasks_than_documents_are_trained_whole():
    compared = compared_task("classify", ["a", "b"]).compared
    for train, wanted in ((19_998, 0), (20_000, 2)):
        splits = ["train"] * train + ["test"] * 20
        texts, targets = [f"text {i}" for i in range(len(splits))], ["a", "b"] * (len(splits) // 2)
        data = compared.data(texts, targets, "classify", None, splits, None, 0.2, 0)
        assert len(first_parts(compared, data, 0)) == wanted
    assert not task_named("translate").compared.drops_early
    assert not task_named("language").compared.drops_early


# --- a whole comparison, with made-up answers in the place of the workers'

FAMILIES = {"rnn": "flat", "lstm": "steep", "n-grams": "n-grams", "majority": "majority"}


@pytest.fixture
def compared_with(monkeypatch):
    """A comparison, and the runs that were made in it."""
    monkeypatch.setattr(early_dropping, "FEWEST_ROWS", 10)
    made = []
    _, data = prepared()

    def follow(folder, run, allowed):
        made.append((run.label, run.seed, run.part_rows))
        as_if = replace(run, label=FAMILIES[run.label])
        rows = run.part_rows if run.begins else 0
        yield replace(answered(replace(as_if, part_rows=rows), data), run=run)

    def compare(**options):
        made.clear()
        events = comparing(TEXTS, TARGETS, ["rnn", "lstm", "n-grams"], splits=SPLITS, seeds=2, **options)
        told = []
        while True:
            try:
                told.append(next(events).shown(None).message)
            except StopIteration as done:
                return done.value, list(made), told

    monkeypatch.setattr(runs, "follow", follow)
    return compare


def test_a_family_that_is_dropped_is_not_trained_not_ranked_and_said_to_be_so_everywhere(compared_with):
    comparison, made, told = compared_with()
    assert made == [
        ("majority", 0, 0), ("n-grams", 0, 0), ("rnn", 0, FEW), ("rnn", 0, MORE), ("lstm", 0, FEW), ("lstm", 0, MORE),
        ("lstm", 0, 0), ("lstm", 1, 0),
    ]
    row = comparison.rows[-1]
    assert comparison.dropped == (row,)
    assert (row.family, row.status, row.score, row.rank_group, row.seeds) == ("rnn", DROPPED, None, None, 0)
    assert (row.fit_seconds, row.processor_seconds) == (4.0, 6.0)  # what it has taken in all
    assert f"rnn, seed 0: dropped early: {row.reason[:-1]}" in told
    assert "rnn" not in comparison.names
    assert "rnn was dropped early and is not ranked; thorough (--thorough) trains all." in comparison.verdict.change
    _judge(comparison, 0.5, None)
    report = json.loads(json.dumps(comparison.report(), allow_nan=False))
    assert f"| | rnn | dropped early | {row.reason} | | 4.0 s | 6.0 | | | | | |" in markdown(report)
    assert "It took 4.0 s (6.0 cpu s)." in report_page(report)
    assert "dropped early" in comparison._repr_html_()
    console = Console(width=200, record=True)
    with console.capture() as printed:
        console.print(render(comparison, 200))
    assert f"rnn was dropped early: {row.reason} It took 4.0 s (6.0 cpu s); --thorough trains it" in " ".join(
        printed.get().split()
    )
    lstm = next(row for row in comparison.rows if row.family == "lstm")
    assert lstm.notes[0] == f"began with {FEW} and {MORE} rows (4.0 s), and was not to be dropped"
    assert lstm.fit_seconds == 2.0


@pytest.mark.parametrize("option", [{"thorough": True}, {"learning_curve": True}, {"budget": 3_600}])
def test_with_a_budget_a_learning_curve_or_if_thorough_no_family_is_dropped(compared_with, monkeypatch, option):
    monkeypatch.setattr(runs, "ESTIMATE_WORTH", np.inf)
    if "learning_curve" in option:
        monkeypatch.setitem(FAMILIES, "rnn", "n-grams")
        monkeypatch.setitem(FAMILIES, "lstm", "n-grams")
    comparison, made, _ = compared_with(**option)
    assert not comparison.dropped
    assert {("rnn", 0, 0), ("lstm", 0, 0), ("lstm", 1, 0)} <= set(made)
