"""Gradients of the claims against what is known of them: formulas, torch's own Jacobian, lengths of paths."""

import numpy as np
import pytest
import torch
from torch import nn

from scansion.claims.costs import exponent, forward_and_backward
from scansion.claims.depth import WORDS, most_steps, networks, recurrent_steps
from scansion.claims.gradients import (
    ATTENTION,
    GATED,
    RELU,
    TANH,
    jacobian_norms,
    set_forget_bias,
    set_spectral_radius,
    steps_between,
)
from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.layers.feed_forward import ACTIVATIONS


def layer_of(family):
    torch.manual_seed(0)
    return family(width=16).build(4).double().states.forwards


@pytest.mark.parametrize("family", [RNN, LSTM])
def test_norms_are_those_of_torchs_jacobian(family):
    layer, inputs = layer_of(family), torch.randn(7, 16, dtype=torch.float64)
    whole = torch.autograd.functional.jacobian(lambda x: layer(x[None])[0][0, -1], inputs)  # (E, L, D)
    np.testing.assert_allclose(
        jacobian_norms(lambda x: layer(x)[0], inputs), whole.square().sum(dim=(0, 2)).sqrt(), rtol=1e-10
    )


@pytest.mark.parametrize("radius", [0.5, 0.9, 1.0, 1.1, 1.5])
def test_a_linear_cells_gradient_is_the_radius_to_the_power_of_the_distance(radius):
    layer = layer_of(RNN)
    set_spectral_radius(layer, radius)
    assert torch.linalg.eigvals(layer.weight_hh_l0.detach()).abs().numpy() == pytest.approx(radius)
    norms = jacobian_norms(lambda x: layer(x)[0], torch.zeros(60, 16, dtype=torch.float64))[::-1]
    np.testing.assert_allclose(norms / norms[0], radius ** np.arange(60), rtol=1e-4)
    driven = jacobian_norms(lambda x: layer(x)[0], torch.randn(60, 16, dtype=torch.float64))[::-1]
    assert np.all(driven <= norms * (1 + 1e-9))  # tanh only shrinks


def test_an_lstm_at_rest_forgets_by_the_sigmoid_of_its_bias():
    layer = layer_of(LSTM)
    with torch.no_grad():
        for name, weights in layer.named_parameters():
            if name != "weight_ih_l0":
                nn.init.zeros_(weights)
    for bias in (0.0, 1.0, 3.0):
        set_forget_bias(layer, bias)
        norms = jacobian_norms(lambda x: layer(x)[0], torch.zeros(30, 16, dtype=torch.float64))[::-1]
        np.testing.assert_allclose(norms / norms[0], (1 + np.exp(-bias)) ** -np.arange(30.0), rtol=1e-9)


def test_paths_are_as_long_as_they_are_known_to_be():
    layers, transformer, stacks = networks(0)
    assert recurrent_steps(layers["RNN"], TANH) == WORDS
    assert recurrent_steps(layers["LSTM"], GATED) == WORDS + 3  # along c; tanh and a gate at either end
    assert most_steps(stacks["plain network"], RELU, 1) == WORDS
    mask = torch.ones(1, 5, dtype=torch.bool)
    assert most_steps(lambda x: transformer.read(x, mask), ATTENTION, 5) == 4


def test_a_residual_layer_is_gone_around():
    x = torch.randn(3, requires_grad=True) * 1.0
    y = x + torch.tanh(torch.tanh(x))
    assert steps_between(y.sum(), x, TANH) == (0, 2)


def test_exponents_and_bytes_are_those_of_the_formula():
    lengths = np.array([64.0, 128, 256, 512])
    assert exponent(lengths, 3 * lengths**2) == pytest.approx(2)
    network = Transformer(16, 2, 1, 32, 0.0, 0.0, 0.0).build(200)
    (_, fused), (_, written) = (forward_and_backward(network, 512, each) for each in (False, True))
    assert written - fused > 1.9 * 512**2 * 4  # the weights of both heads, four bytes each


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_the_transformers_activation_is_torchs(name):
    x = torch.linspace(-3, 3, 7)
    torch.testing.assert_close(ACTIVATIONS[name](x), getattr(nn.functional, name)(x))
