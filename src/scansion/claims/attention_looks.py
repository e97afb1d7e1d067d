"""All-to-all comparison: where the order is reversed, one can see it.

    a_ts = softmax_s(score(target t, source s)):     a word is aligned to the source word with the greatest weight

Bahdanau et al. 2015, figure 3.  Digits are translated into a language that says them in words, last one first; the
right source word of each target word is known.  Chance is one word in eight.
"""

from collections.abc import Generator
from typing import Any

import numpy as np
import torch

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Chart, Condition, Curve, Matrices, Matrix, Measurement, mean_at, mean_of
from scansion.claims.short_training import training
from scansion.claims.short_translations import LETTER, letters, pairs_of
from scansion.families.recurrent_encoder_decoder import LSTMEncoderDecoder
from scansion.families.transformer_encoder_decoder import TransformerEncoderDecoder
from scansion.layers.attention_capture import recorded
from scansion.learning.seq2seq import Seq2SeqBatch, Seq2SeqModel, build_seq2seq
from scansion.randomness import stream

WORDS, LENGTH, ROWS, STEPS, TESTED, WIDTH, DRAWN = 9, 8, 24, 400, 60, 32, (1, 3, 6)
SOURCE = tuple("123456789")
TARGET = "en", "to", "tre", "fire", "fem", "seks", "syv", "otte", "ni"
LOOKED_AT = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)  # shares of the training
FAMILIES: dict[str, tuple[Any, float]] = {
    "LSTM": (LSTMEncoderDecoder(WIDTH, 2 * WIDTH, 0.0), 8e-3),
    "Transformer": (TransformerEncoderDecoder(WIDTH, 1, 1, 2 * WIDTH, 0.0, 64), 5e-3),
}


def translations(seed: int, purpose: str, number: int, rows: int) -> Seq2SeqBatch:
    """The target says the same words in the other language, last one first."""
    source = letters(stream(seed, purpose, number), rows, LENGTH, WORDS)
    return pairs_of(source, source[:, ::-1] + WORDS)


@torch.inference_mode()
def looks(model: Seq2SeqModel, batch: Seq2SeqBatch) -> np.ndarray:
    """The weights of the target's words over the source's, without the ends, (B, T, S)."""
    model.eval()
    with recorded(model.network) as maps:
        model(batch)
    (name,) = [each for each in maps if each == "attention" or each.endswith("source_attention")]
    found = maps[name]
    weights = found[0][:, 0] if found[0].ndim == 4 else torch.stack(found, dim=1)
    return weights[:, :LENGTH, :LENGTH].numpy()


def sharpening(name: str, seed: int, steps: int) -> list[np.ndarray]:
    """The weights on the test, on the way through training."""
    family, learning_rate = FAMILIES[name]
    model, test = build_seq2seq(family, LETTER + 2 * WORDS, 0.0, seed), translations(0, "looks, test", 0, TESTED)
    wanted = {max(1, round(share * steps)) for share in LOOKED_AT[1:]}
    found = [looks(model, test)]
    for step in training(model, lambda number: translations(seed, "looks", number, ROWS), ROWS * (LENGTH + 1), steps,
                         learning_rate, seed):
        if step.number in wanted:
            found.append(looks(model, test))
    return found


def experiment(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    """Two families, looked at while they learn."""
    steps = max(40, round(budget.learning * STEPS))
    found: dict[str, list[list[np.ndarray]]] = {name: [] for name in FAMILIES}
    for number in budget.seeds_from(seed):
        for name in FAMILIES:
            yield f"{name}, seed {number}"
            found[name].append(sharpening(name, number, steps))
    right = LENGTH - 1 - np.arange(LENGTH)
    shares = {
        name: np.array([[(weights.argmax(axis=2) == right).mean() for weights in run] for run in runs])
        for name, runs in found.items()
    }
    figures = tuple(
        mean_of(f"{name}: most attended word is the right one, {when}", each[:, i], "%", told)
        for name, each in shares.items()
        for when, i, told in (("before training", 0, "12.5 %: chance"), ("after", -1, "nearly all"))
    )
    sentence = translations(0, "looks, test", 0, TESTED).source[0, :LENGTH].numpy() - LETTER
    names = tuple(SOURCE[word] for word in sentence), tuple(TARGET[word] for word in sentence[::-1])
    marked = tuple((i, int(each)) for i, each in enumerate(right))
    matrices = tuple(
        Matrix(f"{name}, {round(LOOKED_AT[at] * steps)} steps", names[1], names[0],
               tuple(map(tuple, runs[0][at][0].tolist())), marked)
        for name, runs in found.items() for at in DRAWN
    )
    curves = tuple(
        Curve(name, tuple(mean_at(share * steps, each[:, i], "%") for i, share in enumerate(LOOKED_AT)))
        for name, each in shares.items()
    )
    return Measurement(
        f"Before training the most attended source word is the right one for {100 * figures[0].value:.0f} % of the "
        f"LSTM's words and {100 * figures[2].value:.0f} % of the Transformer's, after {steps} steps for "
        f"{100 * figures[1].value:.0f} % and {100 * figures[3].value:.0f} %: the reversal can be read off the weights.",
        figures,
        (
            Chart("The right word, as training goes on", "Chance is 12.5 %.", "steps of training",
                  "most attended word is right, in %", curves, "%"),
            Matrices("The weights of one sentence", "Framed: the right word of each row. They sharpen along the "
                     "counter-diagonal, which is the reversed order.", "source words", "target words", matrices),
        ),
    )


CLAIM = Claim(
    "attention-looks", "Attention compares all with all; where the order is reversed, one can see it.",
    "Bahdanau et al. 2015, figure 3; Vaswani et al. 2017",
    "The weights align each target word with its source word, on the counter-diagonal of a reversed language.",
    (
        Condition("LSTM: most attended word is the right one, after", least=0.8),
        Condition("Transformer: most attended word is the right one, after", least=0.8),
        Condition("LSTM: most attended word is the right one, before training", most=0.4, core=False),
    ),
    experiment,
)
