"""What rows count by their labels: a word, a mapping, and what the command is given."""

import numpy as np
import pytest

import scansion
from scansion.errors import UsageError
from scansion.heads.multiclass import MulticlassHead
from scansion.heads.multilabel import MultilabelHead
from scansion.tasks.class_weights import check_class_weight, class_row_weights, parsed_class_weight

TEXTS = [f"{'spam' if i % 10 == 0 else 'ham'} letter {i % 7}" for i in range(60)]
LABELS = ["spam" if i % 10 == 0 else "ham" for i in range(60)]


def test_a_row_counts_what_its_label_does_and_one_not_named_counts_one():
    head, targets = MulticlassHead(("ham", "spam", "tripe")), np.array([0, 1, 1, 2])
    np.testing.assert_allclose(class_row_weights({"spam": 5, "ham": 0.5}, head, targets), [0.5, 5, 5, 1])
    np.testing.assert_allclose(class_row_weights(None, head, targets), 1)


def test_a_row_of_several_labels_counts_their_mean_and_one_of_none_one():
    head, targets = MultilabelHead(("a", "b")), np.array([[1, 1], [0, 1], [0, 0]])
    np.testing.assert_allclose(class_row_weights({"a": 3}, head, targets), [2, 1, 1])


def test_balanced_is_scikit_learns():
    from sklearn.utils.class_weight import compute_sample_weight

    targets = np.array([0, 1, 1, 1])
    found = class_row_weights("balanced", MulticlassHead(("a", "b")), targets)
    np.testing.assert_allclose(found, compute_sample_weight("balanced", targets))


def test_labels_that_are_numbers_or_booleans_are_named_as_such_or_as_text():
    head, targets = MulticlassHead((1, 2)), np.array([0, 1])
    for given in ({1: 3.0}, {"1": 3.0}, {np.int64(1): np.float32(3)}):
        np.testing.assert_allclose(class_row_weights(given, head, targets), [3, 1])


def test_a_mapping_does_the_same_as_sample_weights_and_is_stored(tmp_path):
    weighted = scansion.DocumentClassifier("bag-of-words", class_weight={"spam": 5}, random_state=0).fit(TEXTS, LABELS)
    rows = scansion.DocumentClassifier("bag-of-words", random_state=0).fit(
        TEXTS, LABELS, sample_weight=[5.0 if label == "spam" else 1.0 for label in LABELS])
    np.testing.assert_allclose(weighted.decision_function(TEXTS), rows.decision_function(TEXTS), rtol=1e-5)
    weighted.save(tmp_path / "model")
    assert scansion.load(tmp_path / "model").class_weight == {"spam": 5.0}


def test_the_command_takes_labels_that_hold_an_equals_sign():
    assert parsed_class_weight("a=b=2,c=1e-1") == {"a=b": 2.0, "c": 0.1}
    assert parsed_class_weight("balanced") == "balanced"
    assert parsed_class_weight(None) is None


@pytest.mark.parametrize(("written", "said"), [
    ("balance", "balanced"), ("spam", "spam=5"), ("spam=", "got 'spam='"), ("=5", "got '=5'"), ("spam=x", "spam=x"),
    ("spam=nan", "spam=nan"), ("spam=-1", "from 0 on"), ("spam=inf", "from 0 on"), ("a=1,a=2", "twice"),
    ("", "balanced"), ("a=1,", "got ''"),
])
def test_what_the_command_cannot_take_is_said(written, said):
    with pytest.raises(UsageError, match=said):
        parsed_class_weight(written)


@pytest.mark.parametrize("given", ["even", 5, ["spam"], {"spam": "5"}, {"spam": -1}, {"spam": float("nan")},
                                   {"spam": True}, {"spam": None}])
def test_what_is_no_weighting_is_refused(given):
    with pytest.raises(UsageError, match="class_weight"):
        check_class_weight(given)
    with pytest.raises(UsageError, match="class_weight"):
        scansion.compare(TEXTS, LABELS, ["bag-of-words"], class_weight=given)


def test_a_label_that_no_row_has_and_weights_that_leave_no_row_are_refused():
    head, targets = MulticlassHead(("ham", "spam")), np.array([0, 1])
    with pytest.raises(UsageError, match=r"'spma', and no row has that label.*spam"):
        class_row_weights({"spma": 5}, head, targets)
    with pytest.raises(UsageError, match="no row counts anything"):
        class_row_weights({"ham": 0, "spam": 0}, head, targets)
    more = {"ham": 1, "spam": 2, "of another part": 3}  # such as of a fold that lacks a label
    np.testing.assert_allclose(class_row_weights(more, head, targets), [1, 2])
