"""Which rows are for training and which for testing, what is counted between them, and what is refused."""

import json

import numpy as np
import pytest

from scansion.comparison.compare import Plan, _conclude, _duplicates, compare, comparing
from scansion.comparison.run import Outcome, Run
from scansion.errors import DataError, UsageError
from scansion.families.bag_of_words import BagOfWords
from scansion.families.baseline import Baseline
from scansion.heads.multiclass import MulticlassHead
from scansion.learning.folds import fold_rows
from scansion.tasks.document_scoring import compared_documents, share_of
from scansion.tasks.documents import CLASSIFY

TEXTS = [f"{word} number {i}" for i in range(20) for word in ("red", "green", "blue")]
LABELS = [text.split()[0] for text in TEXTS]


def data(texts=TEXTS, targets=LABELS, splits=None, folds=None, share=0.2):
    return compared_documents(texts, targets, "classify", None, splits, folds, share, 0)


def test_valid_rows_join_the_training_rows():
    (train, test), = data(splits=["train"] * 30 + ["valid"] * 10 + ["Test"] * 20).folds
    assert train.tolist() == list(range(40))
    assert test.tolist() == list(range(40, 60))


def test_a_mistyped_split_is_named_and_does_not_become_training_data():
    with pytest.raises(DataError, match=r"position 30 is 'tset'; did you mean 'test'"):
        data(splits=["train"] * 30 + ["tset"] * 20 + ["test"] * 10)


def test_too_few_splits_are_refused():
    with pytest.raises(UsageError, match="60 texts but 40 splits"):
        data(splits=["train"] * 30 + ["test"] * 10)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.4, 0.6, 0.7])
def test_the_test_share_is_the_one_asked_for_of_every_label(share):
    (train, test), = data(share=share).folds
    assert len(test) == round(60 * share)
    assert sorted([*train, *test]) == list(range(60))
    held = [LABELS[i] for i in test]
    assert max(held.count(label) for label in set(LABELS)) - min(held.count(label) for label in set(LABELS)) <= 1


def test_a_fifth_is_the_first_of_five_folds():
    head, encoded = MulticlassHead((0, 1)), np.random.default_rng(0).integers(0, 2, 203)
    assert share_of(head, encoded, 0.2, 3).tolist() == fold_rows(head, encoded, 5, 3)[0].tolist()


def test_with_folds_a_text_that_stands_twice_is_counted_where_the_two_are_parted():
    parted = data(texts=["same"] * 60, targets=["a", "b"] * 30, folds=3)
    assert _duplicates(parted) == 60
    assert _duplicates(data(folds=3)) == 0


def test_a_matrix_of_0_and_1_is_a_set_of_labels_a_document():
    assert data(targets=np.eye(3, dtype=int)[[0, 1, 2] * 20]).encoded.head.kind == "multilabel"


def test_one_family_may_be_given_by_its_name_alone():
    with pytest.raises(UsageError, match="did you mean 'lstm'"):
        compare(TEXTS, LABELS, "lsmt")


@pytest.mark.parametrize(
    ("targets", "weight", "said"),
    [
        (LABELS, "blanced", "None, 'balanced' or a mapping"),
        ([i + 0.5 for i in range(60)], "balanced", "texts and numbers"),
    ],
)
def test_a_wrong_class_weight_stops_before_anything_is_trained(targets, weight, said):
    with pytest.raises(UsageError, match=said):
        next(comparing(TEXTS, targets, class_weight=weight))


def test_a_report_says_with_what_it_was_made_and_is_json_for_every_reader(tmp_path):
    rows = data(folds=2)
    families = {"majority": Baseline(), "bag-of-words": BagOfWords(), "bag-of-words-2": BagOfWords()}
    runs = [Run(label, families[label], 4, fold, "classify", None) for label in families for fold in (0, 1)]
    cost = {"fit_seconds": 1.0, "processor_seconds": 1.0, "predict_seconds": 1.0, "size_bytes": 1,
            "peak_memory_bytes": 1, "tokens_read": 1, "tokens_there": 2, "parameters": 3, "notes": ["strength 1"],
            "cut_short": False}
    # two families are right on every row, so their difference has infinite degrees of freedom
    right = {fold: [LABELS[i] for i in test] for fold, (_, test) in enumerate(rows.folds)}
    red = {fold: ["red"] * len(answers) for fold, answers in right.items()}
    outcomes = [
        Outcome(run, (red if run.label == "majority" else right)[run.fold], cost) for run in runs
    ]
    plan = Plan(CLASSIFY, CLASSIFY.compared, rows, families, runs, "majority", [], {"random_state": 4})
    comparison = _conclude(plan, outcomes, False)
    comparison.save(tmp_path / "report")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    saved = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert saved["facts"]["random_state"] == 4
    assert saved["rows"][0]["options"] == {"min_documents": 1, "static": "none"}
    assert saved["rows"][-1]["score"] == pytest.approx(1 / 3)
    assert [pair["degrees_of_freedom"] for pair in saved["pairs"]].count(None) == 1
    assert "static none; strength 1" in (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
