"""Each measure against scikit-learn, scipy or its formula, and what it does where it is undefined."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from scansion.errors import UsageError
from scansion.measures import scores

RANDOM = np.random.default_rng(7)
NAMES = np.array(["art", "law", "sport", "war"])
TRUE_CODES = RANDOM.integers(0, 4, 200)
LABELS = NAMES[TRUE_CODES]
PREDICTED = np.where(RANDOM.random(200) < 0.7, LABELS, NAMES[RANDOM.integers(0, 4, 200)])
PROBABILITIES = RANDOM.dirichlet(np.ones(4), 200)
SETS = (RANDOM.random((150, 6)) < 0.3).astype(int)
PREDICTED_SETS = np.where(RANDOM.random((150, 6)) < 0.85, SETS, 1 - SETS)
NUMBERS = np.round(RANDOM.normal(3, 2, 180), 1)
PREDICTED_NUMBERS = np.round(NUMBERS + RANDOM.normal(0, 1, 180), 1)

TRUTHS = [
    (scores.accuracy, metrics.accuracy_score, LABELS, PREDICTED),
    (scores.balanced_accuracy, metrics.balanced_accuracy_score, LABELS, PREDICTED),
    (scores.macro_f1, lambda t, p: metrics.f1_score(t, p, average="macro"), LABELS, PREDICTED),
    (scores.macro_f1, lambda t, p: metrics.f1_score(t, p, average="macro"), SETS, PREDICTED_SETS),
    (scores.micro_f1, lambda t, p: metrics.f1_score(t, p, average="micro"), SETS, PREDICTED_SETS),
    (scores.exact_match, metrics.accuracy_score, SETS, PREDICTED_SETS),
    (scores.pearson, lambda t, p: stats.pearsonr(t, p)[0], NUMBERS, PREDICTED_NUMBERS),
    (scores.spearman, lambda t, p: stats.spearmanr(t, p)[0], NUMBERS, PREDICTED_NUMBERS),
    (scores.r2, metrics.r2_score, NUMBERS, PREDICTED_NUMBERS),
    (scores.mean_absolute_error, metrics.mean_absolute_error, NUMBERS, PREDICTED_NUMBERS),
    (scores.root_mean_squared_error, metrics.root_mean_squared_error, NUMBERS, PREDICTED_NUMBERS),
]


@pytest.mark.parametrize(("measure", "reference", "truth", "prediction"), TRUTHS)
def test_a_measure_equals_its_reference(measure, reference, truth, prediction):
    assert measure(truth, prediction) == pytest.approx(reference(truth, prediction), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_log_loss_equals_scikit_learn_in_both_precisions(dtype):
    probabilities = np.array([[1, 0], [0.25, 0.75], [0, 1]], dtype=dtype)
    truth = np.array(["no", "yes", "no"])
    expected = metrics.log_loss(truth, probabilities)
    assert scores.log_loss(truth, probabilities, ["no", "yes"]) == pytest.approx(expected, rel=1e-6)
    expected = metrics.log_loss(LABELS, PROBABILITIES)
    assert scores.log_loss(LABELS, PROBABILITIES, list(NAMES)) == pytest.approx(expected)


def test_log_loss_follows_the_order_of_the_columns():
    turned = [2, 0, 3, 1]
    expected = scores.log_loss(TRUE_CODES, PROBABILITIES)
    assert scores.log_loss(LABELS, PROBABILITIES[:, turned], list(NAMES[turned])) == pytest.approx(expected)


def test_a_label_without_a_column_has_probability_zero():
    loss = scores.log_loss(["yes", "new"], [[0.5, 0.5], [0.5, 0.5]], ["no", "yes"])
    assert loss == pytest.approx((np.log(2) - np.log(np.finfo(float).eps)) / 2)


def test_log_loss_of_label_sets_is_the_mean_over_rows_and_labels():
    probabilities = RANDOM.uniform(0.05, 0.95, SETS.shape)
    expected = -np.mean(SETS * np.log(probabilities) + (1 - SETS) * np.log(1 - probabilities))
    assert scores.log_loss(SETS, probabilities) == pytest.approx(expected)


def test_calibration_error_is_the_weighted_gap_of_its_bins():
    confidence, right = PROBABILITIES.max(axis=1), PROBABILITIES.argmax(axis=1) == TRUE_CODES
    expected = 0.0
    for number in range(10):
        inside = (confidence > number / 10) & (confidence <= (number + 1) / 10)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert scores.expected_calibration_error(TRUE_CODES, PROBABILITIES, bins=10) == pytest.approx(expected)


def test_calibration_error_of_a_sure_and_right_model_is_zero():
    assert scores.expected_calibration_error([0, 1, 1], np.eye(2)[[0, 1, 1]]) == 0


def test_a_constant_prediction_has_no_correlation():
    for constant in (np.zeros(180), np.full(180, 0.1), np.full(180, NUMBERS.mean())):
        assert scores.pearson(NUMBERS, constant) == 0
        assert scores.spearman(constant, NUMBERS) == 0
    assert scores.r2(NUMBERS, np.full(180, NUMBERS.mean())) == pytest.approx(0, abs=1e-12)


def test_r2_of_a_constant_truth_is_one_if_right_and_else_zero():
    assert scores.r2([2, 2], [2, 2]) == 1
    assert scores.r2([2, 2], [2, 3]) == 0


def test_a_label_that_never_occurs_is_left_out_of_macro_f1():
    assert scores.macro_f1([[1, 0], [0, 0]], [[1, 0], [0, 0]]) == 1
    assert scores.macro_f1([[0], [0]], [[0], [0]]) == 0
    assert scores.micro_f1([[0], [0]], [[0], [0]]) == 0


def test_the_first_measure_of_a_kind_is_the_main_one():
    assert {kind: scores.main_measure(kind) for kind in scores.MEASURES} == {
        "binary": "accuracy",
        "multiclass": "accuracy",
        "multilabel": "micro_f1",
        "regression": "pearson",
    }


def test_measure_all_names_every_measure_once_the_main_one_first():
    measured = scores.measure_all("multiclass", LABELS, PREDICTED, PROBABILITIES, list(NAMES))
    assert list(measured) == ["accuracy", "balanced_accuracy", "macro_f1", "log_loss", "expected_calibration_error"]
    of_sets = scores.measure_all("multilabel", SETS, PREDICTED_SETS, PREDICTED_SETS.astype(float))
    assert list(of_sets) == ["micro_f1", "macro_f1", "exact_match", "log_loss"]
    assert list(scores.measure_all("regression", NUMBERS, PREDICTED_NUMBERS)) == list(scores.MEASURES["regression"])
    assert all(type(value) is float for value in measured.values())


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: scores.accuracy(["a"], ["a", "b"]), "one prediction for each row"),
        (lambda: scores.accuracy([], []), "at least one row"),
        (lambda: scores.accuracy("a", "a"), "Expected truth and prediction as"),
        (lambda: scores.accuracy(["1"], [1]), "both as text or both as numbers"),
        (lambda: scores.accuracy(["a", None], ["a", "b"]), "missing values"),
        (lambda: scores.accuracy([1.0, np.nan], [1.0, 1.0]), "row 1 is nan"),
        (lambda: scores.accuracy([["a"], ["a", "b"]], ["a", "b"]), "rows that differ"),
        (lambda: scores.micro_f1([[2, 0]], [[1, 0]]), "other than 0 and 1"),
        (lambda: scores.micro_f1([1, 0], [1, 0]), "a column a label"),
        (lambda: scores.pearson([1, np.inf], [1, 2]), "row 1 is inf"),
        (lambda: scores.pearson(["1", "2"], [1, 2]), "must be numbers"),
        (lambda: scores.log_loss([0], [[0.2, 0.2]]), "add up to 0.4"),
        (lambda: scores.log_loss([0], [[1.2, -0.2]]), "between 0 and 1"),
        (lambda: scores.log_loss([0, 1], [[1.0, 0.0]]), "a row for each true label"),
        (lambda: scores.log_loss(["a"], [[0.5, 0.5]]), "Pass labels"),
        (lambda: scores.log_loss(["a"], [[0.5, 0.5]], ["a"]), "one label a column"),
        (lambda: scores.measure_all("multilable", [0], [0]), "did you mean 'multilabel'"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_sentence(call, sentence):
    with pytest.raises(UsageError, match=sentence):
        call()
