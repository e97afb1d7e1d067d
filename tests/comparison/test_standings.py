"""Where families stand while a comparison goes on, and when another seed is left out."""

from types import SimpleNamespace

import numpy as np
import pytest

from scansion.comparison.compare import compared_task
from scansion.comparison.run import Outcome, Run
from scansion.comparison.standings import Standings

LABELS = ["down", "up"] * 200


@pytest.fixture
def scoring():
    compared = compared_task("classify", LABELS).compared
    return compared.scoring(compared.data(
        [f"text {i}" for i in range(len(LABELS))], LABELS, "classify", None, ["train", "train", "test", "test"] * 100,
        None, 0.2, 0,
    ))


def outcome(scoring, label, seed=0, wrong=0, fold=0, folds=1):
    truth = [LABELS[i] for i in scoring.data.tested]
    answers = [("up" if each == "down" else "down") if i < wrong else each for i, each in enumerate(truth)]
    part = [list(part) for part in np.array_split(answers, folds)][fold]
    return Outcome(Run(label, SimpleNamespace(), seed, fold, "classify", 1), part, {"fit_seconds": 1.0})


def test_a_score_is_told_as_soon_as_a_seed_is_done_with_its_place_so_far(scoring):
    standings = Standings(scoring, 1, thorough=False)
    first = standings.with_standing(outcome(scoring, "n-grams", wrong=50))
    assert first.standing.startswith("accuracy 75.0 (")
    assert first.standing.endswith("the best of 1 so far")
    assert first.shown(None).message.endswith("so far; 1.0 s")
    assert standings.with_standing(outcome(scoring, "rnn", wrong=80)).standing.endswith("place 2 of 2 so far")
    assert standings.with_standing(outcome(scoring, "lstm", wrong=40)).standing.endswith("the best of 3 so far")


def test_a_seed_is_done_when_every_fold_is(scoring):
    standings = Standings(scoring, 2, thorough=False)
    assert not standings.with_standing(outcome(scoring, "rnn", fold=1, folds=2)).standing
    assert standings.with_standing(outcome(scoring, "rnn", fold=0, folds=2)).standing.startswith("accuracy 100.0")


def test_another_seed_is_left_out_only_of_what_is_clearly_worse_than_the_best(scoring):
    standings = Standings(scoring, 1, thorough=False)
    for label, wrong in (("n-grams", 20), ("close", 25), ("far", 80)):
        standings.with_standing(outcome(scoring, label, wrong=wrong))
    left_out = {
        label: standings.beaten(Run(label, None, 1, 0, "classify", 1)) for label in ("n-grams", "close", "far", "new")
    }
    assert left_out == {
        "n-grams": "", "close": "", "new": "", "far": "it is significantly worse than n-grams (p < 0.001)",
    }


def test_never_if_it_was_asked_to_be_thorough_nor_of_a_smaller_part_or_a_seed_that_was_begun(scoring):
    pairs = (("n-grams", 0), ("far", 80))
    thorough, usual = Standings(scoring, 1, thorough=True), Standings(scoring, 1, thorough=False)
    for standings in (thorough, usual):
        for label, wrong in pairs:
            standings.with_standing(outcome(scoring, label, wrong=wrong))
    assert not thorough.beaten(Run("far", None, 1, 0, "classify", 1))
    assert not usual.beaten(Run("far", None, 1, 1, "classify", 1))
    folded = Standings(scoring, 2, thorough=False)
    for label, wrong in pairs:
        for fold in (0, 1):
            folded.with_standing(outcome(scoring, label, wrong=wrong, fold=fold, folds=2))
    folded.with_standing(outcome(scoring, "far", seed=1, wrong=80, fold=0, folds=2))
    assert not folded.beaten(Run("far", None, 1, 1, "classify", 1))
    assert folded.beaten(Run("far", None, 2, 0, "classify", 1))
