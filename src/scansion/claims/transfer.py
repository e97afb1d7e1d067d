"""Transfer never really worked for the LSTM; it does for Transformers.

    first:  guess words of all texts, without their labels;     then:  a few labels

Refuted in 2018, a year before BERT: ULMFiT (Howard and Ruder 2018), an LSTM, 95.4 % on IMDb; ELMo (Peters et al. 2018).
Here on the shipped film reviews: what ``--pretrain own`` does, but small, and the same few labels without it.  At full
size (benchmarks/RESULTS.md: 24,000 reviews of IMDb and 1,000 labels): LSTM +5.8, RNN +6.2, Transformer +5.0 points.
"""

from collections.abc import Generator
from typing import Any

from numpy.typing import NDArray

from scansion.claims.claim import Budget, Claim
from scansion.claims.finding import Chart, Condition, Curve, Measurement, mean_of, share_of
from scansion.claims.reviews import judged
from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.viewer.charts import Point

LABELS, UNLABELLED, WIDTH = 200, 4_000, 64
FAMILIES: dict[str, Any] = {"RNN": RNN(WIDTH), "LSTM": LSTM(WIDTH), "Transformer": Transformer(WIDTH, 4, 1, 2 * WIDTH)}
AT_FULL_SIZE = {"RNN": 6.2, "LSTM": 5.8, "Transformer": 5.0}  # points, on IMDb


def experiment(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    """Every family on the same labels, with and without reading other reviews before."""
    labels, unlabelled = budget.of(LABELS, 40), budget.of(UNLABELLED, 100)
    found: dict[str, list[list[NDArray]]] = {name: [] for name in FAMILIES}
    for number in budget.seeds_from(seed):
        for name, family in FAMILIES.items():
            yield f"{name}, seed {number}"
            found[name].append([judged(family, number, labels, unlabelled=some).right for some in (0, unlabelled)])
    gains = {
        name: mean_of(
            f"{name}: points gained", [100 * (float(then.mean()) - float(before.mean())) for before, then in runs],
            "", f"{AT_FULL_SIZE[name]:+.1f} at full size",
        ) for name, runs in found.items()
    }
    shares = {
        (name, when): share_of(f"{name}: accuracy {when}", [run[i] for run in runs])
        for name, runs in found.items() for i, when in enumerate((SCRATCH, AFTER))
    }
    curves = tuple(
        Curve(name, tuple(
            Point(x, share.value, share.low, share.high)
            for x, share in ((0, shares[name, SCRATCH]), (unlabelled, shares[name, AFTER]))
        )) for name in FAMILIES
    )
    told = {name: f"{each.value:+.1f} points ({each.low:+.1f} to {each.high:+.1f})" for name, each in gains.items()}
    return Measurement(
        f"With {labels} labels, reading {unlabelled:,} other reviews first gives the LSTM {told['LSTM']}, the RNN "
        f"{told['RNN']} and the Transformer {told['Transformer']}. At full size, on IMDb, it was +5.8, +6.2 and +5.0.",
        (*gains.values(), *shares.values()),
        (Chart("What reading without labels is worth", "Steeper is more transfer.", "reviews read without their labels",
               f"accuracy in %, {labels} labels", curves, "%"),),
    )


SCRATCH, AFTER = "from scratch", "after its own pretraining"
CLAIM = Claim(
    "transfer", "Transfer never really worked for the LSTM; it does for Transformers.",
    "against it: Howard and Ruder 2018 (ULMFiT), Peters et al. 2018 (ELMo); for it: Devlin et al. 2019 (BERT)",
    "Both gain: it worked for the LSTM in 2018, and nobody scaled it.",
    (
        Condition("LSTM: points gained", most=0.5),
        Condition("Transformer: points gained", least=0.5),
    ),
    experiment,
)
