"""Multi-head attention is not hard to scale.

    MultiHead(Q, K, V) = [head_1 ; ... ; head_h] W,     every head of width D / h: the same size and work for any h

Vaswani et al. 2017, table 3 A: BLEU 24.9, 25.5, 25.8, 25.8, 25.4 for 1, 4, 8, 16, 32 heads; after training most heads
can be taken away (Michel et al. 2019).  Here: recall of pairs, which takes several look-ups at once, and film reviews.
"""

import time
from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Chart, Condition, Curve, Measurement, mean_at, mean_of, share_at, share_of
from scansion.claims.reviews import judged
from scansion.claims.sequences import recall_of_pairs, recall_words
from scansion.claims.short_training import foretold, language_training
from scansion.families.causal_transformer import CausalTransformer
from scansion.families.transformer import Transformer
from scansion.learning.language_network import build_language
from scansion.randomness import stream

HEADS, WIDTH, PAIRS, NAMES, ROWS, STEPS, EVERY, LEARNING_RATE = (1, 2, 4, 8), 32, 8, 8, 24, 300, 20, 5e-3
REVIEWS = 800


def recalled(heads: int, seed: int, steps: int) -> tuple[NDArray, float, float]:
    """Which values are recalled at the end, the mean share on the way, and seconds of training."""
    family = CausalTransformer(WIDTH, heads, 2, 2 * WIDTH, 0.0, 64)
    model = build_language(family, recall_words(NAMES), 0.0, seed)
    test, way = recall_of_pairs(stream(0, "heads, test"), 60, PAIRS, NAMES), []
    begun = time.process_time()
    for step in language_training(
        model, lambda number: recall_of_pairs(stream(seed, "heads", number), ROWS, PAIRS, NAMES), steps, LEARNING_RATE,
        seed,
    ):
        if step.number % EVERY == 0:
            way.append(float(foretold(model, test).mean()))
    return foretold(model, test), float(np.mean(way or [0.0])), time.process_time() - begun


def experiment(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    """1 to 8 heads, everything else the same."""
    looked: dict[int, list[tuple[NDArray, float, float]]] = {heads: [] for heads in HEADS}
    judgments: dict[int, list[NDArray]] = {heads: [] for heads in HEADS}
    for number in budget.seeds_from(seed):
        for heads in HEADS:
            yield f"{heads} heads, seed {number}"
            family = Transformer(2 * WIDTH, heads, 1, 4 * WIDTH)
            looked[heads].append(recalled(heads, number, budget.of(STEPS, EVERY)))
            judgments[heads].append(judged(family, number, budget.of(REVIEWS, 60)).right)
    ways = {heads: np.array([run[1] for run in runs]) for heads, runs in looked.items()}
    seconds = {heads: np.array([run[2] for run in runs]) for heads, runs in looked.items()}
    sooner = mean_of("recall on the way through training, 8 heads less 1", ways[8] - ways[1], "", "above 0")
    both = zip(judgments[8], judgments[1], strict=True)
    better = mean_of("points on the reviews, 8 heads less 1",
                     [100 * float(eight.mean() - one.mean()) for eight, one in both], "", "hardly told apart")
    slower = mean_of("time to train, 8 heads over 1", seconds[8] / seconds[1], "times", "about 1")
    told = "recall of pairs, on the way", "recall of pairs, at the end", "film reviews"
    curves = (
        Curve(told[0], tuple(mean_at(heads, each, "%") for heads, each in ways.items())),
        Curve(told[1], tuple(share_at(heads, [run[0] for run in runs]) for heads, runs in looked.items())),
        Curve(told[2], tuple(share_at(heads, runs) for heads, runs in judgments.items())),
    )
    return Measurement(
        f"Eight heads take {slower.value:.2f} times as long to train as one of the same size. On the way through "
        f"training they recall {100 * sooner.value:+.0f} points ({100 * sooner.low:+.0f} to {100 * sooner.high:+.0f}) "
        f"more of the pairs; on the reviews the difference is {better.value:+.1f} points ({better.low:+.1f} to "
        f"{better.high:+.1f}).",
        (slower, sooner, better,
         *(share_of(f"{heads} heads: pairs recalled at the end", [run[0] for run in looked[heads]]) for heads in HEADS),
         *(share_of(f"{heads} heads: accuracy on the reviews", judgments[heads]) for heads in HEADS)),
        (Chart("Heads of one size together", "Where the bands overlap, heads cannot be told apart.",
               "heads, in ratios", "right, in %", curves, "%", logarithmic_across=True),),
    )


CLAIM = Claim(
    "heads", "Multi-head attention is not hard to scale, and more heads are better.",
    "Vaswani et al. 2017, section 3.2.2 and table 3 A; Michel et al. 2019",
    "As fast as one head of the same size; a small gain up to about eight heads, which few rows do not show.",
    (
        Condition("time to train, 8 heads over 1", most=1.5),
        Condition("recall on the way through training, 8 heads less 1", least=0.0),
        Condition("points on the reviews, 8 heads less 1", least=0.0, core=False),
    ),
    experiment,
)
