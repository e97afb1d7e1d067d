"""``scansion fit`` interrupted in every way, and gone on with."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("warm_processes")

DATA = Path(__file__).parents[1] / "data"
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
FIT = [sys.executable, "-m", "scansion", "fit", "some.csv", "--family", "lstm", "--set", "width=16"]

COUNTED = [*FIT[:5], "--family", "bag-of-words"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A table that is read for a second and more, which is ten times as long as until the first checkpoint."""
    header, *rows = (DATA / "polarity.csv").read_text(encoding="utf-8").splitlines()
    place = tmp_path_factory.mktemp("resume")
    (place / "some.csv").write_text("\n".join([header, *rows[::2], ""]), encoding="utf-8")
    return place


def fit(folder: Path, out: str, *more: str) -> subprocess.Popen:
    return subprocess.Popen(
        [*FIT, "--out", out, *more], cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )


def done(running: subprocess.Popen) -> tuple[int, str]:
    _, printed = running.communicate(timeout=120)
    return running.returncode, printed


def interrupted(folder: Path, out: str, number: int, *more: str) -> tuple[int, str]:
    """A fit that gets a signal as soon as it has kept a checkpoint of its own."""
    known = set(folder.glob(f"{out}.run*/checkpoint-*"))
    running = fit(folder, out, "--checkpoint-every", "0.1", *more)
    deadline = time.monotonic() + 60
    while not set(folder.glob(f"{out}.run*/checkpoint-*")) - known:
        assert time.monotonic() < deadline
        assert running.poll() is None, running.stderr.read()
        time.sleep(0.02)
    if number == signal.SIGHUP:  # a terminal that closes sends it to all of its processes
        os.killpg(running.pid, number)
    else:
        running.send_signal(number)
    return done(running)


def digest(model: Path) -> str:
    return hashlib.sha256((model / "weights.safetensors").read_bytes()).hexdigest()


def measured(model: Path) -> list[dict]:
    """All lines of a model's curves, without what a clock measures."""
    path = model.with_name(f"{model.name}.curves") / "metrics.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{key: line[key] for key in line.keys() - {"seconds", "tokens_per_second"}} for line in lines]


@pytest.fixture(autouse=True)
def heeding():
    """Under nohup, SIGHUP is ignored by pytest and by all that it starts."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(("processes", "ending"), [("1", signal.SIGTERM), ("2", signal.SIGHUP)])
def test_a_fit_interrupted_in_every_way_ends_with_the_same_weights_and_curves(processes, ending, folder):
    options = ("--processes", processes)
    assert done(fit(folder, f"whole{processes}", *options))[0] == 0
    out = f"broken{processes}"
    for number, expected in ((signal.SIGINT, 130), (ending, 128 + ending), (signal.SIGKILL, -9)):
        code, printed = interrupted(folder, out, number, "--resume", *options)
        assert code == expected, printed
        assert "Traceback" not in printed
        if expected > 0:
            assert "Stopped after step" in printed
            assert f"all of it is kept in {out}.run. Go on with the same command and --resume." in printed
        assert not (folder / out).exists()
    code, printed = done(fit(folder, out, "--resume", *options))
    assert code == 0, printed
    assert digest(folder / out) == digest(folder / f"whole{processes}")
    assert measured(folder / out) == measured(folder / f"whole{processes}")
    assert f"training curves: {out}.curves/curves.svg" in printed
    assert not (folder / f"{out}.run").exists()


def test_a_fit_interrupted_while_it_pretrains_ends_with_the_same_weights(folder):
    options = ("--processes", "1", "--pretrain", "own")
    assert done(fit(folder, "taught", *options))[0] == 0
    for number in (signal.SIGINT, signal.SIGKILL):
        code, printed = interrupted(folder, "cut", number, "--resume", *options)
        assert code == (130 if number == signal.SIGINT else -9), printed
        assert list(folder.glob("cut.run.pretraining/checkpoint-*"))
        assert not (folder / "cut").exists()
    code, printed = done(fit(folder, "cut", "--resume", *options))
    assert code == 0, printed
    assert "Going on with the run in cut.run.pretraining after step" in printed
    assert digest(folder / "cut") == digest(folder / "taught")
    assert not list(folder.glob("cut.run*"))


def test_a_run_in_the_way_is_named_before_anything_is_read(folder):
    interrupted(folder, "waiting", signal.SIGINT)
    code, printed = done(fit(folder, "waiting"))
    assert code == 2
    assert "waiting.run holds an unfinished run. Go on with --resume, or begin anew with --force." in printed
    assert "documents" not in printed
    code, printed = done(fit(folder, "waiting", "--resume", "--random-state", "1"))
    assert code == 2
    assert "was begun with something else: seed: 0 then, 1 now" in printed
    code, printed = done(fit(folder, "waiting", "--force", "--random-state", "1"))
    assert code == 0
    code, printed = done(fit(folder, "waiting", "--resume"))
    assert code == 2
    assert "waiting exists already" in printed


def test_of_two_counted_fits_into_one_place_one_is_refused(folder):
    first, second = (
        subprocess.Popen([*COUNTED, "--out", "shared"], cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    )
    ends = [done(first), done(second)]
    assert sorted(code == 0 for code, _ in ends) == [False, True]
    (said,) = (printed for code, printed in ends if code)
    assert "Another process is fitting into shared" in said or "shared exists already" in said
    assert not (folder / ".shared.lock").exists()
