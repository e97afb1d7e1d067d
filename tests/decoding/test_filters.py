"""What is made of scores before a token is drawn, against the processors of ``transformers``."""

import numpy as np
import pytest
import torch
from transformers import (
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from scansion.decoding.filters import Sampling, likeliest
from scansion.decoding.sampling import drawing
from scansion.errors import UsageError

BEFORE = [[3, 3, 7, 11], [0, 5, 5, 49]]
OPTIONS = [
    {"repetition_penalty": 1.3}, {"temperature": 0.6}, {"top_k": 5}, {"top_p": 0.8}, {"min_p": 0.1},
    {"top_k": 80, "top_p": 1e-9}, {"min_p": 1.0}, {"temperature": 1.7, "top_p": 0.95},
    {"repetition_penalty": 0.8, "temperature": 0.9, "top_k": 20, "top_p": 0.9, "min_p": 0.05},
]


def test_the_first_of_equal_scores_is_the_likeliest():
    scores = torch.tensor([[0.0, 2.0, 2.0], [-1.0, -2.0, -1.0], [float("-inf"), float("-inf"), -9.0]])
    assert likeliest(scores).tolist() == [1, 0, 2]
    drawn = torch.from_numpy(np.random.default_rng(0).normal(size=(7, 1_000)).astype(np.float32))
    assert likeliest(drawn).equal(drawn.argmax(dim=1))


def theirs(scores: torch.Tensor, options: dict[str, float]) -> torch.Tensor:
    order = {
        "repetition_penalty": RepetitionPenaltyLogitsProcessor, "temperature": TemperatureLogitsWarper,
        "top_k": TopKLogitsWarper, "top_p": TopPLogitsWarper, "min_p": MinPLogitsWarper,
    }
    for name, processor in order.items():
        if name in options:
            scores = processor(options[name])(torch.tensor(BEFORE), scores)
    return scores


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("logits", [True, False], ids=["logits", "log-probabilities"])
def test_scores_are_those_of_transformers(options, logits):
    scores = 3 * torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    scores = scores if logits else scores.log_softmax(dim=1)
    found = Sampling(**options).filtered(scores, BEFORE)
    torch.testing.assert_close(found, theirs(scores.clone(), options))


def test_temperature_nought_takes_the_likeliest_whatever_the_draw():
    scores = torch.randn(2, 50, generator=torch.Generator().manual_seed(1))
    choose = drawing(Sampling(temperature=0), 0, [(0,), (1,)], [[], []])
    for position in range(20):
        assert torch.equal(choose(scores, torch.arange(2), position), scores.argmax(dim=1))


def test_draws_follow_the_filtered_distribution():
    scores = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
    choose = drawing(Sampling(top_p=0.75), 0, [(0,)], [[]])
    drawn = np.bincount([int(choose(scores, torch.arange(1), position)) for position in range(2_000)], minlength=4)
    assert drawn[2:].sum() == 0
    assert drawn[0] / 2_000 == pytest.approx(5 / 8, abs=0.04)


@pytest.mark.parametrize("options", [
    {"temperature": -0.1}, {"temperature": float("nan")}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.1}, {"min_p": -0.1},
    {"repetition_penalty": 0.0},
], ids=str)
def test_options_out_of_bounds_are_refused(options):
    with pytest.raises(UsageError, match="got"):
        Sampling(**options)
