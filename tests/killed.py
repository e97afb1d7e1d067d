"""Training runs that are killed at random instants and gone on with; started as a program, which tells it as JSON.

It imports everything once and then trains in forked children, the workers of two processes among them (see
``warm_processes.py``).  All that a child has started holds one end of a pipe, so its end says that all of it is gone.
"""

import hashlib
import itertools
import json
import mmap
import os
import random
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

import scansion.learning.worker  # noqa: F401 - so that workers are warm
import scansion.learning.workers as workers
import warm_processes
from scansion.errors import ScansionError
from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.families.transformer_encoder_decoder import TransformerEncoderDecoder
from scansion.heads.multiclass import MulticlassHead
from scansion.learning.checkpoints import Checkpoints, StopRequest
from scansion.learning.description import FitDescription
from scansion.learning.document_job import DocumentJob, Examples, Start
from scansion.learning.events import finished
from scansion.learning.loop import train_job
from scansion.learning.pretraining import PretrainingJob
from scansion.learning.process_group import SingleProcess
from scansion.learning.seq2seq_job import Seq2SeqJob
from scansion.learning.training import Pretraining, Training
from scansion.storage.metrics import METRICS, read_metrics
from scansion.storage.run_folder import RunFolder
from scansion.text.pairs import Pairs
from scansion.text.subword_tokenizer import SubwordTokenizer
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words

FAMILIES = {
    "rnn": RNN(width=8),
    "lstm": LSTM(width=8),
    "transformer": Transformer(width=8, heads=2, feed_forward=16, max_length=16),
    "translator": TransformerEncoderDecoder(width=8, heads=2, layers=1, feed_forward=16),
    "pretraining": Transformer(width=8, heads=2, feed_forward=16, max_length=16),
}
WHO = {1: ("all",), 2: ("all", "parent", "worker 0", "worker 1")}
"""Who is killed, by the number of processes."""
WORDS = itertools.product(("red", "blue"), ("round", "flat"), "abcdef", "12")
TEXTS = [" ".join([*words, "thing"]) for words in WORDS]
SIZES = {"min_epochs": 4, "max_epochs": 4, "min_batch_tokens": 60, "max_batch_tokens": 60}
MOST_KILLS = 4
"""Of one run, which is then gone on with to its end and compared."""
SECONDS_TO_BE_GONE = 60
CLOCKS = {"seconds", "tokens_per_second", "processor_seconds"}
STARTED = mmap.mmap(-1, 16)
"""The numbers of the workers that a child has started."""


def job_of(name: str):
    rows = np.arange(len(TEXTS))
    held, kept = rows[::6], np.setdiff1d(rows, rows[::6])
    family = FAMILIES[name]
    if name == "translator":
        subwords = SubwordTokenizer.learn(TEXTS, most=300)
        pairs = Pairs(subwords.encode(TEXTS), subwords.encode([text[::-1] for text in TEXTS]))
        training = Training(**SIZES | {"min_batch_tokens": 200, "max_batch_tokens": 200})  # longer in subwords
        description = FitDescription("translate", family, training, 0, len(TEXTS))
        return Seq2SeqJob(description, len(subwords), pairs.only(kept), pairs.only(held))
    corpus = read_words(TEXTS, threads=1)
    vocabulary = Vocabulary.learn(corpus)
    targets = np.array([text.startswith("red") for text in TEXTS]).astype(np.int64)
    sequences = vocabulary.encode(corpus)
    start = Start(len(vocabulary), len(vocabulary.char_ngrams), vocabulary.index(corpus.types))
    head = MulticlassHead(("blue", "red"))
    parts = [sequences.only(part) for part in (kept, held)]
    if name == "pretraining":
        description = FitDescription("classify", family, Pretraining(**SIZES), 0, len(TEXTS), head=head)
        return PretrainingJob(description, start, *parts)
    description = FitDescription("classify", family, Training(**SIZES), 0, len(TEXTS), head=head)
    examples = [Examples(part, targets[of], np.ones(len(of))) for part, of in zip(parts, (kept, held), strict=True)]
    return DocumentJob(description, start, *examples)


def learned(folder: Path, name: str, processes: int) -> str:
    """Train, or go on training, with a checkpoint after every step; what the weights and metrics are at the end."""
    job = job_of(name)
    with RunFolder.begin(folder, {"family": name}, resume=True) as run:
        checkpoints = Checkpoints(run, 0.0, StopRequest(), "a run")
        if processes == 1:
            trained = finished(train_job)(job, SingleProcess(), checkpoints=checkpoints)
        else:
            trained = finished(workers.train_in_workers)(job, processes, checkpoints=checkpoints)
        lines = read_metrics(run.place / METRICS)
        measured = [{key: value for key, value in line.items() if key not in CLOCKS} for line in lines]
    digest = hashlib.sha256(json.dumps([trained.epoch, trained.steps, trained.tokens, trained.ended]).encode())
    for key in sorted(trained.weights):
        digest.update(trained.weights[key].tobytes())
    told = hashlib.sha256(json.dumps(measured, sort_keys=True).encode()).hexdigest()
    return f"{digest.hexdigest()[:16]} {told[:16]} {len(measured)}"


def child_of(folder: Path, name: str, processes: int) -> tuple[int, int]:
    """A child that trains, and the pipe on which it says what came of it."""
    STARTED[:] = bytes(16)
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        with suppress(PermissionError, ProcessLookupError):
            os.setpgid(child, child)  # here too, so that it is one at whatever instant it is killed
        os.close(writing)
        return child, reading
    os.setpgid(0, 0)
    os.close(reading)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 2)
    if processes > 1:
        subprocess.Popen = warm_processes.warm_popen(warm_processes.ForkedForker())
        begin = workers._start

        def started(place, rank, count):
            worker = begin(place, rank, count)
            struct.pack_into("q", STARTED, 8 * rank, worker.pid)
            return worker

        workers._start = started
    try:
        told = learned(folder, name, processes)
    except ScansionError as error:
        told = f"failed: {error}"
    except BaseException:
        told = f"fault: {traceback.format_exc()[-600:]}"
    os.write(writing, told.encode())
    os._exit(0)


def ended(child: int, reading: int) -> str:
    """What it said, once all that it has started is gone. RuntimeError if something stays."""
    told = b""
    deadline = time.monotonic() + SECONDS_TO_BE_GONE
    while select.select([reading], [], [], max(0.0, deadline - time.monotonic()))[0]:
        part = os.read(reading, 4096)
        told += part
        if not part:
            os.close(reading)
            os.waitpid(child, 0)
            return told.decode()
    raise RuntimeError(f"{SECONDS_TO_BE_GONE} s after a kill something of it is still there: {told!r}")


def killed_after(seconds: float, who: str, folder: Path, name: str, processes: int) -> str:
    """What a run said, which is nothing if it was killed by then."""
    child, reading = child_of(folder, name, processes)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        time.sleep(0.001)
    rank = int(who[-1]) if who.startswith("worker") else None
    if rank is None:
        (os.killpg if who == "all" else os.kill)(child, signal.SIGKILL)
    else:
        while not (number := struct.unpack_from("q", STARTED, 8 * rank)[0]) and not os.waitid(
            os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT
        ):
            time.sleep(0.001)
        with suppress(ProcessLookupError):  # it is done
            os.kill(number or child, signal.SIGKILL)
    return ended(child, reading)


def newest(folder: Path) -> int:
    """The step of the newest checkpoint; -1 if there is none."""
    return max((int(each.name.split("-")[1]) for each in folder.glob("checkpoint-*")), default=-1)


def whole(folder: Path, name: str, processes: int) -> str:
    return ended(*child_of(folder, name, processes))


def killed(name: str, processes: int, who: str, kills: int, seed: int) -> dict:
    """What a whole run came to, what runs that were killed came to, how often they were, and what else was wrong."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as temporary:
        begun = time.monotonic()
        expected = whole(Path(temporary) / "whole", name, processes)
        duration = time.monotonic() - begun
        found, wrong, done = [], [], 0
        share = 0.5 if processes == 1 else 0.8  # two have hardly begun after half
        for number in itertools.count():
            if done >= kills:
                break
            folder = Path(temporary) / str(number)
            for _ in range(min(MOST_KILLS, kills - done)):
                before = newest(folder)
                told = killed_after(draw.uniform(0, share * duration), who, folder, name, processes)
                if told and not told.startswith("failed: "):
                    break
                done += 1
                if newest(folder) < before:
                    wrong.append(f"the checkpoint of step {before} is gone")
                if bool(told) != who.startswith("worker"):
                    wrong.append(f"the parent of {who} says {told!r}")
            else:
                told = whole(folder, name, processes)
            found.append(told)
            wrong += [each.name for each in folder.iterdir() if each.name.startswith((".", "damaged-"))]
    return {
        "kind": name, "processes": processes, "who": who, "whole": expected, "killed": found, "kills": done,
        "wrong": wrong,
    }


def main(kinds: list[str], processes: int, whose: list[str], kills: int) -> None:
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    for name, who in itertools.product(kinds, whose):
        sys.stdout.write(json.dumps(killed(name, processes, who, kills, seed=0)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1].split(","), int(sys.argv[2]), sys.argv[3].split(","), int(sys.argv[4]))
