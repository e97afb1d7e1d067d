"""A run's process may print what it likes, crash or be killed: it is followed to its end and leaves nothing behind."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from scansion.comparison import fit_and_score, run_process, runs
from scansion.comparison.compare import compare, comparing
from scansion.comparison.run import Outcome, Run, RunEvent
from scansion.comparison.run_process import follow
from scansion.comparison.schedule import UNBOUNDED, Allowed
from scansion.families.bag_of_words import BagOfWords
from scansion.tasks.classifier import DocumentClassifier

TEXTS = [f"{word} {number}" for number in range(40) for word in ("good", "bad")]
TARGETS = ["yes", "no"] * 40
SPLITS = ["test" if number % 2 else "train" for number in range(40) for _ in range(2)]
TESTED = [number for number, split in enumerate(SPLITS) if split == "test"]
COST = ("fit_seconds", "processor_seconds", "predict_seconds", "size_bytes", "peak_memory_bytes", "tokens_read",
        "tokens_there", "parameters", "notes", "cut_short")
RUN = Run("bag-of-words", BagOfWords(), 0, 0, "classify", None)


@pytest.fixture
def worker_that(tmp_path, monkeypatch):
    """Put a shell script in the worker's place; ``$4`` is the run's folder."""

    def install(lines: str) -> None:
        script = tmp_path / "worker.sh"
        script.write_text(f"#!/bin/sh\n{lines}\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(run_process.sys, "executable", str(script))

    return install


def followed(folder: Path) -> tuple[list[RunEvent], Outcome]:
    *events, outcome = (event for event in follow(folder, RUN, UNBOUNDED) if event is not None)
    return events, outcome


def alive(process: int) -> bool:
    """Whether it still runs; a zombie that nobody has waited for does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def gone(process: int, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while alive(process) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(process)


def test_what_a_library_prints_is_not_taken_for_progress(worker_that, tmp_path):
    worker_that("""echo hello; echo 7; echo '{"message": "reading", "progress": 0.5}'; echo '{"other": 1}'""")
    events, _ = followed(tmp_path)
    assert [event.message for event in events] == ["starting", "reading"]


def test_a_killed_worker_is_a_failure_that_says_so(worker_that, tmp_path):
    worker_that("kill -9 $$")
    assert "was killed, as the system does when memory runs out" in followed(tmp_path)[1].failure


def test_a_crash_is_not_blamed_on_memory(worker_that, tmp_path):
    worker_that("kill -ABRT $$")
    failure = followed(tmp_path)[1].failure
    assert "crashed" in failure
    assert "memory" not in failure


def test_an_error_is_told_by_its_last_line_and_not_by_its_traceback(worker_that, tmp_path):
    worker_that("echo Traceback >&2; echo '  File x' >&2; echo 'KeyError: 3' >&2; exit 1")
    assert followed(tmp_path)[1].failure == "its process ended with code 1: KeyError: 3"


def test_what_a_killed_worker_has_started_is_ended_too(worker_that, tmp_path):
    worker_that('sleep 60 >/dev/null & echo $! > "$6/started"; kill -9 $$')
    followed(tmp_path)
    assert gone(int((tmp_path / "bag-of-words-0-0" / "started").read_text()))


def test_leaving_a_run_ends_its_process(worker_that, tmp_path):
    worker_that('echo $$ > "$6/started"; echo \'{"message": "working", "progress": null}\'; sleep 60')
    events = follow(tmp_path, RUN, UNBOUNDED)
    told = (event.message for event in events if event is not None)
    assert [next(told), next(told)] == ["starting", "working"]
    events.close()
    assert gone(int((tmp_path / "bag-of-words-0-0" / "started").read_text()))


@pytest.mark.parametrize(
    ("breaks", "said"),
    [(MemoryError(), "not enough memory"), (np.array([[0.1, np.nan]]), "no numbers")],
)
def test_no_memory_and_answers_that_are_no_numbers_are_failures(breaks, said, tmp_path, monkeypatch):
    def scores(self, texts):
        if isinstance(breaks, Exception):
            raise breaks
        return breaks

    texts = ["good film", "bad film", "good play", "bad play"] * 5
    runs.write_data(tmp_path, texts, ["good", "bad"] * 10, [(np.arange(18), np.arange(18, 20))])
    place = tmp_path / "run"
    place.mkdir()
    wanted = {"family": "bag-of-words", "options": {}, "seed": 0, "fold": 0, "task": "classify", "processes": None,
              "arguments": {"class_weight": None}, "budget": None}
    (place / "run.json").write_text(json.dumps(wanted))
    monkeypatch.setattr(DocumentClassifier, "decision_function", scores)
    fit_and_score.work(tmp_path, place)
    assert said in json.loads((place / "failure.json").read_text())
    assert not (place / "cost.json").exists()


def test_a_workers_peak_memory_is_its_own_and_not_that_of_whoever_started_it():
    held = np.ones(100_000_000)  # 800 MB
    program = "from scansion.comparison.fit_and_score import own_peak_memory; print(own_peak_memory())"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert 5e7 < int(done.stdout) < 7e8 < held.nbytes


def test_a_run_on_one_thread_is_told_so_and_is_one_process(worker_that, tmp_path):
    worker_that('echo "$OMP_NUM_THREADS" > "$6/threads"')
    *_, _ = follow(tmp_path, RUN, Allowed(threads=1))
    place = tmp_path / "bag-of-words-0-0"
    assert (place / "threads").read_text() == f"{os.environ.get('OMP_NUM_THREADS', 1)}\n"
    assert json.loads((place / "run.json").read_text())["processes"] == 1


@pytest.fixture
def side_by_side(monkeypatch):
    """The made runs of a comparison on two processors, with how many others were under way; and what is told.

    Each answers after as many steps as its family's name has letters.
    """
    made, under_way = [], set()

    def follow(folder, run, allowed):
        under_way.add((run.label, run.seed))
        made.append((run.label, run.seed, len(under_way), allowed.threads))
        try:
            yield from [None] * len(run.label)
            answers = [TARGETS[i] for i in TESTED] if run.label != "rnn" else ["no"] * len(TESTED)
            yield Outcome(run, answers, dict.fromkeys(COST, 1) | {"notes": []})
        finally:
            under_way.discard((run.label, run.seed))

    def compared(**options):
        comparison = compare(TEXTS, TARGETS, ["rnn", "lstm", "transformer"], splits=SPLITS, seeds=2, **options)
        return comparison, list(made)

    monkeypatch.setattr(runs, "follow", follow)
    monkeypatch.setattr(runs, "cores", lambda: 2)
    return compared


def test_on_two_processors_two_runs_are_under_way_at_a_time_and_a_seed_is_over_before_the_next(side_by_side):
    comparison, made = side_by_side()
    assert [each[:2] for each in made] == [
        ("majority", 0), ("rnn", 0), ("lstm", 0), ("transformer", 0), ("lstm", 1), ("transformer", 1),
    ]  # the RNN is significantly worse, which is known before the second seeds
    assert [made[0][2], made[1][2], max(each[2] for each in made)] == [1, 2, 2]
    assert [each[2] for each in made if each[1] == 1] == [1, 2]
    assert {row.family: row.seeds for row in comparison.rows} == {"majority": 1, "rnn": 1, "lstm": 2, "transformer": 2}


def test_who_says_how_many_processes_a_run_has_gets_one_run_after_the_other(side_by_side):
    _, made = side_by_side(processes=1)
    assert {each[2:] for each in made} == {(1, None)}


def test_texts_of_many_characters_are_learned_one_run_after_the_other(side_by_side, monkeypatch):
    monkeypatch.setattr(runs, "CHARACTERS_AT_A_TIME", 10)
    _, made = side_by_side()
    assert {each[2] for each in made} == {1}


def test_leaving_a_comparison_ends_all_runs_under_way(worker_that, monkeypatch, tmp_path):
    monkeypatch.setattr(runs, "cores", lambda: 2)
    worker_that(f'echo $$ > {tmp_path}/$(basename "$6"); echo \'{{"message": "working", "progress": null}}\'; sleep 60')
    events = comparing(TEXTS, TARGETS, ["rnn", "lstm"], splits=SPLITS, seeds=1)
    working = 0
    while working < 2:
        working += getattr(next(events), "message", "") == "working"
    events.close()
    started = sorted(tmp_path.glob("*-0-0"))
    assert len(started) == 2
    assert all(gone(int(each.read_text())) for each in started)
