"""A run that is stopped or killed anywhere goes on bit for bit."""

import errno
import itertools
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from generators import events_and_result
from scansion.errors import DivergedError, InterruptedRunError, StorageError, UsageError
from scansion.families.bert import Bert
from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.heads.multiclass import MulticlassHead
from scansion.learning.checkpoints import Checkpoints, StopRequest
from scansion.learning.description import FitDescription
from scansion.learning.document_job import DocumentJob, Examples, Start
from scansion.learning.document_network import DocumentNetwork
from scansion.learning.events import Step, finished
from scansion.learning.job import TrainedWeights
from scansion.learning.jobs import write_job
from scansion.learning.loop import train_job
from scansion.learning.pretraining import PretrainingJob
from scansion.learning.process_group import SingleProcess
from scansion.learning.training import Pretraining, Training
from scansion.learning.workers import LOOPBACK, train_in_workers
from scansion.spill import ROOM_TO_SPARE
from scansion.storage.run_folder import RunFolder
from scansion.text.batches import FIRST_WORD
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words

pytestmark = pytest.mark.usefixtures("warm_processes")

FAMILIES = {
    "rnn": RNN(width=8),
    "lstm": LSTM(width=8),
    "transformer": Transformer(width=8, heads=2, feed_forward=16, max_length=16),
    "fine-tuned": Bert(width=8, heads=2, layers=2, feed_forward=16, positions=16, lr_scale=0.1, layer_decay=0.1),
    "pretraining": Transformer(width=8, heads=2, feed_forward=16, max_length=16),
}
TEXTS = [f"{a} {b} {c} thing" for a, b, c in itertools.product(("red", "blue"), ("round", "square", "flat"), "abcdef")]
CORPUS = read_words(TEXTS)
VOCABULARY = Vocabulary.learn(CORPUS)
TRAINING = Training(min_epochs=3, max_epochs=3, min_batch_tokens=40, max_batch_tokens=40)
HEAD = MulticlassHead(("blue", "red"))
DESCRIBED = {"family": "lstm", "options": {"width": 8}}


def inputs(name: str) -> DocumentJob | PretrainingJob:
    """A job with dropout on, and what it learns from."""
    sequences = VOCABULARY.encode(CORPUS)
    start = Start(len(VOCABULARY), len(VOCABULARY.char_ngrams), VOCABULARY.index(CORPUS.types))
    targets = np.array([text.startswith("blue") for text in TEXTS]).astype(np.int64)
    parts = []
    for rows in (np.arange(0, 36, 6), np.setdiff1d(np.arange(36), np.arange(0, 36, 6))):
        part = replace(sequences, starts=sequences.starts[rows], lengths=sequences.lengths[rows])
        parts.append(Examples(part, targets[rows], np.ones(len(rows))))
    description = FitDescription("classify", FAMILIES[name], TRAINING, 0, len(TEXTS), head=HEAD)
    if name == "pretraining":
        training = Pretraining(min_epochs=3, max_epochs=3, min_batch_tokens=40, max_batch_tokens=40)
        texts = (part.sequences for part in reversed(parts))
        return PretrainingJob(replace(description, training=training), start, *texts)
    if name == "fine-tuned":
        framed = [replace(part, sequences=replace(part.sequences, frame=(1, 2))) for part in parts]
        tokens = len(CORPUS.types) + FIRST_WORD
        weights = fixed(FAMILIES[name].build(tokens).state_dict())
        return DocumentJob(description, Start(tokens, weights=weights), framed[1], framed[0])
    return DocumentJob(description, start, parts[1], parts[0])


def fixed(weights: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Weights of the same shapes that are always the same."""
    random = np.random.default_rng(0)
    return {name: random.normal(0, 0.1, tensor.shape).astype(np.float32) for name, tensor in weights.items()}


def run_in(folder, name, seconds=0.0, stop_after=None):
    """Events and weights at the end, or at the step after which the run is asked to stop."""
    with RunFolder.begin(folder, DESCRIBED, resume=True) as held:
        checkpoints = Checkpoints(held, seconds, StopRequest())

        def stop(event):
            if isinstance(event, Step) and event.number == stop_after:
                checkpoints.stop.ask()

        return events_and_result(train_job(inputs(name), SingleProcess(), checkpoints=checkpoints), stop)


def same(one: TrainedWeights, other: TrainedWeights) -> bool:
    return vars(one).keys() == vars(other).keys() and all(
        np.array_equal(one.weights[name], other.weights[name]) for name in one.weights | other.weights
    ) and replace(one, weights={}) == replace(other, weights={})


def alone(name: str) -> TrainedWeights:
    return finished(train_job)(inputs(name), SingleProcess())


def together(checkpoints: Checkpoints | None = None) -> TrainedWeights:
    return finished(train_in_workers)(inputs("lstm"), 2, checkpoints=checkpoints)


def without_clock(events) -> list:
    return [replace(event, seconds=0.0) for event in events if event.record is not None]


@pytest.mark.parametrize("name", list(FAMILIES))
def test_a_run_stopped_at_any_step_ends_as_if_it_had_not_been(name, tmp_path):
    events, whole = events_and_result(train_job(inputs(name), SingleProcess()))
    for step in range(1, sum(isinstance(event, Step) for event in events)):
        with pytest.raises(InterruptedRunError, match=rf"Stopped after step {step}; all of it is kept in .*{step}"):
            run_in(tmp_path / str(step), name, seconds=1e9, stop_after=step)
        rest, trained = run_in(tmp_path / str(step), name, seconds=1e9)
        measured = without_clock(rest)
        assert measured == without_clock(events)[-len(measured) :]
        assert same(trained, whole)


def test_a_run_killed_between_checkpoints_goes_on_from_the_last(tmp_path):
    whole = alone("lstm")
    for step in (2, 5, 7):
        folder = tmp_path / str(step)
        with RunFolder.begin(folder, DESCRIBED, resume=True) as run:
            for event in train_job(inputs("lstm"), SingleProcess(), checkpoints=Checkpoints(run, 0.0, StopRequest())):
                if isinstance(event, Step) and event.number == step:
                    break  # as a kill does: the step is done and not kept
        assert same(run_in(folder, "lstm")[1], whole)


def test_two_processes_go_on_as_one_did(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    whole = together()
    with RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True) as run:
        checkpoints = Checkpoints(run, 1e9, StopRequest())
        events = train_in_workers(inputs("lstm"), 2, checkpoints=checkpoints)
        assert any(isinstance(event, Step) for event in events)
        checkpoints.stop.ask()
        with pytest.raises(InterruptedRunError, match="all of it is kept"):
            list(events)
        assert list(run.checkpoints())
        trained = together(Checkpoints(run, 1e9, StopRequest()))
    assert same(trained, whole)


@pytest.mark.parametrize("broken", [1, 2])
def test_the_last_checkpoints_are_kept_and_damaged_ones_are_told_and_set_aside(tmp_path, broken):
    with pytest.raises(InterruptedRunError):
        run_in(tmp_path / "run", "rnn", stop_after=6)
    with RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True) as run:
        assert [place.name for place in run.checkpoints()] == ["checkpoint-000000006", "checkpoint-000000005"]
        for place in list(run.checkpoints())[:broken]:
            weights = place / "weights.safetensors"
            weights.write_bytes(weights.read_bytes()[:-1])
    with RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True) as run:
        assert [place.name for place in run.checkpoints()] == ["checkpoint-000000006", "checkpoint-000000005"][broken:]
        assert len(run.faults) == broken
        assert all("weights.safetensors" in fault for fault in run.faults)
        assert len(list(run.place.glob("damaged-*"))) == broken
    assert len(list((tmp_path / "run").glob("damaged-*"))) == broken  # also when nothing else is there
    with pytest.raises(InterruptedRunError):
        run_in(tmp_path / "run", "rnn", stop_after=7)
    with RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True) as run:
        assert [place.name for place in run.checkpoints()] == ["checkpoint-000000007", "checkpoint-000000006"]
    assert same(run_in(tmp_path / "run", "rnn")[1], alone("rnn"))


def begun(folder):
    """A run with a checkpoint."""
    with RunFolder.begin(folder, DESCRIBED, resume=False) as run:
        run.save(1, {"step": 1}, {"now.weights": np.ones(3, np.float32)})


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.EMFILE, errno.ENOMEM])
def test_a_checkpoint_that_cannot_be_read_now_stays(tmp_path, monkeypatch, code):
    """Whichever call of the taking up fails: it ends with a sentence or goes on, and the checkpoint is there."""
    begun(tmp_path / "run")
    for name in ("open", "listdir", "scandir", "fstat"):
        real, failed = getattr(os, name), 0
        for failing in itertools.count(1):
            made = 0

            def broken(*arguments, real=real, failing=failing, **options):
                nonlocal made
                made += 1
                if made == failing:
                    raise OSError(code, os.strerror(code), str(arguments[0]))
                return real(*arguments, **options)

            with monkeypatch.context() as patched:
                patched.setattr(os, name, broken)
                try:
                    with RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True) as run:
                        run.newest()
                except (StorageError, OSError) as error:
                    failed += os.strerror(code) in str(error)
            with RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True) as run:
                assert run.newest() is not None
                assert not run.faults
            if made < failing:
                break
        assert failed


def test_a_removal_that_is_cut_off_leaves_no_half_of_a_checkpoint(tmp_path, monkeypatch):
    begun(tmp_path / "run")
    with monkeypatch.context() as patched, RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True) as run:
        patched.setattr(shutil, "rmtree", lambda *arguments, **options: None)
        for step in (2, 3, 4):
            run.save(step, {"step": step}, {"now.weights": np.ones(3, np.float32)})
    with RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True) as run:
        assert not run.faults
        assert sorted(path.name for path in run.place.iterdir()) == [
            "checkpoint-000000003", "checkpoint-000000004", "lock", "run.json",
        ]  # fmt: skip


def test_what_a_cut_off_save_left_is_removed(tmp_path):
    begun(tmp_path / "run")
    left = tmp_path / "run" / ".checkpoint-000000007.partial-0123abcd"
    left.mkdir()
    with RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True):
        assert not left.exists()


def test_a_run_is_gone_on_with_only_if_asked_and_only_with_what_it_was_begun_with(tmp_path):
    begun(tmp_path / "run")
    with pytest.raises(UsageError, match=r"holds an unfinished run. Go on with --resume, or begin anew with --force"):
        RunFolder.begin(tmp_path / "run", DESCRIBED, resume=False)
    other = {"family": "lstm", "options": {"width": 16}, "seed": 1}
    with pytest.raises(UsageError, match=r"options\.width: 8 then, 16 now; seed: nothing then, 1 now"):
        RunFolder.begin(tmp_path / "run", other, resume=True)
    with RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True, anew=True) as run:
        assert run.newest() is not None
    with RunFolder.begin(tmp_path / "run", other, resume=True, anew=True) as run:
        assert run.newest() is None


def test_a_run_that_kept_nothing_is_in_nobodys_way(tmp_path):
    RunFolder.begin(tmp_path / "run", DESCRIBED, resume=False).close()
    assert not (tmp_path / "run").exists()
    killed = RunFolder.begin(tmp_path / "run", DESCRIBED, resume=False)
    os.close(killed._lock)
    other = {**DESCRIBED, "seed": 1}
    with RunFolder.begin(tmp_path / "run", other, resume=False) as run:
        run.save(1, {"step": 1}, {"now.weights": np.ones(3, np.float32)})
    RunFolder.begin(tmp_path / "run", other, resume=True).close()


def test_a_run_of_another_process_is_not_given_up(tmp_path):
    begun(tmp_path / "run")
    with (
        RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True) as run,
        pytest.raises(StorageError, match="Another process is training into"),
    ):
        RunFolder.begin(tmp_path / "run", {"family": "rnn"}, resume=False, anew=True)
    assert run.newest() is not None


def test_one_process_at_a_time(tmp_path):
    with (
        RunFolder.begin(tmp_path / "run", DESCRIBED, resume=False),
        pytest.raises(StorageError, match="Another process is training into"),
    ):
        RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True)
    RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True).close()


def test_a_place_taken_by_something_else_is_left_alone(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="is taken by something else"):
        RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True)


def test_a_loss_that_is_not_a_number_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    loss, losses = DocumentNetwork.loss, itertools.count(1)
    poisoned = lambda network, batch: loss(network, batch) * (1 if next(losses) < 6 else float("nan"))  # noqa: E731
    monkeypatch.setattr(DocumentNetwork, "loss", poisoned)
    with pytest.raises(DivergedError, match=r"became nan at step 5 \(rows "):
        run_in(tmp_path / "run", "lstm")
    with RunFolder.begin(tmp_path / "run", DESCRIBED, resume=True) as run:
        assert run.newest().path.name == "checkpoint-000000005"


def test_a_disk_too_small_for_a_run_is_noticed_before_it_begins(tmp_path, monkeypatch):
    almost = shutil._ntuple_diskusage(10**9, 10**9, ROOM_TO_SPARE + 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: almost)
    with pytest.raises(StorageError, match="needs"):
        run_in(tmp_path / "run", "lstm")


def test_a_worker_whose_steps_nobody_reads_leaves_in_silence(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    write_job(folder, inputs("lstm"))
    environment = {
        **os.environ, "RANK": "0", "WORLD_SIZE": "1", "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": LOOPBACK,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    command = [sys.executable, "-m", "scansion.learning.worker", str(folder), "--temporary"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, **pipes, env=environment) as worker:
        worker.stdout.close()  # as when the process that started it is killed
        assert worker.wait(timeout=60) == 1
        assert worker.stderr.read() == b""
    assert not folder.exists()
