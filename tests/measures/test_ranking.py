"""ROC AUC and average precision beside scikit-learn's."""

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

import scansion
from scansion.cli.main import carry_out
from scansion.errors import UsageError
from scansion.measures.ranking import average_precision, ranking_measures, roc_auc

RANDOM = np.random.default_rng(0)
TRUTH = (RANDOM.random((200, 3)) < [0.5, 0.1, 0.03]).astype(int)
GIVEN = np.round(RANDOM.random((200, 3)) + TRUTH / 3, 1)  # many are equal


def test_of_sets_of_labels_they_are_scikit_learns_means_over_labels():
    assert roc_auc(TRUTH, GIVEN) == pytest.approx(roc_auc_score(TRUTH, GIVEN, average="macro"))
    assert average_precision(TRUTH, GIVEN) == pytest.approx(average_precision_score(TRUTH, GIVEN, average="macro"))


def test_of_one_label_a_row_each_is_set_against_the_rest():
    truth = np.arange(200) % 3
    wanted = [roc_auc_score(truth == k, GIVEN[:, k]) for k in range(3)]
    assert roc_auc(truth, GIVEN) == pytest.approx(np.mean(wanted))


def test_a_label_that_all_rows_have_or_none_is_left_out():
    truth = np.concatenate([TRUTH, np.ones((200, 1), int), np.zeros((200, 1), int)], axis=1)
    given = np.concatenate([GIVEN, GIVEN[:, :2]], axis=1)
    assert ranking_measures(truth, given) == pytest.approx(ranking_measures(TRUTH, GIVEN))
    assert ranking_measures(np.zeros((5, 2)), np.zeros((5, 2))) == {}
    with pytest.raises(UsageError, match="nothing is ranked"):
        roc_auc(np.zeros((5, 2)), np.zeros((5, 2)))


def test_chance_and_certainty():
    assert roc_auc(TRUTH, np.zeros((200, 3))) == 0.5
    assert average_precision(TRUTH, np.zeros((200, 3))) == pytest.approx(TRUTH.mean())
    assert roc_auc(TRUTH, TRUTH) == average_precision(TRUTH, TRUTH) == 1


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(UsageError, match="a row for each of the truth's 200"):
        roc_auc(TRUTH, GIVEN[:, :2])


def test_evaluate_prints_them_for_labels_and_a_label_never_seen_ranks_by_chance(tmp_path, capsys):
    texts = [f"{'fine' if i % 4 else 'poor'} thing {i % 5}" for i in range(24)]
    labels = ["yes" if i % 4 else "no" for i in range(24)]
    scansion.DocumentClassifier("bag-of-words").fit(texts, labels).save(tmp_path / "model")
    (tmp_path / "test.csv").write_text("text,label\n" + "\n".join(map(",".join, zip(texts, labels, strict=True))))
    assert carry_out(["evaluate", str(tmp_path / "model"), str(tmp_path / "test.csv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["roc_auc"] == found["average_precision"] == 1
    (tmp_path / "more.csv").write_text((tmp_path / "test.csv").read_text() + "\nodd thing,perhaps")
    assert carry_out(["evaluate", str(tmp_path / "model"), str(tmp_path / "more.csv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["roc_auc"] < 1
