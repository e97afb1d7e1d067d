"""Vanilla RNNs vanish or explode with the eigenvalue; the LSTM rescues.

    RNN:   dh_T/dh_(T-k) = prod diag(tanh'(a_t)) U,    norm radius^k for a rotation U where tanh is linear, else below
    LSTM:  dc_T/dc_(T-k) = prod f_t,                   sigmoid(b)^k for a forget gate with the bias b and nothing else
    Transformer: one layer lies between any two positions, at whatever distance

Bengio et al. 1994; Pascanu et al. 2013; the forget gate's bias: Gers et al. 2000, Jozefowicz et al. 2015.  The layers
are those of the families, in double precision; the linear cell is the tanh cell at rest, where tanh'(0) = 1.
"""

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Chart, Condition, Curve, Measurement, exact, mean_of
from scansion.claims.gradients import attention_reach, embedded, recurrent_reach, set_forget_bias, set_spectral_radius
from scansion.claims.reviews import judged
from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.viewer.charts import Point
from scansion.viewer.number_format import figure_shown

LENGTH, FAR, WIDTH, REVIEWS = 201, 50, 64, 800
TRAINED: dict[str, Any] = {"trained RNN": (RNN(WIDTH), recurrent_reach), "trained LSTM": (LSTM(WIDTH), recurrent_reach),
                           "trained Transformer": (Transformer(WIDTH), attention_reach)}
RADII, BIASES = (0.5, 0.9, 1.0, 1.1, 1.5), (0, 1, 3, 5)
AFTER = f"gradient after {FAR} words"
DEAD = -3  # a thousandth of the nearest word's teaches nothing beside it
PREDICTED = {
    **{f"RNN, radius {radius}": f"at most {figure_shown(radius**FAR, '')}" for radius in RADII},
    **{f"LSTM, bias {bias}": f"about {figure_shown((1 + np.exp(-bias)) ** -FAR, '')}" for bias in BIASES},
    "Transformer": "1: it does not know distance",
    **dict.fromkeys(TRAINED, "nothing: training moves the weights where the labels ask for it"),
}


def drawn(family: Any, seed: int) -> Any:
    """The family's network as it begins, in double precision."""
    torch.manual_seed(seed)
    return family.build(LENGTH + 3).double().eval()


def experiment(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    """Every cell on the same words, as it begins and after training."""
    found, errors = dict[str, list[NDArray]](), []

    def measure(name: str, reach: Any, network: Any) -> None:
        found.setdefault(name, []).append(reach(network, embedded(network, LENGTH)))

    with torch.random.fork_rng(devices=[]):
        for number in budget.seeds_from(seed):
            for radius in RADII:
                network = drawn(RNN(WIDTH), number)
                set_spectral_radius(network.states.forwards, radius)
                measure(f"RNN, radius {radius}", recurrent_reach, network)
                at_rest = recurrent_reach(network, torch.zeros(LENGTH, WIDTH).double())
                errors.append(np.abs(at_rest / radius ** np.arange(LENGTH) - 1).max())
            for bias in BIASES:
                network = drawn(LSTM(WIDTH), number)
                set_forget_bias(network.states.forwards, bias)
                measure(f"LSTM, bias {bias}", recurrent_reach, network)
            measure("Transformer", attention_reach, drawn(Transformer(WIDTH), number))
            for name, (family, reach) in TRAINED.items():
                yield f"training {name.removeprefix('trained ')}, seed {number}"
                measure(name, reach, judged(family, number, budget.of(REVIEWS, 200)).encoder.double().eval())
    logs = {name: np.log10(np.maximum(each, 1e-300)) for name, each in found.items()}
    far = {name: mean_of(f"{name}: {AFTER}", each[:, FAR], "10^", PREDICTED[name]) for name, each in logs.items()}
    told = {name: figure_shown(figure.value, "10^") for name, figure in far.items()}
    theory = [Curve(f"{each}^k", tuple(Point(k, each**k) for k in range(0, 201, 10)), True) for each in RADII[:2]]
    return Measurement(
        f"After {FAR} words the gradient of an LSTM whose forget gate has torch's default bias, 0, is "
        f"{told['LSTM, bias 0']} of the nearest word's; with bias 1 it is {told['LSTM, bias 1']}, with 3 "
        f"{told['LSTM, bias 3']}; that of a tanh RNN of radius 0.9 is {told['RNN, radius 0.9']}. Whether the LSTM "
        f"rescues anything depends on one number; after training on film reviews it is {told['trained LSTM']}.",
        (exact("linear cell: largest relative error of radius^k", max(errors), "", "0: the formula is exact"),
         *far.values()),
        (
            picture("RNN by the spectral radius of its matrix", "Below radius 1 the gradient vanishes, above it may "
                    "explode; tanh holds it below radius^k, which is dashed.", logs, "RNN, ", theory),
            picture("LSTM by the bias of its forget gate, and Transformer", "The larger the bias, the further the "
                    "gradient reaches; the Transformer's does not know distance.", logs, ("LSTM, ", "Transf"), ()),
            picture(f"After training on {REVIEWS} film reviews", "What words far back still teach, once labels have "
                    "moved the weights.", logs, "trained", ()),
        ),
    )


def picture(
    title: str, sentence: str, logs: dict[str, NDArray], begin: str | tuple[str, ...], theory: Sequence[Curve]
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
