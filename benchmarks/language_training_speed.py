"""Training tokens a second beside nanoGPT's own ``train.py``: one shape, one thread each, alternating.

    python benchmarks/language_training_speed.py --nanogpt FOLDER --data DATA [--pairs 3 --steps 60]

FOLDER is a copy of karpathy/nanoGPT whose ``data/shakespeare_char/prepare.py`` was run.  Its CPU recipe is taken: 4
layers and heads, width 128, 12 rows of 64 characters, no dropout, ``--device=cpu --compile=False``.  scansion's
Transformer has the same shape (sinusoidal positions, ReLU and 323 tokens for its learned ones, GELU and 65), once with
AdamW, once with its own recipe, Muon.  Counted are processor seconds from the first steps, which are not counted, to
the last; a ratio above 1 means that scansion is faster.
"""

import argparse
import gzip
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

import scansion
from scansion.layers.orthogonal import NAME, orthogonal_parts
from scansion.learning.language_network import build_language
from scansion.learning.optimizer import Optimizer
from scansion.text.batches import Batch
from scansion.text.text_units import learn_units

ROWS, LENGTH, WARM = 12, 64, 20
FLAGS = (
    "config/train_shakespeare_char.py", "--device=cpu", "--compile=False", "--eval_iters=1", "--eval_interval=100000",
    "--block_size=64", f"--batch_size={ROWS}", "--n_layer=4", "--n_head=4", "--n_embd=128", "--dropout=0.0",
    "--log_interval=1000", "--lr_decay_iters=2000", "--always_save_checkpoint=False",
)


def theirs(folder: Path, steps: int) -> float:
    """Processor seconds of a step of ``train.py``: a long run less a short one."""
    spent = []
    for most in (WARM, WARM + steps):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "train.py", *FLAGS, f"--max_iters={most}"], cwd=folder, check=True,
            stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return (spent[1] - spent[0]) / steps


def mine(ids: np.ndarray, tokens: int, steps: int, muon: bool) -> float:
    """Processor seconds of a step of scansion."""
    family = scansion.CausalTransformer(context=LENGTH, dropout=0.0)
    model = build_language(family, tokens, 0.0, 0)
    if not muon:
        for parameter in filter(orthogonal_parts, model.parameters()):
            setattr(parameter, NAME, 0)
    optimizer, random = Optimizer(model, 0.1, 1.0), np.random.default_rng(0)
    begun = 0.0
    for step in range(WARM + steps):
        if step == WARM:
            begun = time.process_time()
        at = random.integers(0, len(ids) - LENGTH - 1, ROWS)
        rows = ids[at[:, None] + np.arange(LENGTH + 1)].astype(np.int64)
        optimizer.zero_grad()
        (model.loss(Batch(rows, np.ones(rows.shape, bool), at)) / (ROWS * LENGTH)).backward()
        optimizer.step(1e-3)
    return (time.process_time() - begun) / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nanogpt", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds tinyshakespeare/input.txt.gz")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60)
    given = parser.parse_args()
    torch.set_num_threads(1)
    text = gzip.decompress((given.data / "tinyshakespeare" / "input.txt.gz").read_bytes()).decode()
    units = learn_units([text], "characters")
    ids = np.asarray(units.encode([text]).ids[:])
    for _ in range(given.pairs):
        peer = theirs(given.nanogpt, given.steps)
        told = [f"nanoGPT {ROWS * LENGTH / peer:,.0f} tokens a processor second"]
        for name, muon in (("AdamW", False), ("Muon", True)):
            own = mine(ids, len(units), given.steps, muon)
            told.append(f"scansion, {name}, {ROWS * LENGTH / own:,.0f}, ratio {peer / own:.2f}")
        print("; ".join(told), flush=True)


if __name__ == "__main__":
    main()
