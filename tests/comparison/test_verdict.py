"""The verdict's rule, on fabricated families."""

import numpy as np
import pytest

from scansion.comparison.verdict import decide
from scansion.measures.metric import METRICS
from scansion.measures.paired import paired_tests, rank_groups

ROWS = 2_000


SIZES = {"majority": 1, "n-grams": 50, "lstm": 40}


def verdict(rights: dict[str, float], seconds: dict[str, float], cut_short=()):
    """Families that are right on the given share of rows, nested in one another."""
    truth = np.zeros(ROWS, int)
    order = np.random.default_rng(0).permutation(ROWS)
    predictions = {name: [np.where(order < share * ROWS, 0, 1)] for name, share in rights.items()}
    pairs, adjusted = paired_tests("multiclass", "accuracy", truth, predictions)
    groups = rank_groups(list(rights), list(rights.values()), adjusted)
    return decide(rights, groups, seconds, pairs, ROWS, "majority", METRICS["accuracy"], SIZES, cut_short)


def test_the_cheapest_of_those_level_with_the_best_is_chosen():
    found = verdict({"majority": 0.5, "n-grams": 0.800, "lstm": 0.801}, {"majority": 0, "n-grams": 2, "lstm": 60})
    assert found.family == "n-grams"
    assert "30.0 times as fast as lstm" in found.reason
    assert "rows" in found.change


def test_a_clearly_better_family_is_chosen_whatever_it_costs():
    found = verdict({"majority": 0.5, "n-grams": 0.80, "lstm": 0.90}, {"majority": 0, "n-grams": 2, "lstm": 60})
    assert found.family == "lstm"
    assert "significantly above every other" in found.reason
    assert "n-grams, 10.0 points below" in found.change


def test_where_nothing_beats_the_baseline_nothing_is_recommended_over_it():
    found = verdict({"majority": 0.5, "n-grams": 0.501}, {"majority": 0, "n-grams": 2})
    assert found.family == "majority"
    assert "nothing to learn" in found.reason


def test_without_any_score_there_is_no_choice():
    assert decide({}, {}, {}, {}, 0, "majority", METRICS["accuracy"], {}).family is None


@pytest.mark.parametrize("cheap", ["n-grams", "lstm"])
def test_the_best_may_also_be_the_cheapest(cheap):
    seconds = {"majority": 0, "n-grams": 5, "lstm": 5, cheap: 1}
    assert verdict({"majority": 0.5, "n-grams": 0.8, "lstm": 0.8}, seconds).family == cheap


def test_a_baseline_that_alone_was_not_broken_is_not_recommended():
    accuracy = METRICS["accuracy"]
    found = decide({"majority": 0.5}, {"majority": 1}, {"majority": 0}, {}, ROWS, "majority", accuracy, SIZES)
    assert found.family is None
    assert "Only the majority baseline has a score" in found.reason


def test_families_with_the_same_score_are_not_called_higher():
    found = verdict({"majority": 0.5, "n-grams": 0.8, "lstm": 0.8}, {"majority": 0, "lstm": 60, "n-grams": 2})
    assert found.family == "n-grams"
    lstm_first = verdict({"lstm": 0.8, "majority": 0.5, "n-grams": 0.8}, {"majority": 0, "lstm": 60, "n-grams": 2})
    assert lstm_first.reason == "n-grams trains 30.0 times as fast as lstm, and has the same score."


@pytest.mark.parametrize("seconds", [(0.10, 0.12), (0.12, 0.10), (20, 28), (28, 20)])
def test_times_that_are_alike_leave_the_choice_to_the_size(seconds):
    found = verdict({"majority": 0.5, "n-grams": 0.801, "lstm": 0.8}, dict(zip(SIZES, (0, *seconds), strict=True)))
    assert found.family == "lstm"
    assert found.reason.startswith("lstm is a model of 80% of the size of n-grams, whose score is higher by 0.1 points")


def test_a_family_that_a_budget_cut_short_is_told():
    seconds = {"majority": 0, "n-grams": 2, "lstm": 60}
    found = verdict({"majority": 0.5, "n-grams": 0.9, "lstm": 0.8}, seconds, cut_short=["lstm"])
    assert found.change.startswith("The budget cut lstm short: its rank holds under that budget only. The closest is")
