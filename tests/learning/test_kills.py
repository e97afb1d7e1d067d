"""A run killed by SIGKILL at random instants, again and again, ends with the weights of one that was not.

This file is also the helper that is killed: it imports everything once, and then trains in forked children.
"""

import hashlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.heads.multiclass import MulticlassHead
from scansion.learning.checkpoints import Checkpoints, StopRequest
from scansion.learning.description import FitDescription
from scansion.learning.document_job import DocumentJob, Examples, Start
from scansion.learning.events import finished
from scansion.learning.loop import train_job
from scansion.learning.process_group import SingleProcess
from scansion.learning.training import Training
from scansion.storage.run_folder import RunFolder
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words

FAMILIES = {
    "rnn": RNN(width=8),
    "lstm": LSTM(width=8),
    "transformer": Transformer(width=8, heads=2, feed_forward=16, max_length=16),
}
WORDS = itertools.product(("red", "blue"), ("round", "flat"), "abcdef", "12")
TEXTS = [" ".join([*words, "thing"]) for words in WORDS]
TRAINING = Training(min_epochs=6, max_epochs=6, min_batch_tokens=40, max_batch_tokens=40)
MOST_TRIES = 60  # a kill for every step, and the last try to the end


def learned(folder: Path, name: str) -> str:
    """Train, or go on training, with a checkpoint after every step; the digest of the weights at the end."""
    corpus = read_words(TEXTS, threads=1)
    vocabulary = Vocabulary.learn(corpus)
    targets = np.array([text.startswith("red") for text in TEXTS]).astype(np.int64)
    sequences = vocabulary.encode(corpus)
    rows = np.arange(len(TEXTS))
    held, kept = (
        Examples(
            replace(sequences, starts=sequences.starts[part], lengths=sequences.lengths[part]), targets[part],
            np.ones(len(part)),
        )
        for part in (rows[::6], np.setdiff1d(rows, rows[::6]))
    )
    head = MulticlassHead(("blue", "red"))
    description = FitDescription("classify", FAMILIES[name], TRAINING, 0, len(TEXTS), head=head)
    start = Start(len(vocabulary), len(vocabulary.char_ngrams), vocabulary.index(corpus.types))
    job = DocumentJob(description, start, kept, held)
    with RunFolder.begin(folder, {"family": name}, resume=True) as run:
        checkpoints = Checkpoints(run, 0.0, StopRequest())
        trained = finished(train_job)(job, SingleProcess(), checkpoints=checkpoints)
    digest = hashlib.sha256(json.dumps([trained.epoch, trained.steps, trained.tokens, trained.ended]).encode())
    for key in sorted(trained.weights):
        digest.update(trained.weights[key].tobytes())
    return digest.hexdigest()


def killed_after(seconds: float, folder: Path, name: str) -> str | None:
    """The digest if the child was done by then; otherwise it is dead."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, learned(folder, name).encode())
        os._exit(0)
    os.close(writing)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with open(reading) as told:
        return told.read() or None


def killed(name: str, kills: int, seed: int) -> dict:
    """The digest of a whole run, those of runs that were killed, and how often they were."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as temporary:
        learned(Path(temporary) / "warm", name)
        begun = time.monotonic()
        whole = learned(Path(temporary) / "whole", name)
        duration = time.monotonic() - begun
        found, done = [], 0
        for number in itertools.count():
            if done >= kills:
                break
            for _ in range(MOST_TRIES):
                digest = killed_after(draw.uniform(0, duration / 2), Path(temporary) / str(number), name)
                if digest is not None:
                    break
                done += 1
            else:
                digest = learned(Path(temporary) / str(number), name)
            found.append(digest)
    return {"whole": whole, "killed": found, "kills": done}


def check(kills: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, str(kills), "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told.keys() == FAMILIES.keys()
    for name, found in told.items():
        assert found["kills"] >= kills, name
        assert set(found["killed"]) == {found["whole"]}, name


def test_a_run_killed_at_random_instants_ends_with_the_same_weights():
    check(10)


@pytest.mark.long
def test_a_run_killed_two_hundred_times_ends_with_the_same_weights():
    check(200)


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.stdout.write(json.dumps({name: killed(name, int(sys.argv[1]), int(sys.argv[2])) for name in FAMILIES}))
