"""Neural language models of tinyshakespeare: validation loss after minutes of training, beside n-grams.

    python benchmarks/language_networks.py --data DATA --families n-grams,transformer,lstm --budget 5m

The first nine tenths of the text are learned and all of the last tenth is validated on, characters, one document each.
Figures to compare with: nanoGPT's recipe for a CPU 1.88 (3 minutes, 0.8 million parameters), its 10.7 million on a GPU
1.4697 (README of karpathy/nanoGPT), KenLM's 6-grams 1.5175.
"""

import argparse
import gzip
import resource
import time
from pathlib import Path

import scansion


def processor_seconds() -> float:
    """Of this process and those it has waited for."""
    kinds = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return sum(part.ru_utime + part.ru_stime for part in map(resource.getrusage, kinds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds tinyshakespeare/input.txt.gz")
    parser.add_argument("--families", default="n-grams,lstm,transformer")
    parser.add_argument("--budget", default="5m")
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    text = gzip.decompress((given.data / "tinyshakespeare" / "input.txt.gz").read_bytes()).decode()
    cut = 9 * len(text) // 10
    for family in given.families.split(","):
        for seed in range(given.seeds):
            begun, used = time.monotonic(), processor_seconds()
            model = scansion.LanguageModel(family, tokens="characters", budget=given.budget, random_state=seed)
            model.fit([text[:cut]])
            seconds, used = time.monotonic() - begun, processor_seconds() - used
            score = model.evaluate([text[cut:]])
            nats = score.nats_per_token * score.tokens / (len(text) - cut)
            print(
                f"{family}, seed {seed}: {nats:.4f} nats a character ({score.bits_per_byte:.4f} bits per byte); "
                f"{seconds:.0f} s, {used:.0f} s of processors, {model.fit_report_.parameters:,} parameters; "
                f"{'; '.join(model.fit_report_.notes)}", flush=True,
            )


if __name__ == "__main__":
    main()
