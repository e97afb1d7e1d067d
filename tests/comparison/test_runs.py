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

from scansion.comparison import fit_and_score, runs
from scansion.comparison.run import Outcome, Run, RunEvent
from scansion.comparison.runs import follow
from scansion.comparison.schedule import UNBOUNDED
from scansion.families.bag_of_words import BagOfWords
from scansion.tasks.classifier import DocumentClassifier

RUN = Run("bag-of-words", BagOfWords(), 0, 0, "classify", None)


@pytest.fixture
def worker_that(tmp_path, monkeypatch):
    """Put a shell script in the worker's place; ``$4`` is the run's folder."""

    def install(lines: str) -> None:
        script = tmp_path / "worker.sh"
        script.write_text(f"#!/bin/sh\n{lines}\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(runs.sys, "executable", str(script))

    return install


def followed(folder: Path) -> tuple[list[RunEvent], Outcome]:
    *events, outcome = follow(folder, RUN, UNBOUNDED)
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
    assert [next(events).message, next(events).message] == ["starting", "working"]
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
