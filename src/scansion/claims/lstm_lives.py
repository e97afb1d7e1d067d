"""Depending on the use, the LSTM still has its place.

    streaming:  an LSTM keeps 2 H numbers whatever it has read; a Transformer 2 D a layer for every word it sees
    counting:   a^n b^n, and the brackets of Dyck-1: an LSTM counts in its memory, beyond its training too (Weiss et al.
                2018; Suzgun et al. 2019)
    parity:     one bit of state; Transformers fail at lengths never seen (Hahn 2020; Deletang et al. 2023)
    recall:     many pairs do not fit a state of fixed size; attention looks them up (Arora et al. 2024)

Both as language models, of one width; the LSTM's forget gate begins open.  Parity has a curriculum, short texts first.
"""

from collections.abc import Callable, Generator
from typing import Any

from numpy.typing import NDArray

from scansion.claims.claim import Budget, Claim
from scansion.claims.costs import next_token
from scansion.claims.finding import Chart, Condition, Curve, Measurement, exact, mean_of, share_at, share_of
from scansion.claims.reviews import Judged, judged
from scansion.claims.state_tasks import BEGUN, BITS, COUNTED, TASKS, WORDS, learned
from scansion.families.causal_transformer import CausalTransformer
from scansion.families.lstm import LSTM
from scansion.families.recurrent_language_model import LSTMLanguageModel
from scansion.families.transformer import Transformer
from scansion.learning.language_network import build_language
from scansion.viewer.charts import Point

WIDTH, CONTEXT = 32, 4096
FAMILIES: dict[str, tuple[Any, float]] = {
    "LSTM": (LSTMLanguageModel(WIDTH, WIDTH, dropout=0.0), 1e-2),
    "Transformer": (CausalTransformer(WIDTH, 2, 2, 2 * WIDTH, 0.0, CONTEXT), 5e-3),
}
REVIEWS, WIDTHS, MIDDLE = (200, 600, 1_600), (32, 64, 128), 64  # the most reviews are read by every width
READERS: dict[str, Callable[[int], Any]] = {
    "LSTM": LSTM, "Transformer": lambda width: Transformer(width, 4, 1, 2 * width),
}
STREAMED = (64, 256, 1_024, 4_000)


def experiment(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    """Four made-up tasks, a stream, and the reviews."""
    right, read = dict[tuple[str, str], list[dict[int, NDArray]]](), dict[tuple[str, int, int], list[Judged]]()
    rows = [budget.of(each, 60) for each in REVIEWS]
    for number in budget.seeds_from(seed):
        for name in FAMILIES:
            for task in TASKS:
                yield f"{task}, {name}, seed {number}"
                right.setdefault((task, name), []).append(learned(*FAMILIES[name], task, number, budget.learning))
            yield f"reviews, {name}, seed {number}"
            for width, some in {*((MIDDLE, each) for each in rows), *((each, rows[-1]) for each in WIDTHS)}:
                read.setdefault((name, width, some), []).append(judged(READERS[name](width), number, some))
    shares = [
        share_of(f"{name}, {task} at {size}: right", [run[size] for run in right[task, name]], told)
        for (task, size), told in PREDICTED.items() for name in FAMILIES
    ]
    flows = {
        name: [next_token(build_language(family, WORDS, 0, 0).network.eval(), read, budget.seeds) for read in STREAMED]
        for name, (family, _) in FAMILIES.items()
    }
    grown = {name: exact(f"{name}: bytes kept after {STREAMED[-1]:,} tokens over those after {STREAMED[0]}",
                         each[-1][0] / each[0][0], "times") for name, each in flows.items()}
    scores = {(name, width, some): share_of(f"{name} of width {width}: accuracy from {some} reviews",
                                            [run.right for run in runs])
              for (name, width, some), runs in sorted(read.items())}
    costs = {(name, width, some): mean_of(f"{name} of width {width}: to answer one",
                                          [run.milliseconds for run in read[name, width, some]], "ms")
             for name, width, some in scores if some == rows[-1]}
    value = {figure.name: f"{100 * figure.value:.0f} %" for figure in shares}
    return Measurement(
        f"Trained on up to {BITS} bits, the LSTM has the parity of 40 right in {value['LSTM, parity at 40: right']} of "
        f"cases, the Transformer in {value['Transformer, parity at 40: right']}; of 8 pairs the LSTM recalls "
        f"{value['LSTM, recall at 8: right']}, the Transformer {value['Transformer, recall at 8: right']}. In a stream "
        f"the LSTM keeps {flows['LSTM'][-1][0]:,} bytes at any length, the Transformer "
        f"{flows['Transformer'][-1][0]:,} after {STREAMED[-1]:,} tokens.",
        (*shares, *grown.values(), *scores.values(), *costs.values()),
        (
            *(Chart(title, sentence, across, "right, in %", tuple(
                Curve(name, tuple(share_at(size, [run[size] for run in right[task, name]])
                                  for size in right[task, name][0])) for name in FAMILIES
            ), "%") for task, (title, sentence, across) in PICTURES.items()),
            Chart("A stream", "What an LSTM keeps does not grow.", "tokens read, in ratios", "bytes, in ratios", tuple(
                Curve(name, tuple(Point(x, each[0]) for x, each in zip(STREAMED, flow, strict=True)))
                for name, flow in flows.items()
            ), "B", logarithmic_across=True, logarithmic_up=True),
            Chart("Score and rows", f"Of width {MIDDLE}.", "reviews, in ratios", "accuracy in %", tuple(
                Curve(name, tuple(scores[name, MIDDLE, some].at(some) for some in rows)) for name in READERS
            ), "%", logarithmic_across=True),
            Chart("Score and time", f"Of width 32, 64 and 128, from {rows[-1]:,} reviews.",
                  "milliseconds to answer one, in ratios", "accuracy in %", tuple(
                      Curve(name, tuple(scores[each].at(costs[each].value) for each in costs if each[0] == name))
                      for name in READERS), "%", logarithmic_across=True),
        ),
    )


PICTURES = {
    "parity": ("Parity", f"Trained on up to {BITS} bits.", "bits"),
    "counting": ("aⁿbⁿ", f"All b and the end foretold; trained on n up to {COUNTED}.", "n"),
    "brackets": ("Brackets of Dyck-1", f"What closes them foretold; trained on up to {BEGUN}.", "brackets"),
    "recall": ("Recall of pairs", "A state of fixed size holds few pairs.", "pairs"),
}
PREDICTED = {("parity", 40): "LSTM solves it, Transformer 50 %", ("counting", 30): "LSTM goes on, Transformer does not",
             ("brackets", 48): "LSTM goes on, Transformer does not",
             ("recall", 8): "Transformer solves it, LSTM does not"}
CLAIM = Claim(
    "lstm-lives", "Depending on the use, the LSTM still has its place.",
    "Hahn 2020; Deletang et al. 2023; Weiss et al. 2018; Suzgun et al. 2019; Arora et al. 2024",
    "Where a state is enough and texts grow, the LSTM wins; where much has to be looked up, the Transformer does.",
    (
        Condition("LSTM, parity at 40: right", least=0.9), Condition("Transformer, parity at 40: right", most=0.7),
        Condition(f"LSTM: bytes kept after {STREAMED[-1]:,} tokens over those after {STREAMED[0]}", most=1.0),
        Condition("LSTM, counting at 30: right", least=0.5, core=False),
        Condition("LSTM, brackets at 48: right", least=0.5, core=False),
        Condition("LSTM, recall at 8: right", most=0.8, core=False),
        Condition("Transformer, recall at 8: right", least=0.9, core=False),
    ),
    experiment,
)
