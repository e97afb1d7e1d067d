"""A worker started by hand, by torchrun and by the process that follows it."""

import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from scansion.errors import DivergedError, ScansionError, StorageError
from scansion.families.rnn import RNN
from scansion.heads.multiclass import MulticlassHead
from scansion.heads.regression import RegressionHead
from scansion.learning import rendezvous as meeting
from scansion.learning import worker, workers
from scansion.learning.checkpoints import Checkpoints, StopRequest
from scansion.learning.description import FitDescription
from scansion.learning.document_job import DocumentJob, Examples, Start
from scansion.learning.events import Epoch, event_from_line, finished
from scansion.learning.job import TrainedWeights
from scansion.learning.job_files import DESCRIPTION
from scansion.learning.jobs import JOB, TRAINED, WEIGHTS, read_trained, write_job
from scansion.learning.loop import train_job
from scansion.learning.process_group import SingleProcess
from scansion.learning.rendezvous import STORE, rendezvous
from scansion.learning.training import Training
from scansion.learning.workers import LOOPBACK, train_in_workers
from scansion.processors import cores
from scansion.storage.run_folder import RunFolder
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words
from warm_processes import warm_popen

TEXTS = [f"{colour} {shape} thing" for colour in ("red", "blue") for shape in ("round", "flat", "long", "thin", "old")]
TRAINING = Training(min_epochs=3, max_epochs=3, min_batch_tokens=12, max_batch_tokens=12)
PATIENT = 120  # seconds, on a machine that does other things too


LONG = Training(min_epochs=900, max_epochs=900, min_batch_tokens=12, max_batch_tokens=12)


def job_of(head=MulticlassHead(("blue", "red")), targets=None, training=TRAINING) -> DocumentJob:  # noqa: B008
    """A job with dropout on."""
    corpus = read_words(TEXTS)
    vocabulary = Vocabulary.learn(corpus)
    answers = np.array([text.startswith("red") for text in TEXTS]).astype(np.int64) if targets is None else targets
    examples = Examples(vocabulary.encode(corpus), answers, np.ones(len(TEXTS)))
    start = Start(len(vocabulary), len(vocabulary.char_ngrams), vocabulary.index(corpus.types))
    description = FitDescription("classify", RNN(width=8), training, 0, len(TEXTS), head=head)
    return DocumentJob(description, start, examples, examples)


def doomed() -> DocumentJob:
    """A job whose loss is not a number at the first step."""
    return job_of(RegressionHead(0.0, 1.0), np.full(len(TEXTS), np.nan, np.float32))


def folder_of(place: Path, job: DocumentJob) -> Path:
    """A job folder that holds something else too."""
    place.mkdir()
    write_job(place, job)
    (place / "precious").write_text("mine")
    return place


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def environment(rank: int = 0, processes: int = 1) -> dict[str, str]:
    """Of one worker, with as many threads as those of ``train_in_workers`` have."""
    return {
        **os.environ, "RANK": str(rank), "WORLD_SIZE": str(processes), "GLOO_SOCKET_IFNAME": LOOPBACK,
        "OMP_NUM_THREADS": str(max(1, cores() // 2)), "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }


def started(folder: Path, rank: int = 0, processes: int = 1, **given) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "scansion.learning.worker", str(folder)]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **given}
    return subprocess.Popen(command, text=True, env=environment(rank, processes), **pipes)


def same(one: TrainedWeights, other: TrainedWeights) -> bool:
    """But for who has made them."""
    return replace(one, weights={}, workers=0) == replace(other, weights={}, workers=0) and all(
        np.array_equal(one.weights[name], other.weights[name]) for name in one.weights | other.weights
    )


@pytest.fixture
def warm(forker, monkeypatch):
    """Workers whose start is tested elsewhere in this file."""
    if forker is not None:
        monkeypatch.setattr(subprocess, "Popen", warm_popen(forker))


@pytest.fixture(autouse=True)
def _threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


# --- by hand --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closing", ["0</dev/null", "0<&-"])
def test_a_worker_started_by_hand_leaves_its_weights_and_every_other_file_as_it_was(closing, tmp_path):
    folder = folder_of(tmp_path / "job #1 100%", job_of())
    before = contents(folder)
    command = ["sh", "-c", f'exec "$0" -m scansion.learning.worker "$1" {closing}', sys.executable, str(folder)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=PATIENT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    epochs = [event for event in map(event_from_line, done.stdout.splitlines()) if isinstance(event, Epoch)]
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    after = contents(folder)
    assert after.keys() == before.keys() | {TRAINED, WEIGHTS}
    assert {name: after[name] for name in before} == before
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    trained, alone = read_trained(folder), finished(train_job)(job_of(), SingleProcess())
    assert replace(trained, weights={}) == replace(alone, weights={})
    for name, weights in alone.weights.items():
        np.testing.assert_allclose(trained.weights[name], weights, atol=1e-3, err_msg=name)


@pytest.mark.usefixtures("warm")
def test_two_workers_started_by_hand_meet_in_the_folder_and_may_do_so_again(tmp_path):
    folder = folder_of(tmp_path / "job", job_of())
    before = contents(folder)
    with rendezvous(folder, 0, 2):  # as if they had been killed while they met
        left = {path.name: path.read_bytes() for path in folder.glob(f"{STORE}*")}
    assert len(left) == 2
    first, second = [], []
    for found in (first, second):
        for name, content in left.items():
            (folder / name).write_bytes(content)
        workers = [started(folder, rank, 2) for rank in range(2)]
        assert workers[0].stdout.readline()  # they have met
        assert not list(folder.glob(f"{STORE}*"))
        for rank, process in enumerate(workers):
            with process:
                told, complaints = process.communicate(timeout=PATIENT)
            assert (process.returncode, complaints, told == "") == (0, "", rank == 1)
        found.append(read_trained(folder))
        assert contents(folder).keys() == before.keys() | {TRAINED, WEIGHTS}
    assert same(*first, *second)


@pytest.mark.parametrize("left", [None, b"", b"\x07\xff\x00init", b"store.12", b"../precious", b"precious"])
def test_workers_meet_where_a_living_first_one_says_whatever_was_left_there(left, tmp_path, monkeypatch):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "store.12").write_text("of a start that was killed")
    if left is not None:
        (tmp_path / STORE).write_bytes(left)
    with rendezvous(tmp_path, 0, 2) as first, rendezvous(tmp_path, 1, 2) as second:
        first.set("address", "here")
        assert second.get("address") == b"here"
    assert (tmp_path / "precious").read_text() == "mine"
    assert not (tmp_path / STORE).exists()
    monkeypatch.setattr(meeting, "PATIENCE", 0.1)
    (tmp_path / STORE).write_bytes(left or b"")
    with pytest.raises(StorageError, match="Worker 1 has waited 0 s for worker 0"), rendezvous(tmp_path, 1, 2):
        pass


@pytest.mark.usefixtures("warm")
def test_workers_that_fail_leave_every_file_as_it_was_and_each_gives_the_reason(tmp_path):
    folder = folder_of(tmp_path / "job", doomed())
    before = contents(folder)
    workers = [started(folder, rank, 2) for rank in range(2)]
    for rank, process in enumerate(workers):
        with process:
            _, complaints = process.communicate(timeout=PATIENT)
        assert process.returncode == DivergedError.exit_code
        assert re.fullmatch(rf"scansion worker {rank} of 2: The loss became nan at step 0 \(rows .*\n", complaints)
    assert contents(folder) == before


@pytest.mark.parametrize("rank", [0, 1])
def test_a_folder_without_a_job_is_one_sentence_that_names_it(rank, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RANK", str(rank))
    monkeypatch.setenv("WORLD_SIZE", "2")
    (tmp_path / "precious").write_text("mine")
    for folder in (tmp_path, tmp_path / "missing"):
        assert worker.main([str(folder)]) == StorageError.exit_code != 0
        out, complaint = capsys.readouterr()
        assert out == ""
        assert complaint == (
            f"scansion worker {rank} of 2: {folder} holds no {JOB}, so it is no job folder. Give one that was written "
            "for workers.\n"
        )
    assert contents(tmp_path) == {"precious": b"mine"}


@pytest.mark.parametrize("rank", [0, 1])
def test_any_other_error_is_on_standard_error_whatever_the_rank(rank, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RANK", str(rank))
    monkeypatch.setenv("WORLD_SIZE", "2")
    folder = folder_of(tmp_path / "job", job_of())
    (folder / DESCRIPTION).unlink()
    before = contents(folder)
    assert worker.main([str(folder)]) == 1
    assert f"No such file or directory: '{folder / DESCRIPTION}'" in capsys.readouterr().err
    (folder / DESCRIPTION).write_text('{"description": {"task": "classify", "colour": "red"}, "sizes": {}}')
    assert worker.main([str(folder)]) != 0
    assert f"scansion worker {rank} of 2: " in capsys.readouterr().err
    (folder / DESCRIPTION).unlink()
    assert contents(folder) == before


# --- by torchrun ----------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def test_two_workers_of_torchrun_leave_exactly_the_weights_of_train_in_workers(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    folder = folder_of(tmp_path / "job", job_of())
    before = contents(folder)
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "127.0.0.1",
        "--master-port", str(free_port()), "-m", "scansion.learning.worker", str(folder),
    ]
    done = subprocess.run(
        command, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert same(read_trained(folder), finished(train_in_workers)(job_of(), 2))
    assert contents(folder).items() >= before.items()


# --- by a process that follows --------------------------------------------------------------------------------------


def test_the_temporary_folder_is_removed_without_a_word_when_the_parent_has_died(tmp_path):
    folder = folder_of(tmp_path / "job", job_of())
    command = [sys.executable, "-m", "scansion.learning.worker", str(folder), "--temporary"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, env=environment(0, 2), **pipes) as process:  # which waits for a second
        assert process.poll() is None
        assert folder.exists()
        told, complaints = process.communicate(timeout=PATIENT)  # closes standard input, as the end of a parent does
    assert (process.returncode, told, complaints) == (1, "", "")
    assert not folder.exists()


@pytest.mark.usefixtures("warm_processes")
@pytest.mark.parametrize("rank", [0, 1])
def test_a_worker_that_is_killed_is_named_with_the_signal_and_what_was_kept(rank, tmp_path, monkeypatch, capfd):
    started, start = [], workers._start
    monkeypatch.setattr(workers, "_start", lambda *given: started.append(start(*given)) or started[-1])
    with RunFolder.begin(tmp_path / "run", {"family": "rnn"}, resume=False) as run:
        events = train_in_workers(job_of(training=LONG), 2, checkpoints=Checkpoints(run, 0.0, StopRequest()))
        next(events)
        while not list(run.checkpoints()):
            next(events)
        started[rank].send_signal(signal.SIGKILL)
        kept = rf"What was kept is in {tmp_path / 'run'}: go on with --resume\."
        with pytest.raises(ScansionError, match=rf"Worker {rank} of 2 was ended by signal 9 \(SIGKILL\), .* {kept}"):
            list(events)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.usefixtures("warm_processes")
@pytest.mark.parametrize("rank", [0, 1])
def test_a_worker_killed_before_the_others_have_met_it_is_named_and_they_do_not_wait_for_it(rank, monkeypatch):
    start = workers._start

    def started(folder, number, processes):
        worker = start(folder, number, processes)
        if number == rank:
            worker.kill()
        return worker

    monkeypatch.setattr(workers, "_start", started)
    with pytest.raises(ScansionError, match=rf"Worker {rank} of 2 was ended by signal 9 \(SIGKILL\)"):
        list(train_in_workers(job_of(training=LONG), 2))
