"""The bars of the table share one scale, which the baseline does not stretch."""

from scansion.comparison.result import FamilyResult
from scansion.comparison.table import bar


def row(low: float, score: float, high: float) -> FamilyResult:
    return FamilyResult("lstm", "ok", score=score, low=low, high=high)


def test_a_bar_runs_from_low_to_high_with_a_dot_at_the_score():
    assert bar(row(0.80, 0.85, 0.90), 0.80, 0.90, 11) == "─────●─────"
    assert bar(row(0.82, 0.83, 0.84), 0.80, 0.90, 11) == "  ─●─      "


def test_a_baseline_below_the_scale_is_pointed_at():
    assert bar(row(0.4, 0.5, 0.6), 0.80, 0.90, 11) == "‹"


def test_a_baseline_above_the_scale_is_pointed_at_where_lower_is_better():
    assert bar(row(1.4, 1.5, 1.6), 0.80, 0.90, 11) == "          ›"


def test_a_bar_that_begins_below_the_scale_is_cut_there():
    assert bar(row(0.70, 0.80, 0.82), 0.80, 0.90, 11) == "●──        "
