"""Training keeps nothing that grows."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from scansion.families.lstm import LSTM
from scansion.heads.multiclass import MulticlassHead
from scansion.learning.document_job import Examples
from scansion.learning.document_network import build_document_network
from scansion.learning.loop import train
from scansion.learning.optimizer import Optimizer
from scansion.learning.process_group import SingleProcess
from scansion.learning.training import Training
from scansion.text.batches import epoch_plan
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words

WARM_UP, STEPS, MEGABYTE = 300, 1_000, 1 << 20


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Print by how many bytes the process grew over ``STEPS`` steps after ``WARM_UP``."""
    torch.set_num_threads(1)
    texts = [" ".join(words) for words in itertools.product("abcdefgh", "ijklmnop", ("x y z", "u v w q"))]
    corpus = read_words(texts)
    vocabulary = Vocabulary.learn(corpus)
    sequences, targets = vocabulary.encode(corpus), np.arange(len(texts)) % 2
    examples = Examples(sequences, targets, np.ones(len(texts)))
    head = MulticlassHead(("a", "b"))
    network = build_document_network(
        LSTM(width=16), len(vocabulary), len(vocabulary.char_ngrams), head, 0.1, 0, word_sum=False
    )
    network.use(vocabulary.index(corpus.types))
    steps = train(
        network, Optimizer(network, 0.01, 1.0), lambda epoch: epoch_plan(sequences.lengths, 100, 0, epoch),
        examples.batch, examples.weights, sequences.lengths, Training().warmup, epochs=10**6, learning_rate=1e-3,
        seed=0, group=SingleProcess(),
    )  # fmt: skip
    for step in steps:
        if step.number == WARM_UP:
            before = resident()
        if step.number == WARM_UP + STEPS:
            sys.stdout.write(str(resident() - before))
            return


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell how large a process is")
def test_a_thousand_steps_grow_the_process_by_less_than_a_megabyte():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, __file__], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < MEGABYTE


if __name__ == "__main__":
    main()
