"""An LSTM on a 100-word document has gradients like a 100-layer network.

    RNN:          h_t = tanh(W x_t + U h_(t-1)),      100 words are 100 nonlinear steps, through one and the same U
    LSTM:         c_t = f_t * c_(t-1) + i_t * g_t,    100 words are 100 products with a gate
    plain:        x = ReLU(W_l x),                    100 layers are 100 nonlinear steps
    residual:     x = x + W2 ReLU(W1 norm(x)),        the identity passes all of them (He et al. 2016)
    Transformer:  any two words meet in one attention

Hochreiter 1991; Pascanu et al. 2013.  The number of nonlinear steps on the shortest way is counted on the graph that
autograd has built; the layers are the families' own, as they begin.
"""

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Chart, Condition, Curve, Measurement, exact, mean_of
from scansion.claims.gradients import ATTENTION, GATED, RELU, TANH, jacobian_norms, set_forget_bias, steps_between
from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.layers.embedding import DEVIATION
from scansion.layers.feed_forward import FeedForward
from scansion.viewer.charts import Point
from scansion.viewer.number_format import figure_shown

WORDS, WIDTH, LAYERS = 100, 64, 4
PLAIN, RESIDUAL, TRANSFORMER = "plain network", "residual network", f"Transformer of {LAYERS} layers"
Reader = Callable[[Tensor], Tensor]
DEPTHS = (2, 5, 10, 20, 40, 60, 80, 100)


def networks(seed: int) -> tuple[dict[str, nn.RNNBase], Any, dict[str, nn.Sequential]]:
    """Recurrent layers by name, a Transformer, and stacks of layers by name, as they begin."""
    torch.manual_seed(seed)
    layers = {
        name: kind(width=WIDTH).build(4).double().states.forwards
        for name, kind in (("RNN", RNN), ("LSTM", LSTM), ("LSTM, forget bias 3", LSTM))
    }
    set_forget_bias(layers["LSTM, forget bias 3"], 3.0)
    plain = [nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU()) for _ in range(WORDS)]
    residual = [FeedForward(WIDTH, 2 * WIDTH, 0.0) for _ in range(WORDS)]
    stacks = {name: nn.Sequential(*some).double().eval() for name, some in ((PLAIN, plain), (RESIDUAL, residual))}
    return layers, Transformer(width=WIDTH, layers=LAYERS).build(4).double().eval(), stacks


def states(layer: nn.RNNBase, vectors: Tensor) -> Tensor:
    """Its states after each word."""
    return layer(vectors)[0]


def recurrent_steps(layer: nn.RNNBase, operations: tuple[str, ...]) -> int:
    """The fewest on the way from the last state to the first word, which is read by itself."""
    words = torch.randn(1, WORDS, layer.input_size, dtype=torch.float64)
    first = words[:, :1].clone().requires_grad_() * 1.0
    _, state = layer(first)
    _, last = layer(words[:, 1:], state)  # not the states: they are put together, which is a way between all of them
    return steps_between((last[0] if isinstance(last, tuple) else last).sum(), first, operations)[0]


def most_steps(read: Reader, operations: tuple[str, ...], words: int) -> int:
    """The most on a way from the last vector to the words."""
    inputs = torch.randn(1, words, WIDTH, dtype=torch.float64, requires_grad=True) * 1.0
    return steps_between(read(inputs)[0, -1].sum(), inputs, operations)[1]


def experiment(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    """Norms by how many words, or layers, lie between."""
    norms: dict[str, list[np.ndarray]] = {}
    with torch.random.fork_rng(devices=[]):
        for number in budget.seeds_from(seed):
            yield f"seed {number}"
            layers, transformer, stacks = networks(number)
            text = DEVIATION * torch.randn(WORDS, WIDTH, dtype=torch.float64)
            readers: dict[str, Reader] = {name: partial(states, layer) for name, layer in layers.items()}
            readers[TRANSFORMER] = lambda x: transformer.read(x, torch.ones(x.shape[:2], dtype=torch.bool))  # noqa: B023
            for name, read in readers.items():
                found = jacobian_norms(read, text)[::-1]
                norms.setdefault(name, []).append(found[[depth - 1 for depth in DEPTHS]] / found[1])
            for name, stack in stacks.items():
                found = np.array([jacobian_norms(stack[:depth], text[:1])[0] for depth in DEPTHS])
                norms.setdefault(name, []).append(found / jacobian_norms(stack[:1], text[:1])[0])
    steps = (
        exact("RNN: nonlinear steps on the way", recurrent_steps(layers["RNN"], TANH), "", f"{WORDS}"),
        exact("LSTM: nonlinear steps on the way", recurrent_steps(layers["LSTM"], GATED), "", f"{WORDS}, and a few"),
        exact("Transformer: attentions on the way", most_steps(readers[TRANSFORMER], ATTENTION, WORDS), "", "layers"),
        exact("plain network: nonlinear steps on the way", most_steps(stacks[PLAIN], RELU, 1), "", f"{WORDS}"),
    )
    logs = {name: np.log10(np.stack(each)) for name, each in norms.items()}
    ends = {name: mean_of(f"{name}: gradient of word 1", each[:, -1], "10^") for name, each in logs.items()}
    power = {name: figure_shown(each.value, each.unit) for name, each in ends.items()}
    means = {name: 10 ** each.mean(axis=0) for name, each in logs.items()}
    curves = tuple(Curve(name, tuple(map(Point, DEPTHS, each.tolist()))) for name, each in means.items())
    return Measurement(
        f"{WORDS} words are {steps[1].value:.0f} steps of an LSTM. As it begins the gradient of word 1 is "
        f"{power['LSTM']}, with a forget gate of bias 3 {power['LSTM, forget bias 3']}; that of the first of {WORDS} "
        f"plain layers is {power[PLAIN]}.",
        (*steps, *ends.values()),
        (Chart("A gradient on its way back", "Without open gates, or an identity around each layer, it is lost.",
               "words, or layers, on the way", "gradient, as a share of the nearest", curves, logarithmic_up=True,
               lowest=1e-20),),
    )


CLAIM = Claim(
    "depth", "An LSTM on a 100-word document has gradients like a 100-layer network.",
    "Hochreiter 1991; Pascanu et al. 2013; residual layers: He et al. 2016",
    "Every word is one more factor on the way back, as every layer is; an identity on the way keeps a gradient.",
    (
        Condition("LSTM: nonlinear steps on the way", least=WORDS), Condition("LSTM: gradient of word 1", most=-3),
        Condition("LSTM, forget bias 3: gradient of word 1", most=-3),
        Condition(f"{TRANSFORMER}: gradient of word 1", least=-3, core=False),
    ),
    experiment,
)
