"""The time of a comparison with a budget: who comes first, who may take how long, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest

from scansion.comparison import schedule as schedules
from scansion.comparison.run import Outcome, Run
from scansion.comparison.schedule import GRACE, UNBOUNDED, Need, Schedule
from scansion.families.bag_of_words import BagOfWords
from scansion.families.baseline import Baseline
from scansion.families.rnn import RNN

NEEDS = {"cheap": Need(2.0, 1.0), "middling": Need(20.0, 2.0), "dear": Need(100.0, 3.0), "majority": Need(0.1, 0.1)}


FAMILIES = {"cheap": BagOfWords(), "majority": Baseline()}


def run(label: str, seed: int = 0, fold: int = 0) -> Run:
    return Run(label, FAMILIES.get(label, RNN()), seed, fold, "classify", None)


def outcome(label: str, fit: float, seed: int = 0, cut_short: bool = False) -> Outcome:
    return Outcome(run(label, seed), [], {"fit_seconds": fit, "cut_short": cut_short})


def schedule(needs=NEEDS, seeds: int = 2, folds: int = 1, parts: int = 0) -> Schedule:
    runs = [
        run(label, seed, fold) for label in ("dear", "cheap", "majority", "middling")
        for seed in range(seeds) for fold in range(folds + parts)
    ]
    shares = [1.0] * folds + [0.1] * parts
    return Schedule(runs, "majority", 1.0, needs, shares=shares).ordered(folds)


def test_the_baseline_comes_first_then_the_cheapest_and_every_first_seed_before_a_second():
    order = [(each.label, each.seed) for each in schedule().runs]
    assert order == [(label, seed) for label, seed in [
        ("majority", 0), ("majority", 1), ("cheap", 0), ("middling", 0), ("dear", 0), ("cheap", 1), ("middling", 1),
        ("dear", 1),
    ]]


def test_folds_of_a_seed_stand_together_and_smaller_parts_come_last():
    order = [(each.label, each.seed, each.fold) for each in schedule(folds=2, parts=1).runs if each.label == "cheap"]
    assert order == [("cheap", 0, 0), ("cheap", 0, 1), ("cheap", 1, 0), ("cheap", 1, 1), ("cheap", 0, 2),
                     ("cheap", 1, 2)]
    assert [each.fold for each in schedule(folds=2, parts=1).runs][-8:] == [2] * 8


def test_what_a_family_begins_with_comes_right_before_its_first_seed_with_all_rows():
    runs = [run(label, seed) for label in ("middling", "dear") for seed in (0, 1)]
    runs += [replace(run(label, 0, fold), begins=True) for label in ("dear", "middling") for fold in (1, 2)]
    order = Schedule(runs, "majority").ordered(1).runs
    first = [("middling", 0, 1), ("middling", 0, 2), ("middling", 0, 0), ("dear", 0, 1), ("dear", 0, 2), ("dear", 0, 0)]
    assert [(each.label, each.seed, each.fold) for each in order] == [*first, ("middling", 1, 0), ("dear", 1, 0)]


def test_what_could_not_be_estimated_comes_behind_what_could():
    some = {label: need for label, need in NEEDS.items() if label != "cheap"}
    assert [each.label for each in schedule(some, seeds=1).runs] == ["majority", "middling", "dear", "cheap"]


def test_without_a_budget_nothing_is_bounded():
    assert schedule().allowed(run("dear"), np.inf, [run("middling")] * 5) == UNBOUNDED


def test_a_run_gets_an_equal_part_of_what_is_left_less_what_it_takes_beside_its_fit():
    allowed = schedule().allowed(run("cheap"), 100.0, [run("middling")] * 5)
    assert allowed.fit == pytest.approx(100 / 5 - 1 - 1)
    assert allowed.process == pytest.approx(50 + GRACE)  # what cannot end early may take half of what is left


def test_what_is_solved_and_needs_less_leaves_the_rest_to_the_others():
    waiting = [run("cheap"), run("middling"), run("dear")]
    assert schedule().equal(100.0, waiting) == pytest.approx((100 - 1.25 * (2 + 1 + 1)) / 2)
    assert schedule().equal(9.0, waiting) == pytest.approx(9 / 3)
    assert replace(schedule(), at_a_time=2).equal(100.0, waiting) == pytest.approx((200 - 5) / 2)
    assert replace(schedule(), at_a_time=4).equal(100.0, waiting) == 100.0
    assert schedule().equal(100.0, waiting[:1]) == 100.0


def test_or_what_its_first_epoch_needs_if_that_is_more():
    assert schedule().allowed(run("middling"), 100.0, [run("middling")] * 50).fit == pytest.approx(1.25 * (20 + 3) - 3)
    assert schedule().allowed(run("dear"), 90.0, [run("middling")] * 50).fit == pytest.approx(90 - 4)


@pytest.mark.parametrize("left", [-5.0, 0.0, 1.0])
def test_when_the_time_is_over_only_the_baseline_is_still_run_and_ended_soon(left):
    found = schedule()
    assert found.too_late(run("majority"), left) == ""
    assert found.too_late(run("cheap"), left) == "the budget was spent before its turn"
    assert found.allowed(run("majority"), left, [run("middling")] * 3).process <= GRACE + 2


def test_a_run_that_seems_to_need_far_more_than_is_left_is_not_begun():
    said = schedule().too_late(run("dear"), 40.0)
    assert said == "a score takes about 1 min 44 s, and 40 s were left when its turn came"
    assert schedule().too_late(run("dear"), 60.0) == ""  # an estimate may be too high


def test_a_run_that_took_longer_beside_its_fit_than_was_estimated_is_remembered():
    found = schedule().after(outcome("cheap", 2.0), 11.0).after(Outcome(run("cheap"), [], {}, "it failed"), 30.0)
    assert found.beside(run("cheap", 1)) == 9.0
    assert found.beside(run("unknown")) == 9.0  # as much as any before it
    assert found.beside(run("middling")) == 3.0


def test_a_smaller_part_needs_less():
    found = schedule(parts=1)
    assert found.seconds(run("dear", fold=1)) == pytest.approx(10 + 4)


def test_a_budget_that_is_too_small_is_told_with_the_order_and_what_is_out_of_reach():
    said = schedule(seeds=1).told(60.0)
    assert said == (
        "The budget is too small for all 4 runs: 1 min 00 s are left, and one epoch of each takes about 2 min 12 s. In "
        "this order, cheapest first: majority, cheap, middling, dear. By this estimate dear will hardly be trained."
    )
    assert "; the first seed of all before the second of any." in schedule().told(60.0)
    assert "every family can be trained for an epoch at least once" in schedule().told(200.0)


def test_one_that_suffices_is_told_too_and_so_is_one_of_which_that_is_not_known():
    assert schedule(seeds=1).told(600.0) == (
        "10 min 00 s of the budget are left for 4 runs, and one epoch of each takes about 2 min 12 s. In this order, "
        "cheapest first: majority, cheap, middling, dear."
    )
    assert schedule({}, seeds=1).told(5.0) == (
        "5.0 s of the budget are left for 4 runs, which may be too little: there was no time to estimate what "
        "majority, dear, cheap, middling will take. In this order, cheapest first: majority, dear, cheap, middling."
    )


def test_another_seed_is_begun_only_if_there_is_time_for_all_of_it():
    found = schedule().after(outcome("middling", 40.0), 42.0)
    said = found.too_late(run("middling", seed=1), 41.0)
    assert said == "another seed takes about 43 s, and 41 s were left"
    assert found.too_late(run("middling", seed=1), 44.0) == ""
    allowed = found.allowed(run("middling", seed=1), 44.0, [run("middling")] * 4)
    assert allowed.fit == pytest.approx(44 - 3)  # and it may take all of it
    assert found.too_late(run("middling", seed=0, fold=0), 30.0) == ""  # the first one ends in time by itself


def test_a_fit_that_was_cut_short_says_nothing_of_what_another_seed_takes():
    found = schedule().after(outcome("middling", 40.0, cut_short=True), 42.0)
    assert found.too_late(run("middling", seed=1), 30.0) == ""


def test_side_by_side_are_the_runs_of_a_seed(monkeypatch):
    monkeypatch.setattr(schedules, "cores", lambda: 9)
    found = replace(schedule(), at_a_time=4)
    assert [[(each.label, each.seed) for each in together] for together in found.rounds(found.runs)] == [
        [("majority", 0)], [("majority", 1)], *(
            [(label, seed) for label in ("cheap", "middling", "dear")] for seed in (0, 1)
        )
    ]
    assert found.allowed(run("cheap"), 100.0, [run("middling")] * 10).fit == pytest.approx(4 * 100 / 10 - 2)
    assert found.allowed(run("cheap"), 100.0, [run("middling")] * 3).fit == pytest.approx(100 - 2)
    assert found.allowed(run("cheap"), np.inf, [run("middling")] * 3).threads == 9 // 4
    assert "for 8 runs, and one epoch of each takes about 1 min" in found.told(600.0)


def test_runs_that_may_be_dropped_for_what_others_show_come_one_after_the_other():
    runs = [run("dear"), replace(run("dear", fold=1), begins=True), run("cheap")]
    found = Schedule(runs, "majority", at_a_time=2)
    assert found.rounds(runs) == [[each] for each in runs]
