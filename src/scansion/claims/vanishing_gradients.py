"""Vanilla RNNs vanish or explode with the eigenvalue; the LSTM rescues.

    RNN:   dh_T/dh_(T-k) = prod diag(tanh'(a_t)) U,    norm radius^k for a rotation U where tanh is linear, else below
    LSTM:  dc_T/dc_(T-k) = prod f_t,                   sigmoid(b)^k for a forget gate with the bias b and nothing else
    Transformer: one layer lies between any two positions, at whatever distance

Bengio et al. 1994; Pascanu et al. 2013; the forget gate's bias: Gers et al. 2000, Jozefowicz et al. 2015.  The layers
are those of the families, in double precision; the linear cell is the tanh cell at rest, where tanh'(0) = 1.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Chart, Condition, Curve, Figure, Measurement, exact, mean_of
from scansion.claims.gradients import jacobian_norms, set_forget_bias, set_spectral_radius
from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.viewer.charts import Point
from scansion.viewer.number_format import figure_shown

DISTANCES, FAR, WIDTH = 200, 50, 64
RADII, BIASES = (0.5, 0.9, 1.0, 1.1, 1.5), (0, 1, 3, 5)
AFTER = f"gradient after {FAR} words"
DEAD = -3  # a thousandth of the nearest word's teaches nothing beside it
PREDICTED = {
    **{f"RNN, radius {radius}": f"at most {figure_shown(radius**FAR, '')}" for radius in RADII},
    **{f"LSTM, bias {bias}": f"about {figure_shown((1 + np.exp(-bias)) ** -FAR, '')}" for bias in BIASES},
    "Transformer": "1: it does not know distance",
}


def drawn(family: Callable[..., Any], seed: int) -> tuple[Any, torch.Tensor]:
    """The family's network as it begins, and a text of its word vectors (L, D), in double precision."""
    torch.manual_seed(seed)
    network = family(width=WIDTH).build(DISTANCES + 4).double().eval()
    return network, network.embedding(3 + torch.arange(DISTANCES + 1)[None])[0].detach()


def of_layer(layer: torch.nn.RNNBase, inputs: torch.Tensor) -> np.ndarray:
    """Of its last state with respect to the words at distances 0 .. L - 1, as a share of the nearest's."""
    norms = jacobian_norms(lambda vectors: layer(vectors)[0], inputs)[::-1]
    return norms / norms[0]


def experiment(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    """Every cell on the same random texts, untrained."""
    found, errors = dict[str, list[np.ndarray]](), []
    with torch.random.fork_rng(devices=[]):
        for number in budget.seeds_from(seed):
            yield f"seed {number}"
            for radius in RADII:
                network, inputs = drawn(RNN, number)
                layer = network.states.forwards
                set_spectral_radius(layer, radius)
                torch.nn.init.orthogonal_(layer.weight_ih_l0)
                errors.append(np.abs(of_layer(layer, 0 * inputs) / radius ** np.arange(DISTANCES + 1) - 1).max())
                found.setdefault(f"RNN, radius {radius}", []).append(of_layer(layer, inputs))
            for bias in BIASES:
                network, inputs = drawn(LSTM, number)
                set_forget_bias(network.states.forwards, bias)
                found.setdefault(f"LSTM, bias {bias}", []).append(of_layer(network.states.forwards, inputs))
            network, inputs = drawn(Transformer, number)
            read, mask = network.read, torch.ones(1, len(inputs), dtype=torch.bool)
            norms = jacobian_norms(lambda x: read(x, mask.expand(len(x), -1)), inputs)[::-1]  # noqa: B023
            found.setdefault("Transformer", []).append(norms / norms[1])  # at 0 is the word itself, unattended
    logs = {name: np.log10(np.maximum(each, 1e-300)) for name, each in found.items()}
    far = {name: mean_of(f"{name}: {AFTER}", each[:, FAR], "10^", PREDICTED[name]) for name, each in logs.items()}
    theory = [Curve(f"{each}^k", tuple(Point(k, each**k) for k in range(0, 201, 10)), True) for each in (0.5, 0.9)]
    return Measurement(
        f"After {FAR} words the gradient of an LSTM whose forget gate has torch's default bias, 0, is "
        f"{power(far, 'LSTM, bias 0')} of the nearest word's; with bias 1 it is {power(far, 'LSTM, bias 1')}, with "
        f"3 {power(far, 'LSTM, bias 3')}; that of a tanh RNN of radius 0.9 is {power(far, 'RNN, radius 0.9')}. Whether "
        "the LSTM rescues anything depends on one number.",
        (exact("linear cell: largest relative error of radius^k", max(errors), "", "0: the formula is exact"),
         *far.values()),
        (
            picture("RNN by the spectral radius of its matrix", "Below radius 1 the gradient vanishes, above it may "
                    "explode; tanh holds it below radius^k, which is dashed.", logs, "RNN, ", theory),
            picture("LSTM by the bias of its forget gate, and Transformer", "The larger the bias, the further the "
                    "gradient reaches; the Transformer's does not know distance.", logs, ("LSTM, ", "Transf"), ()),
        ),
    )


def power(far: Mapping[str, Figure], name: str) -> str:
    """A figure in words."""
    return figure_shown(far[name].value, "10^")


def picture(
    title: str, sentence: str, logs: Mapping[str, np.ndarray], begin: str | tuple[str, ...], theory: Sequence[Curve]
) -> Chart:
    """The geometric means over seeds of those whose names begin so."""
    curves = [
        Curve(name, tuple(Point(k, 10 ** each[:, k].mean()) for k in (*range(1, 20, 3), *range(20, 201, 10))))
        for name, each in logs.items() if name.startswith(begin)
    ]
    return Chart(title, sentence, "distance in words", "gradient, as a share of the nearest word's",
                 (*curves, *theory), logarithmic_up=True, lowest=1e-12)


CLAIM = Claim(
    "vanishing-gradients", "Vanilla RNNs vanish or explode with the eigenvalue; the LSTM rescues.",
    "Bengio et al. 1994; Pascanu et al. 2013; forget gate: Gers et al. 2000, Jozefowicz et al. 2015",
    "radius^k is the most that a tanh RNN keeps of a gradient after k words; an LSTM keeps about sigmoid(bias)^k.",
    (
        Condition("linear cell: largest relative error of radius^k", most=1e-4, core=False),
        Condition(f"RNN, radius 0.5: {AFTER}", most=DEAD),
        Condition(f"RNN, radius 1.5: {AFTER}", least=0),
        Condition(f"LSTM, bias 0: {AFTER}", least=DEAD),
        Condition(f"LSTM, bias 1: {AFTER}", least=DEAD),
        Condition(f"LSTM, bias 3: {AFTER}", least=DEAD),
    ),
    experiment,
)
