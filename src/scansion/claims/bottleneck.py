"""A fixed-size vector cannot hold a long document.

    without attention:  all that is read passes through (h, c), 2 H numbers        (Sutskever et al. 2014)
    with attention:     the target looks back at every word of the source         (Bahdanau et al. 2015)

Cho et al. 2014 saw translations get worse with length, and Bahdanau et al. saw attention mend it.  Here: random letters
are copied, every length trained on alike.
"""

from collections.abc import Generator
from typing import Any

from numpy.typing import NDArray

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Chart, Condition, Curve, Measurement, share_at, share_of
from scansion.claims.short_training import last_loss, training
from scansion.claims.short_translations import LETTER, is_exact, letters, pairs_of
from scansion.families.recurrent_encoder_decoder import LSTMEncoderDecoder
from scansion.families.sequence_to_sequence import SequenceToSequence
from scansion.families.transformer_encoder_decoder import TransformerEncoderDecoder
from scansion.learning.seq2seq import Seq2SeqBatch, build_seq2seq
from scansion.randomness import stream

LENGTHS, ALPHABET, ROWS, STEPS, TESTED, WIDTH = (5, 10, 20, 30, 40, 50), 8, 16, 700, 60, 32
MEAN_LENGTH = sum(LENGTHS) / len(LENGTHS) + 1
PLAIN, ATTENDING, TRANSFORMER = "LSTM without attention", "LSTM with attention", "Transformer"
FAMILIES: dict[str, tuple[Any, float]] = {
    PLAIN: (SequenceToSequence(WIDTH, 4 * WIDTH, 0.0), 4e-3),
    ATTENDING: (LSTMEncoderDecoder(WIDTH, 2 * WIDTH, 0.0), 8e-3),
    TRANSFORMER: (TransformerEncoderDecoder(WIDTH, 4, 1, 2 * WIDTH, 0.0, 128), 5e-3),
}


def copies(seed: int, purpose: str, number: int, rows: int, length: int) -> Seq2SeqBatch:
    """Texts and themselves."""
    text = letters(stream(seed, purpose, number), rows, length, ALPHABET)
    return pairs_of(text, text)


def exact(name: str, seed: int, steps: int) -> list[NDArray]:
    """Which copies of each length are exact, after training on all of them in turn, short ones first."""
    family, learning_rate = FAMILIES[name]
    model = build_seq2seq(family, LETTER + ALPHABET, 0.0, seed)

    def batch(step: int) -> Seq2SeqBatch:
        known = LENGTHS[: 1 + int(len(LENGTHS) * min(1.0, 2 * step / steps))]
        length = int(stream(seed, "copies, length", step).choice(known))
        return copies(seed, "copies", step, ROWS, length)

    last_loss(training(model, batch, round(ROWS * MEAN_LENGTH), steps, learning_rate, seed))
    return [is_exact(model, copies(0, "copies, test", length, TESTED, length)) for length in LENGTHS]


def experiment(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    """Every family at every length."""
    right: dict[str, list[list[NDArray]]] = {name: [] for name in FAMILIES}
    for number in budget.seeds_from(seed):
        for name in FAMILIES:
            yield f"{name}, seed {number}"
            right[name].append(exact(name, number, round(budget.learning * STEPS)))
    shares = {
        (name, length): share_of(f"{name}: exact copies of {length} letters", [run[i] for run in runs])
        for name, runs in right.items() for i, length in enumerate(LENGTHS)
    }
    value = {key: f"{100 * each.value:.0f} %" for key, each in shares.items()}
    curves = tuple(
        Curve(name, tuple(share_at(length, [run[i] for run in runs]) for i, length in enumerate(LENGTHS)))
        for name, runs in right.items()
    )
    return Measurement(
        f"The LSTM whose source passes through one vector copies {value[PLAIN, 5]} of the texts of 5 letters without a "
        f"mistake and {value[PLAIN, 20]} of those of 20; the one that looks back {value[ATTENDING, 5]} and "
        f"{value[ATTENDING, 20]}, the Transformer {value[TRANSFORMER, 5]} and {value[TRANSFORMER, 20]}. Of 50 letters "
        f"they copy {value[PLAIN, 50]}, {value[ATTENDING, 50]} and {value[TRANSFORMER, 50]}.",
        tuple(shares.values()),
        (Chart("Exact copies", "One vector holds a short text; who may look back needs to hold none.",
               "letters in the source", "copied without a mistake, in %", curves, "%"),),
    )


CLAIM = Claim(
    "bottleneck", "A fixed-size vector cannot hold a long document.",
    "Cho et al. 2014; Sutskever et al. 2014; Bahdanau et al. 2015",
    "Without attention copies get worse with length; with attention, or a Transformer, they do not.",
    (
        Condition(f"{PLAIN}: exact copies of 5 letters", least=0.5, core=False),
        Condition(f"{PLAIN}: exact copies of 20 letters", most=0.5),
        Condition(f"{ATTENDING}: exact copies of 20 letters", least=0.8),
        Condition(f"{ATTENDING}: exact copies of 50 letters", least=0.8, core=False),
        Condition(f"{TRANSFORMER}: exact copies of 50 letters", least=0.8, core=False),
    ),
    experiment,
)
