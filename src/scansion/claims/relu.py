"""Sigmoids' gradients die; ReLU is robust, fast, better.

    sigmoid' = s (1 - s) <= 1/4,     tanh' <= 1,     ReLU' is 0 or 1,     GELU(x) = x Phi(x) (Hendrycks, Gimpel 2016)

So a gradient passes L sigmoids as at most 4^-L of itself (Nair and Hinton 2010; Glorot et al. 2011).  In a Transformer
it passes by them: x + W2 act(W1 norm(x)).  Plain layers have He's initialisation (He et al. 2015).
"""

from collections.abc import Generator

import numpy as np
import torch
from torch import nn

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Chart, Condition, Curve, Measurement, mean_of, share_of
from scansion.claims.gradients import jacobian_norms
from scansion.claims.reviews import Judged, judged, reviews
from scansion.families.transformer import Transformer
from scansion.layers.feed_forward import ACTIVATIONS
from scansion.viewer.charts import Point
from scansion.viewer.number_format import figure_shown

DEPTHS, WIDTH, DEEP = (2, 4, 8, 16, 32), 64, 16
ROWS = 800
NAMES = ("sigmoid", "tanh", "relu", "gelu")


class Activation(nn.Module):
    """One of the feed-forward part's, as a layer."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return ACTIVATIONS[self.name](vectors)


def plain(name: str, seed: int) -> list[float]:
    """The gradient at the first of so many layers, as a share of one layer's."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for _ in range(max(DEPTHS)):
        linear = nn.Linear(WIDTH, WIDTH)
        nn.init.kaiming_normal_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, Activation(name)]
    whole, inputs = nn.Sequential(*layers).double(), torch.randn(1, WIDTH, dtype=torch.float64)
    first = jacobian_norms(whole[:2], inputs)[0]
    return [float(np.log10(jacobian_norms(whole[: 2 * depth], inputs)[0] / first)) for depth in DEPTHS]


def dead_units(run: Judged) -> float:
    """The share of the first layer's units that stay below a thousandth on every word of some test reviews."""
    largest: list[torch.Tensor] = []
    part = run.encoder.blocks[0].feed_forward
    hook = part.inner.register_forward_hook(
        lambda layer, given, made: largest.append(part.activation(made).flatten(0, 1).abs().amax(dim=0))
    )
    run.model.predict(reviews()[1].texts[:200])
    hook.remove()
    return float((torch.stack(largest).amax(dim=0) < 1e-3).float().mean())


def experiment(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    """Plain layers, and the Transformer on the shipped reviews."""
    seeds, rows = budget.seeds_from(seed), budget.of(ROWS, 60)
    with torch.random.fork_rng(devices=[]):
        depths = {name: np.array([plain(name, number) for number in seeds]) for name in NAMES}
    found: dict[str, list[Judged]] = {name: [] for name in NAMES}
    for number in seeds:
        for name in NAMES:
            yield f"Transformer with {name}, seed {number}"
            found[name].append(judged(Transformer(WIDTH, 4, 2, 4 * WIDTH, activation=name), number, rows))
    deep = {name: mean_of(f"{name}: gradient at the first of {DEEP} layers", each[:, DEPTHS.index(DEEP)], "10^", told)
            for (name, each), told in zip(depths.items(), PREDICTED, strict=True)}
    inside = [
        figure for name, runs in found.items() for figure in (
            share_of(f"Transformer with {name}: accuracy", [run.right for run in runs]),
            mean_of(f"Transformer with {name}: training", [run.fit_seconds for run in runs], "s"),
            mean_of(f"Transformer with {name}: dead units", [dead_units(run) for run in runs], "%"),
        )
    ]
    gain = mean_of("points of ReLU over the sigmoid, in a Transformer",
                   [100 * (a.accuracy - b.accuracy) for a, b in zip(found["relu"], found["sigmoid"], strict=True)])
    curves = [
        Curve(name, tuple(Point(depth, float(10 ** each[:, i].mean())) for i, depth in enumerate(DEPTHS)))
        for name, each in depths.items()
    ]
    bound = Curve("4^(1 − L)", tuple(Point(depth, 4.0 ** (1 - depth)) for depth in DEPTHS), True)
    lost = {name: figure_shown(each.value, each.unit) for name, each in deep.items()}
    return Measurement(
        f"Of a gradient {lost['sigmoid']} comes through {DEEP} plain layers with sigmoids, {lost['tanh']} with tanh, "
        f"{lost['relu']} with ReLU. In a Transformer, where an identity passes around each layer, ReLU's accuracy on "
        f"the reviews less the sigmoid's is {gain.value:+.1f} points ({gain.low:+.1f} to "
        f"{gain.high:+.1f}).",
        (*deep.values(), gain, *inside),
        (Chart("A gradient through plain layers", "Sigmoids lose it within a few layers; in ReLU it survives them all.",
               "layers", "gradient, as a share of one layer's", (*curves, bound), logarithmic_up=True, lowest=1e-20),),
    )


PREDICTED = (f"about {figure_shown(4.0 ** (1 - DEEP), '')} times the weights’ gain", "smaller", "about 1", "about 1")
CLAIM = Claim(
    "relu", "Sigmoids' gradients die; ReLU is robust, fast and better.",
    "Nair and Hinton 2010; Glorot et al. 2011; He et al. 2015; GELU: Hendrycks and Gimpel 2016",
    "A plain stack of sigmoids passes at most 4^-L of a gradient times its weights' gain; a residual layer lets it by.",
    (
        Condition(f"sigmoid: gradient at the first of {DEEP} layers", most=-6),
        Condition(f"relu: gradient at the first of {DEEP} layers", least=-1.5),
        Condition("points of ReLU over the sigmoid, in a Transformer", least=0.0),
    ),
    experiment,
)
