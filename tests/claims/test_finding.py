"""Verdicts of planted findings, and intervals that are known."""

import numpy as np
import pytest
from scipy import stats

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Condition, Figure, Measurement, exact, mean_of, share_of, verdict
from scansion.errors import UsageError

TRUE, FALSE, WIDE = (Figure("f", *values) for values in ((0.9, 0.8, 1.0), (0.2, 0.1, 0.3), (0.5, 0.2, 0.8)))


def judged(*figures: Figure, core: tuple[bool, ...] = ()) -> str:
    named = [Figure(str(i), each.value, each.low, each.high) for i, each in enumerate(figures)]
    conditions = [Condition(str(i), least=0.5, core=core[i] if core else True) for i in range(len(named))]
    return verdict(conditions, named)[0]


def test_each_verdict_can_come_out():
    assert judged(TRUE, TRUE) == "holds"
    assert judged(TRUE, FALSE) == judged(TRUE, WIDE) == "holds in part"
    assert judged(FALSE, FALSE) == "does not hold here"
    assert judged(WIDE, FALSE) == judged(WIDE, WIDE) == "not decided"


def test_what_is_not_core_cannot_save_a_claim_and_can_limit_it():
    assert judged(FALSE, TRUE, core=(True, False)) == "does not hold here"
    assert judged(TRUE, FALSE, core=(True, False)) == "holds in part"


@pytest.mark.parametrize("condition", [Condition("f", least=0.5), Condition("f", most=0.5)])
def test_a_condition_is_met_only_if_the_whole_interval_is_on_its_side(condition):
    states = {condition.state(figure) for figure in (TRUE, FALSE)}
    assert states == {"met", "not met"}
    assert condition.state(WIDE) == "open"
    assert condition.state(exact("f", 0.5)) == "met"


def test_a_condition_without_its_figure_is_an_error():
    with pytest.raises(UsageError, match="no figure 'speed'"):
        verdict([Condition("speed", least=1)], [TRUE])


def test_a_mean_over_seeds_has_students_interval():
    values = [0.3, 0.5, 0.4, 0.45]
    found = mean_of("f", values)
    expected = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    np.testing.assert_allclose((found.low, found.high), expected)
    assert mean_of("f", [0.99, 0.9], "%").high == 1.0


def test_a_share_is_of_rows_and_seeds():
    found = share_of("f", [np.array([True] * 80 + [False] * 20)])
    low, high = stats.binomtest(80, 100).proportion_ci(method="wilson")
    np.testing.assert_allclose((found.value, found.low, found.high), (0.8, low, high))
    seeds = [np.arange(100) < right for right in (90, 60, 90)]
    wider = share_of("f", seeds)
    assert wider.high - wider.low > found.high - found.low


def test_a_claim_judges_what_its_experiment_measures():
    def experiment(budget: Budget, seed: int):
        yield f"seed {seed}"
        return Measurement("Found.", (exact("f", seed),), ())

    claim = Claim("planted", "It is so.", "a paper", "it is", (Condition("f", least=1),), experiment)
    assert [claim.run(seed=seed).verdict for seed in (0, 1)] == ["does not hold here", "holds"]
    assert claim.run(Budget(seeds=5)).seeds == 5


def test_a_budget_is_a_share_of_the_work_and_its_seeds_are_a_function_of_the_first():
    assert [Budget(work=0.25).of(100), Budget(work=0.001).of(100), Budget(work=0.001).of(100, 7)] == [25, 1, 7]
    assert Budget(3).seeds_from(0) == Budget(3).seeds_from(0)
    assert Budget(3).seeds_from(0)[:2] == Budget(2).seeds_from(0)
    assert set(Budget(3).seeds_from(0)).isdisjoint(Budget(3).seeds_from(1))
