"""LSTM: difficult to train.

What could be meant: few learning rates work.  Published: modern recurrent models succeed in a narrow window of learning
rates, Transformers in a wide one (arXiv 2508.19029); plain RNNs need clipping at least (Pascanu et al. 2013).

Here: the task of the claim ``order`` at distances up to 16, learning rates over three decades, and by how many steps
each family comes how far.  All have the same loop: AdamW, a warm-up, gradients clipped to a norm of 1.
"""

from collections.abc import Generator

import numpy as np

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Chart, Condition, Curve, Measurement, mean_at, mean_of
from scansion.claims.sequences import ORDER_WORDS, order_pairs
from scansion.claims.short_training import classifier, classifier_training, is_right
from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.randomness import stream

RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
DISTANCES, LENGTH, ROWS, STEPS, WIDTH = np.array([1, 2, 4, 8, 16]), 24, 16, 180, 32
EVERY, NEAR = 20, 0.02
FAMILIES = {
    "RNN": RNN(WIDTH, 0.0, 0.0), "LSTM": LSTM(WIDTH, 0.0, 0.0),
    "Transformer": Transformer(WIDTH, 4, 1, 2 * WIDTH, 0.0, 0.0, 0.0),
}


def accuracies(name: str, rate: float, seed: int, steps: int) -> np.ndarray:
    """On held-out sentences, after every so many steps."""
    held = order_pairs(stream(0, "difficulty, test"), 150, DISTANCES, LENGTH)
    network = classifier(FAMILIES[name], ORDER_WORDS, 2, seed)
    found = []
    for step in classifier_training(
        network, lambda number: order_pairs(stream(seed, "difficulty", number), ROWS // 2, DISTANCES, LENGTH), steps,
        rate, seed,
    ):
        if step.number % EVERY == 0 or step.number == steps:
            found.append(float(is_right(network, held).mean()))
    return np.array(found)


def experiment(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    """Every family at every rate."""
    seeds, steps = budget.seeds_from(seed), budget.of(STEPS, 80)
    rates = RATES if budget.work > 0.5 else RATES[::2]
    found = {name: np.zeros((len(rates), len(seeds))) for name in FAMILIES}
    needed = {name: np.full(len(seeds), float(steps)) for name in FAMILIES}
    for column, number in enumerate(seeds):
        for name in FAMILIES:
            yield f"{name}, seed {number}"
            runs = [accuracies(name, rate, number, steps) for rate in rates]
            found[name][:, column] = [run[-1] for run in runs]
            best = max(run[-1] for run in runs)
            needed[name][column] = min(
                EVERY * (1 + int(np.argmax(run >= best - NEAR))) for run in runs if run.max() >= best - NEAR
            )
    wide = {name: (each >= each.max(axis=0) - NEAR).mean(axis=0) for name, each in found.items()}
    figures = tuple(
        figure for name in FAMILIES for figure in (
            mean_of(f"{name}: share of learning rates within 2 points of its best", wide[name], "%"),
            mean_of(f"{name}: accuracy at its best rate", found[name].max(axis=0), "%"),
            mean_of(f"{name}: steps to within 2 points of its best", needed[name], "steps"),
        )
    )
    less = mean_of("Transformer’s share of rates less the LSTM’s", wide["Transformer"] - wide["LSTM"], "",
                   "above 0 if the LSTM is the more difficult")
    shares = {name: f"{100 * each.mean():.0f} %" for name, each in wide.items()}
    curves = tuple(
        Curve(name, tuple(mean_at(rate, each[row], "%") for row, rate in enumerate(rates)))
        for name, each in found.items()
    )
    return Measurement(
        f"Of the learning rates from {rates[0]:g} to {rates[-1]:g}, {shares['LSTM']} bring the LSTM within two points "
        f"of its own best, {shares['RNN']} the RNN and {shares['Transformer']} the Transformer; it takes them "
        f"{needed['LSTM'].mean():.0f}, {needed['RNN'].mean():.0f} and {needed['Transformer'].mean():.0f} steps at the "
        "best rate.",
        (less, *figures),
        (Chart("Accuracy by learning rate", "The wider the plateau, the easier the family is to train.",
               "learning rate, in ratios", "accuracy in %", curves, "%", logarithmic_across=True),),
    )


CLAIM = Claim(
    "training-difficulty", "The LSTM is difficult to train.",
    "arXiv 2508.19029 on windows of learning rates; Pascanu et al. 2013 on clipping",
    "A recurrent network trains well in a narrow window of learning rates, a Transformer in a wide one.",
    (Condition("Transformer’s share of rates less the LSTM’s", least=0.0),
     Condition("LSTM: share of learning rates within 2 points of its best", most=0.5)),
    experiment,
)
