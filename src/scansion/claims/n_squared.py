"""All-to-all attention costs N², but it can be parallelised.

    attention:  N² D operations a layer, 1 step that waits for another;     recurrent:  N D², and N steps

Vaswani et al. 2017, table 1; in memory linear in N by kernels that never keep the N × N weights (Dao et al. 2022).
Forward and backward over one text of N words; bytes are those of all tensors kept for the way back, counted exactly.
The written-out formula is that of the same layer while its weights are recorded.
"""

from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scansion.claims.claim import Budget, Claim
from scansion.claims.costs import busy, exponent, forward_and_backward, second_core
from scansion.claims.finding import Chart, Condition, Curve, Measurement, exact, mean_at, mean_of
from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.viewer.charts import Point

WIDTH, LENGTHS, WRITTEN_OUT_TO, WORDS = 64, (64, 128, 256, 512, 1024, 2048, 4096, 8192), 2048, 1_000
FAMILIES: dict[str, Any] = {
    "RNN": RNN(WIDTH, 0.0, 0.0), "LSTM": LSTM(WIDTH, 0.0, 0.0),
    "Transformer": Transformer(WIDTH, 4, 1, 2 * WIDTH, 0.0, 0.0, 0.0, max_length=max(LENGTHS)),
}
WRITTEN_OUT = "Transformer, written out"


def experiment(budget: Budget, seed: int) -> Generator[str, None, Measurement]:
    """Each family at every length, several times; then the longest with two threads."""
    lengths = [each for each in LENGTHS if each <= max(512, max(LENGTHS) * min(1.0, 2 * budget.work))]
    times: dict[str, NDArray] = {}
    bytes_kept: dict[str, NDArray] = {}
    with torch.random.fork_rng(devices=[]):
        networks = {name: family.build(WORDS) for name, family in FAMILIES.items()}
    networks[WRITTEN_OUT] = networks["Transformer"]
    for name, network in networks.items():
        some = [each for each in lengths if name != WRITTEN_OUT or each <= WRITTEN_OUT_TO]
        forward_and_backward(network, min(some))
        found = np.zeros((budget.seeds, len(some), 2))
        for repetition in range(budget.seeds):
            for i, length in enumerate(some):
                yield f"{name}, {length:,} words"
                found[repetition, i] = forward_and_backward(network, length, name == WRITTEN_OUT)
        times[name], bytes_kept[name] = found[:, :, 0], found[0, :, 1]
    threads = {name: second_core(networks[name], max(lengths) // 4, budget.seeds) for name in FAMILIES}
    at = {name: np.array(lengths[: each.shape[1]], float) for name, each in times.items()}
    slopes = {name: mean_of(f"{name}: exponent of time", [exponent(at[name], run) for run in each], "", TIMES[name])
              for name, each in times.items()}
    memory = {name: exact(f"{name}: exponent of memory", exponent(at[name], each), "", MEMORY[name])
              for name, each in bytes_kept.items()}
    faster = {name: mean_of(f"{name}: times as fast with a second core", each) for name, each in threads.items()}
    waiting = [exact(f"{name}: steps that wait for one another, {max(lengths):,} words", steps, "", "by construction")
               for name, steps in (("RNN", max(lengths)), ("LSTM", max(lengths)), ("Transformer", 1))]
    first = {name: float(each[:, -1].mean()) for name, each in times.items()}
    return Measurement(
        f"From some hundred words on, the Transformer's time grows with the length to the power "
        f"{slopes['Transformer'].value:.2f}, the LSTM's to {slopes['LSTM'].value:.2f}; {max(lengths):,} words "
        f"take {first['Transformer']:.2f} s and {first['LSTM']:.2f} s. Its memory grows to the power "
        f"{memory['Transformer'].value:.2f} in today's kernel, and to {memory[WRITTEN_OUT].value:.2f} where N × N "
        f"weights are written out. A second core makes it {faster['Transformer'].value:.2f} times as fast, the LSTM "
        f"{faster['LSTM'].value:.2f} times{BUSY if busy() else ''}.",
        (*slopes.values(), *memory.values(), *faster.values(), *waiting),
        (
            picture("Time", "Two straight lines of different slope: N and N².", "seconds, in ratios", "s",
                    {name: [mean_at(x, each[:, i]) for i, x in enumerate(at[name])] for name, each in times.items()}),
            picture("Memory for the way back", "Only the written-out formula keeps N × N weights.", "bytes, in ratios",
                    "B", {name: [Point(x, y) for x, y in zip(at[name], each, strict=True)]
                          for name, each in bytes_kept.items()}),
        ),
    )


def picture(title: str, sentence: str, up: str, unit: str, points: dict[str, list[Point]]) -> Chart:
    """By length, both in ratios."""
    curves = tuple(Curve(name, tuple(each)) for name, each in points.items())
    return Chart(title, sentence, "words, in ratios", up, curves, unit, logarithmic_across=True, logarithmic_up=True)


BUSY = ", but other work kept the cores busy, which goes against it"
TIMES = {"RNN": "1", "LSTM": "1", "Transformer": "1, then 2", WRITTEN_OUT: "1, then 2"}
MEMORY = {"RNN": "1", "LSTM": "1", "Transformer": "1 (Dao et al. 2022)", WRITTEN_OUT: "2"}
CLAIM = Claim(
    "n-squared", "Attention compares all with all, which costs N², but it can be parallelised.",
    "Vaswani et al. 2017, table 1; Dao et al. 2022",
    "Time grows with N for recurrent layers and with N² for attention, once N is well above the width.",
    (
        Condition("Transformer: exponent of time", least=1.5),
        Condition("LSTM: exponent of time", most=1.25),
        Condition(f"{WRITTEN_OUT}: exponent of memory", least=1.5, core=False),
        Condition("Transformer: times as fast with a second core", least=1.2, core=False),
    ),
    experiment,
    alone=True,
)
