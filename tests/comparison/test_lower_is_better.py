"""A measure of which less is better is ranked, put into words and drawn the right way round."""

import os
import re

import numpy as np
import pytest
from rich.console import Console

from reports import ByError, made_up, texts_of
from scansion.comparison.conclusion import ranked
from scansion.comparison.learning_curve import curve_of, smaller_parts
from scansion.comparison.report_folder import markdown
from scansion.comparison.result import Comparison, FamilyResult
from scansion.comparison.run import Outcome, Run
from scansion.comparison.table import render
from scansion.comparison.verdict import Verdict, decide
from scansion.families.bag_of_words import BagOfWords
from scansion.measures.metric import METRICS, Metric
from scansion.measures.paired import PairedTest, paired_tests, rank_groups
from scansion.tasks.document_scoring import compared_documents
from scansion.tasks.documents import REGRESS

ERROR = METRICS["mean_absolute_error"]
ROWS = 2_000
TARGETS = [i % 50 + 0.5 for i in range(240)]


def verdict(errors: dict[str, float], seconds: dict[str, float]) -> Verdict:
    """Families that are wrong by 1 on the given share of rows, nested in one another."""
    order = np.random.default_rng(0).permutation(ROWS)
    predictions = {name: [np.where(order < share * ROWS, 1.0, 0.0)] for name, share in errors.items()}
    pairs, adjusted = paired_tests("regression", ERROR.name, np.zeros(ROWS), predictions)
    groups = rank_groups(list(errors), [-error for error in errors.values()], adjusted)
    return decide(errors, groups, seconds, pairs, ROWS, "mean", ERROR, {"mean": 1, "n-grams": 50, "lstm": 40})


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return made_up(texts_of(240), TARGETS, scoring=ByError)


def test_the_family_with_the_least_error_is_chosen():
    found = verdict({"mean": 0.9, "n-grams": 0.5, "lstm": 0.1}, {"mean": 0, "n-grams": 2, "lstm": 60})
    assert found.family == "lstm"
    assert found.reason == "lstm has the best score, significantly below every other family."
    assert found.change.startswith("The closest is n-grams, 0.400 above; it would have to gain more than that.")


def test_of_those_level_with_the_least_error_the_cheapest_is_chosen_and_the_best_is_lower_by_a_little():
    found = verdict({"mean": 0.9, "n-grams": 0.202, "lstm": 0.200}, {"mean": 0, "n-grams": 2, "lstm": 60})
    assert found.family == "n-grams"
    assert found.reason == (
        "n-grams trains 30.0 times as fast as lstm, whose score is lower by 0.002 only: not significant on these rows."
    )
    assert "and lstm would win" in found.change


def test_a_baseline_that_nobody_beats_is_the_one_with_the_least_error():
    found = verdict({"mean": 0.500, "n-grams": 0.501, "lstm": 0.9}, {"mean": 0, "n-grams": 2, "lstm": 60})
    assert found.family == "mean"
    assert "No family is significantly better than the mean baseline" in found.reason


@pytest.mark.parametrize(("metric", "best_first"), [(ERROR, "bca"), (Metric("accuracy", True), "acb")])
def test_ranks_follow_the_direction_of_the_measure(metric, best_first):
    scores = {"a": 0.9, "failed": None, "b": 0.1, "c": 0.5}
    results = [
        FamilyResult(name, "failed" if score is None else "ok", score=score, fit_seconds=1.0, size_bytes=1)
        for name, score in scores.items()
    ]
    names = [name for name, score in scores.items() if score is not None]
    pairs = {
        (first, second): PairedTest(scores[first] - scores[second], 0.0, 0.0, 0.0, "made up", 0.01, 0.0, 10.0)
        for i, first in enumerate(names) for second in names[i + 1 :]
    }
    found, chosen = ranked(results, {}, pairs, np.zeros((3, 3)), metric, 100, "no such family")
    assert "".join(each.family for each in found[:3]) == best_first
    assert [each.rank_group for each in found] == [1, 2, 3, None]
    assert found[-1].family == "failed"
    assert chosen.family == best_first[0]


def test_a_comparison_has_the_least_error_first_and_the_baseline_last(comparison):
    scores = [row.score for row in comparison.rows]
    assert scores == sorted(scores)
    assert comparison.rows[-1].family == "mean"
    assert comparison.rows[0].rank_group == 1 < comparison.rows[-1].rank_group
    assert comparison.verdict.family in {row.family for row in comparison.rows if row.rank_group == 1}
    assert comparison.report()["higher_is_better"] is False


def test_pages_list_the_least_error_first_and_a_baseline_beyond_the_bars_is_pointed_at(comparison):
    listed = re.findall(r"^\| \d+ \| ([^|†]+?)(?: †)? \|", markdown(comparison.report()), re.MULTILINE)
    assert listed == [row.family for row in comparison.rows]
    console = Console(width=160, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    with console.file:
        console.print(render(comparison, 160))
        lines = console.export_text().splitlines()
    assert "›" in next(line for line in lines if re.match(r"\s*\d+\s+mean\s", line))
    assert not any("‹" in line for line in lines)
    assert sum("●" in line for line in lines) == len(comparison.rows) - 1


def test_a_family_overtakes_when_its_error_falls_below_the_others():
    texts, numbers = texts_of(600), [i % 50 + 0.5 for i in range(600)]
    data = compared_documents(texts, numbers, "regress", None, None, None, 0.5, 0)
    parts = smaller_parts(REGRESS.compared, data, seeds=1, random_state=0)
    scoring, truth = ByError(data), np.array([numbers[row] for row in data.tested])
    off = np.where(np.arange(len(truth)) % 2, 1.0, -1.0)
    off_by = {error: (truth + error * off).tolist() for error in (1.0, 2.0, 5.0)}
    outcomes = [
        Outcome(Run(label, BagOfWords(), 0, 1 + part, "regress", None), off_by[error], {})
        for label, error in (("steady", 2.0), ("hungry", 5.0)) for part in range(len(parts))
    ]
    whole = {"steady": [scoring.prediction(off_by[2.0])], "hungry": [scoring.prediction(off_by[1.0])]}
    (found,) = curve_of(scoring, data, parts, outcomes, whole).overtakings
    assert (found.family, found.overtaken) == ("hungry", "steady")
    assert (found.after, found.by) == (len(parts[-1][0]), len(data.folds[0][0]))
    assert found.before[0] == pytest.approx(3)  # its score less the other's: more error before, less then
    assert found.then[0] == pytest.approx(-1)
    assert found.then[2] < 0 < found.before[1]
