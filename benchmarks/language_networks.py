"""Neural language models of tinyshakespeare: validation loss after minutes of training, beside n-grams.

    python benchmarks/language_networks.py --data DATA --families n-grams,interpolated,lstm --budget 5m

Of the interpolated model both parts are scored as well, and the differences have standard errors over blocks of the
text.  With ``--processor`` the budget counts processor seconds of one process, so that a busy machine changes nothing.
The first nine tenths of the text are learned and all of the last tenth is validated on, characters, one document each.
Figures to compare with: nanoGPT's recipe for a CPU 1.88 (3 minutes, 0.8 million parameters), its 10.7 million on a GPU
1.4697 (README of karpathy/nanoGPT), KenLM's 6-grams 1.5175.
"""

import argparse
import gzip
import resource
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import scansion
from scansion.cli.family_options import with_settings
from scansion.families.catalogue import LANGUAGE_FAMILIES

BLOCKS = 100


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
    parser.add_argument("--processor", action="store_true", help="the budget counts processor seconds of one process")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="of the network")
    given = parser.parse_args()
    if given.processor:
        time.monotonic = time.process_time
    text = gzip.decompress((given.data / "tinyshakespeare" / "input.txt.gz").read_bytes()).decode()
    cut = 9 * len(text) // 10
    for family in given.families.split(","):
        for seed in range(given.seeds):
            begun, used = time.monotonic(), processor_seconds()
            model = scansion.LanguageModel(
                configuration(family, given.set), tokens="characters", budget=given.budget, random_state=seed,
                processes=1 if given.processor else None,
            )
            for event in model.fitting([text[:cut]]):
                if event.name == "epoch":
                    print(f"  {event.message}", flush=True)
            seconds, used = time.monotonic() - begun, processor_seconds() - used
            score = model.evaluate([text[cut:]])
            nats = score.nats_per_token * score.tokens / (len(text) - cut)
            print(
                f"{family}, seed {seed}: {nats:.4f} nats a character ({score.bits_per_byte:.4f} bits per byte); "
                f"{seconds:.0f} s, {used:.0f} s of processors, {model.fit_report_.parameters:,} parameters; "
                f"{'; '.join(model.fit_report_.notes)}", flush=True,
            )
            if family == "interpolated":
                compare_parts(model, text[cut:])


def configuration(family: str, settings: list[str]) -> Any:
    """A family of the catalogue, its network with other options if some are given."""
    found = LANGUAGE_FAMILIES[family]()
    network = getattr(found, "network", found)
    if not settings or not hasattr(network, "learning_rate"):
        return found
    network = with_settings(network, settings)
    return replace(found, network=network) if hasattr(found, "network") else network


def compare_parts(model: scansion.LanguageModel, text: str) -> None:
    """Nats a character of the interpolated model and of its parts, and what each part has more, over blocks of text."""
    sequences = model.fitted_.encode([text])
    parts = {"interpolated": model.fitted_.model, "network": model.fitted_.model.network,
             "n-grams": model.fitted_.model.counted}
    nats = {name: -part.log_probabilities(sequences.ids) for name, part in parts.items()}
    blocks = np.arange(0, len(text), len(text) // BLOCKS)
    sizes = np.diff(blocks, append=len(sequences.ids))
    for name, each in nats.items():
        more = np.add.reduceat(each - nats["interpolated"], blocks) / sizes
        error = more.std(ddof=1) / len(more) ** 0.5
        print(f"  {name}: {each.sum() / len(text):.4f}; {(each - nats['interpolated']).sum() / len(text):+.4f} beside "
              f"the interpolated model, standard error {error:.4f} over {len(more)} blocks", flush=True)


if __name__ == "__main__":
    main()
