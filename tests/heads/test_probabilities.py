"""What heads make of logits, beside the losses that they are learned with."""

import numpy as np
import pytest
import torch

from scansion.heads.catalogue import HEADS
from scansion.heads.losses import LOSSES, row_losses
from scansion.heads.multiclass import MulticlassHead
from scansion.heads.multilabel import MultilabelHead

LOGITS = np.random.default_rng(0).normal(scale=3, size=(200, 4))


def test_every_kind_of_answer_has_a_loss():
    assert LOSSES.keys() == HEADS.keys()


@pytest.mark.parametrize("head", [MulticlassHead(tuple("ab")), MulticlassHead(tuple("abcd"))], ids=["two", "four"])
def test_the_cross_entropy_is_minus_the_logarithm_of_the_probability(head):
    logits = LOGITS[:, : head.size]
    targets = np.arange(200) % len(head.labels)
    wanted = row_losses(head, torch.from_numpy(logits), torch.from_numpy(targets)).numpy()
    found = head.probabilities(logits)[np.arange(200), targets]
    np.testing.assert_allclose(-np.log(found), wanted, rtol=1e-9)
    np.testing.assert_allclose(head.probabilities(logits).sum(axis=1), 1, atol=1e-12)


def test_the_support_of_each_label_is_the_logarithm_of_its_probability_however_small():
    four, two, several = MulticlassHead(tuple("abcd")), MulticlassHead(("a", "b")), MultilabelHead(tuple("abcd"))
    far = np.array([[-800.0, 0.0, 30.0, 5.0]])
    exact = torch.from_numpy(far)
    np.testing.assert_allclose(four.support(far, 0, 1.0), exact.log_softmax(dim=1)[:, 0], rtol=1e-14)
    np.testing.assert_allclose(two.support(far, 0, -1.0), [0.0], atol=1e-14)
    np.testing.assert_allclose(two.support(far, 0, 1.0), [-800.0], rtol=1e-14)
    np.testing.assert_allclose(several.support(far, 2, -1.0), [-30.0], rtol=1e-12)
    np.testing.assert_allclose(np.log(several.probabilities(LOGITS)[:, 1]), several.support(LOGITS, 1, 1.0), rtol=1e-9)
