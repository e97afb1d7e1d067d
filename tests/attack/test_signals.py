"""A fit that is asked to end, at any instant, keeps a checkpoint if it has begun, and leaves no process and no lock."""

import fcntl
import itertools
import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data" / "polarity.csv"
SIGNALS = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT]
PATIENT = 120
CHECKPOINTS = "checkpoint-*"

pytestmark = [
    pytest.mark.usefixtures("warm_processes"),
    pytest.mark.skipif(sys.platform != "linux", reason="warm processes are forked as Linux forks them"),
]


@pytest.fixture(autouse=True)
def heeding():
    """Under nohup, SIGHUP is ignored by pytest and by all that it starts."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def fit(folder: Path, family: str, processes: int, *more: str) -> tuple[subprocess.Popen, int]:
    """A fit, and the end of a pipe that all it starts holds the other end of: its standard output."""
    reading, writing = os.pipe()
    words = ["fit", str(DATA), "--family", family, "--set", "width=8", "--processes", str(processes), *more]
    with open(folder / "said", "w") as said:
        running = subprocess.Popen(
            [sys.executable, "-m", "scansion", *words, "--out", str(folder / "model"), "--resume"], stdout=writing,
            stderr=said, stdin=subprocess.DEVNULL, start_new_session=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
    os.close(writing)
    return running, reading


def signalled(folder: Path, family: str, processes: int, number: int, seconds: float | None) -> tuple[int, str, bool]:
    """Its exit code, what it said, and whether all of it is gone; after the first checkpoint if not ``seconds``."""
    running, reading = fit(folder, family, processes, "--checkpoint-every", "0.1", "--budget", "60s")
    deadline = time.monotonic() + (PATIENT if seconds is None else seconds)
    while time.monotonic() < deadline and running.poll() is None:
        if seconds is None and list(folder.glob(f"model.run/{CHECKPOINTS}")):
            break
        time.sleep(0.01)
    if number == signal.SIGHUP:  # a terminal that closes sends it to all of its processes
        os.killpg(running.pid, number)
    else:
        running.send_signal(number)
    code = running.wait(PATIENT)
    gone, deadline = False, time.monotonic() + PATIENT
    while not gone and select.select([reading], [], [], max(0.0, deadline - time.monotonic()))[0]:
        gone = not os.read(reading, 1 << 16)
    os.close(reading)
    return code, (folder / "said").read_text(), gone


def locked(folder: Path) -> list[Path]:
    """Files under a folder that somebody holds."""
    found = []
    for path in folder.rglob("*lock*"):
        with open(path) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                found.append(path)
    return found


def check(folder: Path, family: str, processes: int, number: int, seconds: float | None, tried) -> None:
    folder.mkdir()
    code, said, gone = signalled(folder, family, processes, number, seconds)
    begun = "Stopped after step" in said
    kept, expected = list(folder.glob(f"model.run/{CHECKPOINTS}")), 128 + number
    if seconds is not None and code == 0 and (folder / "model").exists():
        return  # it was done before
    cold = seconds is not None and code == -number  # before the command has begun
    whole = gone and not locked(folder) and (code == expected or cold) and "Traceback" not in said
    good = whole and (bool(kept) if begun or seconds is None else True)
    tried("SIGTERM, SIGHUP, SIGINT during a fit; checkpoint kept, no process, no lock left", 1, not good)
    assert good, (code, said, gone, kept, locked(folder))
    assert "all of it is kept in" in said or not begun


def test_a_fit_that_is_asked_to_end_keeps_a_checkpoint_and_leaves_nothing_behind(tmp_path, tried):
    check(tmp_path / "run", "rnn", 2, signal.SIGTERM, None, tried)


@pytest.mark.long
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("family", ["rnn", "lstm", "transformer"])
def test_a_fit_that_is_asked_to_end_at_any_instant(family, processes, tmp_path, tried):
    draw = random.Random(0)
    for round_, number in itertools.product(range(3), SIGNALS):
        seconds = None if round_ == 0 else draw.uniform(0.1, 4.0)
        check(tmp_path / f"{round_} {number}", family, processes, number, seconds, tried)
