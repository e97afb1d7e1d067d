"""From which probability on a label is given."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_curve

import scansion
from scansion.errors import UsageError
from scansion.heads.multiclass import MulticlassHead
from scansion.heads.multilabel import MultilabelHead
from scansion.heads.regression import RegressionHead
from scansion.heads.thresholds import GRID, best_thresholds, common_threshold, own_threshold
from scansion.measures.scores import micro_f1

LABELS = tuple("abcdef")


def rows(count: int, seed: int, offset: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are ``offset`` too low, and the labels that calibrated ones would have given."""
    random = np.random.default_rng(seed)
    logits = random.normal(loc=-2 - np.arange(6) / 2, scale=2, size=(count, 6))
    return logits - offset, (random.random((count, 6)) < 1 / (1 + np.exp(-logits))).astype(np.int64)


def test_the_common_threshold_is_the_one_of_the_highest_micro_f1():
    logits, targets = rows(300, 0)
    scores = [micro_f1(targets, (logits >= at).astype(int)) for at in GRID]
    found, score = common_threshold(logits, targets)
    assert found == GRID[int(np.argmax(scores))]
    assert score == pytest.approx(max(scores))


def test_a_label_of_many_rows_is_given_from_where_its_f1_is_highest_on():
    logits, targets = rows(400, 1)
    for k in range(3):
        precision, recall, _ = precision_recall_curve(targets[:, k], logits[:, k])
        best = np.max(2 * precision * recall / np.maximum(precision + recall, 1e-9))
        at = own_threshold(logits[:, k], targets[:, k], micro=best)  # as good as the others, both rules are one
        assert f1_score(targets[:, k], logits[:, k] > at) == pytest.approx(best)


def test_thresholds_learned_from_some_rows_are_better_on_others_where_logits_are_off():
    head, (logits, targets) = MultilabelHead(LABELS), rows(2_000, 2, offset=2.0)
    fresh, truth = rows(2_000, 3, offset=2.0)
    learned = head.with_thresholds(logits, targets)
    assert micro_f1(truth, learned.decide(fresh)) > micro_f1(truth, head.decide(fresh)) + 0.05


def test_a_label_that_no_held_out_row_has_gets_the_threshold_of_all_labels():
    logits, targets = rows(300, 4)
    targets[:, 5] = 0
    found = best_thresholds(logits, targets)
    assert np.log(found[5] / (1 - found[5])) == pytest.approx(common_threshold(logits, targets)[0])


def test_equal_logits_are_given_or_left_together():
    assert own_threshold(np.array([1.0, 1.0, 1.0, 0.0]), np.array([1, 0, 1, 0]), micro=0.5) == pytest.approx(0.5)


def test_nothing_held_out_and_no_label_at_all_change_nothing_and_fail_nowhere():
    head = MultilabelHead(LABELS)
    assert head.with_thresholds(np.zeros((0, 6)), np.zeros((0, 6))) == head
    assert head.with_thresholds(np.zeros((3, 6)), np.zeros((3, 6))).thresholds == pytest.approx([0.5] * 6)


def test_a_head_without_thresholds_decides_at_an_even_chance():
    logits, _ = rows(50, 5)
    np.testing.assert_array_equal(MultilabelHead(LABELS).decide(logits), logits > 0)


def test_heads_of_one_answer_have_no_thresholds():
    logits = np.random.default_rng(0).normal(size=(20, 3))
    for head in (MulticlassHead(tuple("abc")), RegressionHead(0.0, 1.0)):
        assert head.with_thresholds(logits, np.zeros(20, np.int64)) is head
        np.testing.assert_array_equal(head.decide_held_out(logits[:, : head.size], np.zeros(20)),
                                      head.decide(logits[:, : head.size]))


@pytest.mark.parametrize("wrong", [(0.5,), (0.5,) * 5 + (1.5,), (0.5,) * 5 + (float("nan"),)])
def test_thresholds_that_are_none_are_refused(wrong):
    with pytest.raises(UsageError, match="threshold"):
        MultilabelHead(LABELS, wrong)


TEXTS = [f"{'red ' * (i % 2 == 0)}{'round ' * (i % 3 == 0)}{'rare ' * (i % 10 == 0)}thing {i % 7}" for i in range(120)]
SETS = [("red",) * (i % 2 == 0) + ("round",) * (i % 3 == 0) + ("rare",) * (i % 10 == 0) for i in range(120)]


@pytest.mark.parametrize("family", ["bag-of-words", "n-grams"])
def test_a_saved_model_decides_by_the_thresholds_it_learned(family, tmp_path):
    model = scansion.DocumentClassifier(family, random_state=0).fit(TEXTS, SETS)
    assert len(model.fitted_.head.thresholds) == 3
    model.save(tmp_path / "model")
    again = scansion.load(tmp_path / "model")
    assert again.fitted_.head == model.fitted_.head
    logits = model.decision_function(TEXTS)
    np.testing.assert_array_equal(again.predict(TEXTS), model.fitted_.head.decide(logits))
    assert micro_f1(model.fitted_.head.decide(logits), np.array([[label in held for label in ("rare", "red", "round")]
                                                                 for held in SETS], int)) > 0.95
