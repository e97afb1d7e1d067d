"""Losses at the best temperature."""

import numpy as np
import pytest
import torch

from scansion.heads.losses import row_losses
from scansion.heads.multiclass import MulticlassHead
from scansion.heads.regression import RegressionHead
from scansion.heads.temperature import calibrated_losses

random = np.random.default_rng(0)
SCORES = random.normal(size=(300, 3))
TARGETS = (SCORES + random.normal(size=SCORES.shape)).argmax(axis=1)
ONES = np.ones(len(TARGETS))
HEAD = MulticlassHead(("a", "b", "c"))


def test_the_temperature_is_the_best_of_a_fine_grid():
    scores, targets = torch.from_numpy(SCORES), torch.from_numpy(TARGETS)
    grid = [row_losses(HEAD, t * scores, targets).mean().item() for t in np.geomspace(0.1, 10, 999)]
    assert calibrated_losses(HEAD, SCORES, TARGETS, ONES).mean() == pytest.approx(min(grid), abs=1e-5)


def test_how_sure_a_head_is_makes_no_difference_only_how_it_ranks():
    losses = calibrated_losses(HEAD, SCORES, TARGETS, ONES)
    np.testing.assert_allclose(calibrated_losses(HEAD, 7 * SCORES, TARGETS, ONES), losses, atol=1e-3)


def test_weights_choose_whose_temperature_it_is():
    wrong = np.where(np.arange(300) < 150, TARGETS, (TARGETS + 1) % 3)
    mine = np.where(np.arange(300) < 150, 1.0, 0.0)
    alone = calibrated_losses(HEAD, SCORES[:150], TARGETS[:150], ONES[:150])
    np.testing.assert_allclose(calibrated_losses(HEAD, SCORES, wrong, mine)[:150], alone, atol=1e-3)


def test_numbers_are_taken_as_they_are():
    targets = np.float32(SCORES[:, 0]) + 1
    losses = calibrated_losses(RegressionHead(0.0, 1.0), SCORES[:, :1], targets, ONES)
    np.testing.assert_allclose(losses, 0.5, atol=1e-6)
