"""Every system call of a save is the last one once; and every one of a save, a resume or a load fails once.

A whole checkpoint is always there, and none that is good is lost.  What is done runs as a process of its own under
strace, which kills it at, or fails, the N-th call of a name (see ``saving.py``).
"""

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import saving
from saving import BEGUN, CALL, DESCRIBED, ENDED, REFUSED, tensors
from scansion.storage.run_folder import RunFolder

FAULTS = ["error=ENOSPC", "error=EIO", "error=EINTR"]
"""What happens to a call, in the short form in turns: a full disk and a broken one are noticed in the same places."""
SHORT = 10
"""Every so many of the calls are tried in the short form."""


@pytest.fixture(scope="module")
def traced():
    """Does an action under strace: how it ended, what it said, and its calls."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed; apt install strace brings it")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-B", saving.__file__], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as warm:

        def traced(action: str, folder: Path, step: int, *options: str) -> dict:
            warm.stdin.write(json.dumps([action, str(folder), step, options]) + "\n")
            warm.stdin.flush()
            return json.loads(warm.stdout.readline())

        yield traced
        warm.stdin.close()


def begin(folder: Path) -> None:
    """A run with as many checkpoints as are kept, so that the next save removes one."""
    with RunFolder.begin(folder, DESCRIBED, resume=True) as run:
        for step in (1, 2):
            run.save(step, {"step": step}, tensors(step))


@pytest.fixture
def points(traced, tmp_path):
    """Each call of an action by its name and its number among all calls of that name."""

    def points(action: str) -> list[tuple[str, int]]:
        begin(tmp_path / "dry")
        done = traced(action, tmp_path / "dry", 3 if action == "save" else 2)
        assert done["code"] == 0, done
        counts, found, inside = Counter(), [], False
        for name, rest in CALL.findall(done["calls"]):
            counts[name] += 1
            inside = inside and not (name == "write" and f'"{ENDED}"' in rest)
            if inside:
                found.append((name, counts[name]))
            inside = inside or (name == "write" and f'"{BEGUN}"' in rest)
        assert len(found) > 25
        return found

    return points


def injected(point: tuple[str, int], happens: str) -> tuple[str, ...]:
    name, number = point
    return "-e", f"trace={name}", "-e", f"inject={name}:{happens}:when={number}"


def broken_saves(traced, tmp_path: Path, cases: list[tuple[tuple[str, int], str]]) -> int:
    """How many of the saves did not come to their end."""
    folder, step, reached = tmp_path / "run", 2, 0
    begin(folder)
    for point, happens in cases:
        done = traced("save", folder, step + 1, *injected(point, happens))
        begun, ended = BEGUN in done["out"], ENDED in done["out"]
        reached += begun and not ended
        assert "Traceback" not in done["err"], (point, happens, done["err"][-800:])
        with RunFolder.begin(folder, DESCRIBED, resume=True) as run:
            newest = run.newest()
            assert newest is not None, (point, happens)
            assert not run.faults, (point, happens)
            found = newest.json("config.json")["step"]
            assert found in ((step, step + 1) if begun else (step,)), (point, happens)
            assert (newest.tensors("weights.safetensors")["now.weights"] == found).all()
            assert not [name for name in os.listdir(folder) if name.startswith(".")], (point, happens)
            step = found + 1  # and the run can be gone on with
            run.save(step, {"step": step}, tensors(step))
            assert run.newest().json("config.json")["step"] == step
    return reached


def broken_readings(traced, action: str, tmp_path: Path, cases: list[tuple[tuple[str, int], str]]) -> int:
    """How many of them were refused; afterwards both checkpoints are there and whole."""
    folder, refused = tmp_path / "run", 0
    begin(folder)
    before = sorted(each.name for each in folder.iterdir())
    for point, happens in cases:
        done = traced(action, folder, 2, *injected(point, happens))
        assert "Traceback" not in done["err"], (point, happens, done["err"][-800:])
        refused += REFUSED in done["err"]
        assert done["code"] in (0, 1), (point, happens)
        assert sorted(each.name for each in folder.iterdir()) == before, (point, happens)
        with RunFolder.begin(folder, DESCRIBED, resume=True) as run:
            assert not run.faults
            assert run.newest().json("config.json")["step"] == 2
    return refused


def in_turns(found):
    return list(zip(found[2::SHORT], itertools.cycle(FAULTS), strict=False))


def every_fault(found):
    return list(itertools.product(found, FAULTS))


def test_some_calls_of_a_save_fail_or_are_the_last(traced, points, tmp_path, tried):
    found = points("save")
    assert {call for call, _ in found} >= {"openat", "write", "fsync", "rename", "mkdir", "close", "unlinkat"}
    cases = [*in_turns(found), *((point, "signal=KILL") for point in found[7::SHORT])]
    assert broken_saves(traced, tmp_path, cases) >= 1
    tried("system calls of a save that fail or are the last", len(cases))


@pytest.mark.parametrize("action", ["resume", "load"])
def test_some_calls_of_a_reading_fail(action, traced, points, tmp_path, tried):
    cases = in_turns(points(action))
    assert broken_readings(traced, action, tmp_path, cases)
    tried(f"system calls of a {action} that fail", len(cases))


@pytest.mark.long
def test_every_call_of_a_save_is_the_last(traced, points, tmp_path, tried):
    cases = [(point, "signal=KILL") for point in points("save")]
    assert broken_saves(traced, tmp_path, cases) == len(cases)  # a close may fail without harm, a kill never does
    tried("kills at each system call of a save", len(cases))


@pytest.mark.long
def test_every_call_of_a_save_fails(traced, points, tmp_path, tried):
    cases = every_fault(points("save"))
    assert broken_saves(traced, tmp_path, cases) >= 0.1 * len(cases)
    tried("ENOSPC, EIO, EINTR at each system call of a save", len(cases))


@pytest.mark.long
@pytest.mark.parametrize("action", ["resume", "load"])
def test_every_call_of_a_reading_fails(action, traced, points, tmp_path, tried):
    cases = every_fault(points(action))
    assert broken_readings(traced, action, tmp_path, cases)
    tried(f"ENOSPC, EIO, EINTR at each system call of a {action}", len(cases))
